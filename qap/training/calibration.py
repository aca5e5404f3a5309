"""Calibration: which range a fixed-point format of given width covers, chosen from the numbers that it will hold.

Scales are powers of two, so a range is a number of fractional bits: one more halves the range and the error
of rounding, and saturates more numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import FixedPoint, Overflow, Rounding

Numbers = npt.NDArray[np.floating[Any]]
CANDIDATES = 6
"""How many times `mse` halves the range that covers everything."""
MAX_FRACTIONAL = 40


def saturating(signed: bool, width: int, fractional: int) -> FixedPoint:
    """The format that post-training quantization uses: half to even, saturating."""
    return FixedPoint(signed, width, width - fractional, Rounding.RND_CONV, Overflow.SAT)


def covering(largest: float, low: float, signed: bool, width: int) -> int:
    """The most fractional bits with which numbers from `low` to `largest` are rounded, and never saturated."""
    for fractional in range(MAX_FRACTIONAL, -MAX_FRACTIONAL, -1):
        form = saturating(signed, width, fractional)
        high, bottom = np.ldexp(largest, fractional), np.ldexp(low, fractional)
        if np.rint(high) <= form.max_int and np.rint(bottom) >= form.min_int:
            return fractional
    return -MAX_FRACTIONAL


def min_max(values: Numbers, signed: bool, width: int, percentile: float) -> int:
    """Nothing saturates."""
    return covering(float(max(values.max(), 0)), float(min(values.min(), 0)) if signed else 0.0, signed, width)


def by_percentile(values: Numbers, signed: bool, width: int, percentile: float) -> int:
    """So many percent of the numbers, by size, do not saturate."""
    size = float(np.percentile(np.abs(values), percentile))
    return covering(size, -size if signed else 0.0, signed, width)


def by_squared_error(values: Numbers, signed: bool, width: int, percentile: float) -> int:
    """The mean squared error of rounding and saturation together is the smallest."""
    widest = min_max(values, signed, width, percentile)
    candidates = range(widest, widest + CANDIDATES)
    errors = [squared_error(values, saturating(signed, width, fractional)) for fractional in candidates]
    return candidates[int(np.argmin(errors))]


def squared_error(values: Numbers, form: FixedPoint) -> float:
    """The mean squared difference between numbers and what a format makes of them."""
    wide = values.astype(np.float64)
    return float(np.mean((form.to_float(form.quantize(wide)) - wide) ** 2))


CALIBRATIONS: Mapping[str, Callable[[Numbers, bool, int, float], int]] = {
    "min-max": min_max,
    "percentile": by_percentile,
    "mse": by_squared_error,
}
"""`quantize.calibration` -> fractional bits for numbers, given signedness, width and the percentile."""
