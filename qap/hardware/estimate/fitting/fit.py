"""Fitting of the few constants to measured designs, every source weighing the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from qap.hardware.devices import HLS_FAMILIES, Family
from qap.hardware.estimate.amounts import Amounts, add, network_amounts
from qap.hardware.estimate.constants import Constants, Measured, Spread
from qap.hardware.estimate.fitting.calibration import Design
from qap.hardware.estimate.fitting.delays import search_delays
from qap.hardware.estimate.products import FloatArray
from qap.hardware.estimate.schedule import Delays
from qap.hardware.estimate.terms import LayerWork, Terms
from qap.hardware.estimate.work import network_work

ROUNDS = 30
"""Of the reweighting that turns squares into absolute values."""
FLOOR = 100.0
"""Added to both sides of a ratio of LUTs or flip-flops, so that 2 instead of 1 is no catastrophe."""
LAYERS_WEIGHT = 0.5
"""Weight of the reports of a source's single layers, beside 1 for its whole designs."""
LUT_PRIORS: Terms = {
    "addition_bits": 1.0,
    "chained_bits": 1.0,
    "product_bits": 1.0,
    "multiplier_bits": 1.0,
    "step_bits": 1.0,
}
"""What the gates say: a LUT for each bit of an adder or comparator, and for each pair of bits of a multiplier."""
FF_PRIORS: Terms = {
    "registers": 1.0,
    "registers_reused": 1.0,
    "chain_registers": 1.0,
    "chain_registers_reused": 1.0,
    "waiting_products": 0.5,
}
"""A flip-flop for each bit that is kept; about half of the products of a shared multiplier wait."""
PRIOR_WEIGHT = 0.3
"""Against all rows; it decides only what no row tells."""
UNCOMPARABLE = {"csynth": {"pairing_unverified"}, "vivado": {"pairing_unverified", "vivado_dsp_saturated"}}
"""Flags of rows that are neither fitted nor scored."""
UNFITTED = UNCOMPARABLE["csynth"] | {"types_unknown"}
"""Guessed types are good enough to be scored, but not to learn from."""


class Row(NamedTuple):
    """An amount, the terms that it is a sum of, and its weight."""

    terms: Terms
    measured: float
    weight: float


def fit_constants(designs: Sequence[Design], delays: Mapping[Family, Delays] | None = None) -> Constants:
    """The constants for these designs; the spreads are left to a cross-validation.

    Args:
        designs: measured ones.
        delays: searched for, if they are not given.
    """
    designs = [design for design in designs if not design.flags & UNFITTED]
    delays = delays or {family: search_delays(designs, family) for family in HLS_FAMILIES}
    works = [network_work(design.network, delays) for design in designs]
    fitted = Constants(
        delays=delays,
        lut=fit_ratios(
            _rows(designs, works, "lut", lambda work: work.lut, lambda work: work.activation_lut), LUT_PRIORS
        ),
        ff=fit_ratios(_rows(designs, works, "ff", lambda work: work.ff, lambda work: work.activation_ff), FF_PRIORS),
        latency=fit_differences(_latency_rows(designs, works)),
        vivado={},
        spreads={},
    )
    return replace(fitted, vivado=fit_vivado(designs), measured=measured(designs))


def measured(designs: Sequence[Design]) -> tuple[Measured, ...]:
    """What is alike in designs, those that are alike once; layers that are shared differently are no evidence."""
    found = set()
    for design in designs:
        layers = design.network.layers
        alike = {(layer.strategy, layer.reuse_factor) for layer in layers}
        if len(alike) == 1 and not design.network.stream and not design.flags & UNFITTED:
            bits = max(layer.weight_format.width for layer in layers)
            found.add(Measured(design.network.family, *alike.pop(), bits))
    return tuple(sorted(found))


def estimate_design(design: Design, constants: Constants) -> Amounts:
    """What the constants say of a design."""
    return network_amounts(network_work(design.network, constants.delays), constants)


def _rows(
    designs: Sequence[Design],
    works: Sequence[list[LayerWork]],
    amount: str,
    inside: Callable[[LayerWork], Terms],
    between: Callable[[LayerWork], Terms],
) -> list[Row]:
    """Whole designs, and their layers where HLS reported them."""
    found: list[tuple[str, bool, Terms, float]] = []
    for design, layers in zip(designs, works, strict=True):
        if amount in design.csynth and not design.network.stream:
            terms = add([*(inside(layer) for layer in layers), *(between(layer) for layer in layers)])
            found.append((design.source, False, terms, design.csynth[amount]))
        for index, measured in design.layers.items():
            if amount in measured and not design.network.stream:
                found.append((design.source, True, inside(layers[index]), measured[amount]))
    return _weighted(found)


