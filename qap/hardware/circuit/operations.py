"""What an operation of a circuit is, and those that are only wires.

An operation says everything about itself: what it computes, its range, its Verilog, its delay and its cells. A new
one is one class, which nothing else has to know.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from qap.fixed import IntArray
from qap.hardware.circuit.wires import ONE, ZERO, Range, Row, Vector, Wire, bits_literal, upper_bits

Tree = Literal["none", "root", "inner"]
"""Adders of one stage that feed each other become a compressor tree: whether an operation stands inside of one, is its
root, or stands in none."""


class Column(NamedTuple):
    """A column of a truth table as a `localparam`: its name, how many rows it has, and its bits as a number."""

    name: str
    rows: int
    bits: int


class Mapped(NamedTuple):
    """What synthesis makes of an operation.

    Args:
        bits: of the result: its own, constants, or bits of other nodes that are only passed on.
        cells: how many of each kind of `LUTS_PER_CELL`; no kind at all where the operation is only wires.
    """

    bits: Row
    cells: Mapping[str, int]


class Operation(ABC):
    """One operation; a subclass is a frozen dataclass, so that equal operations on equal nodes are one node.

    `kind` says which of `LUTS_PER_CELL` its LUTs are, unless `cells` says more.
    """

    __slots__ = ()
    kind: ClassVar[str] = "logic"

    @abstractmethod
    def range(self, arguments: Sequence[Range]) -> Range:
        """The range of the result for independent arguments."""

    @abstractmethod
    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """The result in numpy, of int64 arguments (n,) and their ranges."""

    @abstractmethod
    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The expression of the result; `result` names what it is assigned to."""

    @abstractmethod
    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """Its delay, in levels of LUTs."""

    @abstractmethod
    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """An estimate of its LUTs, by which the cheapest way to compute something is chosen."""

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """Its cells; `result` holds the bits that it may make. Without more knowledge: all of them, in its LUTs."""
        ranges = [vector.range for vector in arguments]
        return Mapped(result.bits, {self.kind: int(self.luts(ranges, result.range))})

    def tables(self, result: Wire) -> Sequence[Column]:
        """The truth tables that its expression reads; most have none."""
        return ()

    def instances(self, arguments: Sequence[Wire], result: Wire, cell: int) -> Sequence[str]:
        """The statements that drive the result with cells of Xilinx; most leave their expression to synthesis.

        Args:
            arguments: what it reads.
            result: a wire that is declared.
            cell: the bits of a cell of the carry chain: 4 (7 series) or 8 (UltraScale and UltraScale+).
        """
        return ()

    @property
    def added(self) -> tuple[int, ...]:
        """The shifts of its first arguments if it adds them, so that it can join a tree; most do not."""
        return ()

    def expression(self, arguments: Sequence[str]) -> str:
        """How people read it, given the names of its arguments."""
        own = (f"{field.name}={getattr(self, field.name)}" for field in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join((*arguments, *own))})"


class Wiring(Operation):
    """What costs nothing: only wires."""

    __slots__ = ()

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """None."""
        return 0.0

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """None."""
        return 0.0

    @abstractmethod
    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """The bits that the wires lead to, and no cell."""


@dataclass(frozen=True, slots=True)
class Input(Wiring):
    """An input of the circuit."""

    index: int
    low: int
    high: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """The whole input format."""
        return Range(self.low, self.high)

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Never called: inputs are given."""
        raise NotImplementedError

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """Its bits of the input port."""
        return f"x[{(self.index + 1) * result.width - 1}:{self.index * result.width}]"

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """Its own bits, which are there."""
        return Mapped(result.bits, {})

    def expression(self, arguments: Sequence[str]) -> str:
        """Its place."""
        return f"x[{self.index}]"


@dataclass(frozen=True, slots=True)
class Constant(Wiring):
    """A number."""

    value: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """Just the number."""
        return Range(self.value, self.value)

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """The number, to be broadcast."""
        return np.array([self.value], np.int64)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A sized literal."""
        return bits_literal(self.value, result.width)

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """Bits that are known."""
        return Mapped([ONE if self.value >> bit.place & 1 else ZERO for bit in result.bits], {})

    def expression(self, arguments: Sequence[str]) -> str:
        """The number."""
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Slice(Wiring):
    """The bits `low_bit` ... `high_bit` of the two's complement number, read as unsigned."""

    high_bit: int
    low_bit: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """All numbers of these bits."""
        return Range(0, (1 << (self.high_bit - self.low_bit + 1)) - 1)

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Shift and mask."""
        return (arguments[0] >> self.low_bit) & ((1 << (self.high_bit - self.low_bit + 1)) - 1)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A part select, extended where it reaches above the top."""
        return upper_bits(arguments[0], self.low_bit, self.high_bit - self.low_bit + 1)

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """Bits of the argument."""
        top = arguments[0].extended(self.high_bit + 1)[self.low_bit :]
        return Mapped((top + [ZERO] * result.range.width)[: result.range.width], {})

    def expression(self, arguments: Sequence[str]) -> str:
        """A part select."""
        return f"{arguments[0]}[{self.high_bit}:{self.low_bit}]"


@dataclass(frozen=True, slots=True)
class Signed(Wiring):
    """The low `width` bits, read as two's complement."""

    width: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """All numbers of these bits."""
        return Range(-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Wrap around."""
        half = 1 << (self.width - 1)
        return ((arguments[0] + half) & (2 * half - 1)) - half

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The same bits."""
        return arguments[0].extended(result.width)

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """The bits of the argument."""
        return Mapped(arguments[0].extended(result.range.width), {})

    def expression(self, arguments: Sequence[str]) -> str:
        """The width behind the number."""
        return f"signed({arguments[0]}[{self.width - 1}:0])"


@dataclass(frozen=True, slots=True)
class Shift(Wiring):
    """`a << left`; the new bits are 0."""

    left: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """Both ends shifted."""
        return Range(arguments[0].low << self.left, arguments[0].high << self.left)

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Shift."""
        return arguments[0] << self.left

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A concatenation with zeros."""
        return arguments[0].extended(result.width, self.left)

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """The bits of the argument behind zeros."""
        return Mapped(arguments[0].extended(result.range.width, self.left), {})

    def expression(self, arguments: Sequence[str]) -> str:
        """The shift."""
        return f"{arguments[0]} << {self.left}"


@dataclass(frozen=True, slots=True)
class Joined(Wiring):
    """One-bit numbers side by side, the first one lowest; `high` is the largest number that they can be together."""

    high: int

    def range(self, arguments: Sequence[Range]) -> Range:
        """What is known, and what the bits that can be 1 hold."""
        return Range(0, min(self.high, sum(bit.high << place for place, bit in enumerate(arguments))))

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Add up."""
        total: IntArray = np.zeros(1, np.int64)
        for place, bit in enumerate(arguments):
            total = total + (bit << place)
        return total

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A concatenation; what is above the largest number is 0."""
        return f"{{{', '.join(bit.name for bit in reversed(arguments[: result.width]))}}}"

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """The bits of the arguments."""
        return Mapped([bit.bits[0] for bit in arguments[: result.range.width]], {})

    def expression(self, arguments: Sequence[str]) -> str:
        """A concatenation, as in Verilog."""
        return f"{{{', '.join(reversed(arguments))}}}"


def shifted(name: str, shift: int) -> str:
    """A shifted operand of an expression, as people read it."""
    return f"({name} << {shift})" if shift else name
