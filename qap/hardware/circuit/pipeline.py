"""The pipeline: which node is computed in which stage, and how deep a stage should be.

A stage holds at most `stage_depth` levels of LUTs between two registers. Every node is computed as early
as its arguments allow; what is needed later is carried along in registers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qap.errors import QapError
from qap.hardware.circuit.builder import Circuit, Node

MIN_SHIFT_REGISTER = 3
"""Synthesis for Xilinx packs so many registers in a row, and more, into LUTs."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """When each node of a circuit is computed.

    Args:
        stage_depth: the most levels of LUTs in a stage, where no operation takes more.
        stage: for each node the stage that computes it, from 0.
        latency: stages of the pipeline; the outputs are registers, so it is the latency in cycles.
        longest: levels of LUTs of the longest stage.
        carried: for each node how many registers it passes.
    """

    stage_depth: float
    stage: tuple[int, ...]
    latency: int
    longest: float
    carried: tuple[int, ...]

    def flipflops(self, circuit: Circuit) -> int:
        """Bits of all registers."""
        return sum(count * bounds.width for count, bounds in zip(self.carried, circuit.ranges, strict=True))

    def luts(self, circuit: Circuit) -> float:
        """The estimated LUTs of logic and shift registers."""
        shifts = sum(
            bounds.width
            for count, bounds in zip(self.carried, circuit.ranges, strict=True)
            if count >= MIN_SHIFT_REGISTER
        )
        return circuit.luts() + shifts


def pipelined(circuit: Circuit, stage_depth: float) -> Pipeline:
    """Pipeline a circuit with at most so many levels of LUTs in a stage.

    Raises:
        QapError: the depth is below 1.
    """
    if stage_depth < 1:
        raise QapError(f"stage_depth >= 1 must hold, but got stage_depth={stage_depth}")
    stage: list[int] = []
    level: list[float] = []
    for delay, arguments in zip(delays_of(circuit), circuit.arguments, strict=True):
        first = max((stage[a] for a in arguments), default=0)
        start = max((level[a] for a in arguments if stage[a] == first), default=0.0)
        if start and start + delay > stage_depth:
            first, start = first + 1, 0.0
        stage.append(first)
        level.append(start + delay)
    latency = 1 + max(stage[node] for node in outputs(circuit))
    carried = registers(circuit, stage, latency)
    return Pipeline(stage_depth, tuple(stage), latency, max(level), carried)


def fastest_pipeline(circuit: Circuit, lut_budget: int | None = None) -> Pipeline:
    """The pipeline with the shortest stages that fits a LUT budget; of equals the one with the fewest registers.

    Args:
        circuit: the circuit.
        lut_budget: estimated LUTs, shift registers included; None allows 10 % more than the least possible.
    """
    candidates = list(_pipelines(circuit))
    budget = lut_budget if lut_budget is not None else 1.1 * min(s.luts(circuit) for s in candidates)
    affordable = [s for s in candidates if s.luts(circuit) <= budget]
    if not affordable:
        return min(candidates, key=lambda s: s.luts(circuit))
    return min(affordable, key=lambda s: (s.longest, s.flipflops(circuit)))


def delays_of(circuit: Circuit) -> list[float]:
    """How long each operation takes, in levels of LUTs."""
    return [
        operation.levels(circuit.read_ranges(node), circuit.ranges[node])
        for node, operation in enumerate(circuit.operations)
    ]


def longest_stage(circuit: Circuit, stage: Sequence[int]) -> float:
    """Levels of LUTs of the longest stage."""
    level: list[float] = []
    for node, (delay, arguments) in enumerate(zip(delays_of(circuit), circuit.arguments, strict=True)):
        inside = (level[a] for a in arguments if stage[a] == stage[node])
        level.append(max(inside, default=0.0) + delay)
    return max(level)


def _pipelines(circuit: Circuit) -> Iterator[Pipeline]:
    """One for every depth up to the whole circuit in one stage."""
    depth = 1
    while True:
        pipeline = pipelined(circuit, depth)
        yield pipeline
        if pipeline.latency == 1:
            return
        depth += 1 if depth < 8 else depth // 2


def outputs(circuit: Circuit) -> tuple[Node, ...]:
    """The nodes that are registered at the end."""
    return (*circuit.logits, circuit.winner)


def registers(circuit: Circuit, stage: Sequence[int], latency: int) -> tuple[int, ...]:
    """For each node how many registers it passes until the last stage that reads it."""
    last = list(stage)
    for node, arguments in enumerate(circuit.arguments):
        for argument in arguments:
            last[argument] = max(last[argument], stage[node])
    for node in outputs(circuit):
        last[node] = latency
    return tuple(0 if circuit.ranges[node].constant else last[node] - stage[node] for node in range(len(stage)))
