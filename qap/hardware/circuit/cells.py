"""What synthesis for Xilinx makes of a pipelined circuit: LUTs, shift registers and flip-flops, counted bit by bit.

Bits that are only wires (shifts, slices, the low end of an adder that nothing is added to) are followed to where they
come from, so that a bit that several nodes carry is registered once. Adders that feed one other adder of the same
stage become a compressor tree, as Yosys' `alumacc` does it. What is left to fit is how many LUTs a cell of each kind
takes after logic optimization.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from qap.fixed import Rounding
from qap.hardware.circuit.builder import Circuit, Node
from qap.hardware.circuit.operations import Add, Clip, Constant, Greater, Input, Mux, Round, Shift, Signed, Slice
from qap.hardware.circuit.pipeline import MIN_SHIFT_REGISTER, Pipeline
from qap.hardware.circuit.tables import AddTable, TruthTable
from qap.hardware.circuit.wires import LUT_INPUTS, Operation, Range

LUTS_PER_CELL = {
    "add": 1.02, "compress": 0.69, "invert": 1.06, "add table": 1.46, "table": 0.90, "wide table": 0.86,
    "clip": 0.0, "round": 0.43, "mux": 1.94, "greater": 0.47, "shift": 0.63,
}  # fmt: skip
"""Fitted to Yosys 0.70 (xc7) on 38 random networks; a clip becomes the synchronous reset of its registers."""
SHIFT_REGISTER_LENGTH = 32


class Bit(NamedTuple):
    """A bit of what a node computes, the lowest at place 0; constants have the node -1."""

    node: Node
    place: int


ZERO, ONE = Bit(-1, 0), Bit(-1, 1)
Row = list[Bit]


class Cells(NamedTuple):
    """LUTs (shift registers included), of these shift registers, and flip-flops."""

    lut: int
    shift: int
    ff: int


def count_cells(circuit: Circuit, pipeline: Pipeline) -> Cells:
    """Count what a pipelined circuit takes."""
    counter = _Counter(circuit, pipeline)
    counter.walk()
    shift, ff = counter.registers()
    lut = sum(LUTS_PER_CELL[kind] * count for kind, count in counter.cells.items()) + LUTS_PER_CELL["shift"] * shift
    return Cells(round(lut), shift, ff)


class _Counter:
    """Walks a circuit in order: `rows` are the bits of each node, `reads` those that it computes from."""

    def __init__(self, circuit: Circuit, pipeline: Pipeline) -> None:
        self.circuit, self.pipeline = circuit, pipeline
        self.cells: Counter[str] = Counter()
        self.rows: list[Row] = []
        self.reads: list[set[Bit]] = []
        merged = _merged_adders(circuit, pipeline)
        self.inner = set(merged)
        self.compressed = self.inner | set(merged.values())

    def walk(self) -> None:
        """Follow the bits of every node and count its cells."""
        for node, (operation, arguments) in enumerate(
            zip(self.circuit.operations, self.circuit.arguments, strict=True)
        ):
            rows, ranges = [self.rows[a] for a in arguments], [self.circuit.ranges[a] for a in arguments]
            row, real = self._row(node, operation, rows, ranges)
            self.rows.append(row)
            self.reads.append({bit for each in rows for bit in each} if real else set())

    def registers(self) -> tuple[int, int]:
        """Shift registers and flip-flops that carry bits from the stage that makes them to those that read them."""
        stages: defaultdict[Bit, set[int]] = defaultdict(set)
        for node, bits in enumerate(self.reads):
            for bit in bits:
                stages[bit].add(self.pipeline.stage[node])
        for node in (*self.circuit.logits, self.circuit.winner):
            for bit in self.rows[node]:
                stages[bit].add(self.pipeline.latency)
        shift = ff = 0
        for bit, needed in stages.items():
            at = self.pipeline.stage[bit.node] if bit.node >= 0 else self.pipeline.latency
            for stage in sorted(each for each in needed if each > at):
                if stage - at >= MIN_SHIFT_REGISTER:
                    shift += 1 + (stage - at - 1) // SHIFT_REGISTER_LENGTH
                else:
                    ff += stage - at
                at = stage
        return shift, ff

    def _row(self, node: Node, operation: Operation, rows: list[Row], ranges: list[Range]) -> tuple[Row, bool]:
        """The bits of a node, and whether it computes anything."""
        bounds = self.circuit.ranges[node]
        width = bounds.width
        own = [Bit(node, index) for index in range(width)]
        if isinstance(operation, Input):
            return own, False
        if isinstance(operation, Constant):
            return [ONE if bounds.low >> index & 1 else ZERO for index in range(width)], False
        wires = _wired(operation, rows, ranges, width)
        if wires is not None:
            return wires, False
        if isinstance(operation, Add):
            return self._add(node, operation, rows, ranges, own), True
        if isinstance(operation, AddTable):
            return self._add_table(node, operation, rows[0], ranges[0], own), True
        if isinstance(operation, TruthTable):
            return self._table(operation, [bit for row in rows for bit in row], own), True
        if isinstance(operation, Mux):
            return self._mux(rows, ranges, own), True
        kinds: dict[type, str] = {Clip: "clip", Round: "round", Greater: "greater"}
        self.cells[kinds[type(operation)]] += int(operation.luts(ranges, bounds))
        return own, True

    def _add(self, node: Node, operation: Add, rows: list[Row], ranges: list[Range], own: Row) -> Row:
        shifts = operation.shift_a, operation.shift_b
        a, b = (
            _extended(row, bounds.signed, len(own), shift)
            for row, bounds, shift in zip(rows, ranges, shifts, strict=True)
        )
        start, result = 0, list(own)
        for start in range(len(own)):
            if b[start] == ZERO:
                result[start] = a[start]
            elif a[start] == ZERO and not operation.subtract and b[start] != ONE:
                result[start] = b[start]
            else:
                break
        pairs = {pair for pair in zip(a[start:], b[start:], strict=True) if pair != (ZERO, ZERO)}
        single = sum(ZERO in pair for pair in pairs)
        self.cells["compress" if node in self.inner else "add"] += len(pairs) - single
        self.cells["invert"] += single if operation.subtract else 0
        return result

    def _add_table(self, node: Node, operation: AddTable, row: Row, bounds: Range, own: Row) -> Row:
        a = _extended(row, bounds.signed, len(own), operation.shift_a)
        columns = [0] * operation.shift_table + operation.columns(self.circuit.ranges[node])
        columns = (columns + [0] * len(own))[: len(own)]
        start = next((index for index, column in enumerate(columns) if column), len(own))
        pairs = {pair for pair in zip(a[start:], columns[start:], strict=True) if pair[1]}
        if node in self.compressed:
            self.cells["compress" if node in self.inner else "add"] += len(pairs)
            self.cells["table"] += len({column for _, column in pairs})
        else:
            self.cells["add table"] += len(pairs)
        return a[:start] + own[start:]

    def _table(self, operation: TruthTable, read: Row, own: Row) -> Row:
        rows = len(operation.values)
        values = np.array(operation.values, np.int64).reshape((2,) * len(read)) if rows > 1 else None
        known: dict[bytes, Bit] = {}
        result: Row = []
        for bit in own:
            column = None if values is None else values >> bit.place & 1
            if column is None or column.min() == column.max():
                result.append(ONE if operation.values[0] >> bit.place & 1 else ZERO)
                continue
            key = column.tobytes()
            if key not in known:
                known[key] = self._looked_up(column, read, bit)
            result.append(known[key])
        return result

    def _looked_up(self, column: np.ndarray, read: Row, bit: Bit) -> Bit:
        """A column of a table: a wire where it is one of the inputs, else LUTs by the inputs that it depends on."""
        last = column.ndim - 1  # the first input is the last axis
        needed = [axis for axis in range(column.ndim) if (np.take(column, 0, axis) != np.take(column, 1, axis)).any()]
        if len(needed) == 1 and not column.flat[0]:
            return read[last - needed[0]]
        wide = len(needed) - LUT_INPUTS
        self.cells["wide table" if wide > 0 else "table"] += 1 << max(0, wide)
        return bit

    def _mux(self, rows: list[Row], ranges: list[Range], own: Row) -> Row:
        a, b = (_extended(rows[i], ranges[i].signed, len(own)) for i in (1, 2))
        pairs = {(x, y) for x, y in zip(a, b, strict=True) if x != y and (x.node >= 0 or y.node >= 0)}
        self.cells["mux"] += len(pairs)
        return [x if x == y else bit for x, y, bit in zip(a, b, own, strict=True)]


def _wired(operation: Operation, rows: list[Row], ranges: list[Range], width: int) -> Row | None:
    """The bits of an operation that is only wires, None where it is more."""
    if isinstance(operation, Shift):
        return _extended(rows[0], ranges[0].signed, width, operation.left)
    if isinstance(operation, Signed):
        return _extended(rows[0], ranges[0].signed, width)
    if isinstance(operation, Slice):
        top = _extended(rows[0], ranges[0].signed, operation.high_bit + 1)
        return (top[operation.low_bit :] + [ZERO] * width)[:width]
    if isinstance(operation, Round) and operation.rounding is Rounding.TRN:
        return _extended(rows[0], ranges[0].signed, width + operation.drop)[operation.drop :]
    return None


def _extended(row: Sequence[Bit], signed: bool, width: int, shift: int = 0) -> Row:
    """The bits of a value times `2**shift`, extended or cut to a width."""
    bits = [ZERO] * min(shift, width) + list(row[: max(0, width - shift)])
    return bits + [row[-1] if signed else ZERO] * (width - len(bits))


def _merged_adders(circuit: Circuit, pipeline: Pipeline) -> dict[Node, Node]:
    """Adders that nothing reads but one other adder of the same stage, unshifted, and that one: they become one."""
    users: defaultdict[Node, list[Node]] = defaultdict(list)
    for node, arguments in enumerate(circuit.arguments):
        for argument in arguments:
            users[argument].append(node)
    outputs = {*circuit.logits, circuit.winner}
    merged = {}
    for node, operation in enumerate(circuit.operations):
        if not isinstance(operation, Add | AddTable) or node in outputs or len(users[node]) != 1:
            continue
        user = users[node][0]
        reader, arguments = circuit.operations[user], circuit.arguments[user]
        if pipeline.stage[user] != pipeline.stage[node]:
            continue
        if isinstance(reader, AddTable):
            unshifted = arguments[0] == node and not reader.shift_a
        elif isinstance(reader, Add):
            unshifted = not (reader.shift_a if arguments[0] == node else reader.shift_b)
        else:
            continue
        # a sign that is extended is an operand of its own
        bounds = circuit.ranges[node]
        if unshifted and (not bounds.signed or bounds.width == circuit.ranges[user].width):
            merged[node] = user
    return merged
