"""A new operation of a circuit is one class, and a circuit can be read."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from support.hardware_cases import needs_simulator

from qap.fixed import IntArray
from qap.hardware.circuit import Circuit, builder, cells, pipeline
from qap.hardware.circuit.builder import Builder
from qap.hardware.circuit.cells import count_cells
from qap.hardware.circuit.operations import Operation
from qap.hardware.circuit.pipeline import pipelined
from qap.hardware.circuit.wires import Range, Wire
from qap.hardware.rtl import verilog
from qap.hardware.rtl.engine import CORE_HARNESS
from qap.hardware.rtl.simulate import build, run_core
from qap.hardware.rtl.verilog import CorePorts, core_verilog

PAGE = Path(__file__).parents[3] / "docs" / "circuit.md"
LOW, HIGH = -8, 7


@dataclass(frozen=True, slots=True)
class Least(Operation):
    """The smaller of two numbers, or a limit if that is smaller still: an operation that the package does not have."""

    limit: int

    def range(self, arguments: Sequence[Range]) -> Range:
        a, b = arguments
        return Range(min(a.low, b.low, self.limit), min(a.high, b.high, self.limit))

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        return np.minimum(np.minimum(*arguments), self.limit)

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        width = max(wire.width for wire in arguments) + 1
        a, b = (f"$signed({{{wire.extended(width)}}})" for wire in arguments)
        either = f"({a} < {b} ? {a} : {b})"
        return f"{either} < {self.limit} ? {either} : {self.limit}"

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        return 4.0

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        return 3.0 * result.width


def throw_away() -> Circuit:
    made = Builder(3, LOW, HIGH)
    a, b, c = made.inputs
    least = made.node(Least(5), made.add(a, b), c)
    return made.finish([made.add(least, a, subtract=True)], made.greater(least, b))


def expected(x: IntArray) -> tuple[IntArray, IntArray]:
    least = np.minimum(np.minimum(x[:, 0] + x[:, 1], x[:, 2]), 5)
    return (least - x[:, 0])[:, None], (least > x[:, 1]).astype(np.int64)


def every_input() -> IntArray:
    numbers = np.arange(LOW, HIGH + 1)
    return np.stack(np.meshgrid(numbers, numbers, numbers), axis=-1).reshape(-1, 3)


def test_a_new_operation_is_evaluated() -> None:
    x = every_input()
    logits, classes = throw_away().evaluate(x)
    assert np.array_equal(logits, expected(x)[0]) and np.array_equal(classes, expected(x)[1])


def test_a_new_operation_is_counted() -> None:
    made = Builder(2, LOW, HIGH)
    least = made.node(Least(5), *made.inputs)
    circuit = made.finish([least], made.slice(least, 0, 0))
    # four bits of three LUTs, and a register for each
    assert circuit.luts() == 12 and count_cells(circuit, pipelined(circuit, 4)) == (12, 0, 4)


def test_a_new_operation_that_can_only_be_one_number_is_a_constant() -> None:
    made = Builder(2, 0, HIGH)
    assert made.node(Least(0), *made.inputs) == made.constant(0)


def test_a_new_operation_is_listed() -> None:
    made = throw_away()
    assert "n4    Least(n3, n2, limit=5)  -16..5   5" in str(made).splitlines()
    assert "n4    Least(n3, n2, limit=5)  -16..5   5     1" in made.listing(pipelined(made, 4).stage).splitlines()


@needs_simulator
def test_a_new_operation_is_simulated(tmp_path: Path) -> None:
    made = throw_away()
    width = made.ranges[made.logits[0]].width
    ports = CorePorts(3, 4, 1, width, 1)
    stages = pipelined(made, 4)
    source = tmp_path / "core.v"
    source.write_text(core_verilog(made, stages, ports, "core", "an operation from elsewhere"), encoding="utf-8")
    assert stages.latency > 1
    x = every_input()
    program = build([source], "core", CORE_HARNESS, cache=tmp_path)
    logits, classes = run_core(program, x, ports, stages.latency, signed_logits=True)
    assert np.array_equal(logits, expected(x)[0]) and np.array_equal(classes, expected(x)[1])


@pytest.mark.parametrize("module", [builder, cells, pipeline, verilog], ids=lambda module: module.__name__)
def test_nothing_asks_an_operation_for_its_type(module: ModuleType) -> None:
    assert "isinstance" not in inspect.getsource(module)


def said_and_printed(page: str) -> Iterator[tuple[str, str]]:
    """What the page says that each block of Python prints, and what it prints; each block stands alone."""
    for block in re.finditer(r"```python\n(.*?)```(?:(?!```).)*```text\n(.*?)```", page, re.DOTALL):
        done = subprocess.run([sys.executable, "-c", block[1]], capture_output=True, text=True, check=True)
        yield block[2], done.stdout


def test_the_circuits_of_the_page_are_those_that_are_built() -> None:
    blocks = list(said_and_printed(PAGE.read_text(encoding="utf-8")))
    assert len(blocks) == 2
    for said, printed in blocks:
        assert said == printed


def test_a_circuit_that_the_page_shows_otherwise_is_seen() -> None:
    page = "```python\nprint('n3')\n```\n\nprints\n\n```text\nn4\n```\n"
    assert list(said_and_printed(page)) == [("n4\n", "n3\n")]
