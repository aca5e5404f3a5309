"""The pipeline that meets a clock: how deep a stage may be, and where registers take the fewest bits."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import accumulate
from typing import Literal, NamedTuple

from qap.hardware.circuit.builder import Circuit
from qap.hardware.circuit.pipeline import Pipeline, fastest_pipeline, outputs, pipelined, registers, times
from qap.hardware.devices import Family

StageDepth = int | Literal["auto", "fastest"]
TRIED_SHARES = (1.0, 0.98, 0.96, 0.94, 0.92, 0.9, 0.85, 0.8)
"""Shares of the depth at which stages are tried: where their ends fall decides how many bits wait there."""


class Timing(NamedTuple):
    """What a stage takes on a family: `register_ns + levels * level_ns`, the wires between the LUTs included."""

    register_ns: float
    level_ns: float

    def levels(self, clock_ns: float) -> float:
        """The levels of LUTs that fit a clock period, at least 1."""
        return max(1.0, (clock_ns - self.register_ns) / self.level_ns)


TIMINGS: dict[Family, Timing] = {
    "xc7": Timing(0.6, 0.55), "xcup": Timing(0.3, 0.3), "ecp5": Timing(4.0, 0.8), "ice40": Timing(4.0, 1.2),
}  # fmt: skip
"""ECP5 is fitted to nextpnr. The others are not measured: Xilinx' are a LUT and a wire of about 0.4 ns (7 series, -1)
or 0.2 ns (UltraScale+, -2), iCE40's are ECP5's with slower wires."""


def pipeline_for(
    circuit: Circuit, stage_depth: StageDepth, family: Family, clock_ns: float, lut_budget: int | None = None
) -> Pipeline:
    """The pipeline that was asked for.

    Args:
        circuit: the circuit.
        stage_depth: levels of LUTs in a stage; "auto" meets the clock with few registers and cycles, "fastest" has the
            shortest stages within the budget.
        family: whose delays "auto" takes.
        clock_ns: the clock period that "auto" meets, where no single operation takes longer.
        lut_budget: for "fastest", as in `fastest_pipeline`.

    Raises:
        QapError: the depth is below 1.
    """
    if stage_depth == "fastest":
        return fastest_pipeline(circuit, lut_budget)
    return (
        lean_pipeline(circuit, TIMINGS[family].levels(clock_ns))
        if stage_depth == "auto"
        else pipelined(circuit, stage_depth)
    )


def lean_pipeline(circuit: Circuit, stage_depth: float) -> Pipeline:
    """The pipeline of at most so many levels of LUTs in a stage with the least product of registers and cycles.

    The candidates compute everything early in stages of this depth or a little less, or cut the circuit where few
    bits are alive.

    Raises:
        QapError: the depth is below 1.
    """
    depths = [max(1.0, stage_depth * share) for share in TRIED_SHARES]
    candidates = [pipelined(circuit, depth) for depth in depths]
    candidates.append(cut_pipeline(circuit, candidates[0]))
    return min(candidates, key=lambda pipeline: pipeline.latency * pipeline.flipflops(circuit))


def cut_pipeline(circuit: Circuit, early: Pipeline) -> Pipeline:
    """A pipeline no deeper than another that cuts the circuit where the fewest bits are alive.

    Every operation has a time, when it is done without any registers. A register stands at a cut of these times, and
    the cuts are chosen together.
    """
    done, delays = times(circuit)
    cuts = _cuts(circuit, done, delays, max(early.stage_depth, early.longest))
    stage = [bisect_left(cuts, time) for time in done]
    latency = 1 + max(stage[node] for node in outputs(circuit))
    lean = replace(early, stage=tuple(stage), latency=latency, carried=registers(circuit, stage, latency))
    return replace(lean, longest=_longest(circuit, lean, delays))


def _longest(circuit: Circuit, pipeline: Pipeline, delays: list[float]) -> float:
    """Levels of LUTs of the longest stage."""
    level: list[float] = []
    for node, arguments in enumerate(circuit.arguments):
        inside = (level[a] for a in arguments if pipeline.stage[a] == pipeline.stage[node])
        level.append(max(inside, default=0.0) + delays[node])
    return max(level)


def _cuts(circuit: Circuit, done: list[float], delays: list[float], depth: float) -> list[float]:
    """The times to cut at: stages of at most the depth between them, and the fewest bits in registers.

    An operation that a cut goes through begins anew behind it, so the next cut counts from where it began.
    """
    moments = sorted(set(done))
    alive, begins = _at_moments(circuit, done, delays, moments)
    best: list[tuple[int, int, int]] = []  # for a cut at each time: bits, cuts and the cut before
    for index, time in enumerate(moments):
        reach = [at for at in range(index) if time - begins[at] <= depth]
        options = [(best[at][0], best[at][1], at) for at in reach]
        if time <= depth:
            options.append((0, 0, -1))
        bits, cuts, before = min(options)
        best.append((bits + alive[index], cuts + 1, before))
    chosen: list[float] = []
    at = best[-1][2]
    while at >= 0:
        chosen.append(moments[at])
        at = best[at][2]
    return chosen[::-1]


def _at_moments(
    circuit: Circuit, done: list[float], delays: list[float], moments: list[float]
) -> tuple[list[int], list[float]]:
    """For a cut at each time the bits that cross it, and when the earliest operation that it goes through began."""
    place = {time: index for index, time in enumerate(moments)}
    alive, begins = [0] * (len(moments) + 1), list(moments)
    last = _last_read(circuit, done, delays, moments[-1])
    for node, (time, delay) in enumerate(zip(done, delays, strict=True)):
        if circuit.ranges[node].constant or (not delay and node >= circuit.inputs):
            continue
        alive[place[time]] += circuit.ranges[node].width
        alive[place[last[node]]] -= circuit.ranges[node].width
        for index in range(bisect_left(moments, time - delay), place[time]):
            begins[index] = min(begins[index], time - delay)
    return list(accumulate(alive[:-1])), begins


def _last_read(circuit: Circuit, done: list[float], delays: list[float], end: float) -> list[float]:
    """When the last operation that reads each is done; wires hand on what they read, outputs are read at the end."""
    last = list(done)
    for node in outputs(circuit):
        last[node] = end
    for node in reversed(range(len(done))):
        needed = done[node] if delays[node] else last[node]
        for argument in circuit.arguments[node]:
            last[argument] = max(last[argument], needed)
    return last
