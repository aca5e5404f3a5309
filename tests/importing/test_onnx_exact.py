"""Networks that were read from ONNX answer as QONNX's executor and onnxruntime do, or are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.needs import needs

needs("qonnx", "onnx", "onnxruntime", "tensorflow")

from support.onnx_graphs import ROUNDINGS, Graph, RandomGraph

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing import freeze
from qap.importing import read_model
from qap.importing.onnx_engine import OnnxEngine
from qap.network import IntegerNetwork, connect

FORMATS = [FixedPoint.parse(text) for text in ("ap_fixed<8,4>", "ap_ufixed<8,0>", "ap_fixed<6,2>")]


def differences(path: Path, network: IntegerNetwork, count: int = 400) -> int:
    """Logits of random vectors in which the user's own graph and the network differ."""
    form = network.input_format
    x = np.random.default_rng(0).integers(form.min_int, form.max_int, (count, network.n_in), endpoint=True)
    return int((OnnxEngine(path).run(network, x) != network.forward(x)).sum())


@pytest.mark.parametrize("start", range(0, 24, 4))
def test_random_graphs_are_exact_or_refused(start: int, tmp_path: Path) -> None:
    found = []
    for seed in range(start, start + 4):
        path = RandomGraph(seed).save(tmp_path / f"{seed}.onnx")
        try:
            network = freeze(read_model(path), FORMATS[seed % 3])
        except NotExact:
            continue
        found.append(differences(path, network))
    assert found and found == [0] * len(found)


@pytest.mark.parametrize("mode", ROUNDINGS)
@pytest.mark.parametrize(("signed", "narrow", "zero"), [(1, 0, 0.0), (1, 1, 3.0), (0, 1, 1.0)])
def test_every_rounding_of_a_quant_is_exact(mode: str, signed: int, narrow: int, zero: float, tmp_path: Path) -> None:
    graph = Graph(3)
    graph.quant(0.5, 3, zero, rounding_mode=mode, signed=signed, narrow=narrow)
    graph.node("MatMul", "", graph.constant(np.array([[1, -2], [3, 1], [-1, 2]])))
    path = graph.save(tmp_path / "m.onnx", 2)
    network = freeze(read_model(path), FixedPoint.parse("ap_fixed<6,4>"))
    assert differences(path, network) == 0


def test_a_wrong_weight_is_seen(tmp_path: Path) -> None:
    graph = Graph(2)
    graph.node("MatMul", "", graph.quantized([[0.5, -1.0], [0.25, 0.75]], 0.25, 4))
    path = graph.save(tmp_path / "m.onnx", 2)
    network = freeze(read_model(path), FORMATS[0])
    assert differences(path, network) == 0
    (layer,) = network.specs()
    weight = layer.weight + np.array([[0, 1], [0, 0]])
    wrong = connect(FORMATS[0], [layer._replace(weight=weight)], network.class_names)
    x = np.array([[0, 5], [1, 0], [-3, 2]])
    assert (OnnxEngine(path).run(wrong, x) != wrong.forward(x)).tolist() == [
        [False, False],
        [False, True],
        [False, True],
    ]


def test_more_than_float32_holds_runs_in_float64_and_says_so(tmp_path: Path) -> None:
    graph = Graph(4, batch="N")
    graph.node("Gemm", "", graph.quantized(np.arange(8).reshape(2, 4) - 3.0, 0.25, 6), transB=1)
    path = graph.save(tmp_path / "m.onnx", 2)
    network = freeze(read_model(path), FixedPoint.parse("ap_fixed<24,8>"))
    assert differences(path, network) == 0
    assert "float64" in OnnxEngine(path).notes(network)[0]


def test_a_scale_of_all_logits_is_left_out(tmp_path: Path) -> None:
    graph = Graph(4)
    graph.node("MatMul", "", graph.quantized(np.arange(8).reshape(4, 2) / 10 - 0.3, 0.1, 4))
    graph.node("Mul", "", graph.constant(0.7))
    graph.node("Add", "", graph.constant([0.3]))
    graph.node("Softmax", "", axis=1)
    path = graph.save(tmp_path / "m.onnx", 2)
    network = freeze(read_model(path), FORMATS[0])
    assert differences(path, network) == 0


@pytest.mark.parametrize(
    "tail",
    [
        [("Mul", 0.05), ("Add", -0.4)],
        [("Sub", 8.0), ("Mul", 0.05)],
        [("Mul", 0.1)],
        [("Sub", 0.8183874), ("Div", 18.338533), ("Mul", 0.76143694), ("Add", -1.1605433)],  # as FINN's TFC ends
    ],
)
def test_an_offset_of_all_logits_is_left_out_with_their_scale(tail: list[tuple[str, float]], tmp_path: Path) -> None:
    graph = Graph(3)
    graph.node("MatMul", "", graph.constant(np.array([[1, -1], [0, 1], [1, 1]])))
    for op, number in tail:
        graph.node(op, "", graph.constant(number))
    path = graph.save(tmp_path / "m.onnx", 2)
    network = freeze(read_model(path), FixedPoint.parse("ap_int<6>"))
    assert differences(path, network) == 0


