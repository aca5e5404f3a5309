"""QONNX's Quant, BipolarQuant and MultiThreshold: what their inputs and attributes say (QONNX's specification).

A Quant brings `x / scale + zero_point` into a range of integers, rounds it, and turns back:
`(integer - zero_point) * scale`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import FixedPoint, Overflow, Rounding

Array = npt.NDArray[Any]
MAX_BITS = 32
MAX_STEPS = 4096
TINY = float(np.finfo(np.float32).tiny)
"""The least number above 0 that float32 arithmetic keeps."""


def _away(x: Array) -> Array:
    return np.sign(x) * np.ceil(np.abs(x))


def _half_away(x: Array) -> Array:
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


def _half_to_zero(x: Array) -> Array:
    return np.sign(x) * np.ceil(np.abs(x) - 0.5)


ROUNDINGS: Mapping[str, Callable[[Array], Array]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "DOWN": np.fix,
    "ROUND_TO_ZERO": np.fix,
    "UP": _away,
    "HALF_UP": _half_away,
    "HALF_DOWN": _half_to_zero,
}
_OF_FORMATS = {"ROUND": Rounding.RND_CONV, "HALF_EVEN": Rounding.RND_CONV, "FLOOR": Rounding.TRN}


class Steps(NamedTuple):
    """A staircase of real numbers.

    Args:
        thresholds: (k,) or (neurons, k).
        open: for each of (k,) whether the threshold itself stays below its step.
        values: (k + 1,).
    """

    thresholds: Array
    open: Array
    values: Array

    @property
    def closed(self) -> Array:
        """Thresholds that belong to their steps: the next numbers where they do not themselves."""
        behind = np.where(self.thresholds == 0, TINY, np.nextafter(self.thresholds, np.inf))
        return np.where(self.open, behind, self.thresholds)


@dataclass(frozen=True, slots=True)
class Grid:
    """The integers that a Quant rounds to.

    Args:
        low: the least integer.
        high: the largest.
        rounding: out of `ROUNDINGS`.
        bipolar: whether it gives -1 and 1 instead, 1 from 0 on.
    """

    low: int
    high: int
    rounding: str
    bipolar: bool = False

    def __call__(self, x: Array) -> Array:
        """The integers of real numbers that are already divided by the scale, in their type."""
        if self.bipolar:
            return np.where(x >= 0, 1, -1).astype(x.dtype)
        return ROUNDINGS[self.rounding](np.clip(x, self.low, self.high))

    def format(self, fractional: int) -> FixedPoint | None:
        """The fixed-point format that does the same in units of `2**-fractional`, None if there is none."""
        rounding = _OF_FORMATS.get(self.rounding)
        if rounding is None and self.low >= 0 and self.rounding in ("DOWN", "ROUND_TO_ZERO"):
            rounding = Rounding.TRN  # below 0 both give 0
        if rounding is None and self.low >= 0 and self.rounding == "HALF_UP":
            rounding = Rounding.RND
        if rounding is None or self.bipolar:
            return None
        width = max(1, self.high.bit_length() + (self.low < 0))
        symmetric = self.low < 0 and self.low == -self.high
        form = FixedPoint(
            self.low < 0, width, width - fractional, rounding, Overflow.SAT_SYM if symmetric else Overflow.SAT
        )
        return form if (form.min_int, form.max_int) == (self.low, self.high) else None

    def steps(self, layer: str) -> Steps:
        """The same as a staircase.

        Raises:
            NotExact: it has too many steps.
        """
        if self.bipolar:
            return Steps(np.zeros(1), np.zeros(1, bool), np.array([-1.0, 1.0]))
        if self.high - self.low > MAX_STEPS:
            raise NotExact(
                layer, f"a Quant of {self.high - self.low + 1:,} values with the rounding {self.rounding}; "
                f"at most {MAX_STEPS} are possible, or ROUND and FLOOR over the whole range of a bit width",
            )  # fmt: skip
        values = np.arange(self.low, self.high + 1).astype(np.float64)
        thresholds, open_ = np.full(len(values) - 1, np.inf), np.zeros(len(values) - 1, bool)
        for distance in (0.0, 0.5, 1.0):  # where a rounding can pass to the next integer, the farthest last
            corners = values[1:] - distance
            for turns, is_open in ((corners + 0.125, True), (corners, False)):
                reached = self(turns) >= values[1:]
                thresholds, open_ = np.where(reached, corners, thresholds), np.where(reached, is_open, open_)
        return Steps(thresholds, open_, values)


def grid_of(layer: str, inputs: Mapping[str, Array], attributes: Mapping[str, Any]) -> Grid:
    """The grid of a Quant node.

    Args:
        layer: its name, for the error.
        inputs: `bits`, and others.
        attributes: of the node.

    Raises:
        NotExact: its bit width or its rounding is not possible.
    """
    bits = np.unique(inputs["bits"])
    if bits.size != 1 or bits[0] != int(bits[0]) or not 1 <= bits[0] <= MAX_BITS:
        raise NotExact(layer, f"a Quant needs one whole bit width of 1 to {MAX_BITS}, but has {bits[:4].tolist()}")
    signed, narrow, width = bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0)), int(bits[0])
    mode = attributes.get("rounding_mode", b"ROUND")
    rounding = (mode.decode("utf-8", "replace") if isinstance(mode, bytes) else str(mode)).upper()
    if rounding not in ROUNDINGS:
        raise NotExact(layer, f"the rounding {rounding!r} is not known (there are: {', '.join(ROUNDINGS)})")
    if signed and width == 1:
        return Grid(-1, 1, rounding, bipolar=True)
    if signed:
        return Grid(-(1 << (width - 1)) + narrow, (1 << (width - 1)) - 1, rounding)
    return Grid(0, (1 << width) - 1 - narrow, rounding)


def positive_scale(layer: str, scale: Array) -> Array:
    """The scale of a quantizer as float64.

    Raises:
        NotExact: a scale is not a positive number.
    """
    wrong = ~(np.isfinite(scale) & (scale > 0))
    if wrong.any():
        raise NotExact(layer, f"a scale must be positive, but one is {np.atleast_1d(scale)[np.atleast_1d(wrong)][0]}")
    return scale.astype(np.float64)
