"""What a sweep has left: its points, read from its records only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from qap.errors import DataError
from qap.explore.sweep.records import RECORDS, SWEEP, Records
from qap.explore.sweep.report.pareto import pareto_front
from qap.explore.sweep.spec import Sweep, load_sweep
from qap.hardware.resources import RESOURCE_NAMES, SOURCE_NAMES
from qap.rows import data_frame_of

AXES = {
    "weight_bits": "weight bits",
    "activation_bits": "activation bits",
    "input_bits": "input bits",
    "reuse_factor": "reuse factor",
    "clock_ns": "clock period (ns)",
    "sparsity": "sparsity asked for",
    "units": "hidden neurons",
}
"""Axes, as people name them; others are named as in the file of the sweep."""
PLAIN = ("strategy", "part")  # their values say what they are


@dataclass(frozen=True, slots=True)
class Amount:
    """An estimated number with the interval in which 80 % of the measured designs fell, where one is known."""

    middle: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One point and what was found there.

    Args:
        index: its place in the sweep.
        values: by axis; axes that change together are taken apart.
        error: why there is nothing, None if there is.
        accuracy: of the integer network, by part of the data.
        sizes: `parameters`, `nonzeros`, `size_bytes` of the network.
        estimates: by stage, then by field of a report; counts that are no resources have the stage "".
        measured: of the synthesized RTL, by field of a report; empty if it was not synthesized.
        notes: what a reader has to know.
    """

    index: int
    values: Mapping[str, Any]
    error: str | None = None
    accuracy: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    estimates: Mapping[str, Mapping[str, Amount]] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        """The stage that comes nearest to what the part holds: the last."""
        return list(self.estimates)[-1] if self.estimates else ""

    @property
    def amounts(self) -> Mapping[str, Amount]:
        """What is estimated there."""
        return self.estimates.get(self.stage, {})

    def name(self, axes: Iterable[str]) -> str:
        """What tells it from other points.

        Args:
            axes: that have more than one value.
        """
        return ", ".join(f"{axis_name(axis, shown(self.values.get(axis)))}" for axis in axes) or "the only point"


