"""The search for the delays of HLS' operators: those with which schedules have the registers and cycles of reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from qap.hardware.devices import Family
from qap.hardware.estimate.description import LayerDescription, alive
from qap.hardware.estimate.fitting.calibration import Design
from qap.hardware.estimate.products import FloatArray, Products, products
from qap.hardware.estimate.schedule import Delays, schedule
from qap.hardware.estimate.work import bias_width

RANGES: dict[Family, tuple[tuple[float, float], ...]] = {
    "xcup": ((0.5, 1.1), (0.001, 0.02), (0.3, 1.2), (1.0, 3.0), (1.0, 3.4), (0.2, 0.8)),
    "xc7": ((1.4, 2.8), (0.005, 0.05), (1.0, 2.6), (2.5, 4.4), (3.0, 6.0), (0.5, 2.5)),
}
"""Where the search begins, in the order of `Delays`: what the data sheets of the families leave possible."""
DRAWS, STEPS = 70, 60
MOST_DESIGNS = 8
"""Of one source, spread over its rows."""
FLOOR = 100.0
CYCLE_WEIGHT = 0.25
HOLD = 0.08
"""How much the middle of the ranges counts, for delays that no row can tell."""
BETWEEN_LAYERS = 0.6
"""Flip-flops for each bit between two layers, while only the layers are fitted."""


class _Case(NamedTuple):
    """Layers that are measured together."""

    source: str
    cycle: float
    layers: list[tuple[LayerDescription, Products]]
    outside: float
    ff: float
    latency: float | None


def search_delays(designs: Sequence[Design], family: Family) -> Delays:
    """The delays of a family, by random search; deterministic.

    Args:
        designs: measured designs; those of other families are left out.
        family: of parts.
    """
    low, high = np.array(RANGES[family]).T
    middle = np.sqrt(low * high)
    cases = _cases(designs, family)
    if not cases:
        return Delays(*map(float, middle))
    random = np.random.default_rng(1)
    best, least = middle, _cost(cases, middle, middle)
    for step in range(DRAWS + STEPS):
        if step < DRAWS:
            trial = low * (high / low) ** random.random(len(low))
        else:
            move = 0.12 * random.standard_normal(len(low)) * (random.random(len(low)) < 0.5)
            trial = np.clip(best * np.exp(move), low, high)
        cost = _cost(cases, trial, middle)
        if cost < least:
            best, least = trial, cost
    return Delays(*map(float, best))


def _cases(designs: Sequence[Design], family: Family) -> list[_Case]:
    usable: dict[str, list[Design]] = defaultdict(list)
    for design in designs:
        plain = all(layer.reuse_factor == 1 and layer.strategy == "latency" for layer in design.network.layers)
        if design.network.family == family and plain and not design.network.stream:
            usable[design.source].append(design)
    found = []
    for rows in usable.values():
        for design in rows[:: -(-len(rows) // MOST_DESIGNS)]:
            found += _cases_of(design)
    return found


def _cases_of(design: Design) -> list[_Case]:
    """The design as a whole when it has no reports of its layers."""
    network = design.network
    made = [(layer, products(layer, weight, network.tool))
            for layer, weight in zip(network.layers, alive(network.layers), strict=True)]  # fmt: skip
    if design.layers:
        return [
            _Case(design.source, network.usable_ns, [made[index]], 0.0, measured["ff"], measured["latency_cycles"])
            for index, measured in design.layers.items()
        ]
    if "ff" not in design.csynth or "types_unknown" in design.flags:
        return []
    bits = sum(layer.n_out * layer.activation_format.width for layer in network.layers)
    alone = None if design.multi_layer else design.csynth["latency_cycles"]
    return [_Case(design.source, network.usable_ns, made, BETWEEN_LAYERS * bits, design.csynth["ff"], alone)]


def _cost(cases: Sequence[_Case], trial: FloatArray, middle: FloatArray) -> float:
    delays = Delays(*map(float, trial))
    costs: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        sums = [
            schedule(made, bias_width(layer), layer.accum_format.width, case.cycle, delays, layer.reuse_factor)
            for layer, made in case.layers
        ]
        registers = case.outside + sum(each.register_bits for each in sums)
        cost = abs(float(np.log((registers + FLOOR) / (case.ff + FLOOR))))
        if case.latency is not None:
            cost += CYCLE_WEIGHT * abs(sum(each.latency for each in sums) - case.latency)
        costs[case.source].append(cost)
    return float(np.mean([np.mean(each) for each in costs.values()]) + HOLD * (np.log(trial / middle) ** 2).mean())
