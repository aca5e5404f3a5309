"""The pipeline that meets a clock: no stage deeper than its family allows, and no more registers than others take."""

from __future__ import annotations

import numpy as np
import pytest
from support.any_network import random_network
from support.hardware_cases import sparse_classifier

from qap.hardware.circuit import Circuit, lower_network
from qap.hardware.circuit.pipeline import Pipeline, fastest_pipeline, pipelined, times
from qap.hardware.circuit.stages import TIMINGS, Timing, cut_pipeline, lean_pipeline, pipeline_for
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
        slowest = max(times(circuit)[1])
        for pipeline in (lean_pipeline(circuit, depth), cut_pipeline(circuit, pipelined(circuit, depth))):
            assert longest_path(circuit, pipeline) == pipeline.longest <= max(depth, slowest)
            assert pipeline.latency == 1 + max(pipeline.stage[node] for node in (*circuit.logits, circuit.winner))


def test_a_lean_pipeline_takes_no_more_than_an_early_one() -> None:
    less = 0
    for circuit in circuits():
        for depth in (2.0, 3.0, 5.0):
            early, lean = pipelined(circuit, depth), lean_pipeline(circuit, depth)
            costs = [each.latency * each.flipflops(circuit) for each in (early, lean)]
            assert costs[1] <= costs[0]
            less += costs[1] < costs[0]
    assert less > 0


@pytest.mark.parametrize("family", TIMINGS)
def test_a_slower_clock_takes_no_more_cycles(family: Family) -> None:
    circuit = lower_network(simplify(sparse_classifier()).network, family)
    cycles = [pipeline_for(circuit, "auto", family, clock_ns).latency for clock_ns in (0.1, 3.0, 6.0, 12.0, 1e3)]
    assert cycles == sorted(cycles, reverse=True) and cycles[0] > cycles[-1] == 1


def test_what_is_asked_for_is_what_comes() -> None:
    circuit = lower_network(simplify(sparse_classifier()).network)
    assert pipeline_for(circuit, "fastest", "xc7", 5.0) == fastest_pipeline(circuit)
    assert pipeline_for(circuit, "fastest", "xc7", 5.0, lut_budget=1) == fastest_pipeline(circuit, 1)
    assert pipeline_for(circuit, 3, "xc7", 5.0) == pipelined(circuit, 3)
    assert Timing(1.0, 0.5).levels(5.0) == 8.0 and Timing(1.0, 0.5).levels(0.5) == 1.0
