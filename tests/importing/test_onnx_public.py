"""The public ONNX models of hls4ml's examples and QONNX's zoo, where they lie in the shared data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.needs import needs

needs("qonnx", "onnx", "onnxruntime", "tensorflow")

import onnx

from qap.fixed import FixedPoint
from qap.freezing import freeze
from qap.importing import read_model
from qap.importing.onnx_engine import OnnxEngine

MODELS = Path(__file__).parents[2].parent / "shared" / "data" / "models"


def model_file(name: str) -> Path:
    path = MODELS / name
    if not path.exists():
        pytest.skip(f"{name} is not in the shared data")
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("qkeras_jettagging.onnx", "ap_fixed<16,6>"),
        ("qkeras_jettagging.onnx", "ap_fixed<24,6>"),
        ("TFC_1W1A.onnx", "ap_ufixed<8,0>"),
    ],
)
def test_a_quantized_model_answers_as_its_file(name: str, form: str) -> None:
    path = model_file(name)
    network = freeze(read_model(path), FixedPoint.parse(form))
    low, high = network.input_format.min_int, network.input_format.max_int
    x = np.random.default_rng(0).integers(low, high, (1000, network.n_in), endpoint=True)
    assert (OnnxEngine(path).run(network, x) == network.forward(x)).all()


@pytest.mark.parametrize("name", ["three_layer_bn_pytorch.onnx", "three_layer_keras.onnx"])
def test_a_float_model_answers_as_its_file(name: str) -> None:
    path = model_file(name)
    model, x = onnx.load(path), np.random.default_rng(0).normal(0, 2, (500, 16)).astype(np.float32)
    evaluator = onnx.reference.ReferenceEvaluator(model)
    (expected,) = evaluator.run(None, {read_name(model): x})
    np.testing.assert_allclose(np.asarray(read_model(path)(x)), expected, rtol=1e-4, atol=1e-6)


def read_name(model: onnx.ModelProto) -> str:
    constants = {tensor.name for tensor in model.graph.initializer}
    return next(value.name for value in model.graph.input if value.name not in constants)
