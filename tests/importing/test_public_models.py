"""Public models of hls4ml's examples and of the course, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras", "h5py")

from qap.data import load
from qap.errors import DataError
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.importing import read_model

FOLDER = Path(__file__).parents[3] / "shared" / "data"
if not FOLDER.is_dir():
    pytest.skip(f"the public models are not in {FOLDER}", allow_module_level=True)


def read(name: str):
    weights = FOLDER / "models" / f"{name}_weights.h5"
    return read_model(FOLDER / "models" / f"{name}.json", weights)


def test_the_course_model_has_its_published_accuracy():
    data = load("mnist-1v9")
    network = freeze(read_model(FOLDER / "course" / "mnistPQKD.h5"), data.input_format)
    assert round(float((network.classify(data.test.x) == data.test.y).mean()), 4) == 0.9921


@pytest.mark.parametrize(("name", "form"), [("qkeras_mnist_dense", "ap_ufixed<8,0>"), ("v3", "ap_fixed<16,6>")])
def test_quantized_models_equal_their_integer_network(name, form):
    model = read_model(FOLDER / "models" / "qkeras-v3_3layer.keras") if name == "v3" else read(name)
    network = freeze(model, FixedPoint.parse(form))
    low, high = network.input_format.min_int, network.input_format.max_int
    x_int = np.random.default_rng(1).integers(low, high, (10_000, network.n_in), endpoint=True)
    assert np.array_equal(KerasEngine(model).run(network, x_int), network.forward(x_int))


@pytest.mark.parametrize("name", ["KERAS_3layer", "KERAS_3layer_batch_norm", "KERAS_3layer_ternary_small"])
def test_old_models_are_read(name):
    assert read(name).input_shape == (None, 16)


def test_a_pickle_is_refused():
    with pytest.raises(DataError, match=r"torch\.onnx\.export"):
        read_model(FOLDER / "models" / "two_layer_model.pt")
