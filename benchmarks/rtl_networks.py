"""Seeded random classifiers of the shapes, widths and sparsities that people build."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from qap.fixed import FixedPoint, Rounding
from qap.hardware.rtl.size import widths
from qap.network import IntegerNetwork, LayerSpec, connect, simplify
from qap.network.csd import csd_digits
from qap.network.interval import format_interval

SHAPES = (
    (64, 16, 10), (64, 10), (16, 64, 32, 32, 5), (16, 32, 16, 5), (784, 16, 2), (784, 5, 7, 10, 2), (784, 32, 10),
    (784, 2, 2), (10, 8, 1), (30, 12, 6, 2), (40, 20, 3), (196, 24, 10), (21, 16, 16, 1), (13, 10, 3),
)  # fmt: skip
INPUT_BITS = (1, 1, 2, 4, 6, 8, 8, 10)
WEIGHT_BITS = (2, 3, 3, 4, 4, 5, 6, 8)
ACTIVATION_BITS = (1, 2, 3, 4, 4, 6, 8, 10)
SPARSITY = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
LUTS = (60, 1_200)
"""Smaller and larger guesses are drawn again: the first say nothing, the second take minutes to synthesize."""


def random_classifier(seed: int) -> IntegerNetwork:
    """A random classifier that takes about 100 to 2,500 LUTs, every output of which depends on its inputs."""
    rng = np.random.default_rng(seed)
    while True:
        network = _drawn(rng)
        smaller = simplify(network).network
        if not LUTS[0] <= _guessed_luts(smaller) <= LUTS[1]:
            continue
        form = network.input_format
        x = rng.integers(form.min_int, form.max_int, (200, network.n_in), endpoint=True)
        if np.ptp(network.forward(x), axis=0).all():
            return network


def _guessed_luts(network: IntegerNetwork) -> int:
    """About 0.55 LUTs for each added bit; not the law of qap, which is measured on what is drawn here."""
    reaches = [format_interval(network.input_format, network.n_in), *(results for _, results in network.intervals())]
    bits = 0.0
    for layer, reach in zip(network.layers, reaches[:-1], strict=True):
        width = widths(reach)
        bits += float((csd_digits(layer.weight).sum(axis=1) * (width + 1) * (width > 0)).sum())
    return round(bits * 0.55)


def _drawn(rng: np.random.Generator) -> IntegerNetwork:
    shape = SHAPES[rng.integers(len(SHAPES))]
    form = FixedPoint(False, bits := int(rng.choice(INPUT_BITS)), int(rng.integers(0, bits + 1)))
    sparsity, trained = float(rng.choice(SPARSITY)), bool(rng.integers(2))
    rounding = (Rounding.RND_CONV, Rounding.RND_CONV, Rounding.TRN)[rng.integers(3)]
    width, weight_bits = int(rng.choice(ACTIVATION_BITS)), int(rng.choice(WEIGHT_BITS))
    specs: list[LayerSpec] = []
    scale = form.max_int * form.lsb / 2  # of the inputs of the layer
    for index, (n_in, n_out) in enumerate(pairwise(shape)):
        weight_format = FixedPoint(True, weight_bits, int(rng.integers(0, 2)))
        weight = _weights(rng, weight_format, (n_in, n_out), sparsity, trained)
        spread = scale * np.sqrt((weight.astype(float) ** 2).sum(axis=0).mean()) * weight_format.lsb
        integer = int(np.ceil(np.log2(max(spread, 1e-3) * 2)))
        bias_format = FixedPoint(True, 8, integer + 1)
        bias = np.clip(np.round(rng.normal(0, 25, n_out)), -128, 127).astype(np.int64)
        if index == len(shape) - 2:
            specs.append(LayerSpec(f"layer{index}", weight, weight_format, bias, bias_format))
        else:
            result = FixedPoint.parse(f"ap_ufixed<{width},{integer},AP_{rounding.name},AP_SAT>")
            specs.append(LayerSpec(f"layer{index}", weight, weight_format, bias, bias_format, "relu", result))
        scale = spread / 2
    return connect(form, specs, [str(index) for index in range(max(2, shape[-1]))])


def _weights(
    rng: np.random.Generator, form: FixedPoint, shape: tuple[int, int], sparsity: float, trained: bool
) -> np.ndarray:
    """Uniform weights of which random ones are pruned, or bell-shaped ones of which the smallest are."""
    if not trained:
        return rng.integers(-form.max_int, form.max_int + 1, shape) * (rng.random(shape) >= sparsity)
    weight = rng.normal(0, 1, shape)
    weight *= np.abs(weight) >= np.quantile(np.abs(weight), sparsity)
    scaled = np.round(weight * form.max_int / 2.5)
    return np.clip(scaled, -form.max_int, form.max_int).astype(np.int64)
