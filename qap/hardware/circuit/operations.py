"""The operations of a circuit: what each computes, how it is written in Verilog, and what it costs.

An operation knows everything about itself, so that a new one is one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qap.fixed import IntArray, Rounding
from qap.hardware.circuit.wires import (
    CARRY_BITS_PER_LEVEL,
    LUT_INPUTS,
    Free,
    Range,
    Wire,
    above,
    below,
    bit_of,
    bits_literal,
    upper_bits,
)


@dataclass(frozen=True, slots=True)
class Input(Free):
    """An input of the circuit."""

    index: int
    low: int
    high: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """The whole input format."""
        return Range(self.low, self.high)

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Never called: inputs are given."""
        raise NotImplementedError

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """Its bits of the input port."""
        return f"x[{(self.index + 1) * result.width - 1}:{self.index * result.width}]"


@dataclass(frozen=True, slots=True)
class Constant(Free):
    """A number."""

    value: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """Just the number."""
        return Range(self.value, self.value)

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """The number, to be broadcast."""
        return np.array([self.value], np.int64)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A sized literal."""
        return bits_literal(self.value, result.width)


@dataclass(frozen=True, slots=True)
class Add:
    """`(a << shift_a) + (b << shift_b)`, or minus the second; `bounds` is a tighter range where it is known."""

    shift_a: int
    shift_b: int
    subtract: bool
    bounds: Range | None = None

    def range(self, arguments: Sequence[Range]) -> Range:
        """The known bounds, or interval arithmetic."""
        if self.bounds is not None:
            return self.bounds
        a, b = arguments
        low, high = (-b.high, -b.low) if self.subtract else b
        return Range(
            (a.low << self.shift_a) + (low << self.shift_b),
            (a.high << self.shift_a) + (high << self.shift_b),
        )

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Shift and add."""
        a, b = arguments[0] << self.shift_a, arguments[1] << self.shift_b
        return a - b if self.subtract else a + b

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """Both operands at the width of the result; what is above cannot matter."""
        a, b = (
            wire.extended(result.width, shift)
            for wire, shift in zip(arguments, (self.shift_a, self.shift_b), strict=True)
        )
        return f"{a} {'-' if self.subtract else '+'} {b}"

    def _carry_bits(self, arguments: Sequence[Range], result: Range) -> int:
        """Bits of the carry chain; the low bits of `a` are wires where nothing is added to them."""
        free = max(0, self.shift_b - self.shift_a)
        if not self.subtract:
            free = max(free, self.shift_a - self.shift_b)
        return max(1, result.width - max(free, min(self.shift_a, self.shift_b)))

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT and the carry chain."""
        return 1 + self._carry_bits(arguments, result) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One a bit."""
        return self._carry_bits(arguments, result)


@dataclass(frozen=True, slots=True)
class Slice(Free):
    """The bits `low_bit` ... `high_bit` of the two's complement number, read as unsigned."""

    high_bit: int
    low_bit: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """All numbers of these bits."""
        return Range(0, (1 << (self.high_bit - self.low_bit + 1)) - 1)

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Shift and mask."""
        return (arguments[0] >> self.low_bit) & ((1 << (self.high_bit - self.low_bit + 1)) - 1)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A part select, extended where it reaches above the top."""
        return upper_bits(arguments[0], self.low_bit, self.high_bit - self.low_bit + 1)


