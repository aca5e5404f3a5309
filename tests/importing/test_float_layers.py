"""Float layers of imported models, and quantized ones with floats behind them, get formats."""

from __future__ import annotations

import numpy as np
import pytest
from support.keras2_file import layer, sequential, write_h5
from support.needs import needs

needs("keras", "qkeras", "h5py")

from qap import import_model
from qap.errors import NotExact, QapError
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.importing import read_model

RNG = np.random.default_rng(0)
FORM = FixedPoint.parse("ap_fixed<6,2>")
X = RNG.integers(FORM.min_int, FORM.max_int, (500, 6), endpoint=True)
INPUT = layer("InputLayer", "input_1", batch_input_shape=[None, 6])
CLIP = layer("ReLU", "clip", max_value=1.0)


def normalization(name: str, count: int) -> dict:
    offsets = {key: RNG.normal(0, 0.3, count) for key in ("beta", "moving_mean")}
    return {
        name: {"gamma": RNG.uniform(0.1, 0.5, count), "moving_variance": RNG.uniform(0.5, 2, count), **offsets},
    }


WEIGHTS = {
    "first": {"kernel": RNG.uniform(-1, 1, (6, 8)), "bias": RNG.normal(0, 0.3, 8)}, **normalization("bn", 8),
    "last": {"kernel": RNG.uniform(-1, 1, (8, 3)), "bias": RNG.normal(0, 0.3, 3)}, **normalization("end", 3),
}  # fmt: skip


def old(name: str, units: int, kind: str = "TernaryDense", **more) -> dict:
    return layer(kind, name, units=units, use_bias=False, activation="linear", **more)


def written(tmp_path, *layers):
    return write_h5(tmp_path / "m.h5", sequential(INPUT, *layers), WEIGHTS)


@pytest.mark.parametrize("kind", ["TernaryDense", "BinaryDense"])
@pytest.mark.parametrize("function", [layer("Activation", "a", activation="relu"), CLIP])
def test_floats_behind_old_layers_take_the_format(tmp_path, kind, function):
    path = written(tmp_path, old("first", 8, kind), layer("BatchNormalization", "bn"), function, old("last", 3, kind),
                   layer("BatchNormalization", "end"))  # fmt: skip
    with pytest.raises(QapError, match="the model has float layers: give their format with --precision"):
        import_model(path)
    source, twin = read_model(path), import_model(path, precision="ap_fixed<22,8>")
    network = freeze(twin, FORM)
    assert np.array_equal(KerasEngine(twin).run(network, X), network.forward(X))
    logits = network.output_format.to_float(network.forward(X))
    np.testing.assert_allclose(logits, source(FORM.to_float(X).astype(np.float32)), atol=2e-2)


def test_floats_at_the_end_alone_are_quantized_only_where_a_format_is_named(tmp_path):
    path = written(tmp_path, old("first", 8), layer("BatchNormalization", "bn"),
                   layer("Activation", "a", activation="ternary_tanh"), old("last", 3),
                   layer("BatchNormalization", "end"))  # fmt: skip
    with pytest.raises(NotExact, match="output_bits"):
        freeze(import_model(path), FORM)
    network = freeze(import_model(path, precision="ap_fixed<22,8>"), FORM)
    source = np.asarray(read_model(path)(FORM.to_float(X).astype(np.float32)))
    assert len(network.layers) == 2 and (network.classify(X) == source.argmax(axis=1)).mean() > 0.99


def test_a_quantizer_behind_floats_keeps_the_layer_as_it_is(tmp_path):
    path = written(tmp_path, old("first", 8), layer("BatchNormalization", "bn"),
                   layer("QActivation", "a", activation="quantized_relu(4,1)"), old("last", 3))  # fmt: skip
    twin = import_model(path, precision="ap_fixed<16,6>")
    assert [each.name for each in twin.layers] == ["inputs", "first", "bn", "a", "last"]


def test_a_qdense_without_quantizers_is_a_float_layer(tmp_path):
    dense = layer("QDense", "first", units=8, use_bias=True, kernel_quantizer=None, bias_quantizer=None)
    path = written(tmp_path, dense, layer("QActivation", "a", activation="quantized_relu(4,1)"), old("last", 3))
    network = freeze(import_model(path, precision="ap_fixed<16,6>"), FORM)
    assert [str(each.weight_format) for each in network.layers][1] == "ap_fixed<2,2>"


def test_a_bias_of_an_old_layer_is_part_of_the_thresholds(tmp_path):
    path = written(tmp_path, old("first", 8) | {"config": {**old("first", 8)["config"], "use_bias": True}},
                   layer("Activation", "a", activation="ternary_tanh"), old("last", 3))  # fmt: skip
    twin = read_model(path)
    network = freeze(twin, FORM)
    expected = np.asarray(twin(FORM.to_float(X).astype(np.float32)))
    assert np.array_equal(network.output_format.to_float(network.forward(X)), expected)
