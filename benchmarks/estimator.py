"""How near the HLS estimator comes to measured designs, in a cross-validation that leaves out one source at a time.

    python benchmarks/estimator.py [CALIBRATION_DIR]

Prints Markdown: for every resource and every source the SMAPE, the median of estimated / measured, and R2, of all
designs and of those with several layers; the goals, met or missed; and the time for a network of 10,000 weights. Scores
are stored, no design. Without the designs nothing is stored and the exit status is 2.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from stored import add_out, store

from qap.errors import DataError
from qap.fixed import FixedPoint
from qap.hardware.estimate import ESTIMATORS
from qap.hardware.estimate.fitting.calibration import read_designs
from qap.hardware.estimate.fitting.fit import UNCOMPARABLE
from qap.hardware.estimate.fitting.validation import Prediction, cross_validate, smape
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.recipe import TargetRecipe

DEFAULT = Path(__file__).parents[2] / "shared" / "data" / "synthesis" / "calibration"
RESOURCES = ("dsp", "lut", "ff", "bram18", "latency_cycles", "ii_cycles")
NEAR_CYCLES = 2
REPEATS = 20


class Goal(NamedTuple):
    """What is aimed at for designs of several layers, and how it is measured."""

    what: str
    unit: str
    limit: float
    at_most: bool
    amount: str
    of: Callable[[Sequence[float], Sequence[float]], float]


def near(estimated: Sequence[float], measured: Sequence[float]) -> float:
    return float(100 * np.mean(np.abs(np.subtract(estimated, measured)) <= NEAR_CYCLES))


def exact(estimated: Sequence[float], measured: Sequence[float]) -> float:
    return float(100 * np.mean(np.equal(estimated, measured)))


GOALS = (
    Goal("DSP, SMAPE", "%", 5, True, "dsp", smape),
    Goal("LUT, SMAPE", "%", 15, True, "lut", smape),
    Goal("FF, SMAPE", "%", 20, True, "ff", smape),
    Goal(f"latency within {NEAR_CYCLES} cycles", "% of the designs", 50, False, "latency_cycles", near),
    Goal("II exact", "% of the designs", 100, False, "ii_cycles", exact),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("calibration", type=Path, nargs="?", default=DEFAULT, help="folder of measured designs")
    add_out(parser)
    arguments = parser.parse_args()
    try:
        designs = read_designs(arguments.calibration)
    except DataError as error:
        print(f"nothing is measured: {error}", file=sys.stderr)
        return 2
    predictions = cross_validate(designs, lambda source: print(f"without {source}", file=sys.stderr, flush=True))
    usable = [each for each in predictions if not each.design.flags & UNCOMPARABLE["csynth"]]
    several = [each for each in usable if each.design.multi_layer]
    comparable = [each for each in predictions if not each.design.flags & UNCOMPARABLE["vivado"]]
    goals = score_goals(several)
    print_goals(goals)
    scores = {
        "HLS report, designs of several layers": scores_of(several, stage="csynth"),
        "HLS report, all designs": scores_of(usable, stage="csynth"),
        "Vivado synthesis": scores_of(comparable, stage="vivado"),
    }
    for title, amounts in scores.items():
        print_table(title, amounts)
    found = {
        "designs": {"all": len(designs), "sources": len({each.source for each in designs}), "several": len(several)},
        "goals": goals,
        "scores": scores,
        "milliseconds": milliseconds(random_network()),
    }
    print(f"\nA network of 10,000 weights: {found['milliseconds']:.1f} ms")
    store("estimator", found, arguments.out)
    return 0


def score_goals(predictions: list[Prediction]) -> list[dict[str, Any]]:
    """The goals, in means over the sources."""
    rows = []
    for goal in GOALS:
        pairs = by_source(predictions, goal.amount, "csynth").values()
        score = float(np.mean([goal.of(estimated, measured) for estimated, measured in pairs]))
        met = score <= goal.limit if goal.at_most else score >= goal.limit
        sign = "at most" if goal.at_most else "at least"
        rows.append({"what": goal.what, "goal": f"{sign} {goal.limit:g} {goal.unit}", "percent": score, "met": met})
    return rows


def print_goals(goals: list[dict[str, Any]]) -> None:
    print("\n### Goals\n\n| designs of several layers, HLS report | goal | measured | |\n|---|---|---|---|")
    for row in goals:
        print(f"| {row['what']} | {row['goal']} | {row['percent']:.1f} % | {'met' if row['met'] else 'missed'} |")


def scores_of(predictions: list[Prediction], stage: str) -> dict[str, dict[str, dict[str, Any]]]:
    """For each resource and source the number of designs and the scores; "mean" is that over the sources."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for amount in RESOURCES:
        sources = by_source(predictions, amount, stage)
        rows = {source: {"designs": len(e), "scores": score(e, m)} for source, (e, m) in sources.items()}
        if rows:
            columns = zip(*(row["scores"] for row in rows.values()), strict=True)
            known = [[value for value in column if value is not None] for column in columns]
            rows["mean"] = {"designs": None, "scores": [float(np.mean(column)) if column else None for column in known]}
        found[amount] = rows
    return found


