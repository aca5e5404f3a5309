"""Freezing: what Keras computes is what the integers compute, or it is refused by name."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from support.needs import needs
from support.random_networks import Choice, choices, every_mode, random_inputs, random_network

needs("keras", "qkeras")

import keras
import qkeras
from hypothesis import given, settings
from support.keras_twin import keras_twin

from qap.errors import NotExact
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.freezing import KerasEngine, freeze
from qap.network import IntegerNetwork, StepTable
from qap.recipe import StudentRecipe
from qap.training.networks import build_student
from qap.verification import EmulatorEngine, adversarial_vectors, verify

PIXELS = FixedPoint.parse("ufixed<8,0>")
KERNELS = [
    "quantized_bits(4,0,alpha=1)", "quantized_bits(3,0)", "quantized_bits(4,1,1,alpha=1)",
    "quantized_bits(1,0,alpha=1)",
    "quantized_bits(4,0,alpha=0.5)", "quantized_bits(4,0,alpha='auto_po2')", "binary(alpha=1)", "binary()",
    "ternary(alpha=1)", "ternary()", "quantized_po2(4)", "quantized_po2(4,2)",
]  # fmt: skip
ACTIVATIONS = [
    "quantized_relu(4,2)", "quantized_relu(16,6)", "quantized_relu(4,1,negative_slope=0.25)",
    "quantized_relu(3,1,negative_slope=0.0625)", "quantized_relu(3,1,negative_slope=1.0)", "quantized_bits(5,1)",
    "quantized_bits(5,1,1)", "quantized_bits(4,2,keep_negative=False)", "quantized_bits(4,1,alpha=0.5)",
    "quantized_bits(1,0)", "binary(alpha=1)", "binary()", "binary(use_01=True)", "ternary()",
    "ternary(alpha=2.0,threshold=0.7)",
]  # fmt: skip


def chain(*layers: Any, n_in: int = 12, scale: float = 0.6, seed: int = 0) -> Any:
    """A Keras model with random weights, a third of the kernels 0."""
    model = keras.Sequential([keras.Input((n_in,)), *layers])
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        weights = [rng.normal(0, scale, w.shape).astype(np.float32) for w in layer.get_weights()]
        if weights:
            weights[0][rng.random(weights[0].shape) < 0.3] = 0
            layer.set_weights(weights)
    return model


def dense(
    units: int, kernel: Any = "quantized_bits(4,0,alpha=1)", bias: Any = "quantized_bits(6,2,alpha=1)", **more: Any
) -> Any:
    return qkeras.QDense(units, kernel_quantizer=kernel, bias_quantizer=bias, use_bias=bias is not None, **more)


def logits(model: Any, x: np.ndarray) -> np.ndarray:
    """What the Keras model itself answers, before a final softmax."""
    last = model.layers[-1]
    if last.__class__.__name__ in ("Activation", "Softmax"):
        model = keras.Model(model.inputs, last.input)
    return np.asarray(model([x.astype(np.float32)]), np.float64)


def assert_agrees(model: Any, network: IntegerNetwork, x: np.ndarray) -> None:
    sets = {"random": x, "adversarial": adversarial_vectors(network.input_format, network.n_in)}
    found = verify([KerasEngine(model), EmulatorEngine()], network, sets)
    assert found.exact, [str(agreement) for agreement in found.agreements]


@settings(max_examples=40, deadline=None)
@given(choices(activations=("linear", "relu", "none")))
def test_keras_equals_the_frozen_network(choice: Choice) -> None:
    original = random_network(choice)
    model = keras_twin(original, use_bias=choice.use_bias)
    network = freeze(model, original.input_format)
    x = random_inputs(original, 40)
    assert (
        network.output_format.to_float(network.forward(x)) == original.output_format.to_float(original.forward(x))
    ).all()
    assert_agrees(model, network, x)


@pytest.mark.parametrize("choice", every_mode(("relu", "linear"), seed=31), ids=str)
def test_keras_equals_the_frozen_network_in_every_mode(choice: Choice) -> None:
    original = random_network(choice)
    model = keras_twin(original, use_bias=choice.use_bias)
    assert_agrees(model, freeze(model, original.input_format), random_inputs(original, 100))


@pytest.mark.parametrize(("kernel", "bias"), product(KERNELS, ["quantized_bits(6,2,alpha=1)", None]))
def test_kernel_quantizers_of_qkeras(kernel: str, bias: str | None) -> None:
    model = chain(dense(7, kernel, bias), qkeras.QActivation("quantized_relu(4,2)"), dense(3, kernel, bias))
    network = freeze(model, PIXELS)
    x = random_inputs(network, 300)
    assert (logits(model, x / 256) == network.output_format.to_float(network.forward(x))).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_quantizers_of_qkeras(activation: str) -> None:
    model = chain(dense(7), qkeras.QActivation(activation), dense(3), keras.layers.Activation("softmax"))
    network = freeze(model, PIXELS)
    x = random_inputs(network, 500)
    assert (logits(model, x / 256) == network.output_format.to_float(network.forward(x))).all()
    assert_agrees(model, network, x)


def test_an_activation_inside_of_the_dense_layer_is_the_same_as_behind_it() -> None:
    inside = chain(dense(7, activation="quantized_relu(4,2)"), dense(3, activation="softmax"))
    behind = chain(dense(7), qkeras.QActivation("quantized_relu(4,2)"), dense(3))
    behind.set_weights(inside.get_weights())
    a, b = freeze(inside, PIXELS), freeze(behind, PIXELS)
    x = random_inputs(a, 100)
    assert (a.forward(x) == b.forward(x)).all()
    assert_agrees(inside, a, x)


def test_the_heterogeneous_network_of_the_course_runs_in_float64_and_agrees() -> None:
    """30-20-10-10-4 with accumulators beyond the 24 bits of float32."""
    hidden = {"weight": "quantized_bits(9,1,alpha=1)", "bias": "quantized_bits(23,15,alpha=1)"}
    last = {"weight": "quantized_bits(32,15,alpha=1)", "bias": "quantized_bits(32,15,alpha=1)"}
    layers = [{"units": n, **hidden, "activation": "quantized_relu(16,15)"} for n in (20, 10, 10)]
    recipe = StudentRecipe.model_validate({"layers": [*layers, {"units": 4, **last}]})
    model = build_student(recipe, 30, 4, seed=3)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.7, w.shape) * (50 if w.ndim == 1 else 1) for w in model.get_weights()])
    network = freeze(model, FixedPoint.parse("fixed<16,8>"))
    engine = KerasEngine(model)
    assert engine.precision(network) == "float64"
    assert "float64" in verify([engine, EmulatorEngine()], network, {}).notes[0]
    assert [layer.result_format for layer in network.layers[:3]] == [FixedPoint.parse("ufixed<16,15,RND_CONV,SAT>")] * 3
    assert_agrees(model, network, random_inputs(network, 500))


def test_float32_itself_would_have_been_wrong_there() -> None:
    """The test above is not vacuous: such accumulators do round in float32."""
    model = chain(dense(4, "quantized_bits(16,0,alpha=1)", "quantized_bits(16,2,alpha=1)"), n_in=64)
    network = freeze(model, FixedPoint.parse("fixed<16,1>"))
    x = random_inputs(network, 200)
    exact = network.output_format.to_float(network.forward(x))
    assert KerasEngine(model).precision(network) == "float64"
    assert (logits(model, np.ldexp(x, -15)) != exact).any()
    assert_agrees(model, network, x)


def test_formats_are_the_smallest_that_hold_the_weights() -> None:
    model = chain(dense(2, "quantized_bits(8,3,alpha=1)", None), n_in=2)
    model.layers[-1].set_weights([np.array([[0.5, -1.0], [1.5, 0.0]], np.float32)])
    layer = freeze(model, PIXELS).layers[0]
    assert (str(layer.weight_format), layer.weight.tolist()) == ("ap_fixed<3,2>", [[1, -2], [3, 0]])
    assert (str(layer.bias_format), layer.bias.tolist()) == ("ap_ufixed<1,1>", [0, 0])


def test_a_linear_output_keeps_its_accumulator() -> None:
    network = freeze(chain(dense(3)), PIXELS)
    assert network.layers[0].result_format == network.layers[0].accum_format


def test_a_plain_relu_before_a_signed_quantizer() -> None:
    model = chain(dense(7), keras.layers.ReLU(), qkeras.QActivation("quantized_bits(5,2)"), dense(3))
    network = freeze(model, PIXELS)
    assert network.layers[0].activation == "relu"
    assert_agrees(model, network, random_inputs(network, 200))


def test_staircases_hold_only_the_steps_that_are_needed() -> None:
    network = freeze(chain(dense(4), qkeras.QActivation("binary(alpha=1)"), dense(3)), PIXELS)
    steps = network.layers[0].activation
    assert isinstance(steps, StepTable)
    assert (steps.thresholds.tolist(), steps.values.tolist()) == ([0], [-1, 1])


REFUSED = [
    ([keras.layers.Dense(3, name="plain")], "'plain'.*kernel is float"),
    ([qkeras.QDense(3, name="bare")], "'bare'.*kernel has no quantizer"),
    (
        [dense(3, bias=None, name="d"), keras.layers.BatchNormalization(name="norm")],
        "'norm'.*scale holds a number that is not finite",
    ),
    ([dense(3, "quantized_bits(4,0,alpha='auto')", name="auto")], "'auto'.*float scale"),
    ([dense(3, "quantized_bits(4,0,alpha=0.3)", name="third")], "'third'.*float scale"),
    ([dense(3, qkeras.quantized_bits(4, 0, alpha=1, use_stochastic_rounding=True), name="luck")], "'luck'.*random"),
    ([dense(3, qkeras.quantized_bits(4, 0, alpha=1, qnoise_factor=0.5), name="part")], "'part'.*in part"),
    ([dense(4), qkeras.QActivation("quantized_ulaw(4)", name="ulaw"), dense(3)], "'ulaw'.*quantized_ulaw"),
    ([dense(4), keras.layers.Activation("softmax", name="early"), dense(3)], "'early'.*softmax"),
    ([dense(4), keras.layers.Activation("tanh", name="float"), dense(3)], "'float'.*tanh"),
    ([dense(4), qkeras.QActivation("quantized_relu(4,2,use_sigmoid=1)", name="sig"), dense(3)], "'sig'.*sigmoid"),
    ([dense(4), qkeras.QActivation("quantized_bits(4,0,alpha='auto_po2')", name="po"), dense(3)], "'po'.*alpha"),
    ([dense(4), qkeras.QActivation("quantized_relu(16,2,negative_slope=0.5)", name="big"), dense(3)], "'big'.*steps"),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "message"), REFUSED, ids=[message.split("'")[1] for _, message in REFUSED])
def test_what_is_not_exact_is_refused_with_the_name_of_the_layer(layers: list[Any], message: str) -> None:
    with pytest.raises(NotExact, match=message) as caught:
        freeze(chain(*layers), PIXELS)
    assert "\n" not in str(caught.value)


def test_a_float_bias_is_refused() -> None:
    model = chain(qkeras.QDense(3, kernel_quantizer="quantized_bits(4,0,alpha=1)", name="mixed"))
    with pytest.raises(NotExact, match=r"'mixed'.*bias has no quantizer"):
        freeze(model, PIXELS)


def test_a_weight_that_is_not_a_number_is_refused() -> None:
    model = chain(dense(3, name="nan"))
    kernel, bias = model.layers[-1].get_weights()
    kernel[0, 0] = np.nan
    model.layers[-1].set_weights([kernel, bias])
    with pytest.raises(NotExact, match=r"'nan'.*not finite"):
        freeze(model, PIXELS)


def test_keras_refuses_where_even_float64_rounds() -> None:
    model = chain(dense(3, "quantized_bits(32,0,alpha=1)", None, name="wide"), n_in=4)
    network = freeze(model, FixedPoint(True, 30, 1, Rounding.TRN, Overflow.WRAP))
    with pytest.raises(NotExact, match=r"'wide'.*float64 has 53"):
        KerasEngine(model).run(network, random_inputs(network, 5))
