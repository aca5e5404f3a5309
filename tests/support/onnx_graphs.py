"""ONNX and QONNX graphs of dense networks, made by hand and at random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

QONNX = "qonnx.custom_op.general"
ROUNDINGS = ["ROUND", "FLOOR", "CEIL", "ROUND_TO_ZERO", "DOWN", "UP", "HALF_UP", "HALF_DOWN"]


class Graph:
    """A graph that grows node by node; `here` is the name of the last value.

    Args:
        inputs: sizes of the input without the batch.
        batch: the batch that the file names, as a number or a name.
        opset: of ONNX.
        domain: of QONNX's nodes.
    """

    def __init__(self, *inputs: int, batch: int | str = 1, opset: int = 13, domain: str = QONNX) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs, self.batch, self.opset, self.domain = inputs, batch, opset, domain
        self.here, self.count = "input", 0

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node; where an input is "", the value flows in. It becomes the last one."""
        name = f"{op}_{self.count}"
        self.count += 1
        read = [self.here if each == "" else each for each in inputs or ("",)]
        self.nodes.append(helper.make_node(op, read, [f"value_{name}"], name=name, domain=domain, **attributes))
        self.here = f"value_{name}"
        return self.here

    def beside(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node beside the chain, of constants."""
        here = self.here
        name = self.node(op, *inputs, domain=domain, **attributes)
        self.here = here
        return name

    def quant_inputs(self, scale: Any, bits: float, zero: float = 0.0) -> tuple[str, str, str]:
        return self.constant(scale), self.constant(zero), self.constant(bits)

    def quant(self, scale: Any, bits: float, zero: float = 0.0, **attributes: Any) -> str:
        """A Quant of the last value."""
        settings = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **attributes}
        return self.node("Quant", "", *self.quant_inputs(scale, bits, zero), domain=self.domain, **settings)

    def quantized(self, values: Any, scale: Any, bits: float, **attributes: Any) -> str:
        """A Quant of constants."""
        settings = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **attributes}
        inputs = self.constant(values), *self.quant_inputs(scale, bits)
        return self.beside("Quant", *inputs, domain=self.domain, **settings)

    def model(self, outputs: int) -> onnx.ModelProto:
        shape = [self.batch, *self.inputs]
        graph = helper.make_graph(
            self.nodes,
            "dense",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(self.here, TensorProto.FLOAT, [self.batch, outputs])],
            self.constants,
        )
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(self.domain, 1)]
        return helper.make_model(graph, opset_imports=opsets)

    def save(self, path: Path, outputs: int) -> Path:
        onnx.save_model(self.model(outputs), str(path))
        return path


class RandomGraph:
    """A random dense network.

    Args:
        seed: of everything that is drawn.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.n_in = int(self.rng.integers(2, 9))
        self.dyadic = bool(self.rng.random() < 0.5)
        domain = str(self.rng.choice([QONNX, "finn.custom_op.general", "onnx.brevitas"]))
        self.graph = Graph(self.n_in, batch=self.pick(1, 7, "N"), domain=domain)
        self.outputs = self.n_in
        if self.chance(0.3):
            self.graph.node("Mul", "", self.graph.constant(2.0))
            self.graph.node("Sub", "", self.graph.constant([1.0]))
        if self.chance(0.5):
            self.activation(self.n_in)
        for _ in range(int(self.rng.integers(1, 4))):
            self.layer(int(self.rng.integers(2, 9)))
            self.activation(self.outputs)
        self.layer(int(self.rng.integers(2, 6)), last=True)
        if self.chance(0.5):
            self.graph.node("Softmax", "", axis=1)

    def pick(self, *choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def scale(self, count: int | None = None) -> Any:
        exponents = self.rng.integers(-5, -1, count)
        return np.ldexp(1.0, exponents) if self.dyadic else np.ldexp(self.rng.uniform(0.6, 1.4, count), exponents)

    def layer(self, n_out: int, last: bool = False) -> None:
        graph, n_in = self.graph, self.outputs
        weight = self.rng.normal(0, 0.4, (n_in, n_out))
        style, bits = self.pick("tensor", "tensor", "channel", "bipolar", "integers"), int(self.rng.integers(2, 6))
        if last and not self.dyadic and style == "channel":
            style = "tensor"
        transposed = self.chance(0.4)
        weight = weight.T if transposed else weight
        if style == "bipolar":
            scale = graph.constant(self.scale())
            name = graph.beside("BipolarQuant", graph.constant(weight), scale, domain=graph.domain)
        elif style == "integers":
            name = graph.constant(np.rint(weight * 4))
        else:
            shape = (n_out, 1) if transposed else (1, n_out)
            scale = self.scale(n_out).reshape(shape) if style == "channel" else self.scale()
            name = graph.quantized(weight, scale, bits, narrow=int(self.chance(0.5)))
        self.outputs = n_out
        offset = self.rng.normal(0, 0.5, n_out)
        if self.dyadic or last:
            offset = np.rint(offset * 16) / 16
        bias = graph.quantized(offset, self.scale(), 8) if self.dyadic else graph.constant(offset)
        has_bias = self.chance(0.6) and (self.dyadic or not last)
        if self.chance(0.4):
            inputs = ["", name, bias] if has_bias else ["", name]
            graph.node("Gemm", *inputs, transB=int(transposed))
        else:
            if transposed:
                name = graph.beside("Transpose", name, perm=[1, 0])
            graph.node("MatMul", "", name)
            if has_bias:
                graph.node("Add", "", bias)
        if not last and self.chance(0.4):
            self.normalization(n_out)

    def normalization(self, count: int) -> None:
        values = (
            self.rng.normal(1, 0.4, count), self.rng.normal(0, 0.3, count), self.rng.normal(0, 0.3, count),
            self.rng.uniform(0.3, 2, count),
        )  # fmt: skip
        self.graph.node("BatchNormalization", "", *map(self.graph.constant, values), epsilon=1e-5)

    def activation(self, count: int) -> None:
        graph = self.graph
        kind = self.pick("quant", "quant", "relu", "relu", "bipolar", "threshold", "exotic", "clip")
        if kind in ("relu", "clip"):
            graph.node("Relu", "") if kind == "relu" else graph.node(
                "Clip", "", graph.constant(0.0), graph.constant(1.5)
            )
            graph.quant(self.scale(), int(self.rng.integers(2, 6)), signed=0)
        elif kind == "bipolar":
            graph.node("BipolarQuant", "", graph.constant(1.0 if self.dyadic else self.scale()), domain=graph.domain)
        elif kind == "threshold":
            rows = np.sort(self.rng.normal(0, 1, (self.pick(1, count), 3)), axis=1)
            settings = {"out_dtype": "INT2", "out_scale": 1.0, "out_bias": self.pick(0.0, -2.0)}
            graph.node("MultiThreshold", "", graph.constant(rows), domain=graph.domain, **settings)
        elif kind == "exotic":
            zero, signed = self.pick(0.0, 0.0, 1.0, 3.0), self.pick(0, 1)
            mode, narrow = self.pick(*ROUNDINGS), int(self.chance(0.3))
            graph.quant(
                self.scale(), int(self.rng.integers(2, 5)), zero, signed=signed, rounding_mode=mode, narrow=narrow
            )
        else:
            graph.quant(self.scale(), int(self.rng.integers(2, 7)))

    def save(self, path: Path) -> Path:
        return self.graph.save(path, self.outputs)
