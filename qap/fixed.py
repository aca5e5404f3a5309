"""Fixed-point numbers: one convention for bits, and its conversion to every tool's.

A `FixedPoint` format counts the sign in `width` and in `integer`, as `ap_fixed` does. The tools
differ by exactly that bit:

    tool            "signed, 8 bits, 4 after the point"   integer counts the sign?
    ap_fixed, hls4ml   ap_fixed<8,4>                      yes
    QKeras             quantized_bits(8, 3)               no
    da4ml, HGQ         (k, i, f) = (1, 3, 4)              no

Numbers are held as integers in units of the format's LSB, `2**-fractional`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import QapError

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
MAX_WIDTH = 63  # one less than int64, so that a sum of two numbers never wraps unseen
HUGE = 2.0**896  # numbers from here on are multiples of 2**844: above every range, and 0 when they wrap


class Rounding(StrEnum):
    """What happens to the bits below the LSB (names of the AP types)."""

    TRN = "AP_TRN"  # towards minus infinity
    RND = "AP_RND"  # to nearest, halves towards plus infinity
    RND_CONV = "AP_RND_CONV"  # to nearest, halves to even: what QKeras and numpy do


class Overflow(StrEnum):
    """What happens to a number outside of the range (names of the AP types)."""

    WRAP = "AP_WRAP"  # the upper bits are dropped
    SAT = "AP_SAT"  # the nearest number of the range
    SAT_SYM = "AP_SAT_SYM"  # the same in the symmetric range -max ... max


_PATTERN = re.compile(
    r"(?:ap_)?(u?)fixed<\s*(\d+)\s*,\s*(-?\d+)\s*(?:,\s*(?:AP_)?(\w+)\s*(?:,\s*(?:AP_)?(\w+)\s*)?)?(?:,\s*0\s*)?>"
)
_INTEGER = re.compile(r"ap_(u?)int<\s*(\d+)\s*>")


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A fixed-point format.

    Args:
        signed: two's complement if true.
        width: all bits, the sign included; 1 to 63.
        integer: bits left of the binary point, the sign included; may be negative or above `width`.
        rounding: how a finer number is brought onto this grid.
        overflow: how a number outside of the range is brought into it.

    Example:
        >>> str(FixedPoint(True, 8, 4, Rounding.RND_CONV, Overflow.SAT))
        'ap_fixed<8,4,AP_RND_CONV,AP_SAT>'
    """

    signed: bool
    width: int
    integer: int
    rounding: Rounding = Rounding.TRN
    overflow: Overflow = Overflow.WRAP

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise QapError(f"1 <= width <= {MAX_WIDTH} must hold for a fixed-point format, but got width={self.width}")
        if not -MAX_WIDTH <= self.fractional <= 2 * MAX_WIDTH:
            raise QapError(
                f"-{MAX_WIDTH} <= width - integer <= {2 * MAX_WIDTH} must hold for a fixed-point format, "
                f"but got width={self.width}, integer={self.integer}"
            )

    @property
    def fractional(self) -> int:
        """Bits right of the binary point (negative when the LSB is above 1)."""
        return self.width - self.integer

    @property
    def lsb(self) -> float:
        """The value of the last bit, `2**-fractional`."""
        return float(2.0**-self.fractional)

    @property
    def max_int(self) -> int:
        """The largest number, in LSBs."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def min_int(self) -> int:
        """The smallest number, in LSBs."""
        if not self.signed:
            return 0
        return -self.max_int if self.overflow is Overflow.SAT_SYM else -self.max_int - 1

    def __str__(self) -> str:
        name = "ap_fixed" if self.signed else "ap_ufixed"
        modes = f",{self.rounding},{self.overflow}" if self.modes != (Rounding.TRN, Overflow.WRAP) else ""
        return f"{name}<{self.width},{self.integer}{modes}>"

    @property
    def modes(self) -> tuple[Rounding, Overflow]:
        """Rounding and overflow together."""
        return self.rounding, self.overflow

    @property
    def kif(self) -> tuple[int, int, int]:
        """(keep_negative, integer bits without the sign, fractional bits): the convention of da4ml and HGQ."""
        return int(self.signed), self.integer - self.signed, self.fractional

    @classmethod
    def parse(cls, text: str) -> FixedPoint:
        """Read `ap_fixed<8,4,AP_RND_CONV,AP_SAT>`, its shorter forms (`ufixed<8,0>`, `fixed<8,4,RND>`), `ap_int<8>`.

        Raises:
            QapError: the text is not a fixed-point format.
        """
        match = _PATTERN.fullmatch(text.strip())
        try:
            if whole := _INTEGER.fullmatch(text.strip()):
                return cls(not whole[1], int(whole[2]), int(whole[2]))
            if match is None:
                raise ValueError
            unsigned, width, integer, rounding, overflow = match.groups()
            return cls(
                signed=not unsigned,
                width=int(width),
                integer=int(integer),
                rounding=Rounding("AP_" + (rounding or "TRN")),
                overflow=Overflow("AP_" + (overflow or "WRAP")),
            )
        except ValueError:
            raise QapError(
                f"{text[:80]!r} is not a fixed-point format; write ap_fixed<width,integer> or "
                f"ap_ufixed<width,integer>, with a rounding ({', '.join(Rounding)}) and an overflow "
                f"({', '.join(Overflow)}) after it if needed, or ap_int<width>, ap_uint<width>"
            ) from None

    @classmethod
    def from_qkeras(cls, bits: int, integer: int, *, signed: bool = True, symmetric: bool = False) -> FixedPoint:
        """The format of QKeras' `quantized_bits(bits, integer)`: rounds half to even and saturates."""
        overflow = Overflow.SAT_SYM if symmetric and signed else Overflow.SAT
        return cls(signed, bits, integer + signed, Rounding.RND_CONV, overflow)

    @classmethod
    def smallest(cls, low: int, high: int, fractional: int) -> FixedPoint:
        """The narrowest format with this many fractional bits that holds all integers from low to high (in LSBs).

        Raises:
            QapError: it would be wider than 63 bits.
        """
        signed = low < 0
        width = max(1, max(high, ~low).bit_length() + signed)
        return cls(signed, width, width - fractional)

    def with_modes(self, rounding: Rounding, overflow: Overflow) -> FixedPoint:
        """The same bits with another rounding and overflow."""
        return replace(self, rounding=rounding, overflow=overflow)

    def holds(self, values: npt.NDArray[Any]) -> bool:
        """Whether all these integers (in LSBs) are in the range."""
        return values.size == 0 or (int(values.min()) >= self.min_int and int(values.max()) <= self.max_int)

    def requantize(self, values: npt.NDArray[Any], fractional: int) -> IntArray:
        """Bring integers with `fractional` fractional bits into this format, by its rounding and overflow.

        Args:
            values: integers in units of `2**-fractional`, any shape.
            fractional: the fractional bits of `values`.

        Returns:
            Integers in LSBs of this format, int64, same shape.
        """
        drop = fractional - self.fractional
        values = values.astype(np.int64 if _fits_int64(values, drop) else object)
        return self._into_range(_shift_right(values, drop, self.rounding))

    def quantize(self, x: npt.NDArray[np.floating[Any]]) -> IntArray:
        """Bring real numbers into this format, by its rounding and overflow, with no error but that of the format.

        Args:
            x: finite real numbers, any shape.

        Returns:
            Integers in LSBs, int64, same shape.

        Raises:
            QapError: a number is infinite or not a number.
        """
        x = np.asarray(x, np.float64)
        finite = np.isfinite(x)
        if not finite.all():
            raise QapError(f"only finite numbers can be brought into {self}, but got {x[~finite][0]}")
        scaled = np.ldexp(np.clip(x, -HUGE, HUGE), self.fractional)
        if self.rounding is Rounding.TRN:
            grid = np.floor(scaled)
            grid -= (scaled == 0) & (x < 0)  # a number so small that it underflowed is still below 0
        elif self.rounding is Rounding.RND:
            grid = np.floor(scaled)
            grid += scaled - grid >= 0.5  # floor(x + 0.5) would round twice
        else:
            grid = np.rint(scaled)
        if np.abs(grid).max(initial=0) < 2.0**62:
            return self._into_range(grid.astype(np.int64))
        exact = np.array([int(value) for value in grid.ravel()], object).reshape(grid.shape)
        return self._into_range(exact)

    def to_float(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The real numbers of integers in LSBs; exact up to 53 bits."""
        return np.ldexp(values.astype(np.float64), -self.fractional)

    def _into_range(self, values: npt.NDArray[Any]) -> IntArray:
        if self.overflow is not Overflow.WRAP:
            return np.asarray(np.clip(values, self.min_int, self.max_int), np.int64)
        low = -(1 << (self.width - 1)) if self.signed else 0
        return np.asarray(((values - low) & ((1 << self.width) - 1)) + low, np.int64)


def _fits_int64(values: npt.NDArray[Any], drop: int) -> bool:
    """Whether shifting by `drop` (and rounding) stays inside of int64; Python integers do the rare rest."""
    if drop > 61:
        return False
    largest = max(int(values.max(initial=0)), -int(values.min(initial=0)))  # abs(-2**63) wraps
    return max(largest, 1 << max(drop, 0)) << max(-drop, 0) < 1 << 62


def _shift_right(values: npt.NDArray[Any], drop: int, rounding: Rounding) -> npt.NDArray[Any]:
    if drop <= 0:
        return values << -drop if values.dtype != object else values * (1 << -drop)
    if rounding is Rounding.TRN:
        return values >> drop
    half: Any = 1 << (drop - 1)
    if rounding is Rounding.RND_CONV:
        half = half - 1 + ((values >> drop) & 1)  # one less, unless the bit that will be the last is odd
    rounded: npt.NDArray[Any] = (values + half) >> drop
    return rounded
