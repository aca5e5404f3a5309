"""Numbers on a grid: how they are stored, and which are outside of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import DataError
from qap.fixed import MAX_WIDTH, BoolArray, FixedPoint, IntArray, Overflow


def storage_dtype(input_format: FixedPoint) -> np.dtype[Any]:
    """The smallest integer type that holds every number of the format."""
    dtypes = (np.int8, np.int16, np.int32, np.int64) if input_format.signed else (np.uint8, np.uint16, np.uint32)
    for dtype in dtypes:
        limits = np.iinfo(dtype)
        if limits.min <= input_format.min_int and input_format.max_int <= limits.max:
            return np.dtype(dtype)
    return np.dtype(np.int64)  # 63 bits at most, so it always holds


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def checked(raw: npt.NDArray[Any], n_in: int | None = None) -> npt.NDArray[np.float64]:
    """Raw features as float64 (n, n_in).

    Args:
        raw: numbers.
        n_in: features of a sample; None takes any number.

    Raises:
        DataError: the shape is another one, or a number is not finite.
    """
    raw = np.asarray(raw, np.float64)
    if raw.ndim != 2 or raw.shape[1] != (raw.shape[1] if n_in is None else n_in):
        raise DataError(f"features must be (n, {n_in or 'n_in'}), but got {raw.shape}")
    finite = np.isfinite(raw)
    if not finite.all():
        sample, feature = np.argwhere(~finite)[0]
        raise DataError(f"feature {feature} of sample {sample} is {raw[sample, feature]!r}, which cannot be scaled")
    return raw


def outside(real: npt.NDArray[np.float64], form: FixedPoint) -> BoolArray:
    """Which real numbers are outside of the range of a format once they are rounded as it says; same shape."""
    wide = FixedPoint(True, MAX_WIDTH, MAX_WIDTH - form.fractional, form.rounding, Overflow.SAT).quantize(real)
    return np.asarray((wide < form.min_int) | (wide > form.max_int), bool)


def onto(form: FixedPoint, real: npt.NDArray[np.float64]) -> IntArray:
    """Features (n, n_in) as integers in LSBs of a format: rounded as it says, and saturated where it says so.

    Raises:
        DataError: the format wraps, and a number is outside of its range.
    """
    if form.overflow is Overflow.WRAP and (wrong := outside(real, form)).any():
        feature = int(wrong.any(axis=0).argmax())
        low, high = form.to_float(np.array([form.min_int, form.max_int]))
        saturating = form.with_modes(form.rounding, Overflow.SAT)
        raise DataError(
            f"{int(wrong.sum())} of {wrong.size} numbers are outside of {form} ({low:g} to {high:g}), which wraps: "
            f"feature {feature} goes from {real[:, feature].min():g} to {real[:, feature].max():g}; write {saturating} "
            "to saturate them, or take more integer bits"
        )
    return form.quantize(real)
