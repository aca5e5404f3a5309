"""Truth tables, alone and in the LUTs of an adder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qap.fixed import IntArray
from qap.hardware.circuit.wires import CARRY_BITS_PER_LEVEL, LUT_INPUTS, Range, Wire


@dataclass(frozen=True, slots=True)
class TruthTable:
    """A truth table: `values[index]`, the index being the bits of all arguments, the first one lowest."""

    values: tuple[int, ...]

    def range(self, arguments: Sequence[Range]) -> Range:
        """From the least to the largest value."""
        return Range(min(self.values), max(self.values))

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

    def columns(self, bounds: Range) -> list[int]:
        """For each bit of the result (the lowest first) its truth table as a number."""
        return [sum((value >> bit & 1) << row for row, value in enumerate(self.values)) for bit in range(bounds.width)]

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT; two inputs more are one level of multiplexers more."""
        return 1 + max(0, sum(a.width for a in arguments) - LUT_INPUTS) / 2

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
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
    table: TruthTable

    def range(self, arguments: Sequence[Range]) -> Range:
        """Interval arithmetic."""
        a, values = arguments[0], self.table.range(arguments[1:])
        return Range(
            (a.low << self.shift_a) + (values.low << self.shift_table),
            (a.high << self.shift_a) + (values.high << self.shift_table),
        )

    def evaluate(self, arguments: Sequence[IntArray]) -> IntArray:
        """Never called without widths; see `lookup`."""
        raise NotImplementedError

    def lookup(self, arguments: Sequence[IntArray], widths: Sequence[int]) -> IntArray:
        """The sums for arguments of these widths."""
        return (arguments[0] << self.shift_a) + (self.table.lookup(arguments[1:], widths[1:]) << self.shift_table)

    def columns(self, bounds: Range) -> list[int]:
        """The columns of the table, up to the top bit of the sum."""
        bits = Range(0, (1 << max(1, bounds.width - self.shift_table)) - 1)
        return self.table.columns(bits)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """The sum, the table second."""
        values = Range(0, (1 << max(1, result.width - self.shift_table)) - 1)
        looked_up = self.table.verilog(arguments[1:], Wire(result.name, values))
        if self.shift_table:
            looked_up = f"{{{looked_up}, {self.shift_table}'d0}}"
        return f"{arguments[0].extended(result.width, self.shift_a)} + {looked_up}"

    def _carry_bits(self, result: Range) -> int:
        return max(1, result.width - max(0, self.shift_table - self.shift_a))

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT and the carry chain."""
        return 1 + self._carry_bits(result) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One a bit."""
        return self._carry_bits(result)
