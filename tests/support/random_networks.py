"""Random networks for property tests: as integers, and as the Keras model that freezes into them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

import numpy as np
from hypothesis import strategies as st

from qap.fixed import FixedPoint, Overflow, Rounding
from qap.network import IntegerNetwork, LayerSpec, StepTable, connect

MODES = list(product(Rounding, Overflow))


@dataclass(frozen=True)
class Choice:
    """What hypothesis draws; the numbers of the network come from the seed."""

    seed: int
    sizes: tuple[int, ...]
    sparsity: float
    modes: tuple[Rounding, Overflow]
    activations: tuple[str, ...]
    use_bias: bool


@st.composite
def choices(draw: Any, activations: tuple[str, ...] = ("linear", "relu", "none", "steps")) -> Choice:
    """Sizes, sparsity, modes and activations of a network; all-zero layers and neurons included."""
    sizes = tuple(draw(st.lists(st.integers(1, 7), min_size=2, max_size=4)))
    return Choice(
        seed=draw(st.integers(0, 2**32 - 1)),
        sizes=sizes,
        sparsity=draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
        modes=draw(st.sampled_from(MODES)),
        activations=tuple(draw(st.sampled_from(activations)) for _ in sizes[1:]),
        use_bias=draw(st.booleans()),
    )


def every_mode(activations: tuple[str, ...], seed: int) -> list[Choice]:
    """One choice for each rounding and overflow, so that a test covers all of them whatever is drawn."""
    return [
        Choice(seed + index, (6, 5, 3), (0.0, 0.5, 0.9)[index % 3], modes, activations, bool(index % 2))
        for index, modes in enumerate(MODES)
    ]


def random_format(rng: np.random.Generator, low: int = 1, high: int = 8) -> FixedPoint:
    """A format of `low` to `high` bits, with the point inside of it or somewhat outside."""
    width = int(rng.integers(low, high + 1))
    return FixedPoint(bool(rng.integers(2)), width, int(rng.integers(-2, width + 3)))


def random_integers(rng: np.random.Generator, form: FixedPoint, shape: tuple[int, ...]) -> np.ndarray:
    """Integers of a format; its ends come more often than chance has them."""
    values = rng.integers(form.min_int, form.max_int, shape, endpoint=True)
    ends = rng.choice([form.min_int, form.max_int], shape)
    return np.where(rng.random(shape) < 0.2, ends, values)


def random_network(choice: Choice) -> IntegerNetwork:
    """The network of a choice."""
    rng = np.random.default_rng(choice.seed)
    input_format = random_format(rng)
    specs = []
    for index, (n_in, n_out) in enumerate(zip(choice.sizes, choice.sizes[1:], strict=False)):
        weight_format, bias_format = random_format(rng), random_format(rng)
        weight = random_integers(rng, weight_format, (n_in, n_out)) * (rng.random((n_in, n_out)) >= choice.sparsity)
        bias = random_integers(rng, bias_format, (n_out,)) * choice.use_bias
        activation: Any = choice.activations[index]
        form: FixedPoint | None = random_format(rng, 1, 10).with_modes(*choice.modes)
        if activation == "steps":
            form = FixedPoint(True, 4, int(rng.integers(-1, 5)))
            steps = np.unique(rng.integers(-300, 300, rng.integers(1, 9)))
            values = np.sort(rng.integers(form.min_int, form.max_int, steps.size + 1, endpoint=True))
            activation = StepTable(steps, values)
        elif activation == "none":
            activation, form = "linear", None
        specs.append(LayerSpec(f"layer {index}", weight, weight_format, bias, bias_format, activation, form))
    return connect(input_format, specs, [str(k) for k in range(max(2, choice.sizes[-1]))])


def random_inputs(network: IntegerNetwork, n: int, seed: int = 0) -> np.ndarray:
    """Inputs (n, n_in) of a network; the first three are all smallest, all zero, all largest."""
    form = network.input_format
    x = random_integers(np.random.default_rng(seed), form, (n, network.n_in))
    x[0], x[1], x[2] = form.min_int, 0, form.max_int
    return x


def exact_outputs(network: IntegerNetwork, x_int: np.ndarray) -> list[list[int]]:
    """The logits by exact fractions: an independent reading of what the formats mean, slow and obvious."""
    outputs = []
    for row in x_int.tolist():
        values = [Fraction(v) / Fraction(2) ** network.input_format.fractional for v in row]
        for layer in network.layers:
            values = [_neuron(layer, values, j) for j in range(layer.n_out)]
        outputs.append([int(v * Fraction(2) ** network.output_format.fractional) for v in values])
    return outputs


def _neuron(layer: Any, values: list[Fraction], j: int) -> Fraction:
    lsb = Fraction(1, 1) / Fraction(2) ** layer.weight_format.fractional
    total = sum((v * int(w) * lsb for v, w in zip(values, layer.weight[:, j], strict=True)), Fraction(0))
    total += int(layer.bias[j]) / Fraction(2) ** layer.bias_format.fractional
    form = layer.result_format
    if isinstance(layer.activation, StepTable):
        accumulator = total * Fraction(2) ** layer.accum_format.fractional
        reached = sum(accumulator >= int(t) for t in layer.activation.thresholds)
        return int(layer.activation.values[reached]) / Fraction(2) ** form.fractional
    if layer.activation == "relu":
        total = max(total, Fraction(0))
    return exact_quantize(total, form)


def exact_quantize(value: Fraction, form: FixedPoint) -> Fraction:
    """Bring a fraction into a format, by the words of the AP types' manual."""
    scaled = value * Fraction(2) ** form.fractional
    whole = floor(scaled)
    rest = scaled - whole
    if form.rounding is Rounding.RND:
        whole += rest >= Fraction(1, 2)
    elif form.rounding is Rounding.RND_CONV:
        whole += rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1)
    highest = 2 ** (form.width - form.signed) - 1
    lowest = -highest - 1 if form.signed else 0
    if form.overflow is Overflow.WRAP:
        whole = (whole - lowest) % 2**form.width + lowest
    else:
        if form.overflow is Overflow.SAT_SYM and form.signed:
            lowest = -highest
        whole = min(max(whole, lowest), highest)
    return whole / Fraction(2) ** form.fractional
