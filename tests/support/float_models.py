"""Random Keras models with floats between their layers; a kind says whether it has an exact integer form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import qkeras
from keras import layers
from support.random_models import Rng, any_way, scatter

from qap.fixed import FixedPoint
from qap.network import IntegerNetwork
from qap.training.quantization import FloatScaleQuantizer

EXACT = ["quantized_bits(4,0,alpha=1)", "quantized_bits(3,0,alpha=1)", "ternary(alpha=1)", "binary(alpha=1)"]
SCALED = [
    "quantized_bits(2,0,alpha='auto')", "quantized_bits(3,0,alpha='auto')", "quantized_bits(4,0,alpha='auto')",
    "quantized_linear(4,0,alpha='auto')", "quantized_linear(3,0,alpha='auto')", "ternary(alpha='auto')",
    "binary(alpha='auto')",
]  # fmt: skip
QUANTIZERS = [
    "quantized_relu(4,1)", "quantized_relu(3,1)", "quantized_bits(4,1,alpha=1)", "quantized_bits(5,1,alpha=1)",
    "quantized_bits(3,0,1,alpha=1)", "binary(alpha=1)", "ternary(alpha=1)", "quantized_tanh(4)",
    "quantized_sigmoid(4)", "quantized_linear(4,1)", "quantized_relu(4,1,negative_slope=0.25)",
]  # fmt: skip
CURVES = ["tanh", "sigmoid", "softsign", "hard_sigmoid", "elu", "selu", "softplus", "relu6"]
BIAS = "quantized_bits(6,2,alpha=1)"


def pick(rng: Rng, among: list[Any]) -> Any:
    """One of them."""
    return among[int(rng.integers(len(among)))]


def units(rng: Rng) -> int:
    """2 to 7."""
    return int(rng.integers(2, 8))


def dense(rng: Rng, kernels: list[Any], bias: str | None = BIAS, count: int | None = None) -> Any:
    """A QDense with one of these kernel quantizers; half of them have a bias."""
    with_bias = bool(rng.random() < 0.5)
    return qkeras.QDense(
        count or units(rng),
        kernel_initializer="zeros",
        kernel_quantizer=pick(rng, kernels),
        use_bias=with_bias,
        bias_quantizer=bias if with_bias else None,
    )


def act(rng: Rng) -> Any:
    """A quantizer of activations."""
    return qkeras.QActivation(pick(rng, QUANTIZERS))


def normalization(rng: Rng) -> Any:
    """A normalization or a scale that training leaves."""
    return pick(
        rng, [layers.BatchNormalization(), layers.BatchNormalization(scale=False), layers.Rescaling(1 / 3, 0.1)]
    )


def normalized(rng: Rng) -> list[Any]:
    """A normalization before a quantizer."""
    relu = [layers.ReLU()] * int(rng.integers(2))
    return [dense(rng, EXACT), normalization(rng), *relu, act(rng)]


def scaled(rng: Rng) -> list[Any]:
    """A kernel with a float scale of each neuron."""
    return [dense(rng, SCALED), act(rng)]


def one_scale(rng: Rng) -> list[Any]:
    """A kernel with one float scale, and a float bias."""
    quantizer = FloatScaleQuantizer(int(rng.integers(2, 5)), per_channel=bool(rng.random() < 0.3))
    return [dense(rng, [quantizer], None), act(rng)]


def float_bias(rng: Rng) -> list[Any]:
    """A bias without a quantizer."""
    return [qkeras.QDense(units(rng), kernel_quantizer=pick(rng, EXACT)), act(rng)]


def curved(rng: Rng) -> list[Any]:
    """A tanh, sigmoid or the like before a quantizer."""
    return [dense(rng, EXACT), layers.Activation(pick(rng, CURVES)), act(rng)]


def curved_quantizer(rng: Rng) -> list[Any]:
    """QKeras' own curves."""
    quantizer = pick(rng, [
        qkeras.quantized_tanh(4, use_real_tanh=True), qkeras.quantized_tanh(5, use_real_tanh=True, symmetric=True),
        qkeras.quantized_sigmoid(4, use_real_sigmoid=True), qkeras.quantized_sigmoid(6, use_real_sigmoid=True),
    ])  # fmt: skip
    return [dense(rng, EXACT), qkeras.QActivation(quantizer)]


def mixed(rng: Rng) -> list[Any]:
    """All of them in one chain."""
    between = [normalization(rng)] * int(rng.integers(2)) + [layers.Activation(pick(rng, CURVES))] * int(
        rng.integers(2)
    )
    return [dense(rng, [*EXACT, *SCALED], pick(rng, [BIAS, None])), *between, act(rng)]


BLOCKS = {
    "a normalization before a quantizer": normalized,
    "alpha='auto'": scaled,
    "one float scale, float bias": one_scale,
    "a float bias": float_bias,
    "tanh, sigmoid, ... before a quantizer": curved,
    "quantized_tanh, quantized_sigmoid with curves": curved_quantizer,
    "mixtures": mixed,
}


@dataclass(frozen=True)
class Kind:
    """A kind of models.

    Args:
        blocks: what stands before the last layer.
        end: what stands at the end: an exact layer, with a common scale behind, or scales of each output's own.
        exact: whether such a model has an exact form.
    """

    blocks: tuple[Any, ...]
    end: str = "exact"
    exact: bool = True


KINDS = {
    **{name: Kind((block,)) for name, block in BLOCKS.items()},
    "different blocks": Kind(tuple(BLOCKS.values())),
    "one scale at the end": Kind((normalized, scaled, curved, mixed), "common"),
    "scales of each output at the end": Kind((normalized, scaled, mixed), "own", exact=False),
}


class Made(NamedTuple):
    """A model and the format of its inputs."""

    model: Any
    input_format: FixedPoint


def float_model(kind: str, seed: int) -> Made:
    """A model of a kind with random weights, for inputs of 3 to 8 bits."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    parts: list[Any] = []
    for _ in range(int(rng.integers(1, 3))):
        parts += pick(rng, list(KINDS[kind].blocks))(rng)
    end = KINDS[kind].end
    last = dense(rng, SCALED if end == "own" and rng.random() < 0.5 else EXACT, count=int(rng.integers(2, 6)))
    behind = {
        "exact": [],
        "common": [layers.Rescaling(1 / 3, pick(rng, [0, 0.1]))],
        "own": [layers.BatchNormalization()],
    }[end]
    softmax = [layers.Softmax()] * int(rng.integers(2)) if end == "common" else []
    model = any_way(rng, [*parts, last, *behind, *softmax])
    scatter(rng, model)
    bits = int(rng.integers(3, 9))
    return Made(model, FixedPoint(bool(rng.integers(2)), bits, int(rng.integers(0, 4))))


def answers_as(kind: str, model: Any, network: IntegerNetwork, x_int: np.ndarray) -> bool:
    """Whether the plain call of a model in float32 gives the network's logits, or its classes where a scale ends it."""
    x = network.input_format.to_float(x_int).astype(np.float32)
    y = np.asarray(model(x, training=False), np.float64)
    if KINDS[kind].end == "common":
        return np.array_equal(y.argmax(axis=1), network.classify(x_int))
    return np.array_equal(y, network.output_format.to_float(network.forward(x_int)))
