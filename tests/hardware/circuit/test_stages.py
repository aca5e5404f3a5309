"""The pipeline that meets a clock: no stage deeper than its family allows, and no registers more than it needs."""

from __future__ import annotations

import numpy as np
import pytest
from support.any_network import random_network
from support.hardware_cases import sparse_classifier

from qap.hardware.circuit import Circuit, lower_network
from qap.hardware.circuit.builder import Builder
from qap.hardware.circuit.pipeline import Pipeline, delays_of, fastest_pipeline, pipelined
from qap.hardware.circuit.retiming import retimed
from qap.hardware.circuit.stages import TIMINGS, Timing, pipeline_for
from qap.hardware.circuit.wires import ZERO, Bit, Vector
from qap.hardware.devices import Family
from qap.network import simplify


def circuits() -> list[Circuit]:
    networks = [sparse_classifier(), *(random_network(np.random.default_rng(seed)) for seed in range(12))]
    return [lower_network(simplify(network).network) for network in networks]


def longest_path(circuit: Circuit, pipeline: Pipeline) -> float:
    """Levels of LUTs between two registers, at most; every argument must be there when it is read."""
    level: list[float] = []
    for node, arguments in enumerate(circuit.arguments):
        assert all(pipeline.stage[a] <= pipeline.stage[node] for a in arguments)
        delay = circuit.operations[node].levels(circuit.read_ranges(node), circuit.ranges[node])
        level.append(
            delay + max((level[a] for a in arguments if pipeline.stage[a] == pipeline.stage[node]), default=0.0)
        )
    return max(level)


@pytest.mark.parametrize("depth", [1.0, 2.5, 4.0, 7.3, 100.0])
def test_no_stage_is_deeper_than_was_asked_for(depth: float) -> None:
    for circuit in circuits():
        early = pipelined(circuit, depth)
        pipeline = retimed(circuit, early)
        assert longest_path(circuit, pipeline) == pipeline.longest <= max(depth, *delays_of(circuit))
        assert max(pipeline.stage[node] for node in (*circuit.logits, circuit.winner)) < pipeline.latency
        assert pipeline.latency == early.latency


def test_moved_registers_are_never_more() -> None:
    less = 0
    for circuit in circuits():
        for depth in (1.0, 2.0, 3.0, 5.0):
            early = pipelined(circuit, depth)
            bits = [kept_bits(circuit, each) for each in (early, retimed(circuit, early))]
            assert bits[1] <= bits[0]
            less += bits[1] < bits[0]
    assert less > 5


def kept_bits(circuit: Circuit, pipeline: Pipeline) -> int:
    """Registers that are left when those that hold the same bit at the same time are one, shift registers included."""
    source: list[list[tuple[int, int] | None]] = []  # for each node where its bits come from; None for constants
    for node, arguments in enumerate(circuit.arguments):
        bounds = circuit.ranges[node]
        own = Vector([Bit(node, place) for place in range(bounds.width)], bounds)
        read = [Vector([ZERO if bit is None else Bit(*bit) for bit in source[a]], circuit.ranges[a]) for a in arguments]
        made = circuit.operations[node].cells(read, own).bits
        source.append([tuple(bit) if bit.node >= 0 else None for bit in made])
    kept = set()
    for node, count in enumerate(pipeline.carried):
        at = pipeline.stage[node]
        kept |= {(bit, at + age) for age in range(count) for bit in source[node] if bit is not None}
    return len(kept)


def random_sums(rng: np.random.Generator) -> Circuit:
    """Sums of sums, all of whose bits are their own."""
    builder = Builder(inputs=4, low=-8, high=7)
    nodes = list(builder.inputs)
    for _ in range(20):
        a, b = (nodes[index] for index in rng.choice(len(nodes), 2, replace=False))
        nodes.append(builder.add(a, b, subtract=bool(rng.integers(2))))
    return builder.finish(nodes[-3:], nodes[-1])


def least_registers(circuit: Circuit, depth: float, latency: int) -> float:
    """The fewest bits in registers by linear programming, over every pair of nodes on a path that is too long."""
    from scipy.optimize import linprog

    count, delays = len(circuit.operations), delays_of(circuit)
    length = np.full((count, count), -np.inf)
    rows: list[tuple[int, int, int]] = []
    for node, arguments in enumerate(circuit.arguments):
        length[node, node] = delays[node]
        for argument in arguments:
            length[:, node] = np.maximum(length[:, node], length[:, argument] + delays[node])
            rows += [(argument, node, 0), (node, count + argument, 0)]
        rows += [(each, node, 1) for each in range(node) if length[each, node] > depth]
        rows.append((node, count + node, 0))
    matrix = np.zeros((len(rows), 2 * count))
    for row, (before, behind, _) in enumerate(rows):
        matrix[row, before], matrix[row, behind] = 1, -1
    widths = np.array([bounds.width for bounds in circuit.ranges])
    outputs = {*circuit.logits, circuit.winner}
    bounds = [(0, 0 if node < circuit.inputs else latency - 1) for node in range(count)]
    bounds += [(latency if node in outputs else 0, latency) for node in range(count)]
    least = [-least for *_, least in rows]
    return float(linprog(np.concatenate([-widths, widths]), matrix, least, bounds=bounds).fun)


@pytest.mark.parametrize("seed", range(8))
def test_no_placement_has_fewer_registers(seed: int) -> None:
    circuit = random_sums(np.random.default_rng(seed))
    for depth in (max(delays_of(circuit)), 3.2):
        pipeline = retimed(circuit, pipelined(circuit, depth))
        assert pipeline.latency > 1
        assert pipeline.flipflops(circuit) == pytest.approx(least_registers(circuit, depth, pipeline.latency))


@pytest.mark.parametrize("family", TIMINGS)
def test_a_slower_clock_takes_no_more_cycles(family: Family) -> None:
    circuit = lower_network(simplify(sparse_classifier()).network, family)
    cycles = [pipeline_for(circuit, "auto", family, clock_ns).latency for clock_ns in (0.1, 3.0, 6.0, 12.0, 1e3)]
    assert cycles == sorted(cycles, reverse=True) and cycles[0] > cycles[-1] == 1


def test_what_is_asked_for_is_what_comes() -> None:
    circuit = lower_network(simplify(sparse_classifier()).network)
    assert pipeline_for(circuit, "fastest", "xc7", 5.0) == fastest_pipeline(circuit)
    assert pipeline_for(circuit, "fastest", "xc7", 5.0, lut_budget=1) == fastest_pipeline(circuit, 1)
    assert pipeline_for(circuit, 3, "xc7", 5.0) == retimed(circuit, pipelined(circuit, 3))
    assert Timing(1.0, 0.5).levels(5.0) == 8.0 and Timing(1.0, 0.5).levels(0.5) == 1.0