def test_a_normalization_of_single_steps_is_a_staircase(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    graph = Graph(6)
    graph.quant(1.0, 2)
    graph.node("MatMul", "", graph.constant(rng.choice([-1, 1], (6, 5))))
    for op in ("Sub", "Div", "Mul", "Add"):
        graph.node(op, "", graph.constant(rng.uniform(0.5, 1.5, 5)))
    graph.quant(1.0, 2)
    graph.node("MatMul", "", graph.constant(rng.choice([-1, 1], (5, 3))))
    path = graph.save(tmp_path / "m.onnx", 3)
    network = freeze(read_model(path), FixedPoint.parse("ap_fixed<6,4>"))
    assert differences(path, network) == 0
    assert len({tuple(each) for each in network.forward(np.random.default_rng(1).integers(-32, 32, (99, 6)))}) > 9


def test_sums_on_a_step_are_refused_where_a_float_scale_rounds_them(tmp_path: Path) -> None:
    graph = Graph(4)
    graph.node("MatMul", "", graph.quantized(np.arange(8).reshape(4, 2) / 10 - 0.3, 0.1, 4))
    graph.node("BipolarQuant", "", graph.constant(1.0), domain=graph.domain)
    graph.node("MatMul", "", graph.constant([[1, -1], [1, 1]]))
    with pytest.raises(NotExact, match="BipolarQuant_2.*float scale"):
        read_model(graph.save(tmp_path / "m.onnx", 2))


@pytest.mark.parametrize("scale", [0.125, 0.1])
@pytest.mark.parametrize(("kind", "zero"), [(np.uint8, 0), (np.int8, 0), (np.uint8, 7)])
def test_quantization_of_plain_onnx_is_exact(scale: float, kind: type, zero: int, tmp_path: Path) -> None:
    graph = Graph(3, batch="N")

    def quantized(clip: bool) -> None:
        settings = graph.constant(scale), graph.constant(zero, kind)
        graph.node("QuantizeLinear", "", *settings)
        if clip:
            graph.node("Clip", "", graph.constant(0, kind), graph.constant(15, kind))
        graph.node("DequantizeLinear", "", *settings)

    def weights(values: list[list[int]], of: float) -> str:
        inputs = graph.constant(values, np.int8), graph.constant(of), graph.constant(0, np.int8)
        return graph.beside("DequantizeLinear", *inputs)

    graph.node("MatMul", "", weights([[1, -2, 3], [3, 1, -7], [-1, 2, 5]], 0.25))
    graph.node("Add", "", graph.constant([0.3, -0.2, 0.1]))
    graph.node("Relu", "")
    quantized(clip=True)
    graph.node("MatMul", "", weights([[1, -2], [3, 1], [-5, 9]], scale))
    path = graph.save(tmp_path / "m.onnx", 2)
    network = freeze(read_model(path), FixedPoint.parse("ap_fixed<6,4>"))
    assert differences(path, network) == 0


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("function", ["Relu", "Dropout"])
def test_a_graph_as_brevitas_writes_it_is_exact(per_channel: bool, function: str, tmp_path: Path) -> None:
    """Float scales, weights transposed, biases with the scale of the sums, and a scale of all logits at the end."""
    rng, graph, n_in, scale = np.random.default_rng(1), Graph(1, 4, 2), 8, 0.0613
    graph.node("Flatten", "")
    graph.quant(scale, 8)
    for n_out, last in ((6, False), (4, True)):
        weight = rng.normal(0, 0.3, (n_out, n_in))
        largest = np.abs(weight).max(axis=1, keepdims=True) if per_channel and not last else np.abs(weight).max()
        of_weights = np.asarray(largest / 7, np.float32)
        of_sums = of_weights.reshape(-1 if of_weights.ndim else ()) * np.float32(scale)
        bias = graph.quantized(rng.normal(0, 0.5, n_out), of_sums, 16)
        graph.node("Gemm", "", graph.quantized(weight, of_weights, 4, narrow=1), bias, transB=1)
        if not last:
            graph.node(function, "")
            n_in, scale = n_out, 0.0371
            graph.quant(scale, 4, signed=int(function == "Dropout"))
    path = graph.save(tmp_path / "m.onnx", 4)
    network = freeze(read_model(path), FixedPoint.parse("ap_fixed<8,4>"))
    assert differences(path, network) == 0
