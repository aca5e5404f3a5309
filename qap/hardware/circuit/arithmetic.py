"""Arithmetic in a circuit: sums, rounding, clipping, comparison and choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qap.fixed import IntArray, Rounding
from qap.hardware.circuit.operations import Mapped, Operation, Tree, shifted
from qap.hardware.circuit.wires import (
    CARRY_BITS_PER_LEVEL,
    LUT_INPUTS,
    ONE,
    ZERO,
    Range,
    Vector,
    Wire,
    above,
    below,
    bit_of,
    bits_literal,
    upper_bits,
)


@dataclass(frozen=True, slots=True)
class Add(Operation):
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

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
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

    @property
    def added(self) -> tuple[int, ...]:
        """Both."""
        return self.shift_a, self.shift_b

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

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """One for each pair of bits, from the lowest on that is more than a wire; an inverter where one is missing."""
        width = result.range.width
        a, b = (vector.extended(width, shift) for vector, shift in zip(arguments, self.added, strict=True))
        start, bits = 0, list(result.bits)
        for start in range(width):
            if b[start] == ZERO:
                bits[start] = a[start]
            elif a[start] == ZERO and not self.subtract and b[start] != ONE:
                bits[start] = b[start]
            else:
                break
        pairs = {pair for pair in zip(a[start:], b[start:], strict=True) if pair != (ZERO, ZERO)}
        single = sum(ZERO in pair for pair in pairs)
        kind = "compress" if tree == "inner" else "add"
        return Mapped(bits, {kind: len(pairs) - single, "invert": single if self.subtract else 0})

    def expression(self, arguments: Sequence[str]) -> str:
        """A sum or a difference."""
        a, b = (shifted(name, shift) for name, shift in zip(arguments, self.added, strict=True))
        return f"{a} {'-' if self.subtract else '+'} {b}"


@dataclass(frozen=True, slots=True)
class Round(Operation):
    """`a / 2**drop` on the integer grid, by the rounding."""

    kind = "round"

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

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
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

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """Only wires where it cuts off."""
        if self.rounding is Rounding.TRN:
            return Mapped(arguments[0].extended(result.range.width + self.drop)[self.drop :], {})
        return Operation.cells(self, arguments, result, tree)

    def expression(self, arguments: Sequence[str]) -> str:
        """A division and the rounding."""
        return f"round({arguments[0]} / {1 << self.drop}, {self.rounding.name})"


@dataclass(frozen=True, slots=True)
class Clip(Operation):
    """The nearest number in low ... high."""

    kind = "clip"

    low: int
    high: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """Both ends clipped."""
        return Range(*(min(max(end, self.low), self.high) for end in arguments[0]))

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
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

    def expression(self, arguments: Sequence[str]) -> str:
        """The ends behind the number."""
        return f"clip({arguments[0]}, {self.low}, {self.high})"


class Comparison(Operation):
    """1 if a > b."""

    __slots__ = ()

    def range(self, arguments: Sequence[Range]) -> Range:
        """One bit, or what the ranges decide."""
        a, b = arguments
        return Range(int(a.low > b.high), int(a.high > b.low))

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Compare."""
        return (arguments[0] > arguments[1]).astype(np.int64)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A signed comparison at a common width."""
        width = max(wire.width + (not wire.range.signed) for wire in arguments)
        a, b = (f"$signed({{{wire.extended(width)}}})" for wire in arguments)
        return f"{a} > {b}"

    def expression(self, arguments: Sequence[str]) -> str:
        """A comparison."""
        return f"{arguments[0]} > {arguments[1]}"


@dataclass(frozen=True, slots=True)
class Greater(Comparison):
    """A comparison that synthesis maps."""

    kind = "greater"

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """A carry chain."""
        return 1 + max(a.width for a in arguments) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One a bit."""
        return max(a.width for a in arguments)


class Choice(Operation):
    """`a if condition else b`; arguments (condition, a, b)."""

    __slots__ = ()

    def range(self, arguments: Sequence[Range]) -> Range:
        """Both ranges."""
        _, a, b = arguments
        return Range(min(a.low, b.low), max(a.high, b.high))

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Select."""
        return np.where(arguments[0] != 0, arguments[1], arguments[2])

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A conditional."""
        condition, a, b = arguments
        return f"{condition.name}[0] ? {a.extended(result.width)} : {b.extended(result.width)}"

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT."""
        return 1.0

    def expression(self, arguments: Sequence[str]) -> str:
        """A conditional."""
        return f"{arguments[0]} ? {arguments[1]} : {arguments[2]}"


@dataclass(frozen=True, slots=True)
class Mux(Choice):
    """A choice that synthesis maps."""

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """Two bits fit one LUT at best; one a bit is what synthesis finds."""
        return result.width

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """One for each pair of different bits that are not both constant."""
        a, b = (vector.extended(result.range.width) for vector in arguments[1:])
        pairs = {(x, y) for x, y in zip(a, b, strict=True) if x != y and (x.node >= 0 or y.node >= 0)}
        bits = [x if x == y else bit for x, y, bit in zip(a, b, result.bits, strict=True)]
        return Mapped(bits, {"mux": len(pairs)})
