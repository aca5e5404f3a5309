"""Curves between a layer and its quantizer become steps, whatever code computes them, or are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras")

import keras
import qkeras
from keras import layers
from support.random_networks import random_inputs

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing import freeze
from qap.freezing.functions import CURVES

INPUT = FixedPoint.parse("ap_fixed<7,3>")
BIAS = "quantized_bits(6,2,alpha=1)"


def model(*between: Any, seed: int = 0) -> Any:
    made = keras.Sequential([
        keras.Input((5,)),
        qkeras.QDense(4, kernel_quantizer="quantized_bits(4,0,alpha=1)", bias_quantizer=BIAS),
        *between,
        qkeras.QDense(3, kernel_quantizer="quantized_bits(4,0,alpha=1)", use_bias=False),
    ])  # fmt: skip
    rng = np.random.default_rng(seed)
    for weight in made.weights:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    return made


def assert_is(made: Any) -> None:
    network = freeze(made, INPUT)
    x = random_inputs(network, 3000)
    real = INPUT.to_float(x).astype(np.float32)
    logits = network.output_format.to_float(network.forward(x))
    assert any(layer.is_per_neuron for layer in network.layers)
    assert np.array_equal(np.asarray(made(real), np.float64), logits)
    assert np.array_equal(np.concatenate([np.asarray(made(real[i : i + 1])) for i in range(50)]), logits[:50])


@pytest.mark.parametrize("curve", ["tanh", "sigmoid", "softsign", "softplus", "elu", "selu", "hard_sigmoid", "relu6"])
def test_a_curve_before_a_quantizer(curve: str) -> None:
    assert_is(model(layers.Activation(curve), layers.Rescaling(0.7), qkeras.QActivation("quantized_bits(5,1,alpha=1)")))


@pytest.mark.parametrize(
    "quantizer",
    [
        qkeras.quantized_tanh(4, use_real_tanh=True),
        qkeras.quantized_tanh(6, use_real_tanh=True, symmetric=True),
        qkeras.quantized_sigmoid(5, use_real_sigmoid=True),
        qkeras.quantized_sigmoid(3, use_real_sigmoid=True, symmetric=True),
    ],
)
def test_the_curves_of_qkeras(quantizer: Any) -> None:
    assert_is(model(qkeras.QActivation(quantizer)))


def test_an_elu_layer_and_a_curve_inside_of_the_dense_layer() -> None:
    assert_is(model(layers.ELU(0.5), qkeras.QActivation("quantized_bits(5,1,alpha=1)")))
    made = model(qkeras.QActivation("quantized_bits(5,1,alpha=1)"))
    made.layers[0].activation = keras.activations.tanh
    rebuilt = keras.Sequential([keras.Input((5,)), *made.layers])
    assert_is(rebuilt)


@pytest.mark.parametrize(
    ("between", "message"),
    [
        ([layers.Activation("gelu"), qkeras.QActivation(BIAS)], "gelu falls and rises, so it has no steps"),
        ([layers.Activation("silu"), qkeras.QActivation(BIAS)], "silu falls and rises"),
        ([layers.ELU(-1.0), qkeras.QActivation(BIAS)], "an ELU with alpha -1.0 falls and rises"),
        ([layers.Activation("softplus")], "a softplus that no quantizer follows"),
        ([layers.Activation("tanh")], "a tanh between layers; .* before a quantizer it becomes steps"),
        ([layers.Softmax(), qkeras.QActivation(BIAS)], "a softmax between layers"),
    ],
)  # fmt: skip
def test_what_has_no_steps_is_refused(between: list[Any], message: str) -> None:
    with pytest.raises(NotExact, match=message):
        freeze(model(*between), INPUT)


def test_a_curve_that_meets_a_tie_is_refused() -> None:
    """sigmoid(0) is 0.5, and the quantizer turns there."""
    made = model(layers.Activation("sigmoid"), qkeras.QActivation("quantized_relu(1,1)"))
    with pytest.raises(NotExact, match="the first into 1 at neuron 0: two codes of a curve may differ there"):
        freeze(made, INPUT)


@pytest.mark.parametrize(("function", "slack"), CURVES, ids=lambda value: value.__name__)
def test_no_code_of_a_curve_differs_by_more_than_its_slack(function: Any, slack: Any) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, scale, 20000) for scale in (1e-2, 1, 8)]).astype(np.float32)
    together = np.asarray(function(keras.ops.convert_to_tensor(x)), np.float64)
    backwards = np.asarray(function(keras.ops.convert_to_tensor(x[::-1].copy())))[::-1]
    odd = np.concatenate([np.asarray(function(keras.ops.convert_to_tensor(x[i : i + 7]))) for i in range(0, 7000, 7)])
    assert (np.abs(together - backwards) <= slack(together)).all()
    assert (np.abs(together[:7000] - odd[:7000]) <= slack(together[:7000])).all()
