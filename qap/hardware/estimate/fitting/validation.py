"""Cross-validation of the HLS estimator: every design is estimated by constants that were fitted without its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from qap.hardware.estimate.amounts import Amounts
from qap.hardware.estimate.constants import Constants, Spread
from qap.hardware.estimate.fitting.calibration import Design
from qap.hardware.estimate.fitting.fit import UNCOMPARABLE, estimate_design, fit_constants, spread
from qap.hardware.estimate.hls4ml import spread_group
from qap.hardware.resources import AMOUNTS
from qap.hardware.tools import Tell

FOLDS = 5
"""Of the designs whose strategy occurs in no other source; they are left out by their shape."""
CYCLES = ("latency_cycles", "ii_cycles")


class Prediction(NamedTuple):
    """A design, and what was estimated without knowing its source.

    Args:
        design: the design.
        amounts: of the HLS report.
        vivado: Vivado's LUTs and flip-flops for each one in the HLS report, fitted on the other sources.
    """

    design: Design
    amounts: Amounts
    vivado: dict[str, float]


def cross_validate(designs: Sequence[Design], progress: Tell) -> list[Prediction]:
    """Estimate every design without its source.

    The resource strategy occurs in one source only: its designs are left out by their shape instead.

    Args:
        designs: all of them.
        progress: told the name of each source when its turn comes.
    """
    predictions = []
    for source in sorted({design.source for design in designs}):
        progress(source)
        others = [design for design in designs if design.source != source]
        fitted = fit_constants(others)
        mine = [design for design in designs if design.source == source]
        lonely = [design for design in mine if spread_group(design.network) == "resource"]
        if any(spread_group(design.network) == "resource" for design in others):
            lonely = []
        predictions += [_predict(design, fitted) for design in mine if design not in lonely]
        predictions += _by_shape(lonely, others, fitted)
    return predictions


def _by_shape(designs: list[Design], others: list[Design], fitted: Constants) -> list[Prediction]:
    predictions = []
    for fold in range(FOLDS) if designs else ():
        outside = [design for design in designs if _fold(design) != fold]
        constants = fit_constants([*others, *outside], fitted.delays)
        predictions += [_predict(design, constants) for design in designs if _fold(design) == fold]
    return predictions


def _fold(design: Design) -> int:
    layer = design.network.layers[0]
    return (layer.n_in + 2 * layer.n_out) // 32 % FOLDS


def _predict(design: Design, fitted: Constants) -> Prediction:
    return Prediction(design, estimate_design(design, fitted), dict(fitted.vivado))


def with_spreads(fitted: Constants, predictions: Sequence[Prediction]) -> Constants:
    """The constants with the intervals in which 80 % of the cross-validated designs fell."""
    groups: dict[str, dict[str, Spread]] = {}
    for group in ("latency", "latency_reused", "resource"):
        rows = [each for each in predictions if spread_group(each.design.network) == group and _usable(each.design)]
        groups[group] = {amount: found for amount in AMOUNTS if (found := _spread(rows, amount))}
    rows = [each for each in predictions if each.design.vivado and not each.design.flags & UNCOMPARABLE["vivado"]]
    groups["vivado_synth"] = {
        amount: Spread(min(off), max(off))
        for amount in ("lut", "ff")
        if (off := [each.design.vivado[amount] / each.design.csynth[amount] / fitted.vivado[amount] for each in rows])
    }
    return replace(fitted, spreads=groups)


def _usable(design: Design) -> bool:
    return not design.flags & UNCOMPARABLE["csynth"] and not design.network.stream


def _spread(rows: Sequence[Prediction], amount: str) -> Spread | None:
    """Ratios for resources, differences for cycles; every source weighs the same."""
    values, sources = [], []
    for row in rows:
        measured, estimated = row.design.csynth.get(amount), float(getattr(row.amounts, amount))
        if measured is None:
            continue
        if amount in CYCLES:
            values.append(measured - estimated)
        elif estimated or not measured:
            values.append(measured / estimated if estimated else 1.0)
        else:
            continue
        sources.append(row.design.source)
    if not values:
        return None
    return spread(values, [1 / sources.count(source) for source in sources])


def smape(estimated: Sequence[float], measured: Sequence[float]) -> float:
    """The mean of 2 |e - m| / (e + m), in percent; 0 where both are 0."""
    e, m = np.asarray(estimated, float), np.asarray(measured, float)
    total = np.where(e + m > 0, e + m, 1.0)
    return float(100 * np.mean(2 * np.abs(e - m) / total))
