"""What is float between an accumulator and its quantizer becomes thresholds, exactly, or is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras")

import keras
import qkeras
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from support.random_networks import random_inputs

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.network import IntegerNetwork, StepTable, connect
from qap.verification import EmulatorEngine, adversarial_vectors, verify

INPUT = FixedPoint.parse("ap_fixed<8,3>")
RELU = "quantized_relu(4,1)"
QUANTIZERS = [
    RELU, "quantized_bits(5,1,alpha=1)", "quantized_bits(3,0,1,alpha=1)", "quantized_relu(8,2)", "binary(alpha=1)",
    "ternary(alpha=1)", "quantized_relu(4,1,negative_slope=0.25)", "quantized_tanh(4)",
    "quantized_sigmoid(4)", "quantized_bits(4,1,alpha=0.5)", "quantized_relu(4,2,relu_upper_bound=1.5)",
]  # fmt: skip


def dense(units: int, kernel: str = "quantized_bits(4,0,alpha=1)", **more: Any) -> Any:
    return qkeras.QDense(units, kernel_quantizer=kernel, bias_quantizer="quantized_bits(6,2,alpha=1)", **more)


def trained(parts: list[Any], seed: int = 0, inputs: int = 6) -> Any:
    """A model of these layers as training would leave it: scales of both signs, any mean and variance."""
    model = keras.Sequential([keras.Input((inputs,)), *parts])
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = rng.normal(0, 0.7, weight.shape)
        weight.assign(np.abs(values) * 3 + 0.05 if "variance" in weight.path else values)
    return model


def edges(network: IntegerNetwork, x: np.ndarray) -> int:
    """How many accumulators of the first layer lie on a threshold or right below one."""
    first = network.layers[0]
    steps = first.activation
    assert isinstance(steps, StepTable) and steps.is_per_neuron
    weight, bias = first.aligned(network.input_format.fractional)
    accumulators = (x @ weight + bias)[:, :, None]
    return int(((accumulators == steps.thresholds) | (accumulators == steps.thresholds - 1)).sum())


def assert_is(model: Any, network: IntegerNetwork, x: np.ndarray) -> None:
    real = network.input_format.to_float(x).astype(np.float32)
    expected = network.output_format.to_float(network.forward(x))
    assert np.array_equal(np.asarray(model(real, training=False), np.float64), expected)
    assert np.array_equal(np.asarray(model.predict(real, verbose=0), np.float64), expected)


@pytest.mark.parametrize("quantizer", QUANTIZERS)
def test_a_trained_normalization_before_a_quantizer(quantizer: str) -> None:
    model = trained([dense(5), layers.BatchNormalization(), qkeras.QActivation(quantizer), dense(3)], 1)
    network = freeze(model, INPUT)
    x = np.concatenate([random_inputs(network, 3000), adversarial_vectors(INPUT, network.n_in)])
    assert edges(network, x) > 10
    assert_is(model, network, x)
    found = verify([KerasEngine(model), EmulatorEngine()], network, {"random": x})
    assert found.exact and not found.notes


CHAINS: dict[str, list[Any]] = {
    "two": [layers.BatchNormalization(), layers.BatchNormalization(), qkeras.QActivation(RELU)],
    "relu behind": [layers.BatchNormalization(), layers.ReLU(), qkeras.QActivation("quantized_bits(5,2,alpha=1)")],
    "relu before": [layers.ReLU(), layers.BatchNormalization(), qkeras.QActivation("quantized_bits(5,2,alpha=1)")],
    "limits": [layers.BatchNormalization(), layers.ReLU(1.5), qkeras.QActivation("quantized_bits(5,2,alpha=1)")],
    "slope": [layers.BatchNormalization(), layers.LeakyReLU(0.3), qkeras.QActivation("quantized_bits(5,2,alpha=1)")],
    "scale": [layers.BatchNormalization(), layers.Rescaling(0.3, 0.1), qkeras.QActivation(RELU)],
    "dropout": [layers.Dropout(0.3), layers.BatchNormalization(), layers.Dropout(0.3), qkeras.QActivation(RELU)],
    "behind a quantizer": [qkeras.QActivation(RELU), layers.BatchNormalization(), qkeras.QActivation(RELU)],
    "no scale, no center": [layers.BatchNormalization(scale=False, center=False), qkeras.QActivation(RELU)],
    "quantized": [qkeras.QBatchNormalization(), qkeras.QActivation(RELU)],
    "no normalization": [layers.LeakyReLU(0.3), qkeras.QActivation("quantized_bits(5,2,alpha=1)")],
    "no normalization, a scale": [layers.Rescaling(1 / 255), qkeras.QActivation("quantized_bits(5,-3,alpha=1)")],
}


@pytest.mark.parametrize("chain", CHAINS)
def test_what_stands_around_it_becomes_the_same_steps(chain: str) -> None:
    between = [type(layer).from_config(layer.get_config()) for layer in CHAINS[chain]]
    model = trained([dense(5), *between, dense(3)], 2)
    network = freeze(model, INPUT)
    assert any(layer.is_per_neuron for layer in network.layers)
    assert_is(model, network, random_inputs(network, 2000))


def test_a_normalization_of_the_inputs() -> None:
    model = trained([layers.BatchNormalization(), qkeras.QActivation(RELU), dense(4)], 3)
    network = freeze(model, INPUT)
    assert len(network.layers) == 2
    assert_is(model, network, random_inputs(network, 2000))


def test_a_neuron_that_falls_is_turned_around() -> None:
    model = trained([dense(4), layers.BatchNormalization(), qkeras.QActivation(RELU), dense(2)], 4)
    model.layers[1].gamma.assign([1.0, -1.0, 0.3, -0.3])
    plain = np.asarray(model.layers[0].kernel_quantizer_internal(model.layers[0].kernel))
    first = freeze(model, INPUT).layers[0]
    assert np.array_equal(first.weight_format.to_float(first.weight), plain * [1, -1, 1, -1])


def test_a_scale_of_zero_is_a_constant() -> None:
    model = trained([dense(4), layers.BatchNormalization(), qkeras.QActivation(RELU), dense(2)], 5)
    model.layers[1].gamma.assign([0.0, 1.0, 0.0, 0.7])
    network = freeze(model, INPUT)
    x = random_inputs(network, 500)
    assert_is(model, network, x)
    assert len(np.unique(network.trace(x)[0][:, 0])) == 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_random_normalizations_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts: list[Any] = []
    for _ in range(int(rng.integers(1, 3))):
        parts += [dense(int(rng.integers(1, 7))), layers.BatchNormalization(epsilon=float(rng.choice([1e-3, 1e-5])))]
        parts += [layers.ReLU()] * int(rng.integers(2)) + [qkeras.QActivation(str(rng.choice(QUANTIZERS)))]
    model = trained([*parts, dense(3)], seed, inputs=int(rng.integers(1, 9)))
    network = freeze(model, INPUT)
    assert_is(model, network, random_inputs(network, 500))


@pytest.mark.parametrize(
    "between, message",
    [
        ([layers.BatchNormalization()], "batch_normalization.*scale .* is not a short binary number; quantize its"),
        ([layers.BatchNormalization(), layers.ReLU()], "batch_normalization.*is not a short binary number"),
        ([qkeras.QActivation(RELU), layers.BatchNormalization()], "batch_normalization.*is not a short binary"),
        ([layers.BatchNormalization(), qkeras.QActivation("quantized_relu(9,2)")], "512 values, at most 256"),
        ([layers.BatchNormalization(), qkeras.QActivation("quantized_bits(30,9,alpha=1)")], "1,073,741,824 values"),
        ([layers.BatchNormalization(), layers.Activation("gelu"), qkeras.QActivation(RELU)], "gelu falls and rises"),
        ([layers.Activation("tanh")], "a tanh between layers; .*, or before a quantizer it becomes steps"),
    ],
)
def test_what_is_no_staircase_is_refused(between: list[Any], message: str) -> None:
    fresh = [type(layer).from_config(layer.get_config()) for layer in between]
    with pytest.raises(NotExact, match=message):
        freeze(trained([dense(4), *fresh, dense(3)], 6), INPUT)


def test_a_normalization_at_the_end_is_refused() -> None:
    with pytest.raises(NotExact, match="is not a short binary number; quantize its results"):
        freeze(trained([dense(4), layers.BatchNormalization()]), INPUT)


def test_sums_that_float32_rounds_are_refused() -> None:
    wide = dense(4, kernel="quantized_bits(20,0,alpha=1)")
    model = trained([wide, layers.BatchNormalization(), qkeras.QActivation(RELU), dense(3)], 7)
    with pytest.raises(NotExact, match=r"q_dense.*its sums need \d\d bits, and .* in float32, which holds 24"):
        freeze(model, INPUT)


def test_a_folded_scale_beside_thresholds_must_be_a_shift() -> None:
    def model(*scale: float) -> Any:
        rest = [dense(4), layers.BatchNormalization(), qkeras.QActivation(RELU), dense(3)]
        return trained([layers.Rescaling(*scale), *rest], 8)

    shifted = model(0.125)
    network = freeze(shifted, INPUT)
    assert_is(shifted, network, random_inputs(network, 1000))
    with pytest.raises(NotExact, match="rescaling.*no power of two, or has an offset.*give it a power of two"):
        freeze(model(0.125, -0.5), INPUT)


def test_a_threshold_one_off_is_seen() -> None:
    model = trained([dense(5), layers.BatchNormalization(), qkeras.QActivation(RELU), dense(3)], 9)
    network = freeze(model, INPUT)
    steps = network.layers[0].activation
    assert isinstance(steps, StepTable)
    specs = network.specs()
    specs[0] = specs[0]._replace(activation=StepTable(steps.thresholds + 1, steps.values))
    wrong = connect(INPUT, specs, network.class_names)
    found = verify([KerasEngine(model), EmulatorEngine()], wrong, {"random": random_inputs(network, 3000)})
    assert not found.exact
