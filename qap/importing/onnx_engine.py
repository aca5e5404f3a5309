"""The user's own ONNX graph as an engine: QONNX's executor, or onnxruntime where the graph is plain ONNX.

Nothing here reads the graph as the twin does. The file is taken as it is, for more samples at once; it ends before
what only keeps the decision (a softmax, a scale that all outputs share). Its real numbers must be on the grid of the
network's logits.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact, ToolMissing, one_line
from qap.extras import extra
from qap.fixed import IntArray
from qap.importing.onnx_file import QONNX_DOMAINS, load_onnx
from qap.importing.onnx_scales import has_float_scales, last_scale
from qap.network import IntegerNetwork
from qap.quiet import quiet_stderr

with extra("onnx"):
    import onnx
    from onnx import TensorProto, numpy_helper

ROWS = 1024
"""Samples that run at once."""
FLOAT32_BITS, FLOAT64_BITS = 24, 53
FINAL = ("Softmax", "LogSoftmax", "Sigmoid", "HardSigmoid", "Tanh", "Softsign", "ArgMax", "Identity", "Dropout")
COMMON = ("Mul", "Div", "Add", "Sub")
NEAR = 2.0**-6
"""How far from a whole number a result may be, in LSBs, where a float scale that was dropped rounds."""


class OnnxEngine:
    """An ONNX file.

    Args:
        path: the file that was imported.

    Raises:
        DataError: it is damaged.
    """

    name = "onnx"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._model = load_onnx(path)

    def available(self) -> str | None:
        """None, or what is missing."""
        try:
            with extra("onnx"):
                import onnxruntime  # noqa: F401
                import qonnx  # noqa: F401
        except ToolMissing as error:
            return str(error)
        return None

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits (n, n_out) of integer inputs (n, n_in), in LSBs of the network's output format.

        Raises:
            NotExact: floating point could round on the way, or what the graph gives is not on the grid.
        """
        dtype = self._precision(network)
        scale = last_scale(self._model)
        x = network.input_format.to_float(network.checked_input(x_int)).astype(dtype)
        refused = None
        for graph in _ends(_prepared(self._model, dtype)):
            try:
                return _integers(network, self._answers(network, graph, x), scale)
            except NotExact as error:
                refused = refused or error
        assert refused is not None
        raise refused

    def notes(self, network: IntegerNetwork) -> tuple[str, ...]:
        """What a reader of the verification should know."""
        if self._precision(network) is np.float32:
            return ()
        bits = max(network.float_bits())
        why = f"an accumulator needs {bits} bits, float32 has 24" if bits > FLOAT32_BITS else "its scales are floats"
        return (f"onnx was evaluated in float64: {why}",)

    def _precision(self, network: IntegerNetwork) -> type[np.float32] | type[np.float64]:
        """The type in which the graph computes this network exactly, or nearest to it where its scales are floats.

        Raises:
            NotExact: floating point could round on the way, or thresholds that are those of float32 could be others.
        """
        bits = network.float_bits()
        stepped = any(layer.is_per_neuron for layer in network.weighted)
        most = FLOAT32_BITS if stepped else FLOAT64_BITS
        if max(bits) > most:
            layer = network.layers[bits.index(max(bits))].name
            raise NotExact(layer, f"ONNX would need {max(bits)} bits of mantissa, {most} are there")
        return np.float64 if max(bits) > FLOAT32_BITS or has_float_scales(self._model) else np.float32

    def _answers(self, network: IntegerNetwork, model: onnx.ModelProto, x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """What a graph for `ROWS` samples gives, (n, n_out)."""
        sizes = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
        if int(np.prod(sizes[1:])) != network.n_in:
            raise NotExact(
                model.graph.name, f"the graph takes inputs of {sizes[1:]}, the network {network.n_in} numbers"
            )
        parts = []
        for start in range(0, len(x), ROWS):
            part = x[start : start + ROWS]
            full = np.zeros((ROWS, network.n_in), x.dtype)
            full[: len(part)] = part
            y = np.asarray(_execute(model, full.reshape(sizes)), np.float64)
            if y.size != ROWS * network.n_out:
                raise NotExact(network.layers[-1].name, f"the graph gives {y.shape}, not (n, {network.n_out})")
            parts.append(y.reshape(ROWS, -1)[: len(part)])
        return np.concatenate(parts)


def _integers(network: IntegerNetwork, y: npt.NDArray[np.float64], scale: float) -> IntArray:
    """What the graph gave in LSBs of the logits: whole numbers, or near them where a float scale rounds."""
    form = network.output_format
    scaled = np.ldexp(y / scale, form.fractional)
    integers = np.rint(scaled)
    off = np.abs(integers - scaled) > (0.0 if scale == 1 else NEAR)
    if off.any():
        raise NotExact(network.layers[-1].name, f"ONNX gave {float(y[off][0])!r}, which is not on the grid of {form}")
    return integers.astype(np.int64)


def _prepared(model: onnx.ModelProto, dtype: type[np.floating[Any]]) -> onnx.ModelProto:
    """The graph for `ROWS` samples, with its constants computed and the shape of everything known.

    Weights are quantized in float32 whatever follows, as the file has them.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _set_batch(copy)
    with quiet_stderr(), warnings.catch_warnings(action="ignore"):
        import onnxruntime
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.util.cleanup import cleanup_model

        onnxruntime.set_default_logger_severity(4)
        try:
            cleaned: onnx.ModelProto = cleanup_model(ModelWrapper(copy), preserve_qnt_ops=dtype is np.float32).model
        except Exception as error:  # QONNX and onnxruntime raise whatever their parts raise
            raise NotExact(model.graph.name, f"QONNX does not take the graph: {one_line(error, 200)}") from error
    return _in_float64(cleaned) if dtype is np.float64 else cleaned


def _set_batch(model: onnx.ModelProto) -> None:
    """Let the graph take `ROWS` samples; what it says of the shapes inside is computed again."""
    graph = model.graph
    for node in graph.node:
        if node.domain in QONNX_DOMAINS:
            node.domain = "qonnx.custom_op.general"
        for attribute in node.attribute:
            if attribute.name == "rounding_mode" and attribute.s.upper() == b"ROUND_TO_ZERO":
                attribute.s = b"DOWN"  # as QONNX calls it
    constants = {tensor.name: tensor for tensor in graph.initializer}
    (value,) = [each for each in graph.input if each.name not in constants]
    batch = value.type.tensor_type.shape.dim[0].dim_value or 1
    for each in (value, graph.output[0]):
        if each.type.tensor_type.shape.dim:
            each.type.tensor_type.shape.dim[0].Clear()
            each.type.tensor_type.shape.dim[0].dim_value = ROWS
    del graph.value_info[:]
    for node in graph.node:
        if node.op_type == "Reshape" and node.input[0] not in constants and node.input[1] in constants:
            sizes = numpy_helper.to_array(constants[node.input[1]]).copy()
            if sizes.size and sizes.flat[0] == batch:
                sizes.flat[0] = ROWS
                name = f"{node.output[0]}_sizes"
                graph.initializer.append(numpy_helper.from_array(sizes, name))
                node.input[1] = name


def _ends(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    """The graph without its final function, then without the scales and offsets of all outputs, the last first."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made_by = {name: index for index, node in enumerate(graph.node) for name in node.output}
    output = graph.output[0].name
    while graph.node[made_by[output]].op_type in FINAL:
        output = graph.node[made_by[output]].input[0]
    yield _ended(model, output, made_by[output])
    while (node := graph.node[made_by[output]]).op_type in COMMON:
        others = [name for name in node.input if name not in constants]
        sizes = [int(np.prod(constants[name].dims)) for name in node.input if name in constants]
        if len(others) != 1 or sizes != [1] or others[0] not in made_by:
            break
        output = others[0]
        yield _ended(model, output, made_by[output])


def _ended(model: onnx.ModelProto, output: str, last: int) -> onnx.ModelProto:
    """The same graph up to a node."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    kind = graph.output[0].type.tensor_type.elem_type
    if output != graph.output[0].name:
        shapes = [each for each in graph.value_info if each.name == output]
        del graph.node[last + 1 :], graph.output[:]
        graph.output.extend(shapes or [onnx.helper.make_tensor_value_info(output, kind, None)])
        for each in shapes:
            graph.value_info.remove(each)
    return copy


def _in_float64(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph on float64 numbers."""
    graph = model.graph
    kept = {
        name for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear") for name in node.input
    }
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    values = {value.name: value for value in [*graph.input, *graph.output, *graph.value_info]}
    for value in values.values():
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
        graph.node.extend(_cast(graph, node, values))
    return model


def _cast(graph: onnx.GraphProto, node: onnx.NodeProto, values: dict[str, onnx.ValueInfoProto]) -> list[onnx.NodeProto]:
    """A node that reads or gives float32 whatever the graph is of, with the casts around it."""
    if node.op_type == "QuantizeLinear":
        wide, short = node.input[0], f"{node.output[0]}_read"
        node.input[0] = short
        nodes = [onnx.helper.make_node("Cast", [wide], [short], to=TensorProto.FLOAT), node]
    elif node.op_type in ("Quant", "IntQuant", "DequantizeLinear"):
        wide, short = node.output[0], f"{node.output[0]}_float32"
        node.output[0] = short
        nodes = [node, onnx.helper.make_node("Cast", [short], [wide], to=TensorProto.DOUBLE)]
    else:
        return [node]
    sizes = [dim.dim_value for dim in values[wide].type.tensor_type.shape.dim] if wide in values else None
    graph.value_info.append(onnx.helper.make_tensor_value_info(short, TensorProto.FLOAT, sizes))
    return nodes


def _execute(model: onnx.ModelProto, x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What a graph gives."""
    name = model.graph.input[0].name
    is_qonnx = any(node.domain in QONNX_DOMAINS for node in model.graph.node)
    with quiet_stderr(), warnings.catch_warnings(action="ignore"):
        try:
            if is_qonnx:
                from qonnx.core.modelwrapper import ModelWrapper
                from qonnx.core.onnx_exec import execute_onnx

                y = next(iter(execute_onnx(ModelWrapper(model), {name: x}).values()))
            else:
                (y,) = _session(model).run(None, {name: x})
            return np.asarray(y)
        except Exception as error:  # QONNX and onnxruntime raise whatever their parts raise
            raise NotExact(model.graph.name, f"the graph cannot be executed: {one_line(error, 200)}") from error


def _session(model: onnx.ModelProto) -> Any:
    """A session of onnxruntime that computes every node as it is written."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
