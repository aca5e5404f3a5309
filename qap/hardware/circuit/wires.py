"""Values of a circuit: their ranges, their names in Verilog, and their bits in synthesis."""

from __future__ import annotations

from typing import NamedTuple

LUT_INPUTS = 6
CARRY_BITS_PER_LEVEL = 16
"""So many bits of a carry chain take about as long as one more level of LUTs."""


class Range(NamedTuple):
    """All integers from low to high."""

    low: int
    high: int

    @property
    def constant(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

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
    range: Range

    @property
    def width(self) -> int:
        """Bits of the vector."""
        return self.range.width

    def extended(self, width: int, shift: int = 0) -> str:
        """The value times `2**shift`, extended or cut to `width` bits."""
        if shift >= width:
            return f"{width}'d0"
        kept = min(self.width, width - shift)
        text = self.name if kept == self.width else f"{self.name}[{kept - 1}:0]"
        fill = width - shift - kept
        parts = [text]
        if fill:
            parts.insert(0, f"{{{fill}{{{self.name}[{self.width - 1}]}}}}" if self.range.signed else f"{fill}'d0")
        if shift:
            parts.append(f"{shift}'d0")
        return parts[0] if len(parts) == 1 else f"{{{', '.join(parts)}}}"


class Bit(NamedTuple):
    """A bit of what a node computes, the lowest at place 0; constants have the node -1."""

    node: int
    place: int


ZERO, ONE = Bit(-1, 0), Bit(-1, 1)
Row = list[Bit]
"""The bits of a value, the lowest first."""


class Vector(NamedTuple):
    """A value in synthesis: its bits, each named by the node that computes it, and its range."""

    bits: Row
    range: Range

    def extended(self, width: int, shift: int = 0) -> Row:
        """The bits of the value times `2**shift`, extended or cut to `width` bits."""
        bits = [ZERO] * min(shift, width) + self.bits[: max(0, width - shift)]
        return bits + [self.bits[-1] if self.range.signed else ZERO] * (width - len(bits))


def bits_literal(value: int, width: int) -> str:
    """A sized Verilog literal of the low `width` bits."""
    bits = value & ((1 << width) - 1)
    return f"{width}'d{bits}" if width <= 16 else f"{width}'h{bits:x}"


def bit_of(wire: Wire, index: int) -> str:
    """One bit; above the top it is the sign."""
    if index < wire.width:
        return f"{wire.name}[{index}]"
    return f"{wire.name}[{wire.width - 1}]" if wire.range.signed else "1'b0"


def upper_bits(wire: Wire, drop: int, width: int) -> str:
    """The bits from `drop` on, extended or cut to `width`."""
    if drop >= wire.width:
        return f"{{{width}{{{bit_of(wire, drop)}}}}}"
    kept = min(wire.width - drop, width)
    text = f"{wire.name}[{drop + kept - 1}:{drop}]"
    fill = width - kept
    return text if not fill else f"{{{{{fill}{{{bit_of(wire, wire.width)}}}}}, {text}}}"


def above(wire: Wire, limit: int) -> str:
    """Whether the value is above the limit; for `2**k - 1` the upper bits tell."""
    sign = f"~{wire.name}[{wire.width - 1}] & " if wire.range.signed else ""
    bits = limit.bit_length()
    top = wire.width - 1 - wire.range.signed
    if limit >= 0 and limit == (1 << bits) - 1:
        return f"{sign}(|{wire.name}[{top}:{bits}])"
    width = wire.width + 1
    return f"$signed({{{wire.extended(width)}}}) > $signed({bits_literal(limit, width)})"


def below(wire: Wire, limit: int) -> str:
    """Whether the value is below the limit; for 0 and `-2**k` the upper bits tell."""
    sign = f"{wire.name}[{wire.width - 1}]"
    bits = (~limit).bit_length() if limit < 0 else 0
    if limit == 0:
        return sign
    if limit == -(1 << bits):
        return f"{sign} & ~(&{wire.name}[{wire.width - 2}:{bits}])"
    width = wire.width + 1
    return f"$signed({{{wire.extended(width)}}}) < $signed({bits_literal(limit, width)})"
