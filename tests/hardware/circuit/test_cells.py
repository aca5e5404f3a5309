"""What synthesis makes of a circuit, counted on circuits made by hand: registers, kinds of cells, LUTs of tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from qap.fixed import IntArray, Rounding
from qap.hardware.circuit import Circuit
from qap.hardware.circuit.builder import Builder
from qap.hardware.circuit.cells import LUTS_PER_CELL, SHIFT_REGISTER_LENGTH, count_cells
from qap.hardware.circuit.counters import counted_sum
from qap.hardware.circuit.operations import Mapped, Operation, Tree
from qap.hardware.circuit.pipeline import Pipeline, pipelined
from qap.hardware.circuit.tables import TruthTable
from qap.hardware.circuit.wires import Range, Vector, Wire
from qap.hardware.circuit.xilinx import Chosen, Compared

FITTED = {  # LUTs that Yosys 0.70 makes of a hundred cells, from the fit to 38 random networks
    "add": 102, "compress": 69, "invert": 106, "add table": 146, "table": 90, "wide table": 86, "clip": 0, "round": 43,
    "mux": 194, "greater": 47, "shift": 63, "slice": 100, "full table": 100, "logic": 100,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hundred(Operation):
    """Takes a hundred cells of a kind."""

    cell: str

    def range(self, arguments: Sequence[Range]) -> Range:
        return Range(0, 1)

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        return arguments[0]

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        return arguments[0].name

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        return 1.0

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        return 100.0

    def cells(self, arguments: Sequence[Vector], result: Vector, tree: Tree = "none") -> Mapped:
        return Mapped(result.bits, {self.cell: 100})


def staged(circuit: Circuit, *stages: int) -> Pipeline:
    """A pipeline that computes the nodes in these stages."""
    return Pipeline(1, stages, 1 + max(stages), 1.0, (0,) * len(stages))


@pytest.mark.parametrize("kind", LUTS_PER_CELL)
def test_a_hundred_cells_of_each_kind_take_what_was_fitted(kind: str) -> None:
    builder = Builder(1, 0, 1)
    node = builder.node(Hundred(kind), builder.inputs[0])
    circuit = builder.finish([node], node)
    assert count_cells(circuit, staged(circuit, 0, 0)).lut == FITTED[kind]
    assert set(FITTED) == set(LUTS_PER_CELL)


@pytest.mark.parametrize("delay", [0, 1, 2, 3, 4, 31, 32, 33, 64, 65, 96, 97, 1000])
def test_a_bit_that_waits_long_is_kept_in_shift_registers_of_32(delay: int) -> None:
    builder = Builder(1, 0, 1)
    node = builder.node(Hundred("logic"), builder.inputs[0])
    circuit = builder.finish([node], node)
    cells = count_cells(circuit, staged(circuit, 0, delay))
    shift = -(-delay // SHIFT_REGISTER_LENGTH) if delay >= 3 else 0
    assert (cells.shift, cells.ff) == (shift, 1 + (delay if delay < 3 else 0)), "the output is one register more"
    assert cells.lut == round(100 + 0.63 * shift)


def test_a_bit_that_is_read_in_several_stages_is_carried_once() -> None:
    builder = Builder(1, 0, 1)
    early, late = (builder.node(Hundred(kind), builder.inputs[0]) for kind in ("logic", "table"))
    circuit = builder.finish([early, late], late)
    cells = count_cells(circuit, staged(circuit, 0, 2, 42))
    # the input: two registers up to stage 2, then 40 stages in two shift registers; `early` waits 41 stages
    assert (cells.shift, cells.ff) == (2 + 2, 2 + 1)


def kinds_of(builder: Builder, node: int, depth: int = 50) -> dict[str, float]:
    """The kinds of cells of a circuit, told from the LUTs that remain when only one kind has any."""
    circuit = builder.finish([node], node)
    pipeline, found = pipelined(circuit, depth), {}
    for kind in LUTS_PER_CELL:
        with pytest.MonkeyPatch.context() as patched:
            for other in LUTS_PER_CELL:
                patched.setitem(LUTS_PER_CELL, other, float(other == kind))
            count = count_cells(circuit, pipeline).lut
        if count:
            found[kind] = count
    return found


Build = Callable[[Builder, int, int, int], int]


def count_of_eight(builder: Builder, a: int, b: int, c: int) -> int:
    """Two chains: seven bits into three, and the eighth bit with them."""
    bits = [builder.slice(node, place, place) for node in (a, b) for place in range(4)]
    return counted_sum(builder, dict.fromkeys(bits, 1)).node


OPERATIONS: dict[str, tuple[Build, dict[str, float]]] = {  # on three inputs of four bits
    "a sum": (lambda builder, a, b, c: builder.add(a, b), {"add": 4}),
    "a difference": (lambda builder, a, b, c: builder.add(a, b, subtract=True), {"add": 4}),
    "a sum whose low bits are wires": (lambda builder, a, b, c: builder.add(a, b, shift_b=2), {"add": 2}),
    "a negation": (lambda builder, a, b, c: builder.add(builder.constant(0), a, subtract=True), {"invert": 4}),
    "a tree": (lambda builder, a, b, c: builder.add(builder.add(a, b), c), {"compress": 4, "add": 4}),
    "a comparison": (lambda builder, a, b, c: builder.greater(a, b), {"greater": 4}),
    "a choice": (lambda builder, a, b, c: builder.mux(builder.greater(a, b), b, c), {"greater": 4, "mux": 4}),
    "a comparison in slices": (lambda builder, a, b, c: builder.node(Compared(), a, b), {"slice": 2}),
    "a choice in slices": (
        lambda builder, a, b, c: builder.node(Chosen(), builder.slice(a, 0, 0), b, c), {"slice": 2}
    ),
    "a count of eight bits": (count_of_eight, {"slice": 5}),
    "a limit": (lambda builder, a, b, c: builder.clip(builder.add(a, b), 0, 15), {"add": 4, "clip": 4}),
    "a rounding": (lambda builder, a, b, c: builder.round(a, 2, Rounding.RND), {"round": 3}),
    "a table": (lambda builder, a, b, c: builder.truth_table([a], lambda rows: (rows[:, 0] == 5) * 1), {"table": 1}),
    "a table of six inputs": (
        lambda builder, a, b, c: builder.truth_table(
            [a, builder.slice(b, 1, 0)], lambda rows: (4 * rows[:, 0] + rows[:, 1] == 37) * 1
        ),
        {"full table": 1},
    ),
    "a table of eight inputs": (
        lambda builder, a, b, c: builder.truth_table([a, b], lambda rows: (rows[:, 0] > rows[:, 1]) * 1),
        {"wide table": 4},
    ),
    "a sum with a table": (
        lambda builder, a, b, c: builder.add_table(a, 0, [b], 0, lambda rows: 15 - rows[:, 0]), {"add table": 4}
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", OPERATIONS)
def test_every_operation_takes_cells_of_its_kind(what: str) -> None:
    build, kinds = OPERATIONS[what]
    builder = Builder(3, 0, 15)
    assert kinds_of(builder, build(builder, *builder.inputs)) == kinds


def test_every_kind_of_cells_is_made_by_an_operation() -> None:
    made = {kind for _, kinds in OPERATIONS.values() for kind in kinds}
    assert made == set(LUTS_PER_CELL) - {"shift", "logic"}, "registers, and operations of one's own"


@pytest.mark.parametrize("inputs", range(1, 10))
def test_a_table_takes_a_lut_for_each_different_column_and_doubles_beyond_six_inputs(inputs: int) -> None:
    random = np.random.default_rng(inputs)
    for bits in (1, 3, 5):
        values = random.integers(0, 1 << bits, 1 << inputs)
        table = TruthTable(tuple(int(value) for value in values))
        columns = {tuple(values >> bit & 1) for bit in range(bits)}
        different = {column for column in columns if len(set(column)) > 1}
        luts = len(different) * 2 ** max(0, inputs - 6)
        assert table.luts([Range(0, 1)] * inputs, Range(0, (1 << bits) - 1)) == luts
        assert table.luts([Range(0, (1 << inputs) - 1)], Range(0, (1 << bits) - 1)) == luts
