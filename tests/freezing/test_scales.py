"""Kernels with a float scale: integers and thresholds that hold however float32 rounds, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras")

import keras
import qkeras
from keras import layers
from support.random_models import scatter
from support.random_networks import random_inputs

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.freezing.scales import Sums, codes_of, inputs_of_sum, rounding
from qap.network import IntegerNetwork, StepTable, connect
from qap.network.interval import Interval
from qap.training.quantization import FloatScaleQuantizer
from qap.verification import EmulatorEngine, verify

INPUT = FixedPoint.parse("ap_fixed<6,2>")
KERNELS: list[Any] = [
    "quantized_bits(2,0,alpha='auto')", "quantized_bits(4,0,alpha='auto')", "quantized_linear(3,0,alpha='auto')",
    "ternary(alpha='auto')", "binary(alpha='auto')", "quantized_bits(4,0,alpha=0.3)", FloatScaleQuantizer(4),
    FloatScaleQuantizer(3, per_channel=True),
]  # fmt: skip


def model(kernel: Any, *between: Any, bias: str | None = None, seed: int = 0, inputs: int = 6, last: Any = None) -> Any:
    """A dense layer of this kernel, what stands behind it, and an exact layer."""
    made = keras.Sequential([
        keras.Input((inputs,)),
        qkeras.QDense(5, kernel_quantizer=kernel, bias_quantizer=bias, kernel_initializer="zeros"),
        *between,
        last or qkeras.QDense(3, kernel_quantizer="quantized_bits(4,0,alpha=1)", use_bias=False),
    ])  # fmt: skip
    scatter(np.random.default_rng(seed), made)
    return made


def assert_is(made: Any, network: IntegerNetwork, n: int = 2000) -> None:
    """Equal to the plain call, of all samples together and one by one."""
    x = random_inputs(network, n)
    real = network.input_format.to_float(x).astype(np.float32)
    logits = network.output_format.to_float(network.forward(x))
    assert np.array_equal(np.asarray(made(real), np.float64), logits)
    assert all(np.array_equal(np.asarray(made(real[i : i + 1]), np.float64)[0], logits[i]) for i in range(20))


@pytest.mark.parametrize(
    "kernel", KERNELS, ids=lambda kernel: kernel if isinstance(kernel, str) else type(kernel).__name__
)
def test_a_float_scale_before_a_quantizer_becomes_steps(kernel: Any) -> None:
    made = model(kernel, layers.ReLU(), qkeras.QActivation("quantized_relu(4,1)"), seed=3)
    network = freeze(made, INPUT)
    assert network.layers[0].is_per_neuron
    assert network.layers[0].weight_format.width <= 5
    assert_is(made, network)
    x = random_inputs(network, 500)
    assert verify([KerasEngine(made), EmulatorEngine()], network, {"random": x}).exact


@pytest.mark.parametrize("bias", [None, "quantized_bits(6,2,alpha=1)", "quantized_bits(4,0,alpha='auto')"])
def test_what_stands_behind_it_joins_the_steps(bias: str | None) -> None:
    between = [
        layers.BatchNormalization(),
        layers.Activation("tanh"),
        qkeras.QActivation("quantized_bits(4,0,alpha=1)"),
    ]
    made = model("quantized_bits(3,0,alpha='auto')", *between, bias=bias, seed=1)
    assert_is(made, freeze(made, INPUT))


def test_a_float_bias_of_an_exact_kernel_becomes_steps() -> None:
    made = model("quantized_bits(3,0,alpha=1)", qkeras.QActivation("quantized_relu(4,1)"), seed=1)
    assert_is(made, freeze(made, INPUT))


def test_inputs_that_are_reordered_and_shifted() -> None:
    made = model("ternary(alpha='auto')", qkeras.QActivation("quantized_relu(4,1)"), seed=2)
    scaled = keras.Sequential([keras.Input((2, 3)), layers.Permute((2, 1)), layers.Flatten(), *made.layers])
    network = freeze(scaled, INPUT)
    x = random_inputs(network, 1000)
    real = INPUT.to_float(x).astype(np.float32).reshape(-1, 2, 3)
    assert np.array_equal(np.asarray(scaled(real), np.float64), network.output_format.to_float(network.forward(x)))


def test_a_sum_that_rounding_puts_on_both_sides_is_refused() -> None:
    """The sum of inputs that cancel is 0 only in exact numbers, and the sign of what float32 leaves is the result."""
    made = model("binary(alpha='auto')", qkeras.QActivation("binary(alpha=1)"), inputs=5)
    made.layers[0].bias.assign(np.zeros(5))
    with pytest.raises(NotExact, match="'q_dense.*steps lie within the rounding of float32, .* at neuron 0: .*"):
        freeze(made, FixedPoint.parse("fixed<6,3>"))


def test_a_bias_that_puts_a_sum_on_a_tie_is_refused() -> None:
    made = model("binary(alpha='auto')", qkeras.QActivation("quantized_relu(2,2)"), inputs=4)
    made.layers[0].bias.assign(np.full(5, 0.5))
    with pytest.raises(NotExact, match="the first into 1 at neuron .*use alpha='auto_po2' or another quantizer"):
        freeze(made, FixedPoint.parse("fixed<6,3>"))


def test_a_threshold_one_off_is_seen() -> None:
    made = model("quantized_bits(4,0,alpha='auto')", qkeras.QActivation("quantized_relu(4,1)"))
    network = freeze(made, INPUT)
    specs, steps = network.specs(), network.layers[0].activation
    assert isinstance(steps, StepTable)
    specs[0] = specs[0]._replace(activation=StepTable(steps.thresholds + 1, steps.values))
    wrong = connect(INPUT, specs, network.class_names)
    found = verify([KerasEngine(made), EmulatorEngine()], wrong, {"random": random_inputs(network, 3000)})
    assert not found.exact


def test_a_scale_at_the_end_is_refused_or_named() -> None:
    between = qkeras.QActivation("quantized_relu(4,1)")
    for kernel, layers_of_it in ((FloatScaleQuantizer(4), 2), ("quantized_bits(4,0,alpha='auto')", 3)):
        last = qkeras.QDense(3, kernel_quantizer=kernel, use_bias=False, kernel_initializer="zeros")
        made = model("quantized_bits(4,0,alpha=1)", between, bias="quantized_bits(6,2,alpha=1)", last=last)
        with pytest.raises(NotExact, match="float scale.*or let output_bits quantize"):
            freeze(made, INPUT)
        network = freeze(made, INPUT, output_bits=12)
        assert len(network.layers) == layers_of_it
        x = random_inputs(network, 1000)
        found = verify([KerasEngine(made), EmulatorEngine()], network, {"random": x})
        assert found.exact and found.notes[-1].startswith("changed: ")


# ---- codes, and how far sums round


def test_codes_are_whole_multiples_of_one_number_or_of_one_each() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(-7, 8, (20, 3))
    codes[0] = 7
    one = (codes * 0.123).astype(np.float32).astype(np.float64)
    found = codes_of("layer", one, 8)
    assert np.array_equal(found.codes, codes) and np.allclose(found.scale, 0.123, rtol=1e-6)
    each = (codes * [0.1, 0.7, 0.3]).astype(np.float32).astype(np.float64)
    assert np.array_equal(codes_of("layer", each, 8).codes, codes)
    assert np.array_equal(codes_of("layer", 0 * each, 8).codes, 0 * codes)
    with pytest.raises(NotExact, match="the kernel of its neuron 0 has a float scale, but .* up to 8, of one number"):
        codes_of("layer", rng.normal(size=(20, 3)), 8)


def test_no_order_of_a_sum_rounds_further_than_the_bound() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(-7, 8, (12, 4)).astype(np.float64)
    kernel = (codes * 0.123).astype(np.float32)
    inputs = Interval(np.full(12, -128), np.full(12, 127))
    found = codes_of("layer", kernel.astype(np.float64), 8)
    bound = rounding(Sums(lambda x: keras.ops.dot(x, kernel), kernel.astype(np.float64)), found, inputs, 5)
    largest = 0.0
    for _ in range(300):
        x, order = rng.integers(-128, 128, 12), rng.permutation(12)
        total = np.zeros(4, np.float32)
        for index in order:
            total += np.float32(x[index] / 32) * kernel[index]
        off = np.abs(total - x / 32 @ found.codes * found.scale)
        exact = x @ found.codes.astype(int)
        unmeasured = bound.__class__(**{**{f: getattr(bound, f) for f in bound.__slots__}, "measured": np.full(4, 9.0)})
        assert (off <= unmeasured(exact[None])[0]).all()
        largest = max(largest, float((off / bound.measured).max()))
    assert 0.1 < largest <= 1


def test_inputs_of_a_sum_have_that_sum() -> None:
    inputs = Interval(np.array([0, -3, 0, -8]), np.array([7, 3, 0, 8]))
    codes = np.array([3, -1, 5, 2])
    found = inputs_of_sum(codes, inputs, 11)
    assert len(found) > 10 and (found @ codes == 11).all()
    assert (found >= inputs.low).all() and (found <= inputs.high).all()
    assert not len(inputs_of_sum(codes, inputs, 1000))
