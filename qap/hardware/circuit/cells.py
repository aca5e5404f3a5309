"""What synthesis for Xilinx makes of a pipelined circuit: LUTs, shift registers and flip-flops, counted bit by bit.

Bits that are only wires (shifts, slices, the low end of an adder that nothing is added to) are followed to where they
come from, so that a bit that several nodes carry is registered once. Adders that feed one other adder of the same
stage become a compressor tree, as Yosys' `alumacc` does it. What is left to fit is how many LUTs a cell of each kind
takes after logic optimization.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from qap.hardware.circuit.builder import Circuit, Node
from qap.hardware.circuit.operations import Mapped, Tree
from qap.hardware.circuit.pipeline import MIN_SHIFT_REGISTER, Pipeline
from qap.hardware.circuit.wires import Bit, Row, Vector

LUTS_PER_CELL = {
    "add": 1.02, "compress": 0.69, "invert": 1.06, "add table": 1.46, "table": 0.90, "wide table": 0.86,
    "clip": 0.0, "round": 0.43, "mux": 1.94, "greater": 0.47, "shift": 0.63,
    "slice": 1.0, "full table": 1.0, "logic": 1.0,
}  # fmt: skip
"""Fitted to Yosys 0.70 (xc7) on 38 random networks; a clip becomes the synchronous reset of its registers.
"slice" and "full table", of all six inputs of a LUT, stand as they are written; "logic", not fitted, is what an
operation of its own estimate takes."""
SHIFT_REGISTER_LENGTH = 32


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


def mapped(circuit: Circuit, trees: Mapping[Node, Tree] | None = None) -> Iterator[tuple[list[Vector], Mapped]]:
    """For each node what it reads, followed through wires to where the bits come from, and what becomes of it.

    Args:
        circuit: the circuit.
        trees: which adders stand in a compressor tree.
    """
    vectors: list[Vector] = []
    for node, operation in enumerate(circuit.operations):
        bounds, read = circuit.ranges[node], [vectors[a] for a in circuit.arguments[node]]
        own = Vector([Bit(node, place) for place in range(bounds.width)], bounds)
        made = operation.cells(read, own, (trees or {}).get(node, "none"))
        vectors.append(Vector(made.bits, bounds))
        yield read, made


class _Counter:
    """Walks a circuit in order: `rows` are the bits of each node, `reads` those that it computes from."""

    def __init__(self, circuit: Circuit, pipeline: Pipeline) -> None:
        self.circuit, self.pipeline = circuit, pipeline
        self.cells: Counter[str] = Counter()
        self.rows: list[Row] = []
        self.reads: list[set[Bit]] = []

    def walk(self) -> None:
        """Follow the bits of every node and count its cells."""
        for read, made in mapped(self.circuit, _trees(self.circuit, self.pipeline)):
            self.cells.update(made.cells)
            self.rows.append(made.bits)
            self.reads.append({bit for vector in read for bit in vector.bits} if made.cells else set())

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


def _trees(circuit: Circuit, pipeline: Pipeline) -> dict[Node, Tree]:
    """Adders that nothing reads but one other adder of the same stage, unshifted, and that one: they become one."""
    users: defaultdict[Node, list[Node]] = defaultdict(list)
    for node, arguments in enumerate(circuit.arguments):
        for argument in arguments:
            users[argument].append(node)
    outputs = {*circuit.logits, circuit.winner}
    inner: dict[Node, Node] = {}
    for node, operation in enumerate(circuit.operations):
        if not operation.added or node in outputs or len(users[node]) != 1:
            continue
        user = users[node][0]
        shifts, place = circuit.operations[user].added, circuit.arguments[user].index(node)
        unshifted = place < len(shifts) and not shifts[place]
        # a sign that is extended is an operand of its own
        bounds = circuit.ranges[node]
        whole = not bounds.signed or bounds.width == circuit.ranges[user].width
        if unshifted and whole and pipeline.stage[user] == pipeline.stage[node]:
            inner[node] = user
    trees: dict[Node, Tree] = dict.fromkeys(inner.values(), "root")
    return trees | dict.fromkeys(inner, "inner")
