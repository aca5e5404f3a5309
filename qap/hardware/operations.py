"""The operations of a circuit: what each computes, how it is written in Verilog, and what it costs.

Every value is an integer with a proven range; its bits are two's complement when the range goes below
0 and plain binary otherwise. An operation knows everything about itself, so that a new one is one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from qap.fixed import IntArray, Rounding

LUT_INPUTS = 6
CARRY_BITS_PER_LEVEL = 16
"""So many bits of a carry chain take about as long as one more level of LUTs."""


class Reach(NamedTuple):
    """All integers from low to high."""

    low: int
    high: int

    @property
    def signed(self) -> bool:
        """Whether the bits are two's complement."""
        return self.low < 0

    @property
    def width(self) -> int:
        """Bits that hold the whole range, at least 1."""
        return max(1, self.high.bit_length() + self.signed, (~self.low).bit_length() + 1 if self.signed else 0)


class Wire(NamedTuple):
    """A value in Verilog: the name of a vector and its range."""

    name: str
    reach: Reach

    @property
    def width(self) -> int:
        """Bits of the vector."""
        return self.reach.width

    def extended(self, width: int, shift: int = 0) -> str:
        """The value times `2**shift`, extended or cut to `width` bits."""
        if shift >= width:
            return f"{width}'d0"
        kept = min(self.width, width - shift)
        text = self.name if kept == self.width else f"{self.name}[{kept - 1}:0]"
        fill = width - shift - kept
        parts = [text]
        if fill:
            parts.insert(0, f"{{{fill}{{{self.name}[{self.width - 1}]}}}}" if self.reach.signed else f"{fill}'d0")
        if shift:
            parts.append(f"{shift}'d0")
        return parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"


