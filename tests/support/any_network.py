"""Random integer networks of every kind, to look for engines that disagree."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from qap.fixed import FixedPoint, Overflow, Rounding
from qap.network import IntegerNetwork, LayerSpec, StepTable, connect
from qap.network.layer import Activation

ROUNDINGS = tuple(Rounding)
OVERFLOWS = tuple(Overflow)


def random_network(
    rng: np.random.Generator,
    *,
    max_inputs: int = 12,
    max_units: int = 6,
    activations: tuple[str, ...] = ("linear", "relu", "steps"),
) -> IntegerNetwork:
    """A network with random sizes, formats, rounding and overflow modes, activations and sparsity.

    Args:
        rng: decides everything.
        max_inputs: at most so many inputs.
        max_units: at most so many neurons in a layer.
        activations: to choose from; "steps" is a random staircase.
    """
    sizes = [int(rng.integers(1, max_inputs + 1))]
    sizes += [int(rng.integers(1, max_units + 1)) for _ in range(rng.integers(1, 4))]
    input_format = random_format(rng, 8)
    specs = [
        random_layer(rng, f"layer{index}", n_in, n_out, str(rng.choice(activations)), last=index == len(sizes) - 2)
        for index, (n_in, n_out) in enumerate(pairwise(sizes))
    ]
    return connect(input_format, specs, [str(index) for index in range(max(2, sizes[-1]))])


def random_layer(
    rng: np.random.Generator, name: str, n_in: int, n_out: int, kind: str = "linear", last: bool = False
) -> LayerSpec:
    """A layer with random formats, weights and modes; the last one may keep its accumulator."""
    weight_format, bias_format, result_format = (
        random_format(rng, 6, signed=True),
        random_format(rng, 8, signed=True),
        random_format(rng, 8),
    )
    weight = rng.integers(weight_format.min_int, weight_format.max_int, (n_in, n_out), endpoint=True)
    weight *= rng.random(weight.shape) < rng.choice([0.2, 0.5, 1.0])
    bias = rng.integers(bias_format.min_int, bias_format.max_int, n_out, endpoint=True)
    if kind == "steps":
        thresholds = np.unique(rng.integers(-300, 300, rng.integers(1, 12)))
        if rng.random() < 0.5:  # of each neuron, some of them equal
            thresholds = np.sort(rng.integers(-300, 300, (n_out, thresholds.size)) // rng.choice([1, 50]), axis=1)
        values = rng.integers(result_format.min_int, result_format.max_int, thresholds.shape[-1] + 1, endpoint=True)
        activation: Activation = StepTable(thresholds, np.sort(values))
    else:
        activation = "relu" if kind == "relu" else "linear"
    if last and kind == "linear" and rng.random() < 0.5:
        return LayerSpec(name, weight, weight_format, bias, bias_format)
    return LayerSpec(name, weight, weight_format, bias, bias_format, activation, result_format)


def random_format(rng: np.random.Generator, max_width: int, signed: bool | None = None) -> FixedPoint:
    """A format of at most so many bits, with any rounding and overflow."""
    has_sign = bool(rng.integers(2)) if signed is None else signed
    width = int(rng.integers(1 + has_sign, max_width + 1))
    rounding, overflow = ROUNDINGS[rng.integers(3)], OVERFLOWS[rng.integers(3)]
    return FixedPoint(has_sign, width, int(rng.integers(-1, width + 2)), rounding, overflow)
