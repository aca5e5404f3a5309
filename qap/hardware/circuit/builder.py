"""A circuit: a directed graph of integer operations, each with the range of its values.

Nodes stand in topological order. Equal nodes are one node, a node that can only be one number is a
constant, and what no output needs is dropped when the circuit is finished.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import IntArray, Rounding
from qap.hardware.circuit.arithmetic import Add, Clip, Greater, Mux, Round
from qap.hardware.circuit.operations import Constant, Input, Joined, Operation, Shift, Signed, Slice
from qap.hardware.circuit.tables import AddTable, TruthTable
from qap.hardware.circuit.wires import Range
from qap.hardware.circuit.xilinx import Chosen, Compared

Node = int
"""A node is named by its position."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """What was built: operations, their arguments and ranges, and the outputs.

    Args:
        operations: one for each node, in topological order.
        arguments: the nodes that each reads.
        ranges: of the values of each node.
        inputs: how many inputs there are; node i is input i.
        logits: the nodes of the outputs.
        winner: the node of the class index.
    """

    operations: tuple[Operation, ...]
    arguments: tuple[tuple[Node, ...], ...]
    ranges: tuple[Range, ...]
    inputs: int
    logits: tuple[Node, ...]
    winner: Node

    def evaluate(self, x_int: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
        """Run the circuit in numpy: logits (n, n_out) and class indices (n,) of inputs (n, inputs)."""
        values: list[IntArray] = [x_int[:, i].astype(np.int64) for i in range(self.inputs)]
        for node in range(self.inputs, len(self.operations)):
            read = [values[a] for a in self.arguments[node]]
            values.append(self.operations[node].evaluate(read, self.read_ranges(node)))
        rows = len(x_int)
        logits = np.stack([np.broadcast_to(values[node], rows) for node in self.logits], axis=1)
        return logits, np.broadcast_to(values[self.winner], rows)

    def read_ranges(self, node: Node) -> list[Range]:
        """The ranges of what a node reads."""
        return [self.ranges[a] for a in self.arguments[node]]

    def luts(self, nodes: Iterable[Node] | None = None) -> float:
        """The estimated LUTs of these nodes (None: of all), without registers."""
        return sum(
            self.operations[node].luts(self.read_ranges(node), self.ranges[node])
            for node in (range(len(self.operations)) if nodes is None else nodes)
        )

    def __str__(self) -> str:
        return self.listing()

    def listing(self, stages: Sequence[int] | None = None) -> str:
        """A line for each node, in the names of the Verilog: number, operation, range, bits and, if given, stage.

        Args:
            stages: for each node the stage that computes it, as `Pipeline.stage`.
        """
        rows = [("node", "operation", "range", "bits", "stage")]
        for node, operation in enumerate(self.operations):
            text = operation.expression([f"n{a}" for a in self.arguments[node]])
            bounds = self.ranges[node]
            stage = "" if stages is None else f"{stages[node]}"
            rows.append((f"n{node}", text, f"{bounds.low}..{bounds.high}", f"{bounds.width}", stage))
        shown = [row if stages is not None else row[:4] for row in rows]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in shown]
        logits = " ".join(f"n{node}" for node in self.logits)
        return "\n".join([*lines, f"logits {logits}, class n{self.winner}"])


class Builder:
    """Builds a circuit node by node.

    Args:
        inputs: how many inputs.
        low: the least value of each input.
        high: the largest value of each input.
        slices: whether it may use operations that stand in the slices of Xilinx as they are written.
    """

    def __init__(self, inputs: int, low: int, high: int, slices: bool = False) -> None:
        self.slices = slices
        self._operations: list[Operation] = []
        self._arguments: list[tuple[Node, ...]] = []
        self._ranges: list[Range] = []
        self._known: dict[tuple[Operation, tuple[Node, ...]], Node] = {}
        self.inputs = tuple(self._kept(Input(index, low, high), (), Range(low, high)) for index in range(inputs))

    def range(self, node: Node) -> Range:
        """The range of a node."""
        return self._ranges[node]

    def width(self, node: Node) -> int:
        """The bits of a node."""
        return self._ranges[node].width

    def node(self, operation: Operation, *arguments: Node) -> Node:
        """Any operation on some nodes: a constant if its result can only be one number."""
        bounds = operation.range([self._ranges[a] for a in arguments])
        return self.constant(bounds.low) if bounds.constant else self._kept(operation, arguments, bounds)

    def constant(self, value: int) -> Node:
        """A number."""
        return self._kept(Constant(value), (), Range(value, value))

    def is_constant(self, node: Node) -> bool:
        """Whether the node can only be one number."""
        return self._ranges[node].constant

    def add(
        self, a: Node, b: Node, shift_a: int = 0, shift_b: int = 0, subtract: bool = False, bounds: Range | None = None
    ) -> Node:
        """`(a << shift_a) + (b << shift_b)`, or minus; `bounds` is a range tighter than the arguments show."""
        if self.range(b) == Range(0, 0):
            return self.shift(a, shift_a)
        if self.range(a) == Range(0, 0) and not subtract:
            return self.shift(b, shift_b)
        return self.node(Add(shift_a, shift_b, subtract, bounds), a, b)

    def shift(self, a: Node, left: int) -> Node:
        """`a << left`."""
        return self.node(Shift(left), a) if left else a

    def slice(self, a: Node, high_bit: int, low_bit: int) -> Node:
        """Some bits, read as unsigned."""
        whole = low_bit == 0 and high_bit == self.width(a) - 1 and not self.range(a).signed
        return a if whole else self.node(Slice(high_bit, low_bit), a)

    def signed(self, a: Node, width: int) -> Node:
        """The low bits, read as two's complement."""
        return self.node(Signed(width), a)

    def round(self, a: Node, drop: int, rounding: Rounding) -> Node:
        """`a / 2**drop`, rounded."""
        return self.node(Round(drop, rounding), a) if drop else a

    def clip(self, a: Node, low: int, high: int) -> Node:
        """The nearest number in low ... high."""
        idle = low <= self.range(a).low and self.range(a).high <= high
        return a if idle else self.node(Clip(low, high), a)

    def greater(self, a: Node, b: Node) -> Node:
        """1 if a > b, else 0, by a carry chain."""
        return self.node(Compared() if self.slices else Greater(), a, b)

    def mux(self, condition: Node, a: Node, b: Node) -> Node:
        """`a if condition else b`."""
        if self.is_constant(condition):
            return a if self.range(condition).low else b
        if self.is_constant(a) and self.is_constant(b):
            ends = self.range(b).low, self.range(a).low
            return self.truth_table([condition], lambda rows: np.array(ends)[rows[:, 0]])
        return self.node(Chosen() if self.slices else Mux(), condition, a, b)

    def joined(self, bits: Sequence[Node], high: int) -> Node:
        """The number of these bits, the first one lowest, which is known to be at most `high`."""
        return bits[0] if len(bits) == 1 else self.node(Joined(high), *bits)

    def truth_table(self, nodes: Sequence[Node], function: Callable[[IntArray], IntArray]) -> Node:
        """A truth table of some nodes.

        Args:
            nodes: what is read; their bits together should be few.
            function: (rows, nodes) int64 -> (rows,) int64. Rows that the nodes cannot reach are asked as
                the nearest that they can.
        """
        rows = self._rows(nodes)
        values = function(rows)
        if len(nodes) == 1 and np.array_equal(values, rows[:, 0]):
            return nodes[0]
        return self.node(TruthTable(tuple(int(value) for value in values)), *nodes)

    def add_table(
        self, a: Node, shift_a: int, nodes: Sequence[Node], shift_table: int, function: Callable[[IntArray], IntArray]
    ) -> Node:
        """`(a << shift_a) + (table << shift_table)`; the table as in `truth_table`."""
        values = function(self._rows(nodes))
        return self.node(AddTable(shift_a, shift_table, TruthTable(tuple(int(value) for value in values))), a, *nodes)

    def _rows(self, nodes: Sequence[Node]) -> IntArray:
        """What nodes mean in every pattern of their bits, the first node's bits lowest."""
        readings = [_readings(self.range(node)) for node in reversed(nodes)]
        return np.array(list(itertools.product(*readings)), np.int64).reshape(-1, len(nodes))[:, ::-1]

    def mark(self) -> int:
        """A point in the building that `luts_since` takes."""
        return len(self._operations)

    def luts_since(self, mark: int, roots: Iterable[Node]) -> float:
        """The estimated LUTs of what was built after the mark and is needed by the roots."""
        needed = {node for node in self._needed(roots) if node >= mark}
        return sum(
            self._operations[n].luts([self._ranges[a] for a in self._arguments[n]], self._ranges[n]) for n in needed
        )

    def finish(self, logits: Sequence[Node], winner: Node) -> Circuit:
        """The circuit of these outputs."""
        needed = sorted({*self.inputs, *self._needed([*logits, winner])})
        place = {node: position for position, node in enumerate(needed)}
        return Circuit(
            tuple(self._operations[node] for node in needed),
            tuple(tuple(place[a] for a in self._arguments[node]) for node in needed),
            tuple(self._ranges[node] for node in needed),
            len(self.inputs),
            tuple(place[node] for node in logits),
            place[winner],
        )

    def _needed(self, roots: Iterable[Node]) -> set[Node]:
        needed: set[Node] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node not in needed:
                needed.add(node)
                waiting.extend(self._arguments[node])
        return needed

    def _kept(self, operation: Operation, arguments: tuple[Node, ...], bounds: Range) -> Node:
        key = (operation, arguments)
        if key in self._known:
            return self._known[key]
        self._operations.append(operation)
        self._arguments.append(arguments)
        self._ranges.append(bounds)
        self._known[key] = node = len(self._operations) - 1
        return node


def _readings(bounds: Range) -> list[int]:
    """What each pattern of the bits means, brought into the range."""
    size = 1 << bounds.width
    numbers = [pattern - size if bounds.signed and pattern >= size // 2 else pattern for pattern in range(size)]
    return [min(max(number, bounds.low), bounds.high) for number in numbers]