class Operation(Protocol):
    """One operation; instances are immutable and compare by content."""

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """The range of the result for independent arguments."""

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """The result in numpy."""

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The expression of the result."""

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """Its delay, in levels of LUTs."""

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """An estimate of its LUTs."""


class Free:
    """What costs nothing: only wires."""

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """None."""
        return 0.0

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """None."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Input(Free):
    """An input of the circuit."""

    index: int
    low: int
    high: int

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """The whole input format."""
        return Reach(self.low, self.high)

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

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """Just the number."""
        return Reach(self.value, self.value)

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
    bounds: Reach | None = None

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """The known bounds, or interval arithmetic."""
        if self.bounds is not None:
            return self.bounds
        a, b = arguments
        low, high = (-b.high, -b.low) if self.subtract else b
        return Reach(
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

    def _carry_bits(self, arguments: Sequence[Reach], result: Reach) -> int:
        """Bits of the carry chain; the low bits of `a` are wires where nothing is added to them."""
        free = max(0, self.shift_b - self.shift_a)
        if not self.subtract:
            free = max(free, self.shift_a - self.shift_b)
        return max(1, result.width - max(free, min(self.shift_a, self.shift_b)))

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One LUT and the carry chain."""
        return 1 + self._carry_bits(arguments, result) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One a bit."""
        return self._carry_bits(arguments, result)


@dataclass(frozen=True, slots=True)
class Slice(Free):
    """The bits `low_bit` ... `high_bit` of the two's complement number, read as unsigned."""

    high_bit: int
    low_bit: int

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """All numbers of these bits."""
        return Reach(0, (1 << (self.high_bit - self.low_bit + 1)) - 1)

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Shift and mask."""
        return (arguments[0] >> self.low_bit) & ((1 << (self.high_bit - self.low_bit + 1)) - 1)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A part select, extended where it reaches above the top."""
        return _upper_bits(arguments[0], self.low_bit, self.high_bit - self.low_bit + 1)


@dataclass(frozen=True, slots=True)
class Signed(Free):
    """The low `width` bits, read as two's complement."""

    width: int

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """All numbers of these bits."""
        return Reach(-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)

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

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """Both ends shifted."""
        return Reach(arguments[0].low << self.left, arguments[0].high << self.left)

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

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """Rounding is monotone, so the ends are enough."""
        return Reach(self._one(arguments[0].low), self._one(arguments[0].high))

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
        upper = _upper_bits(wide, drop, result.width)
        if self.rounding is Rounding.TRN:
            return upper
        carry = _bit(wide, drop - 1)
        if self.rounding is Rounding.RND_CONV:
            odd = _bit(wide, drop)
            below = f"(|{wide.name}[{min(drop - 1, wide.width) - 1}:0]) | " if drop > 1 else ""
            carry = f"{carry} & ({below}{odd})"
        padding = f"{result.width - 1}'d0, " if result.width > 1 else ""
        return f"{upper} + {{{padding}{carry}}}"

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """The carry-in, then an increment."""
        if self.rounding is Rounding.TRN:
            return 0.0
        return 1 + (self.rounding is Rounding.RND_CONV) + result.width / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
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

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """Both ends clipped."""
        return Reach(*(min(max(end, self.low), self.high) for end in arguments[0]))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Clip."""
        return np.clip(arguments[0], self.low, self.high)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """Two comparisons, each left out where the range makes it idle."""
        a = arguments[0]
        text = a.extended(result.width)
        if a.reach.high > self.high:
            text = f"({_above(a, self.high)}) ? {bits_literal(self.high, result.width)} : {text}"
        if a.reach.low < self.low:
            text = f"({_below(a, self.low)}) ? {bits_literal(self.low, result.width)} : ({text})"
        return text

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """Detect, then select; below 0 is one bit."""
        a = arguments[0]
        only_relu = a.high <= self.high and self.low == 0
        return 1.0 if only_relu else 1 + max(1.0, (a.width - result.width + 1) / LUT_INPUTS)

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One a bit, and the detection."""
        return result.width + (arguments[0].width - result.width + 1) // LUT_INPUTS


@dataclass(frozen=True, slots=True)
class Table:
    """A truth table: `values[index]`, the index being the bits of all arguments, the first one lowest."""

    values: tuple[int, ...]

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """From the least to the largest value."""
        return Reach(min(self.values), max(self.values))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Never called without widths; see `lookup`."""
        raise NotImplementedError

    def lookup(self, arguments: Sequence[IntArray], widths: Sequence[int]) -> IntArray:
        """The values for arguments of these widths."""
        index: IntArray = np.zeros(1, np.int64)
        position = 0
        for argument, width in zip(arguments, widths, strict=True):
            index = index + ((argument & ((1 << width) - 1)) << position)
            position += width
        return np.array(self.values, np.int64)[index]

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """For each bit of the result its column of the table (a `localparam`), indexed by the arguments."""
        index = ", ".join(wire.name for wire in reversed(arguments))
        bits = [f"{result.name}_t{bit}[{{{index}}}]" for bit in reversed(range(result.width))]
        return f"{{{', '.join(bits)}}}"

    def columns(self, reach: Reach) -> list[int]:
        """For each bit of the result (the lowest first) its truth table as a number."""
        return [sum((value >> bit & 1) << row for row, value in enumerate(self.values)) for bit in range(reach.width)]

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One LUT; two inputs more are one level of multiplexers more."""
        return 1 + max(0, sum(a.width for a in arguments) - LUT_INPUTS) / 2

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One for each bit of the result that is no constant, doubled by each input beyond six."""
        inputs = sum(a.width for a in arguments)
        full = (1 << len(self.values)) - 1
        different = {column for column in self.columns(result) if column not in (0, full)}
        return float(len(different) << max(0, inputs - LUT_INPUTS))


@dataclass(frozen=True, slots=True)
class AddTable:
    """`(a << shift_a) + (table << shift_table)`; arguments (a, what the table reads).

    The LUT in front of each bit of a carry chain has five more inputs than the chain needs: a table of five
    bits is added for the price of the adder alone. For that the other operand must come first.
    """

    shift_a: int
    shift_table: int
    table: Table

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """Interval arithmetic."""
        a, values = arguments[0], self.table.reach(arguments[1:])
        return Reach(
            (a.low << self.shift_a) + (values.low << self.shift_table),
            (a.high << self.shift_a) + (values.high << self.shift_table),
        )

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Never called without widths; see `lookup`."""
        raise NotImplementedError

    def lookup(self, arguments: Sequence[IntArray], widths: Sequence[int]) -> IntArray:
        """The sums for arguments of these widths."""
        return (arguments[0] << self.shift_a) + (self.table.lookup(arguments[1:], widths[1:]) << self.shift_table)

    def columns(self, reach: Reach) -> list[int]:
        """The columns of the table, up to the top bit of the sum."""
        bits = Reach(0, (1 << max(1, reach.width - self.shift_table)) - 1)
        return self.table.columns(bits)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The sum, the table second."""
        values = Reach(0, (1 << max(1, result.width - self.shift_table)) - 1)
        looked_up = self.table.verilog(arguments[1:], Wire(result.name, values))
        if self.shift_table:
            looked_up = f"{{{looked_up}, {self.shift_table}'d0}}"
        return f"{arguments[0].extended(result.width, self.shift_a)} + {looked_up}"

    def _carry_bits(self, result: Reach) -> int:
        return max(1, result.width - max(0, self.shift_table - self.shift_a))

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One LUT and the carry chain."""
        return 1 + self._carry_bits(result) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One a bit."""
        return self._carry_bits(result)


@dataclass(frozen=True, slots=True)
class Greater:
    """1 if a > b."""

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """One bit, or what the ranges decide."""
        a, b = arguments
        return Reach(int(a.low > b.high), int(a.high > b.low))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Compare."""
        return (arguments[0] > arguments[1]).astype(np.int64)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A signed comparison at a common width."""
        width = max(wire.width + (not wire.reach.signed) for wire in arguments)
        a, b = (f"$signed({{{wire.extended(width)}}})" for wire in arguments)
        return f"{a} > {b}"

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """A carry chain."""
        return 1 + max(a.width for a in arguments) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One a bit."""
        return max(a.width for a in arguments)


@dataclass(frozen=True, slots=True)
class Mux:
    """`a if condition else b`; arguments (condition, a, b)."""

    def reach(self, arguments: Sequence[Reach]) -> Reach:
        """Both ranges."""
        _, a, b = arguments
        return Reach(min(a.low, b.low), max(a.high, b.high))

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Select."""
        return np.where(arguments[0] != 0, arguments[1], arguments[2])

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A conditional."""
        condition, a, b = arguments
        return f"{condition.name}[0] ? {a.extended(result.width)} : {b.extended(result.width)}"

    def levels(self, arguments: Sequence[Reach], result: Reach) -> float:
        """One LUT."""
        return 1.0

    def luts(self, arguments: Sequence[Reach], result: Reach) -> float:
        """Two bits fit one LUT at best; one a bit is what synthesis finds."""
        return result.width


def bits_literal(value: int, width: int) -> str:
    """A sized Verilog literal of the low `width` bits."""
    bits = value & ((1 << width) - 1)
    return f"{width}'d{bits}" if width <= 16 else f"{width}'h{bits:x}"


def _bit(wire: Wire, index: int) -> str:
    """One bit; above the top it is the sign."""
    if index < wire.width:
        return f"{wire.name}[{index}]"
    return f"{wire.name}[{wire.width - 1}]" if wire.reach.signed else "1'b0"


def _upper_bits(wire: Wire, drop: int, width: int) -> str:
    """The bits from `drop` on, extended or cut to `width`."""
    if drop >= wire.width:
        return f"{{{width}{{{_bit(wire, drop)}}}}}"
    kept = min(wire.width - drop, width)
    text = f"{wire.name}[{drop + kept - 1}:{drop}]"
    fill = width - kept
    return text if not fill else f"{{{{{fill}{{{_bit(wire, wire.width)}}}}}, {text}}}"


def _above(wire: Wire, limit: int) -> str:
    """Whether the value is above the limit; for `2**k - 1` the upper bits tell."""
    sign = f"~{wire.name}[{wire.width - 1}] & " if wire.reach.signed else ""
    bits = limit.bit_length()
    top = wire.width - 1 - wire.reach.signed
    if limit >= 0 and limit == (1 << bits) - 1:
        return f"{sign}(|{wire.name}[{top}:{bits}])"
    width = wire.width + 1
    return f"$signed({{{wire.extended(width)}}}) > $signed({bits_literal(limit, width)})"


def _below(wire: Wire, limit: int) -> str:
    """Whether the value is below the limit; for 0 and `-2**k` the upper bits tell."""
    sign = f"{wire.name}[{wire.width - 1}]"
    bits = (~limit).bit_length() if limit < 0 else 0
    if limit == 0:
        return sign
    if limit == -(1 << bits):
        return f"{sign} & ~(&{wire.name}[{wire.width - 2}:{bits}])"
    width = wire.width + 1
    return f"$signed({{{wire.extended(width)}}}) < $signed({bits_literal(limit, width)})"