def print_table(title: str, amounts: dict[str, dict[str, dict[str, Any]]]) -> None:
    """One line for each resource and source, and their mean."""
    print(f"\n### {title}\n\n| | source | designs | SMAPE | median e/m | R2 | within 2 | exact |\n|{'---|' * 8}")
    for amount, rows in amounts.items():
        for source, row in rows.items():
            named = (f"**{amount}**", f"**mean of {len(rows) - 1} sources**") if source == "mean" else (amount, source)
            print(f"| {named[0]} | {named[1]} | {row['designs'] or ''} | {shown(row['scores'])} |")


def by_source(predictions: list[Prediction], amount: str, stage: str) -> dict[str, tuple[list[float], list[float]]]:
    """Estimated and measured amounts of each source."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for each in predictions:
        measured = (each.design.csynth if stage == "csynth" else each.design.vivado).get(amount)
        if measured is None:
            continue
        estimated = float(getattr(each.amounts, amount))
        if stage == "vivado":
            estimated *= each.vivado.get(amount, 1.0)
        pair = found.setdefault(each.design.source, ([], []))
        pair[0].append(round(estimated))
        pair[1].append(measured)
    return found


def score(estimated: list[float], measured: list[float]) -> list[float | None]:
    """SMAPE, median ratio, R2, share within two, share exact."""
    e, m = np.array(estimated), np.array(measured)
    scatter = float(((m - m.mean()) ** 2).sum())
    return [
        smape(e, m),
        float(np.median(e[m > 0] / m[m > 0])) if (m > 0).any() else None,
        1 - float(((e - m) ** 2).sum()) / scatter if scatter else None,
        near(e, m),
        exact(e, m),
    ]


def shown(line: Sequence[float | None]) -> str:
    forms = ("{:.1f} %", "{:.2f}", "{:.2f}", "{:.0f} %", "{:.0f} %")
    return " | ".join("" if value is None else form.format(value) for form, value in zip(forms, line, strict=True))


def random_network() -> IntegerNetwork:
    """About 10,000 weights of 6 bits in four layers."""
    random = np.random.default_rng(0)
    weights, outputs = FixedPoint(True, 6, 1), FixedPoint(False, 8, 4)
    specs = [
        LayerSpec(f"dense{index}", random.integers(-32, 32, (n_in, n_out)), weights,
                  random.integers(-32, 32, n_out), weights, "relu", outputs)
        for index, (n_in, n_out) in enumerate([(64, 100), (100, 30), (30, 16), (16, 10)])
    ]  # fmt: skip
    return connect(FixedPoint(False, 8, 0), specs, [str(index) for index in range(10)])


def milliseconds(network: IntegerNetwork) -> float:
    """The median time of an estimate."""
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        ESTIMATORS["hls4ml"](network, TargetRecipe())
        times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))


if __name__ == "__main__":
    sys.exit(main())
