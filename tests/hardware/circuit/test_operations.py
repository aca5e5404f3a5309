"""Every operation of a circuit on every number, evaluated and as Verilog, against integers of Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from support.hardware_cases import needs_simulator

from qap.fixed import Rounding
from qap.hardware.circuit import Circuit
from qap.hardware.circuit.arithmetic import Round
from qap.hardware.circuit.builder import Builder
from qap.hardware.circuit.operations import Operation
from qap.hardware.circuit.pipeline import pipelined
from qap.hardware.circuit.wires import LUT_INPUTS
from qap.hardware.circuit.xilinx import Chosen, Compared, Count, Step, possible
from qap.hardware.rtl import verilog
from qap.hardware.rtl.engine import CORE_HARNESS
from qap.hardware.rtl.simulate import build, run_core
from qap.hardware.rtl.verilog import CorePorts, core_verilog

LOW, HIGH = -16, 15
Says = Callable[[int, int], int]
"""What a node says of the two inputs."""


def rounded(value: int, drop: int, rounding: Rounding) -> int:
    exact = Fraction(value, 2**drop)
    if rounding is Rounding.RND_CONV:
        return round(exact)  # half to even
    return math.floor(exact + (Fraction(1, 2) if rounding is Rounding.RND else 0))


def square(rows: np.ndarray) -> np.ndarray:
    return rows[:, 0] ** 2 - 5 * (rows[:, -1] > 1)


def nodes(made: Builder) -> Iterator[tuple[int, Says]]:
    """Each operation, of signed numbers and of those that are never below 0, with what it should say."""
    a, b = made.inputs
    wide, positive = made.add(a, b, 3, 0), made.slice(made.add(a, b, 3, 0), 8, 1)
    of_wide: Says = lambda x, y: 8 * x + y  # noqa: E731
    of_positive: Says = lambda x, y: (8 * x + y) >> 1 & 255  # noqa: E731
    yield made.constant(-3), lambda x, y: -3
    yield made.add(a, b, 0, 2), lambda x, y: x + 4 * y
    yield made.add(a, positive, 2, 1, subtract=True), lambda x, y: 4 * x - 2 * of_positive(x, y)
    for rounding in Rounding:
        for drop in (1, 2, 5, 8, 9):
            for node, of in ((wide, of_wide), (positive, of_positive)):
                yield (
                    made.round(node, drop, rounding),
                    lambda x, y, of=of, drop=drop, rounding=rounding: rounded(of(x, y), drop, rounding),  # type: ignore[misc]
                )
    for low, high in ((-7, 20), (0, 9), (-300, 3), (5, 400)):
        yield made.clip(wide, low, high), lambda x, y, low=low, high=high: min(max(of_wide(x, y), low), high)  # type: ignore[misc]
    yield made.clip(positive, 3, 77), lambda x, y: min(max(of_positive(x, y), 3), 77)
    yield made.greater(a, b), lambda x, y: int(x > y)
    yield made.greater(positive, b), lambda x, y: int(of_positive(x, y) > y)
    yield made.mux(made.greater(a, b), wide, positive), lambda x, y: of_wide(x, y) if x > y else of_positive(x, y)
    yield (
        made.joined([made.slice(a, 2, 2), made.slice(b, 0, 0), made.slice(a, 0, 0)], 7),
        lambda x, y: (x >> 2 & 1) + 2 * (y & 1) + 4 * (x & 1),
    )
    yield made.slice(wide, 5, 2), lambda x, y: of_wide(x, y) >> 2 & 15
    yield made.slice(wide, 12, 6), lambda x, y: of_wide(x, y) >> 6 & 127
    yield made.signed(wide, 4), lambda x, y: (of_wide(x, y) + 8) % 16 - 8
    yield made.shift(b, 3), lambda x, y: 8 * y
    yield made.truth_table([a], square), lambda x, y: x**2 - 5 * (x > 1)
    yield made.truth_table([a, b], square), lambda x, y: x**2 - 5 * (y > 1)
    yield made.add_table(b, 1, [a], 2, square), lambda x, y: 2 * y + 4 * (x**2 - 5 * (x > 1))


def nodes_of_slices(made: Builder) -> Iterator[tuple[int, Says]]:
    """The operations that stand in slices: comparisons and choices of every sign, and counters of every step."""
    a, b = made.inputs
    wide, odd = made.add(a, b, 2, 0), made.slice(made.add(a, b, 3, 0), 6, 0)
    of_wide: Says = lambda x, y: 4 * x + y  # noqa: E731
    of_odd: Says = lambda x, y: (8 * x + y) & 127  # noqa: E731
    operands = ((a, lambda x, y: x), (b, lambda x, y: y), (wide, of_wide), (odd, of_odd))
    for (first, of_first), (second, of_second) in permutations(operands, 2):
        yield (
            made.node(Compared(), first, second),
            lambda x, y, of=(of_first, of_second): int(of[0](x, y) > of[1](x, y)),  # type: ignore[misc]
        )
        yield (
            made.node(Chosen(), made.greater(a, b), first, second),
            lambda x, y, of=(of_first, of_second): of[0 if x > y else 1](x, y),  # type: ignore[misc]
        )
    bits = [made.slice(node, place, place) for node in (a, b) for place in range(5)]
    of_bits = [lambda x, y, p=p: x >> p & 1 for p in range(5)] + [lambda x, y, p=p: y >> p & 1 for p in range(5)]  # type: ignore[misc]
    for ones, twos in product(range(1, LUT_INPUTS + 1), range(3)):
        if possible(ones, twos):
            step, used = Step(ones, twos), 1 + ones + twos
            weights = [1] + [1] * ones + [2] * twos
            inverted = 0b1010101010 & ((1 << min(ones + twos, 5)) - 1)
            yield (
                made.node(Count((step,), inverted), *bits[:used]),
                lambda x, y, weights=weights, inverted=inverted: sum(  # type: ignore[misc]
                    weight * (of(x, y) ^ (place > 0 and inverted >> place - 1 & 1))
                    for place, (weight, of) in enumerate(zip(weights, of_bits, strict=False))
                ),
            )
    chained = Count((Step(6), Step(2), Step(1)), 0b01)
    yield (
        made.node(chained, *bits),
        lambda x, y: (
            sum(of(x, y) for of in of_bits[:7]) + 1 - 2 * of_bits[1](x, y)
            + 4 * of_bits[7](x, y) + 4 * of_bits[8](x, y) + 8 * of_bits[9](x, y)
        ),
    )  # fmt: skip


def circuit() -> tuple[Circuit, list[Says]]:
    made = Builder(2, LOW, HIGH)
    found, said = zip(*nodes(made), *nodes_of_slices(made), strict=True)
    return made.finish(found, made.greater(*made.inputs)), list(said)


def every_input() -> np.ndarray:
    numbers = np.arange(LOW, HIGH + 1)
    return np.stack(np.meshgrid(numbers, numbers), axis=-1).reshape(-1, 2)


def expected(said: list[Says]) -> np.ndarray:
    return np.array([[says(x, y) for says in said] for x, y in every_input().tolist()])


def kinds(base: type) -> set[str]:
    """The names of the operations of qap, without those that only others are made of."""
    below: set[str] = set().union(*(kinds(each) for each in base.__subclasses__()))
    return below or ({base.__name__} if base.__module__.startswith("qap.") else set())


def test_every_operation_is_here_and_ties_of_every_kind() -> None:
    made, _ = circuit()
    assert {type(operation).__name__ for operation in made.operations} == kinds(Operation)
    assert {each.rounding for each in made.operations if isinstance(each, Round)} == set(Rounding)
    values = expected([lambda x, y: 8 * x + y])[:, 0]
    for drop in (1, 2, 5, 8):  # halves above an even number and above an odd one, both signs
        ties = values[values % 2**drop == 2 ** (drop - 1)]
        assert {(value >> drop) % 2 for value in ties} == {0, 1}
        assert drop == 8 or ties.min() < 0 < ties.max()


def test_every_operation_is_evaluated() -> None:
    made, said = circuit()
    logits, classes = made.evaluate(every_input())
    assert np.array_equal(logits, expected(said))
    assert np.array_equal(classes, every_input()[:, 0] > every_input()[:, 1])


@needs_simulator
@pytest.mark.parametrize("cell", [None, 4, 8])
def test_every_operation_is_simulated(tmp_path: Path, cell: int | None) -> None:
    made, said = circuit()
    width = 1 + max(made.ranges[node].width for node in made.logits)
    ports, stages = CorePorts(2, 5, len(said), width, 1), pipelined(made, 3)
    source = tmp_path / "core.v"
    source.write_text(core_verilog(made, stages, ports, "core", "every operation", cell), encoding="utf-8")
    models = Path(verilog.__file__).parent / "templates" / "xilinx_cells.v"
    program = build([source, models] if cell else [source], "core", CORE_HARNESS, cache=tmp_path)
    logits, _ = run_core(program, every_input(), ports, stages.latency, signed_logits=True)
    assert np.array_equal(logits, expected(said))
