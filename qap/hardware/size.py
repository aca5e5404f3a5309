"""How large a network gets when it is unrolled, known before anything is generated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qap.errors import QapError
from qap.hardware.sums import digits
from qap.network import IntegerNetwork

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
    low = np.full(network.n_in, network.input_format.min_int, np.int64)
    high = np.full(network.n_in, network.input_format.max_int, np.int64)
    for layer, (_, reach) in zip(network.layers, network.intervals(), strict=True):
        widths = np.array([max(int(h).bit_length(), (~int(lo)).bit_length() + 1 if lo < 0 else 0)
                           for lo, h in zip(low, high, strict=True)])  # fmt: skip
        values, where = np.unique(layer.weight, return_inverse=True)
        count = np.array([digits(int(value)) for value in values])[where].reshape(layer.weight.shape)
        bits += float((count.sum(axis=1) * (widths + 1) * (widths > 0)).sum())
        low, high = reach
    luts = round(bits * LUTS_PER_ADDED_BIT)
    return UnrolledSize(luts, luts * SYNTHESIS_S_PER_LUT)


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