@dataclass(frozen=True)
class SweepResults:
    """A sweep with its points.

    Args:
        folder: where it lies.
        sweep: its file.
        points: those that have a record, in the order of the sweep.
        left_out: records of points that this sweep has not.
    """

    folder: Path
    sweep: Sweep
    points: tuple[SweepPoint, ...]
    left_out: int

    @cached_property
    def good(self) -> tuple[SweepPoint, ...]:
        """Points at which there is something."""
        return tuple(point for point in self.points if point.error is None)

    @cached_property
    def failed(self) -> tuple[SweepPoint, ...]:
        """Points at which there is nothing, and it is known why."""
        return tuple(point for point in self.points if point.error is not None)

    def to_dataframe(self) -> Any:
        """The points with a result as rows of a `pandas.DataFrame`: axes, accuracies, estimated amounts.

        Raises:
            ToolMissing: pandas is not installed.
        """
        return data_frame_of(
            [
                dict(point.values)
                | {f"{part} accuracy": share for part, share in point.accuracy.items()}
                | {amount_label(name): amount.middle for name, amount in point.amounts.items()}
                for point in self.good
            ]
        )

    @property
    def missing(self) -> int:
        """Points without a record."""
        return max(0, self.sweep.size - len(self.points))

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """All axes, in the order of the file."""
        return tuple(dict.fromkeys(axis for point in self.points for axis in point.values))

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The axes with more than one value."""
        return tuple(axis for axis in self.axes if len({shown(point.values.get(axis)) for point in self.points}) > 1)

    @cached_property
    def stage(self) -> str:
        """The stage whose amounts are shown: the last."""
        return self.good[0].stage if self.good else ""

    @cached_property
    def amounts(self) -> tuple[str, ...]:
        """What is estimated at some point; of counts, those of the whole network."""
        names = dict.fromkeys(name for point in self.good for name in point.amounts if " of " not in name)
        return tuple(names)

    @cached_property
    def cost(self) -> str | None:
        """What the front weighs against accuracy: LUTs, or the first count where they were not estimated."""
        return "lut" if "lut" in self.amounts else next(iter(self.amounts), None)

    @cached_property
    def front(self) -> tuple[SweepPoint, ...]:
        """The points that no other beats in validation accuracy and in cost, from the cheapest on."""
        able = [point for point in self.good if self.cost in point.amounts]
        costs = [(point.amounts[str(self.cost)].middle, -point.accuracy["validation"]) for point in able]
        best = [able[place] for place in pareto_front(costs)]
        return tuple(sorted(best, key=lambda point: (point.amounts[str(self.cost)].middle, point.index)))


def read_results(folder: Path) -> SweepResults:
    """Read a sweep and its records.

    Raises:
        DataError: the records are missing, damaged or of another version, or no point has one.
        RecipeError: the file of the sweep is missing or damaged.
    """
    sweep = load_sweep(str(folder / SWEEP))
    records = Records(folder).read()
    wanted = {axis: {_text(value) for value in values} for axis, values in sweep.axes.items()}
    own: dict[str, SweepPoint] = {}
    for line, record in enumerate(records, 2):
        try:
            if _belongs(record["values"], wanted):
                own[_text(record["values"])] = _point(record)  # the last one is of the file as it is now
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{folder / RECORDS}: line {line} is damaged ({type(error).__name__}: {error}); delete it, and "
                "--resume does the point again"
            ) from error
    if not own:
        raise DataError(f"{folder / RECORDS} has no finished point of this sweep yet; qap sweep --resume goes on")
    points = tuple(sorted(own.values(), key=lambda point: point.index))
    return SweepResults(folder, sweep, points, len(records) - len(points))


def axis_label(axis: str) -> str:
    """An axis, as people name it."""
    return AXES.get(axis, axis)


def axis_name(axis: str, value: str) -> str:
    """An axis with a value, as a name of points."""
    return value if axis in PLAIN else f"{axis_label(axis)} {value}"


def shown(value: Any) -> str:
    """A value of an axis."""
    if isinstance(value, list | tuple):
        return "-".join(map(shown, value)) or "none"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("_", " ") if text.replace("_", "").isalpha() else text


def amount_label(amount: str) -> str:
    """An amount of an estimate, as people name it."""
    return RESOURCE_NAMES.get(amount, amount.replace("_", " "))


def stage_label(stage: str) -> str:
    """What a stage's numbers are."""
    return f"estimated, {SOURCE_NAMES.get(stage, stage)}" if stage else "counted in the network"


def _belongs(values: Mapping[str, Any], wanted: Mapping[str, set[str]]) -> bool:
    return values.keys() == wanted.keys() and all(_text(value) in wanted[axis] for axis, value in values.items())


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _point(record: Mapping[str, Any]) -> SweepPoint:
    values: dict[str, Any] = {}
    for axis, value in record["values"].items():
        values |= value if isinstance(value, Mapping) else {axis: value}
    if record["error"] is not None:
        return SweepPoint(int(record["point"]), values, str(record["error"]))
    estimate = record["estimate"]
    stages = {name: _amounts(stage) for name, stage in estimate["stages"].items()}
    counts = {name: Amount(float(number)) for name, number in estimate["counts"].items()}
    return SweepPoint(
        index=int(record["point"]),
        values=values,
        accuracy={part: float(record["accuracy"][part]) for part in ("validation", "test")},
        sizes={name: int(record[name]) for name in ("parameters", "nonzeros", "size_bytes")},
        estimates={**({"": counts} if counts and not stages else {}), **stages},
        measured={name: float(n) for name in RESOURCE_NAMES if (n := (record["synth"] or {}).get(name)) is not None},
        notes=tuple(str(note) for note in estimate["notes"]),
    )


def _amounts(stage: Mapping[str, Any]) -> dict[str, Amount]:
    found = {}
    for name in RESOURCE_NAMES:
        if (middle := stage["report"].get(name)) is not None:
            low, high = stage["low"].get(name), stage["high"].get(name)
            found[name] = Amount(float(middle), *(None if end is None else float(end) for end in (low, high)))
    return found
