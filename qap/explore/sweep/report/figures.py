"""Figures of a sweep: accuracy and resources against what was swept, and accuracy against cost."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from qap.explore.sweep.report.plan import MOST_ROWS, TARGET_AXES, Line, Plan
from qap.explore.sweep.report.results import SweepPoint, SweepResults, amount_label, axis_label, shown
from qap.hardware.resources import COUNTS, RESOURCE_NAMES
from qap.report.figures import GREY, INK, WIDTH, styled

PANELS = (*COUNTS, "latency_cycles")
MOST_PANELS = 5
MOST_BANDS = 3
WIDE_RANGE = 20  # the largest so many times the smallest asks for a logarithmic scale
LEAST_SPAN = 0.5  # points of accuracy
MANY_POINTS = 500  # more of one line are drawn as one picture instead of as many elements
MOST_NAME_LINES = 20
INDENT = "\u2003"  # plain blanks vanish in SVG
NEAR, LETTER = 22, 9  # pixels between spots, points of a letter
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@styled
def accuracy_figure(results: SweepResults, plan: Plan) -> Figure:
    """Accuracy on validation and test along the horizontal axis; what only the target changes is one line."""
    figure = Figure(figsize=(WIDTH, 3.0), facecolor="white")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    lines = plan.lines(_one_for_each_network(results.good), [axis for axis in results.axes if not is_target(axis)])
    for axes, part in zip(panels, ("validation", "test"), strict=True):
        for line in lines:
            y = [100 * point.accuracy[part] for point in line.points]
            axes.plot([plan.place(point) for point in line.points], y, markersize=4.5, **line.style)
        axes.set_title(f"{part} part", loc="left")
        _horizontal(axes, plan)
    panels[0].set_ylabel("accuracy (%, measured)")
    _widen(panels[0])
    _legend(figure, lines)
    return figure


@styled
def resources_figure(results: SweepResults, plan: Plan) -> Figure:
    """A panel for each resource, in a row for each value of the first axis; bands are the 80 % intervals."""
    names = [name for name in PANELS if name in results.amounts] or list(results.amounts)
    names = names[:MOST_PANELS]
    lines = plan.lines(results.good)
    rows = _rows(lines, plan)
    figure = Figure(figsize=(WIDTH, 1.0 + (1.55 if len(rows) > 1 else 2.3) * len(rows)), facecolor="white")
    grid = figure.subplots(len(rows), len(names), sharex=True, sharey="col", squeeze=False)
    for panels, (title, members) in zip(grid, rows, strict=True):
        for axes, name in zip(panels, names, strict=True):
            _resource(axes, name, members, plan)
        panels[0].set_ylabel(title)
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(amount_title(name).replace(" (", "\n("), loc="left")
        _vertical(axes, results, name)
    for axes in grid[-1]:
        _horizontal(axes, plan)
    measured = [line for line in grid[0][0].lines if line.get_label() == MEASURED]
    _legend(figure, lines, extra=measured[:1])
    return figure


MEASURED = "RTL of the same network, measured (Yosys)"


def _resource(axes: Axes, name: str, lines: Sequence[Line], plan: Plan) -> None:
    banded = [line for line in lines if line.joined and _has_interval(line, name)]
    for line in lines:
        points = [point for point in line.points if name in point.amounts]
        x = [plan.place(point) for point in points]
        found = [point.amounts[name] for point in points]
        y = [each.middle for each in found]
        axes.plot(x, y, markersize=3.5, clip_on=False, rasterized=len(x) > MANY_POINTS, **line.style)
        if line in banded and len(banded) <= MOST_BANDS:
            low, high = [each.low or 0.0 for each in found], [each.high or each.middle for each in found]
            axes.fill_between(x, low, high, color=line.style["color"], alpha=0.13, linewidth=0)
    measured = {(plan.place(p), p.measured[name]) for line in lines for p in line.points if name in p.measured}
    if measured:
        axes.plot(*zip(*sorted(measured), strict=True), color=INK, marker="x", linestyle="none", label=MEASURED)


def _has_interval(line: Line, name: str) -> bool:
    found = [point.amounts[name] for point in line.points if name in point.amounts]
    return bool(found) and all(each.low is not None and each.high is not None for each in found)


@styled
def front_figure(results: SweepResults, plan: Plan) -> Figure:
    """Accuracy against cost, with the Pareto front as stairs and its points named beside the figure."""
    cost = str(results.cost)
    figure = Figure(figsize=(WIDTH, 4.0), facecolor="white")
    axes, beside = figure.subplots(1, 2, width_ratios=[2, 1])
    lines = plan.lines([point for point in results.good if cost in point.amounts])
    for line in lines:
        x, y = [_cost(point, cost) for point in line.points], [_accuracy(point) for point in line.points]
        axes.plot(x, y, markersize=4, alpha=0.75, rasterized=len(x) > MANY_POINTS, **line.style | {"linestyle": "none"})
    spots = front_spots(results)
    axes.step(
        [x for x, _ in spots], [y for _, y in spots], where="post", color=GREY, linewidth=1.2, zorder=1.5,
        label="Pareto front",
    )  # fmt: skip
    axes.set_xlabel(amount_title(cost))
    axes.set_ylabel("validation accuracy (%, measured)")
    _scale(axes.xaxis, [_cost(point, cost) for point in results.good if cost in point.amounts])
    axes.margins(y=0.12)
    _widen(axes)
    _letters(axes, list(spots))
    _front_names(beside, results, spots)
    _legend(figure, lines)
    return figure


def _letters(axes: Axes, spots: Sequence[tuple[float, float]]) -> None:
    """A letter beside each spot, and beside that of a spot that is near."""
    before, aside = None, 0
    for letter, spot in zip(LETTERS, spots, strict=False):
        x, y = ([end] for end in spot)
        axes.plot(x, y, marker="o", markersize=10, markerfacecolor="none", color=INK, linestyle="none")
        here = axes.transData.transform(spot)
        near = before is not None and abs(here - before).max() < NEAR
        before, aside = here, aside + LETTER if near else 0
        axes.annotate(letter, spot, (-6 - aside, 6), textcoords="offset points", ha="right", weight="bold", color=INK)


def _front_names(axes: Axes, results: SweepResults, spots: dict[tuple[float, float], list[SweepPoint]]) -> None:
    axes.axis("off")
    told: list[str] = []
    each = 3 if len(spots) <= 3 else 1
    for letter, ((x, y), points) in zip(LETTERS, spots.items(), strict=False):
        lines = [f"{letter}  {y:.2f} %, {x:,.0f} {amount_label(str(results.cost))}"]
        for point in points[:each]:
            lines += textwrap.wrap(point.name(results.varied), 44, initial_indent=INDENT, subsequent_indent=INDENT * 2)
        lines += [f"{INDENT}and {len(points) - each} equal"] if len(points) > each else []
        if len(told) + len(lines) > MOST_NAME_LINES:
            told.append("the others are in the table")
            break
        told += lines
    text = "\n".join(["On the Pareto front:", *told])
    axes.text(0, 1, text, transform=axes.transAxes, va="top", fontsize=7.5, linespacing=1.45)


def front_spots(results: SweepResults) -> dict[tuple[float, float], list[SweepPoint]]:
    """The front by cost and validation accuracy (%); points that are equal in both share a spot."""
    spots: dict[tuple[float, float], list[SweepPoint]] = {}
    for point in results.front:
        spots.setdefault((_cost(point, str(results.cost)), _accuracy(point)), []).append(point)
    return spots


def amount_title(amount: str) -> str:
    """An amount of an estimate with its unit, and that it is not measured."""
    label = amount_label(amount)
    return f"{label.rstrip(')')}, estimated)" if "(" in label else f"{label} ({TOLD[amount in RESOURCE_NAMES]})"


TOLD = {True: "estimated", False: "counted"}


def is_target(axis: str) -> bool:
    """Whether an axis changes the hardware only, not the network."""
    return axis in TARGET_AXES or axis.startswith(("target.", "rtl."))


def _cost(point: SweepPoint, cost: str) -> float:
    return point.amounts[cost].middle


def _accuracy(point: SweepPoint) -> float:
    return 100 * point.accuracy["validation"]


def _one_for_each_network(points: Sequence[SweepPoint]) -> list[SweepPoint]:
    """Points that differ in the target alone have the same network, so the same accuracy."""
    found: dict[Any, SweepPoint] = {}
    for point in points:
        key = tuple((axis, shown(value)) for axis, value in point.values.items() if not is_target(axis))
        found.setdefault(key, point)
    return list(found.values())


def _rows(lines: Sequence[Line], plan: Plan) -> list[tuple[str, list[Line]]]:
    """A row for each colour where that leaves lines apart, else one row for all."""
    rows: dict[int, list[Line]] = {}
    for line in lines:
        rows.setdefault(line.colour, []).append(line)
    if plan.first is None or not plan.others or not 2 <= len(rows) <= MOST_ROWS:
        return [("", list(lines))]
    first = plan.first
    return [
        (f"{axis_label(first)}\n{shown(members[0].points[0].values.get(first))}", members) for members in rows.values()
    ]


def _widen(axes: Axes) -> None:
    """Show no difference as a cliff that a few samples make."""
    low, high = axes.get_ylim()
    if (missing := LEAST_SPAN - (high - low)) > 0:
        axes.set_ylim(low - missing, high)


def _horizontal(axes: Axes, plan: Plan) -> None:
    axes.set_xlabel(plan.label)
    if not plan.numeric:
        names = list(plan.places)
        axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
        return
    values = sorted(set(plan.places.values()))
    if all(value == int(value) for value in values) and values[-1] - values[0] <= 16:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    else:
        _scale(axes.xaxis, values, from_zero=False)


def _vertical(axes: Axes, results: SweepResults, name: str) -> None:
    found = [point.amounts[name] for point in results.good if name in point.amounts]
    measured = [point.measured[name] for point in results.good if name in point.measured]
    ends = [each.high for each in found if each.high is not None] if axes.collections else []
    _scale(axes.yaxis, [*(each.middle for each in found), *measured], top=max(ends, default=0.0))


def _scale(axis: Any, values: Sequence[float], *, from_zero: bool = True, top: float = 0.0) -> None:
    """Logarithmic for positive numbers over a wide range, else linear from 0."""
    axes, low, high = axis.axes, min(values), max(values)
    set_scale, set_limits = (
        (axes.set_xscale, axes.set_xlim) if axis.axis_name == "x" else (axes.set_yscale, axes.set_ylim)
    )
    if low > 0 and high / low >= WIDE_RANGE:
        set_scale("log")
        axis.set_major_locator(LogLocator(subs=(1,) if high / low > 300 else (1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    elif from_zero:
        set_limits(0, max(1.0, 1.08 * high, 1.02 * top))
        axis.set_major_locator(MaxNLocator(nbins=5, integer=high >= 5 or high == 0))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))


def _number(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if abs(value) >= 1e4 else f"{value:g}"


def _legend(figure: Figure, lines: Sequence[Line], extra: Sequence[Any] = ()) -> None:
    """Below the figure, unless there is nothing to tell apart."""
    drawn = {text: handle for axes in figure.axes for handle, text in zip(*axes.get_legend_handles_labels())}  # noqa: B905
    labels = [line.label for line in lines if line.label] + [str(each.get_label()) for each in extra]
    if "Pareto front" in drawn:
        labels.append("Pareto front")
    if len(labels) > 1 or (labels and labels != [""]):
        longest = max(map(len, labels))
        columns = max(1, min(4, len(labels), 150 // (longest + 8)))
        figure.legend([drawn[label] for label in labels], labels, loc="outside lower center", ncols=columns)
