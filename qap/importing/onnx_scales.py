"""The scales of a QONNX graph that are no powers of two, for who compares integers with what the graph gives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qap.extras import extra
from qap.importing.onnx_quant import Array

with extra("onnx"):
    import onnx
    from onnx import numpy_helper

SCALED = ("Quant", "IntQuant", "BipolarQuant", "DequantizeLinear")
PRODUCTS = ("MatMul", "Gemm")


def has_float_scales(model: onnx.ModelProto) -> bool:
    """Whether a quantizer multiplies by something else than powers of two."""
    graph = _Graph(model)
    return any((np.frexp(scale)[0] != 0.5).any() for node in model.graph.node for scale in graph.scales(node))


def last_scale(model: onnx.ModelProto) -> float:
    """The product of the float scales of the weights and inputs of the last dense layer: one LSB of its logits.

    A power of two, or a scale of each neuron's own, counts as 1.
    """
    graph, scale = _Graph(model), 1.0
    last = next((node for node in reversed(model.graph.node) if node.op_type in PRODUCTS), None)
    for name in [] if last is None else last.input[:2]:
        node = next((node for node in graph.before(name) if node.op_type in (*SCALED, "MultiThreshold")), None)
        for found in [] if node is None else graph.scales(node):
            number = float(np.ravel(found)[0])
            if (found == number).all() and np.frexp(number)[0] != 0.5:
                scale *= number
    return scale


class _Graph:
    """Which node gives what."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._made_by = {name: node for node in model.graph.node for name in node.output}
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}

    def before(self, name: str) -> Iterator[onnx.NodeProto]:
        """The nodes that lead to a value, the nearest first, as far as each hands its first input on."""
        while (node := self._made_by.get(name)) is not None and node.op_type not in PRODUCTS and node.input:
            yield node
            name = node.input[0]

    def scales(self, node: onnx.NodeProto) -> list[Array]:
        """The scale of a quantizer, as a list of at most one array."""
        if node.op_type == "MultiThreshold":
            return [
                np.abs(np.array(each.f, np.float64)) for each in node.attribute if each.name == "out_scale" and each.f
            ]
        if node.op_type not in SCALED:
            return []
        name = node.input[1]
        made = self._made_by.get(name)
        if made is not None and made.op_type == "Constant":
            return [numpy_helper.to_array(each.t).astype(np.float64) for each in made.attribute if each.name == "value"]
        return [numpy_helper.to_array(self._constants[name]).astype(np.float64)] if name in self._constants else []