@dataclass(frozen=True, slots=True)
class Signed(Free):
    """The low `width` bits, read as two's complement."""

    width: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """All numbers of these bits."""
        return Range(-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Wrap around."""
        half = 1 << (self.width - 1)
        return ((arguments[0] + half) & (2 * half - 1)) - half

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The same bits."""
        return arguments[0].extended(result.width)


@dataclass(frozen=True, slots=True)
class Shift(Free):
    """`a << left`; the new bits are 0."""

    left: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """Both ends shifted."""
        return Range(arguments[0].low << self.left, arguments[0].high << self.left)

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Shift."""
        return arguments[0] << self.left

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A concatenation with zeros."""
        return arguments[0].extended(result.width, self.left)


@dataclass(frozen=True, slots=True)
class Round:
    """`a / 2**drop` on the integer grid, by the rounding."""

    drop: int
    rounding: Rounding

    def _one(self, value: int) -> int:
        if self.rounding is Rounding.TRN:
            return value >> self.drop
        half = 1 << (self.drop - 1)
        even = self.rounding is Rounding.RND_CONV
        return (value + half - even + (even and (value >> self.drop) & 1)) >> self.drop

    def range(self, arguments: Sequence[Range]) -> Range:
        """Rounding is monotone, so the ends are enough."""
        return Range(self._one(arguments[0].low), self._one(arguments[0].high))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Add what carries into the last bit, then shift."""
        value = arguments[0]
        if self.rounding is Rounding.TRN:
            return value >> self.drop
        carry = (value >> (self.drop - 1)) & 1
        if self.rounding is Rounding.RND_CONV:
            rest = value & ((1 << (self.drop - 1)) - 1)
            carry &= (rest != 0) | ((value >> self.drop) & 1)
        return (value >> self.drop) + carry

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The upper bits plus a carry: the half bit, and for ties (nothing below it) only if the last bit is odd."""
        wide, drop = arguments[0], self.drop
        upper = upper_bits(wide, drop, result.width)
        if self.rounding is Rounding.TRN:
            return upper
        carry = bit_of(wide, drop - 1)
        if self.rounding is Rounding.RND_CONV:
            odd = bit_of(wide, drop)
            below = f"(|{wide.name}[{min(drop - 1, wide.width) - 1}:0]) | " if drop > 1 else ""
            carry = f"{carry} & ({below}{odd})"
        padding = f"{result.width - 1}'d0, " if result.width > 1 else ""
        return f"{upper} + {{{padding}{carry}}}"

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """The carry-in, then an increment."""
        if self.rounding is Rounding.TRN:
            return 0.0
        return 1 + (self.rounding is Rounding.RND_CONV) + result.width / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """An increment, and the tie's logic."""
        if self.rounding is Rounding.TRN:
            return 0.0
        tie = self.rounding is Rounding.RND_CONV
        return result.width + tie * max(1, (self.drop + 1) // LUT_INPUTS)


@dataclass(frozen=True, slots=True)
class Clip:
    """The nearest number in low ... high."""

    low: int
    high: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """Both ends clipped."""
        return Range(*(min(max(end, self.low), self.high) for end in arguments[0]))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Clip."""
        return np.clip(arguments[0], self.low, self.high)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """Two comparisons, each left out where the range makes it idle."""
        a = arguments[0]
        text = a.extended(result.width)
        if a.range.high > self.high:
            text = f"({above(a, self.high)}) ? {bits_literal(self.high, result.width)} : {text}"
        if a.range.low < self.low:
            text = f"({below(a, self.low)}) ? {bits_literal(self.low, result.width)} : ({text})"
        return text

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """Detect, then select; below 0 is one bit."""
        a = arguments[0]
        only_relu = a.high <= self.high and self.low == 0
        return 1.0 if only_relu else 1 + max(1.0, (a.width - result.width + 1) / LUT_INPUTS)

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One a bit, and the detection."""
        return result.width + (arguments[0].width - result.width + 1) // LUT_INPUTS


@dataclass(frozen=True, slots=True)
class Greater:
    """1 if a > b."""

    def range(self, arguments: Sequence[Range]) -> Range:
        """One bit, or what the ranges decide."""
        a, b = arguments
        return Range(int(a.low > b.high), int(a.high > b.low))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Compare."""
        return (arguments[0] > arguments[1]).astype(np.int64)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A signed comparison at a common width."""
        width = max(wire.width + (not wire.range.signed) for wire in arguments)
        a, b = (f"$signed({{{wire.extended(width)}}})" for wire in arguments)
        return f"{a} > {b}"

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """A carry chain."""
        return 1 + max(a.width for a in arguments) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One a bit."""
        return max(a.width for a in arguments)


@dataclass(frozen=True, slots=True)
class Mux:
    """`a if condition else b`; arguments (condition, a, b)."""

    def range(self, arguments: Sequence[Range]) -> Range:
        """Both ranges."""
        _, a, b = arguments
        return Range(min(a.low, b.low), max(a.high, b.high))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Select."""
        return np.where(arguments[0] != 0, arguments[1], arguments[2])

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A conditional."""
        condition, a, b = arguments
        return f"{condition.name}[0] ? {a.extended(result.width)} : {b.extended(result.width)}"

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT."""
        return 1.0

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """Two bits fit one LUT at best; one a bit is what synthesis finds."""
        return result.width