def _latency_rows(designs: Sequence[Design], works: Sequence[list[LayerWork]]) -> list[Row]:
    """What designs take beside the cycles of their layers."""
    found: list[tuple[str, bool, Terms, float]] = []
    for design, layers in zip(designs, works, strict=True):
        if "latency_cycles" in design.csynth and design.multi_layer and not design.network.stream:
            rest = design.csynth["latency_cycles"] - sum(layer.latency_cycles for layer in layers)
            found.append((design.source, False, add(layer.latency for layer in layers), rest))
    return _weighted(found)


def _weighted(found: list[tuple[str, bool, Terms, float]]) -> list[Row]:
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    for source, single, _, _ in found:
        counts[source, single] += 1
    return [
        Row(terms, measured, (LAYERS_WEIGHT if single else 1.0) / counts[source, single])
        for source, single, terms, measured in found
    ]


def fit_ratios(rows: Sequence[Row], priors: Terms) -> Terms:
    """Non-negative coefficients for which the absolute logarithms of estimated / measured are smallest.

    Args:
        rows: amounts and their terms.
        priors: what some coefficients are held at, as weakly as `PRIOR_WEIGHT`.
    """
    names, x, y, weights = _matrix(rows)
    pull = np.sqrt(weights) / (y + FLOOR)
    solution = nnls(*_with_priors(names, priors, *_scaled(x, y, pull)))
    for _ in range(ROUNDS):
        ratio = (x @ solution + FLOOR) / (y + FLOOR)
        pull = np.sqrt(weights / np.maximum(np.abs(np.log(ratio)), 0.02) / ratio) / (y + FLOOR)
        solution = nnls(*_with_priors(names, priors, *_scaled(x, y, pull)))
    return priors | {name: float(value) for name, value in zip(names, solution, strict=True) if value > 0}


def _with_priors(names: list[str], priors: Terms, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows that hold coefficients at their priors."""
    strength = np.sqrt(PRIOR_WEIGHT) * np.maximum(np.sqrt((x**2).sum(axis=0)), 1e-9)
    held = np.array([priors.get(name, 0.0) for name in names])
    known = np.array([name in priors for name in names])
    return np.vstack([x, np.diag(strength)[known]]), np.concatenate([y, (strength * held)[known]])


def fit_differences(rows: Sequence[Row]) -> Terms:
    """Non-negative coefficients for which the absolute differences are smallest."""
    names, x, y, weights = _matrix(rows)
    solution = nnls(*_scaled(x, y, np.sqrt(weights)))
    for _ in range(ROUNDS):
        off = np.maximum(np.abs(x @ solution - y), 0.3)
        solution = nnls(*_scaled(x, y, np.sqrt(weights / off)))
    return {name: float(value) for name, value in zip(names, solution, strict=True) if value > 0}


def _matrix(rows: Sequence[Row]) -> tuple[list[str], FloatArray, FloatArray, FloatArray]:
    names = sorted({name for row in rows for name in row.terms})
    x = np.array([[row.terms.get(name, 0.0) for name in names] for row in rows])
    return names, x, np.array([row.measured for row in rows]), np.array([row.weight for row in rows])


def _scaled(x: FloatArray, y: FloatArray, by: FloatArray) -> tuple[FloatArray, FloatArray]:
    return x * by[:, None], y * by


def nnls(x: FloatArray, y: FloatArray) -> FloatArray:
    """Non-negative least squares of rows and columns of any length: (rows, columns), (rows,) -> (columns,)."""
    from scipy.optimize import nnls as solve

    scale = np.sqrt((x**2).sum(axis=0))
    scale[scale == 0] = 1
    solution, _ = solve(x / scale, y)
    return np.asarray(solution / scale)


def fit_vivado(designs: Sequence[Design]) -> Terms:
    """The geometric mean over the sources of amounts after Vivado's synthesis to those in the HLS report."""
    ratios: dict[str, dict[str, list[float]]] = {"lut": defaultdict(list), "ff": defaultdict(list)}
    for design in designs:
        for amount, by_source in ratios.items():
            if not design.flags & UNCOMPARABLE["vivado"] and design.vivado.get(amount) and design.csynth.get(amount):
                by_source[design.source].append(np.log(design.vivado[amount] / design.csynth[amount]))
    return {
        amount: float(np.exp(np.mean([np.mean(logs) for logs in by_source.values()]))) if by_source else 1.0
        for amount, by_source in ratios.items()
    }


def spread(values: Sequence[float], weights: Sequence[float]) -> Spread:
    """The weighted 10 % and 90 % quantiles."""
    order = np.argsort(values)
    ordered: Any = np.asarray(values, float)[order]
    share = np.cumsum(np.asarray(weights, float)[order])
    share = share / share[-1]
    low, high = (int(np.searchsorted(share, at - 1e-9)) for at in (0.1, 0.9))
    return Spread(float(ordered[low]), float(ordered[min(high, len(ordered) - 1)]))
