"""Truth tables, alone and in the LUTs of an adder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qap.fixed import IntArray
from qap.hardware.circuit.operations import Column, Mapped, Operation, Tree, shifted
from qap.hardware.circuit.wires import CARRY_BITS_PER_LEVEL, LUT_INPUTS, ONE, ZERO, Bit, Range, Row, Vector, Wire

SHOWN = 8
"""So many values of a table are shown to people."""


@dataclass(frozen=True, slots=True)
class TruthTable(Operation):
    """A truth table: `values[index]`, the index being the bits of all arguments, the first one lowest."""

    values: tuple[int, ...]

    def range(self, arguments: Sequence[Range]) -> Range:
        """From the least to the largest value."""
        return Range(min(self.values), max(self.values))

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Look up; the ranges say how many bits of the index each argument is."""
        index: IntArray = np.zeros(1, np.int64)
        position = 0
        for argument, bounds in zip(arguments, ranges, strict=True):
            index = index + ((argument & ((1 << bounds.width) - 1)) << position)
            position += bounds.width
        return np.array(self.values, np.int64)[index]

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """For each bit of the result its column of the table, indexed by the arguments."""
        index = ", ".join(wire.name for wire in reversed(arguments))
        bits = [f"{column.name}[{{{index}}}]" for column in reversed(self.tables(result))]
        return f"{{{', '.join(bits)}}}"

    def tables(self, result: Wire) -> list[Column]:
        """One for each bit of the result, the lowest first."""
        return [
            Column(f"{result.name}_t{bit}", len(self.values), column)
            for bit, column in enumerate(self.columns(result.width))
        ]

    def columns(self, width: int) -> list[int]:
        """For each of the low bits of the values (the lowest first) its truth table as a number."""
        return [sum((value >> bit & 1) << row for row, value in enumerate(self.values)) for bit in range(width)]

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT; two inputs more are one level of multiplexers more."""
        return 1 + max(0, sum(a.width for a in arguments) - LUT_INPUTS) / 2

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One for each bit of the result that is no constant, doubled by each input beyond six."""
        inputs = sum(a.width for a in arguments)
        full = (1 << len(self.values)) - 1
        different = {column for column in self.columns(result.width) if column not in (0, full)}
        return float(len(different) << max(0, inputs - LUT_INPUTS))

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """Columns that are equal, constant or one of the inputs cost nothing; others LUTs by what they depend on."""
        read = [bit for vector in arguments for bit in vector.bits]
        values = np.array(self.values, np.int64).reshape((2,) * len(read))
        cells = {"table": 0, "full table": 0, "wide table": 0}
        known: dict[bytes, Bit] = {}
        bits: Row = []
        for bit in result.bits:
            column = values >> bit.place & 1
            if column.min() == column.max():
                bits.append(ONE if column.flat[0] else ZERO)
                continue
            key = column.tobytes()
            if key not in known:
                known[key] = _looked_up(column, read, bit, cells)
            bits.append(known[key])
        return Mapped(bits, cells)

    def expression(self, arguments: Sequence[str]) -> str:
        """What it reads and its first values."""
        rest = " ..." if len(self.values) > SHOWN else ""
        return f"table[{', '.join(arguments)}] of {' '.join(map(str, self.values[:SHOWN]))}{rest}"


@dataclass(frozen=True, slots=True)
class AddTable(Operation):
    """`(a << shift_a) + (table << shift_table)`; arguments (a, what the table reads).

    The LUT in front of each bit of a carry chain has five more inputs than the chain needs: a table of five
    bits is added for the price of the adder alone. For that the other operand must come first.
    """

    shift_a: int
    shift_table: int
    table: TruthTable

    def range(self, arguments: Sequence[Range]) -> Range:
        """Interval arithmetic."""
        a, values = arguments[0], self.table.range(arguments[1:])
        return Range(
            (a.low << self.shift_a) + (values.low << self.shift_table),
            (a.high << self.shift_a) + (values.high << self.shift_table),
        )

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Look up and add."""
        return (arguments[0] << self.shift_a) + (self.table.evaluate(arguments[1:], ranges[1:]) << self.shift_table)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The sum, the table second."""
        looked_up = self.table.verilog(arguments[1:], self._looked_up(result))
        if self.shift_table:
            looked_up = f"{{{looked_up}, {self.shift_table}'d0}}"
        return f"{arguments[0].extended(result.width, self.shift_a)} + {looked_up}"

    def tables(self, result: Wire) -> list[Column]:
        """The columns of the table, up to the top bit of the sum."""
        return self.table.tables(self._looked_up(result))

    def _looked_up(self, result: Wire) -> Wire:
        """The table's part of a sum, read as unsigned."""
        return Wire(result.name, Range(0, (1 << self._table_bits(result.range)) - 1))

    def _table_bits(self, result: Range) -> int:
        return max(1, result.width - self.shift_table)

    @property
    def added(self) -> tuple[int, ...]:
        """The first argument; what the table reads is not added."""
        return (self.shift_a,)

    def _carry_bits(self, result: Range) -> int:
        return max(1, result.width - max(0, self.shift_table - self.shift_a))

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT and the carry chain."""
        return 1 + self._carry_bits(result) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One a bit."""
        return self._carry_bits(result)

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        """One for each bit from the table's lowest on; in a tree the table has LUTs of its own."""
        width = result.range.width
        a = arguments[0].extended(width, self.shift_a)
        columns = ([0] * self.shift_table + self.table.columns(self._table_bits(result.range)))[:width]
        start = next((index for index, column in enumerate(columns) if column), width)
        pairs = {pair for pair in zip(a[start:], columns[start:], strict=True) if pair[1]}
        bits = a[:start] + result.bits[start:]
        if tree == "none":
            return Mapped(bits, {"add table": len(pairs)})
        kind = "compress" if tree == "inner" else "add"
        return Mapped(bits, {kind: len(pairs), "table": len({column for _, column in pairs})})

    def expression(self, arguments: Sequence[str]) -> str:
        """A sum."""
        table = self.table.expression(arguments[1:])
        return f"{shifted(arguments[0], self.shift_a)} + {shifted(table, self.shift_table)}"


def _looked_up(column: IntArray, read: Row, bit: Bit, cells: dict[str, int]) -> Bit:
    """A column of a table: a wire where it is one of the inputs, else LUTs by the inputs that it depends on."""
    last = column.ndim - 1  # the first input is the last axis
    needed = [axis for axis in range(column.ndim) if (np.take(column, 0, axis) != np.take(column, 1, axis)).any()]
    if len(needed) == 1 and not column.flat[0]:
        return read[last - needed[0]]
    wide = len(needed) - LUT_INPUTS
    kind = "wide table" if wide > 0 else "table" if wide < 0 else "full table"
    cells[kind] += 1 << max(0, wide)
    return bit
