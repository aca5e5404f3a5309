"""The tables of a sweep: its front, all its points, what failed; and all numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from qap.explore.sweep.report.results import (
    Amount,
    SweepPoint,
    SweepResults,
    amount_label,
    axis_label,
    shown,
    stage_label,
)
from qap.hardware.resources import COUNTS, resource_names
from qap.report.tables import NOT_MEASURED, Cell, Column, Content, Rows, Table, count, numbers, percent, table, texts

MOST_ROWS = 2000
MOST_NAMES = 6
MEASURED = resource_names(*COUNTS, "latency_cycles")


def front_table(results: SweepResults) -> Table:
    """The points of the Pareto front, from the cheapest on."""
    cost = amount_label(str(results.cost))
    caption = (
        f"The Pareto front: no other point has a higher validation accuracy and as few {cost}, or fewer {cost} and as "
        f"high an accuracy. {cost}: {stage_label(results.stage)}. The test part decides nothing here."
    )
    return table(caption, _columns(results), (_cells(point, results) for point in results.front))


def points_table(results: SweepResults) -> Table:
    """All points at which there is something."""
    front = {point.index for point in results.front}
    rows: Rows = [
        [*_cells(point, results), Cell("yes", kind="good") if point.index in front else ""]
        for point in results.good[:MOST_ROWS]
    ]
    caption = (
        "Accuracies are measured, on the integer network. LUT, FF and the like are "
        f"{stage_label(results.stage)}; below them the interval in which 80 % of the measured designs fell."
        if results.stage
        else "Accuracies are measured, on the integer network; the other figures are counted in it."
    )
    if len(rows) < len(results.good):
        caption += f" The first {count(MOST_ROWS)} of {count(len(results.good))} points; records.csv has all."
    return table(caption, [*_columns(results), Column("on the front")], rows)


def failures_table(results: SweepResults) -> Table:
    """Why points failed, the most frequent reason first."""
    reasons: dict[str, list[SweepPoint]] = {}
    for point in results.failed:
        reasons.setdefault(str(point.error), []).append(point)
    rows: Rows = []
    for reason, points in sorted(reasons.items(), key=lambda item: -len(item[1])):
        names = [point.name(results.varied or results.axes) for point in points[:MOST_NAMES]]
        more = [f"and {count(len(points) - MOST_NAMES)} more"] if len(points) > MOST_NAMES else []
        rows.append([reason, count(len(points)), "; ".join([*names, *more])])
    return table("Points without a result.", texts("why") + numbers("points") + texts("which"), rows)


def records_csv(results: SweepResults) -> str:
    """Every number of every point; empty where there is none."""
    columns = list(dict.fromkeys(name for point in results.points for name in _flat(point)))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_flat(point) for point in results.points)
    return buffer.getvalue()


def _flat(point: SweepPoint) -> Mapping[str, object]:
    cells: dict[str, object] = {"point": point.index}
    # words, since a spreadsheet would make a date of 16-8
    cells |= {axis: " ".join(map(str, v)) if isinstance(v, list) else v for axis, v in point.values.items()}
    cells["error"] = point.error or ""
    cells |= {f"accuracy_{part}": share for part, share in point.accuracy.items()} | dict(point.sizes)
    for stage, amounts in point.estimates.items():
        for name, found in amounts.items():
            where = f"{stage}_{name}_estimated" if stage else name
            cells[where] = _whole(found.middle)
            if found.low is not None and found.high is not None:
                cells |= {f"{where}_low": _whole(found.low), f"{where}_high": _whole(found.high)}
    return cells | {f"rtl_{name}_measured": _whole(number) for name, number in point.measured.items()}


def _columns(results: SweepResults) -> list[Column]:
    axes = [Column(axis_label(axis), numeric=_numeric(results, axis)) for axis in results.axes]
    found = [f"{amount_label(name)}{', estimated' if results.stage else ''}" for name in results.amounts]
    measured = [f"{label} of the RTL, measured" for name, label in MEASURED.items() if _is_measured(results, name)]
    heads = ("validation accuracy", "test accuracy", "not zero", "bytes", *found, *measured)
    return [Column("point", numeric=True), *axes, *numbers(*heads)]


def _cells(point: SweepPoint, results: SweepResults) -> Iterator[Content]:
    yield str(point.index)
    yield from (shown(point.values[axis]) if axis in point.values else "" for axis in results.axes)
    yield from (percent(point.accuracy[part]) for part in ("validation", "test"))
    yield from (count(point.sizes[name]) for name in ("nonzeros", "size_bytes"))
    yield from (_amount(point.amounts.get(name)) for name in results.amounts)
    for name in MEASURED:
        if _is_measured(results, name):
            yield _number(point.measured[name]) if name in point.measured else NOT_MEASURED


def _amount(found: Amount | None) -> Content:
    if found is None:
        return "not estimated"
    if found.low is None or found.high is None or found.low == found.high:
        return _number(found.middle)
    return Cell(_number(found.middle), f"{_number(found.low)} to {_number(found.high)}")


def _number(number: float) -> str:
    return f"{_whole(number):,}"


def _whole(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _numeric(results: SweepResults, axis: str) -> bool:
    values = [point.values.get(axis) for point in results.points]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _is_measured(results: SweepResults, name: str) -> bool:
    return any(name in point.measured for point in results.good)
