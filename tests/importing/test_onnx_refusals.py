"""What is no dense network in ONNX is refused in one line that names what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.needs import needs

needs("qonnx", "onnx", "onnxruntime", "tensorflow")

import onnx
from support.onnx_graphs import Graph

from qap.errors import DataError, QapError
from qap.importing import read_model


def dense(graph: Graph, outputs: int = 2) -> None:
    graph.node("MatMul", "", graph.quantized(np.arange(graph.inputs[0] * outputs).reshape(-1, outputs) - 2, 0.5, 4))


def convolution(graph: Graph) -> None:
    graph.node("Conv", "", graph.constant(np.ones((2, 4, 1))))


def branch(graph: Graph) -> None:
    before = graph.here
    dense(graph, 4)
    graph.node("Add", "", before)


def square(graph: Graph) -> None:
    graph.node("Mul", graph.here, graph.here)


def unknown_domain(graph: Graph) -> None:
    graph.node("Quant", "", domain="os.path")


def negative_scale(graph: Graph) -> None:
    graph.quant(-0.5, 4)


def half_a_bit(graph: Graph) -> None:
    graph.quant(0.5, 3.5)


def unknown_rounding(graph: Graph) -> None:
    graph.quant(0.5, 4, rounding_mode="STOCHASTIC")


def dynamic_weights(graph: Graph) -> None:
    graph.node("MatMul", graph.constant(np.ones((1, 4))), "")


def misfit(graph: Graph) -> None:
    graph.node("MatMul", "", graph.constant(np.ones((3, 2))))


def undefined(graph: Graph) -> None:
    graph.node("Add", "", "nowhere")


def infinite(graph: Graph) -> None:
    graph.node("MatMul", "", graph.constant(np.full((4, 2), np.inf)))


def scale_of_each_input(graph: Graph) -> None:
    graph.node("MatMul", "", graph.quantized(np.ones((4, 2)), np.array([[0.1], [0.2], [0.3], [0.4]]), 4))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (convolution, "Conv_0.*Conv is not supported; dense networks are"),
        (branch, "Add_2.*joins or begins a branch"),
        (square, "Mul_0.*joins or begins a branch"),
        (unknown_domain, "Quant_0.*domain 'os.path'"),
        (negative_scale, "Quant_0.*positive"),
        (half_a_bit, "Quant_0.*whole bit width"),
        (unknown_rounding, "Quant_0.*STOCHASTIC"),
        (dynamic_weights, "MatMul_0.*not a dense layer"),
        (misfit, "MatMul_0.*4 inputs do not fit"),
        (undefined, "Add_0.*'nowhere'"),
        (infinite, "MatMul_0.*not finite"),
        (scale_of_each_input, "MatMul_1.*scale for each input"),
    ],
)  # fmt: skip
def test_a_node_is_refused_by_its_name(part: Callable[[Graph], None], message: str, tmp_path: Path) -> None:
    graph = Graph(4)
    part(graph)
    with pytest.raises(QapError, match=message) as refused:
        read_model(graph.save(tmp_path / "m.onnx", 2))
    assert "\n" not in str(refused.value)


def changed(tmp_path: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    graph = Graph(4)
    dense(graph)
    model = graph.model(2)
    change(model)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "m.onnx"


def two_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(onnx.helper.make_tensor_value_info("second", onnx.TensorProto.FLOAT, [1, 4]))


def opset_99(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


def unknown_sizes(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "features"


def short_data(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = b"\0" * 5


def a_function(model: onnx.ModelProto) -> None:
    model.functions.append(onnx.helper.make_function("own", "F", ["x"], ["x"], [], []))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (two_inputs, "2 inputs"),
        (opset_99, "opset 99"),
        (unknown_sizes, "known sizes are needed"),
        (short_data, "'constant_0' is damaged"),
        (a_function, "functions of its own"),
    ],
)
def test_a_model_is_refused(change: Callable[[onnx.ModelProto], None], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_model(changed(tmp_path, change))


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "a/../../weights.bin", "", "C:\\weights.bin"])
def test_external_data_outside_of_the_folder_is_never_read(location: str, tmp_path: Path) -> None:
    def outside(model: onnx.ModelProto) -> None:
        onnx.external_data_helper.set_external_data(model.graph.initializer[0], location)
        model.graph.initializer[0].ClearField("raw_data")

    (tmp_path / "inside").mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(1000))
    with pytest.raises(DataError, match="only files in the model's folder"):
        read_model(changed(tmp_path / "inside", outside))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    def outside(model: onnx.ModelProto) -> None:
        onnx.external_data_helper.set_external_data(model.graph.initializer[0], "weights.bin")
        model.graph.initializer[0].ClearField("raw_data")

    (tmp_path / "inside").mkdir()
    (tmp_path / "secret").write_bytes(bytes(1000))
    (tmp_path / "inside" / "weights.bin").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="only files in the model's folder"):
        read_model(changed(tmp_path / "inside", outside))


def test_external_data_beside_the_model_is_read(tmp_path: Path) -> None:
    def beside(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        (tmp_path / "weights.bin").write_bytes(tensor.raw_data)
        onnx.external_data_helper.set_external_data(tensor, "weights.bin")
        tensor.ClearField("raw_data")

    plain = read_model(changed(tmp_path, lambda model: None)).get_weights()
    moved = read_model(changed(tmp_path, beside)).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(plain, moved, strict=True))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused(share: float, tmp_path: Path) -> None:
    path = changed(tmp_path, lambda model: None)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="ONNX|truncated"):
        read_model(path)


def test_damaged_bytes_are_refused_or_read(tmp_path: Path) -> None:
    rng, whole = np.random.default_rng(0), changed(tmp_path, lambda model: None).read_bytes()
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        (tmp_path / "m.onnx").write_bytes(damaged)
        try:
            read_model(tmp_path / "m.onnx")
        except QapError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 20
