"""Float networks in ONNX: the Keras model answers as onnxruntime does, within the rounding of float32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("onnx", "onnxruntime", "tensorflow")

import keras
import onnxruntime
from support.onnx_graphs import Graph

from qap.importing import read_model

RNG = np.random.default_rng(0)


def answers(graph: Graph, outputs: int, tmp_path: Path) -> tuple[Any, Any, list[type]]:
    """What onnxruntime and the Keras model give for one sample, and the layers of the model."""
    path = graph.save(tmp_path / "m.onnx", outputs)
    model, x = read_model(path), RNG.normal(0, 1, (1, *graph.inputs)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"input": x})
    return expected, np.asarray(model(x.reshape(1, -1))), [type(layer) for layer in model.layers[1:]]


def dense(graph: Graph, n_in: int, n_out: int) -> None:
    graph.node("Gemm", "", graph.constant(RNG.normal(0, 1, (n_in, n_out))), graph.constant(RNG.normal(0, 1, n_out)))


@pytest.mark.parametrize(
    ("op", "settings"),
    [
        ("LeakyRelu", {"alpha": 0.1}), ("Sigmoid", {}), ("Tanh", {}), ("Softplus", {}), ("Elu", {}), ("Softsign", {}),
        ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}), ("Softmax", {"axis": 1}), ("LogSoftmax", {"axis": -1}),
    ],
)  # fmt: skip
def test_functions_and_what_is_affine_beside_layers(op: str, settings: dict[str, Any], tmp_path: Path) -> None:
    graph = Graph(6)
    graph.node("Mul", "", graph.constant(RNG.uniform(0.5, 2, 6)))
    graph.node("Sub", "", graph.constant(0.3))
    weights = graph.constant(RNG.normal(0, 1, (6, 4)))
    graph.node("Gemm", "", weights, graph.constant(RNG.normal(0, 1, 4)), alpha=0.5, beta=2.0)
    graph.node(op, "", **settings)
    dense(graph, 4, 3)
    graph.node("Div", "", graph.constant(3.0))
    expected, found, layers = answers(graph, 3, tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert layers.count(keras.layers.Dense) == 2, "all that is affine is folded into the dense layers"
    assert len(layers) == 3


@pytest.mark.parametrize(("low", "high"), [(0.0, 6.0), (-1.0, 1.0), (-3.5e38, 0.5), (-0.3, 3.5e38)])
def test_clips(low: float, high: float, tmp_path: Path) -> None:
    graph = Graph(6)
    dense(graph, 6, 4)
    graph.node("Clip", "", graph.constant(max(low, -3.4028235e38)), graph.constant(min(high, 3.4028235e38)))
    dense(graph, 4, 3)
    expected, found, _ = answers(graph, 3, tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def channels_last(graph: Graph) -> None:
    graph.node("Transpose", "", perm=[0, 2, 3, 1])
    graph.node("Reshape", "", graph.constant([1, -1], np.int64))


def normalized_channels(graph: Graph) -> None:
    values = RNG.normal(1, 0.3, 2), RNG.normal(0, 1, 2), RNG.normal(0, 1, 2), RNG.uniform(0.5, 2, 2)
    graph.node("BatchNormalization", "", *map(graph.constant, values))
    graph.node("Flatten", "")


def size_of_the_input(graph: Graph) -> None:
    sizes = graph.beside("Shape", "")
    first = graph.beside("Gather", sizes, graph.constant(0, np.int64), axis=0)
    batch = graph.beside("Unsqueeze", first, graph.constant([0], np.int64))
    graph.node("Reshape", "", graph.beside("Concat", batch, graph.constant([-1], np.int64), axis=0))


@pytest.mark.parametrize("part", [channels_last, normalized_channels, size_of_the_input])
def test_shapes(part: Callable[[Graph], None], tmp_path: Path) -> None:
    graph = Graph(2, 3, 4)
    part(graph)
    dense(graph, 24, 3)
    expected, found, _ = answers(graph, 3, tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
