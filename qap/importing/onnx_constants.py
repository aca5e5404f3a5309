"""The constants of an ONNX graph, and what nodes make of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from qap.errors import DataError, one_line
from qap.extras import extra
from qap.importing.onnx_file import QONNX_DOMAINS
from qap.importing.onnx_quant import Array, grid_of, positive_scale

with extra("onnx"):
    import onnx
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

REORDERING = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose")
"""Nodes that hand every number on, at another place or in another shape."""
WITHOUT_EFFECT = ("Identity", "Dropout", "Cast")
COMPUTED = (
    *REORDERING, *WITHOUT_EFFECT, "Constant", "Gather", "Concat", "Slice", "Mul", "Add", "Sub", "Div", "Pow", "Sqrt",
    "Neg", "Abs", "Reciprocal", "Exp", "Log", "Floor", "Round", "Sign", "Clip", "Min", "Max",
)  # fmt: skip
"""Nodes of constants that are computed, none of which makes much of little."""
QUANTIZERS = ("Quant", "IntQuant", "BipolarQuant")
LARGEST = 2**27
"""Numbers that a constant may have."""


class Constant(NamedTuple):
    """Numbers that no input changes.

    Args:
        value: the numbers.
        scale: where they are whole multiples of scales that a quantizer gave them, these, in the same shape.
    """

    value: Array
    scale: Array | None = None

    @property
    def integers(self) -> Array:
        """The multiples of the scale."""
        assert self.scale is not None
        return np.rint(self.value.astype(np.float64) / self.scale)


def computed(
    name: str, node: onnx.NodeProto, inputs: list[Constant], opsets: Sequence[onnx.OperatorSetIdProto]
) -> Constant:
    """What a node gives that reads constants alone.

    Raises:
        DataError: it is not one of `COMPUTED` or a quantizer, or what it reads does not fit.
    """
    if node.op_type in QUANTIZERS:
        return _quantized(name, node, inputs)
    if node.op_type == "DequantizeLinear":
        return _dequantized(name, node, inputs)
    if node.op_type not in COMPUTED or node.domain in QONNX_DOMAINS:
        raise DataError(f"node {name!r} computes constants with {node.op_type}, which is not supported")
    found = Constant(evaluate(name, node, [each.value for each in inputs], opsets))
    scale = inputs[0].scale if inputs else None
    if scale is not None and node.op_type in (*REORDERING, "Identity"):
        others = [each.value for each in inputs[1:]]
        found = Constant(found.value, evaluate(name, node, [scale, *others], opsets))
    return found


def _dequantized(name: str, node: onnx.NodeProto, inputs: list[Constant]) -> Constant:
    """Integers with the scale that they are given."""
    if len(inputs) < 2:
        raise DataError(f"node {name!r} ({node.op_type}) has no scale")
    axis = attributes_of(node).get("axis", 1)
    x, scale = inputs[0].value, positive_scale(name, inputs[1].value)
    zero = inputs[2].value.astype(np.float64) if len(inputs) > 2 else np.zeros_like(scale)
    try:
        if scale.ndim == 1:
            shape = [1] * x.ndim
            shape[axis] = scale.size
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        return Constant((x - zero) * scale, np.broadcast_to(scale, x.shape))
    except (ValueError, IndexError) as error:
        raise DataError(f"node {name!r} ({node.op_type}) does not fit to its scale: {error}") from error


def evaluate(
    name: str, node: onnx.NodeProto, inputs: Sequence[Array], opsets: Sequence[onnx.OperatorSetIdProto]
) -> Array:
    """What a node of ONNX's own gives, by ONNX's reference implementation."""
    names = [f"input_{index}" for index in range(len(inputs))]
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    del copy.input[:], copy.output[1:]
    copy.input.extend(names)
    types = [onnx.helper.np_dtype_to_tensor_dtype(np.asarray(each).dtype) for each in inputs]
    values = [onnx.helper.make_tensor_value_info(*each, None) for each in zip(names, types, strict=True)]
    output = onnx.helper.make_tensor_value_info(copy.output[0], onnx.TensorProto.UNDEFINED, None)
    graph = onnx.helper.make_graph([copy], "constants", values, [output])
    model = onnx.helper.make_model(graph, opset_imports=list(opsets))
    try:
        (value,) = ReferenceEvaluator(model).run(None, dict(zip(names, inputs, strict=True)))
    except Exception as error:  # numpy and ONNX raise whatever their parts raise
        raise DataError(f"node {name!r} ({node.op_type}) cannot be computed: {one_line(error, 200)}") from error
    found = np.asarray(value)
    if found.size > LARGEST:
        raise DataError(f"node {name!r} ({node.op_type}) gives {found.size:,} numbers, at most {LARGEST:,} are read")
    return found


def _quantized(name: str, node: onnx.NodeProto, inputs: list[Constant]) -> Constant:
    """Weights as their quantizer gives them, in the type that they have."""
    if len(inputs) < (2 if node.op_type == "BipolarQuant" else 4):
        raise DataError(f"node {name!r} ({node.op_type}) has {len(inputs)} inputs, which are too few")
    x, scale = inputs[0].value, positive_scale(name, inputs[1].value)
    try:
        full = np.broadcast_to(scale, x.shape)
        if node.op_type == "BipolarQuant":
            return Constant(np.where(x >= 0, 1, -1) * full, full)
        zero = inputs[2].value.astype(x.dtype)
        grid = grid_of(name, {"bits": inputs[3].value}, attributes_of(node))
        integers = grid(x / scale.astype(x.dtype) + zero) - zero
    except ValueError as error:
        raise DataError(f"node {name!r} ({node.op_type}) does not fit to its scale: {error}") from error
    return Constant(integers * full, full)


def numbers_of(name: str, tensor: onnx.TensorProto) -> Array:
    """The numbers of a tensor.

    Raises:
        DataError: it is damaged, or holds something else.
    """
    try:
        found: Array = numpy_helper.to_array(tensor)
    except Exception as error:  # numpy and ONNX raise whatever their parts raise
        raise DataError(f"the constant {name!r} is damaged: {one_line(error, 200)}") from error
    if found.dtype.kind not in "fiub":
        raise DataError(f"the constant {name!r} holds {found.dtype}, not numbers")
    return found


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node by name, text as bytes."""
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
