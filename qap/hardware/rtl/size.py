"""How large a network gets when it is unrolled, known before anything is generated.

The law of the LUTs reads signed digits, widths and sparsity of each layer. A layer costs what the cheaper of
two ways costs, as in `lower_network`: adders that neurons share, or truth tables that are added up. Its
exponents say how well sharing works: the more digits and the denser, the more is shared. A truth table is one LUT.
"""

from __future__ import annotations

import numpy as np

from qap.errors import QapError
from qap.fixed import IntArray
from qap.hardware.circuit.sums import NARROW
from qap.hardware.circuit.wires import LUT_INPUTS
from qap.network import IntegerLayer, IntegerNetwork, Layer, TableLayer, ThresholdLayer
from qap.network.csd import csd_digits
from qap.network.interval import Interval, format_interval

SYNTHESIS_S_PER_LUT = 0.0065
"""Yosys from PyPI on one core, xc7: 75 s for 11,700 LUTs."""
HOPELESS_LUTS = 100_000
SHARED = (0.598, 0.931, -0.055, 0.489)
"""Factor, and exponents of the digits' bits, of the density and of the width of the inputs."""
TABLED = (0.0273, 1.289, 1.361, 0.664)
"""Factor, and exponents of the tables' bits, of the width of the inputs and of the weights of a neuron."""
COUNTED = 0.58
"""LUTs for each bit that counters take away: a column bit of the sum that is none of its result."""
WIDE, ACCUMULATOR, RESULT, WINNER, STEPS = 0.710, 0.303, 0.722, 1.75, 0.65
"""LUTs for each bit that wide inputs add, of an accumulator, of a result, of a compared logit, and for each step of a
narrow result; all but the first fitted with `COUNTED` to 41 circuits."""
INPUTS_A_TABLE = 5.2
FEW_BITS = 4


def nonzero_digits(network: IntegerNetwork) -> int:
    """The signed digits of all weights that are not 0."""
    return sum(int(csd_digits(layer.weight).sum()) for layer in network.weighted)


def widths(values: Interval) -> IntArray:
    """The bits that hold each range, 0 where it is only 0."""
    negative = values.low < 0
    return np.maximum(_bits(np.maximum(values.high, 0)), _bits(np.maximum(~values.low, 0))) + negative


def _bits(values: IntArray) -> IntArray:
    """`int.bit_length` of each; `frexp` is exact below 2**53, beyond it may round up to the next power of two."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def hopeless_luts(network: IntegerNetwork) -> int | None:
    """LUTs of a simplified network whose full unrolling no one would wait for; None if it is smaller."""
    lut = law_luts(network)
    return lut if lut > HOPELESS_LUTS else None


def refuse_hopeless(network: IntegerNetwork) -> None:
    """Refuse a network whose full unrolling no one would wait for.

    Args:
        network: a simplified one.

    Raises:
        QapError: with the estimate, and how to go on.
    """
    if lut := hopeless_luts(network):
        raise QapError(
            f"unrolling this network takes about {lut:,} LUTs and {lut * SYNTHESIS_S_PER_LUT / 60:,.0f} minutes of "
            "synthesis (estimated); prune it or use fewer bits, or go on with --yes"
        )


def law_luts(network: IntegerNetwork) -> int:
    """LUTs of a simplified network; 80 % of 41 circuits of 40 to 2,000 LUTs lie within -14 and +18 % of it."""
    lut = 0.0
    inputs = format_interval(network.input_format, network.n_in)
    for layer, (accumulators, results) in zip(network.layers, network.intervals(), strict=True):
        lut += _layer(layer, _read(inputs), widths(accumulators))
        if isinstance(layer, IntegerLayer) and layer is not network.layers[-1]:
            lut += _activation(widths(accumulators)[layer.weight.any(axis=0)], _read(results))
        inputs = results
    lut += WINNER * (network.n_out - 1) * float(widths(accumulators).mean())
    return round(lut)


def _read(values: Interval) -> IntArray:
    """The bits of values, 0 for those that are constant."""
    return np.where(values.low == values.high, 0, widths(values))


def _layer(layer: Layer, width: IntArray, accumulator: IntArray) -> float:
    """LUTs of a layer: one for each table, a chain of them for a threshold, and of weights what their law says."""
    if isinstance(layer, TableLayer):
        return float(layer.n_out - layer.handed_on.sum())
    if isinstance(layer, ThresholdLayer):
        zeros = np.bitwise_count((layer.thresholds & -layer.thresholds) - 1)  # what they end with is not compared
        compared = np.maximum(width[layer.features] - zeros.astype(np.int64), 0)
        return float(np.ceil((compared - 1) / (LUT_INPUTS - 1)).sum())
    return _product(layer, width, accumulator)


def _product(layer: IntegerLayer, width: IntArray, accumulator: IntArray) -> float:
    """LUTs of the sums of a layer."""
    digits = csd_digits(layer.weight) * (width > 0)[:, None]
    if not digits.any():
        return 0.0
    mean_width, density = float(width[width > 0].mean()), float(digits.mean())
    adders = float((digits.sum(axis=1) * (width + 2)).sum())
    factor, of_bits, of_density, of_width = SHARED
    shared: float = factor * adders**of_bits * max(density, 1e-3) ** of_density * mean_width**of_width

    narrow = (width <= NARROW) * width
    read = narrow @ (digits > 0)  # bits that the tables of each neuron read
    tables = np.where(read <= LUT_INPUTS, read > 0, read / INPUTS_A_TABLE)
    bits = float((tables * np.maximum(1, accumulator - np.where(read <= LUT_INPUTS, 2, 1))).sum())
    weights = max(1.0, float((digits > 0).sum()) / layer.n_out)
    factor, of_bits, of_width, of_weights = TABLED
    tabled: float = factor * max(1.0, bits) ** of_bits * mean_width**of_width * weights**of_weights
    tabled += WIDE * float((digits.sum(axis=1) * (width + 2) * (width > NARROW)).sum())
    column_bits = (digits * width[:, None]).sum(axis=0)
    counted = COUNTED * float(np.maximum(0, column_bits - accumulator).sum())
    return min(shared, tabled, counted)


def _activation(accumulator: IntArray, result: IntArray) -> float:
    """LUTs that round, clip and compare."""
    narrow = result[(result > 0) & (result <= FEW_BITS)]
    of_bits = ACCUMULATOR * float(accumulator.sum()) + RESULT * float(result.sum())
    return of_bits + STEPS * float(((1 << narrow) - 1).sum())
