"""How large a network gets when it is unrolled, known before anything is generated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qap.errors import QapError
from qap.fixed import IntArray
from qap.network import IntegerNetwork
from qap.network.csd import csd_digits
from qap.network.interval import Interval, format_interval

LUTS_PER_ADDED_BIT = 0.55
"""LUTs for each bit that is added, after sharing: between 0.4 and 0.7 on the networks that were synthesized."""
SYNTHESIS_S_PER_LUT = 0.0065
"""Yosys from PyPI on one core, xc7: 75 s for 11,700 LUTs."""
HOPELESS_LUTS = 100_000


class UnrolledSize(NamedTuple):
    """An estimate: LUTs of the core and seconds of a synthesis."""

    lut: int
    synthesis_s: float


def unrolled_size(network: IntegerNetwork) -> UnrolledSize:
    """Estimate LUTs and synthesis time from the signed digits of the weights and the widths of what they multiply."""
    bits = 0.0
    reach = format_interval(network.input_format, network.n_in)
    for layer, (_, results) in zip(network.layers, network.intervals(), strict=True):
        width = widths(reach)
        bits += float((csd_digits(layer.weight).sum(axis=1) * (width + 1) * (width > 0)).sum())
        reach = results
    luts = round(bits * LUTS_PER_ADDED_BIT)
    return UnrolledSize(luts, luts * SYNTHESIS_S_PER_LUT)


def nonzero_digits(network: IntegerNetwork) -> int:
    """The signed digits of all weights that are not 0."""
    return sum(int(csd_digits(layer.weight).sum()) for layer in network.layers)


def widths(reach: Interval) -> IntArray:
    """The bits that hold each range, 0 where it is only 0."""
    negative = reach.low < 0
    return np.maximum(_bits(np.maximum(reach.high, 0)), _bits(np.maximum(~reach.low, 0))) + negative


def _bits(values: IntArray) -> IntArray:
    """`int.bit_length` of each; `frexp` is exact below 2**53, beyond it may round up to the next power of two."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def refuse_hopeless(network: IntegerNetwork) -> None:
    """Refuse a network whose full unrolling no one would wait for.

    Raises:
        QapError: with the estimate, and how to go on.
    """
    size = unrolled_size(network)
    if size.lut > HOPELESS_LUTS:
        raise QapError(
            f"unrolling this network takes about {size.lut:,} LUTs and {size.synthesis_s / 60:,.0f} minutes of "
            "synthesis (estimated); prune it or use fewer bits, or go on with --yes"
        )
