"""The table and the figure of a comparison: text, CSV, JSON and SVG in one folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from qap.explore.comparison.compare import MEASURES, Comparison, Outcome, Statistic
from qap.files import write_text
from qap.report.figures import BLUE, GREY, INK, ORANGE, WIDTH, save_svg, short, styled

TEXT_WIDTH = 160
NONE = "-"
SPREAD = 20
"""Numbers that are further apart than by this factor are drawn on a logarithmic axis."""


def write_comparison(found: Comparison, folder: Path) -> dict[str, Path]:
    """Write the table as text, CSV and JSON, every run as CSV, and the figure; each whole or not at all.

    Args:
        found: at least one technique.
        folder: made if it is not there.

    Returns:
        What it is -> its path.

    Raises:
        DataError: a file cannot be written.
    """
    names = {
        "table": "comparison.txt",
        "CSV": "comparison.csv",
        "runs": "comparison_runs.csv",
        "JSON": "comparison.json",
        "figure": "comparison.svg",
    }
    paths = {what: folder / name for what, name in names.items()}
    figure = comparison_figure(found)
    write_text(paths["table"], comparison_text(found))
    write_text(paths["CSV"], _csv(_summary_rows(found)))
    write_text(paths["runs"], _csv([_run_row(each) for each in found.outcomes]))
    write_text(paths["JSON"], json.dumps(found.to_dict(), indent=2) + "\n")
    save_svg(figure, paths["figure"])
    return paths


def comparison_text(found: Comparison) -> str:
    """The table and what is to be said about it, as plain text."""
    count = len(found.of(found.techniques[0]))
    seeds = f"mean ± standard deviation of {count} seeds" if count > 1 else "1 seed"
    table = Table(title=Text(f"{found.recipe}: {seeds}", style="table.title"), title_justify="left")
    for head in (
        "technique", "test (%)", "validation (%)", "parameters", "non-zero", "bytes", "sparse bytes", "adders",
        f"LUT ({_lut_source(found)})", "training (s)",
    ):  # fmt: skip
        table.add_column(head, justify="left" if head == "technique" else "right", no_wrap=True)
    for technique in found.techniques:
        numbers = found.summary(technique)
        table.add_row(
            Text(technique),
            *(_accuracy(numbers[key]) for key in ("test", "validation")),
            *(_count(numbers[key]) for key in MEASURES[2:-1]),
            f"{numbers['training_s'].mean:.1f}" if numbers["training_s"] else NONE,
        )
    buffer = io.StringIO()
    console = Console(file=buffer, width=TEXT_WIDTH, highlight=False, color_system=None)
    console.print(table)
    for technique, note in found.notes():
        console.print(Text(f"{technique}: {note}"), soft_wrap=True)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _lut_source(found: Comparison) -> str:
    sources = {each.lut_source for each in found.outcomes if each.lut_source}
    return " or ".join(sorted(sources)) or "not counted"


def _accuracy(number: Statistic | None) -> str:
    if number is None:
        return NONE
    return f"{100 * number.mean:.2f}" + (f" ± {100 * number.spread:.2f}" if number.spread is not None else "")


def _count(number: Statistic | None) -> str:
    return NONE if number is None else f"{round(number.mean):,}"


def _summary_rows(found: Comparison) -> list[dict[str, Any]]:
    rows = []
    for technique in found.techniques:
        row: dict[str, Any] = {"technique": technique, "seeds": len(found.of(technique))}
        for key, number in found.summary(technique).items():
            row[f"{key}_mean"] = number.mean if number else ""
            row[f"{key}_spread"] = number.spread if number and number.spread is not None else ""
        notes = [note for name, note in found.notes() if name == technique]
        rows.append(
            {
                **row,
                "lut_source": next((each.lut_source for each in found.of(technique) if each.lut_source), ""),
                "notes": "; ".join(notes),
            }
        )
    return rows


def _run_row(outcome: Outcome) -> dict[str, Any]:
    row = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    return {**{key: "" if value is None else value for key, value in row.items()}, "notes": "; ".join(outcome.notes)}


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@styled
def comparison_figure(found: Comparison) -> Figure:
    """Accuracy, memory and hardware of every technique, one row each.

    Args:
        found: at least one technique.
    """
    figure = Figure(figsize=(WIDTH, 1.3 + 0.28 * len(found.techniques)), facecolor="white")
    accuracy, memory, hardware = figure.subplots(1, 3, sharey=True)
    rows = range(len(found.techniques))
    means = [Statistic.of([100 * each.test for each in found.of(technique)]) for technique in found.techniques]
    x, spread = zip(*((mean.mean, mean.spread or 0) for mean in means if mean), strict=True)
    accuracy.errorbar(x, rows, xerr=spread, fmt="D", color=BLUE, markersize=4, capsize=2, label="mean ± std. deviation")
    runs = [(100 * each.test, row) for row in rows for each in found.of(found.techniques[row])]
    accuracy.plot(*zip(*runs, strict=True), "o", color=GREY, markersize=7, markerfacecolor="none", label="one run")
    accuracy.set_xlabel("test accuracy (%)")
    accuracy.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    _points(memory, found, "dense_bytes", "s", GREY, "zeros included")
    _points(memory, found, "sparse_bytes", "D", BLUE, "sparse storage")
    memory.set_xlabel("parameters (bytes)")
    _points(hardware, found, "adders", "^", ORANGE, "adders")
    _points(hardware, found, "lut", "s", INK, f"LUT ({_lut_source(found)})")
    hardware.set_xlabel("unrolled hardware (adders, LUT)")
    for axes in (memory, hardware):
        if axes.lines:
            _spread_out(axes)
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    accuracy.set_yticks(rows, [short(technique) for technique in found.techniques])
    accuracy.set_ylim(len(found.techniques) - 0.5, -0.5)
    return figure


def _points(axes: Axes, found: Comparison, key: str, marker: str, color: str, label: str) -> None:
    means = [(found.summary(technique)[key], row) for row, technique in enumerate(found.techniques)]
    measured = [(number.mean, row) for number, row in means if number and number.mean > 0]
    if measured:
        x, y = zip(*measured, strict=True)
        axes.plot(x, y, marker, color=color, markersize=4.5, label=label, markerfacecolor=color, linestyle="none")


def _spread_out(axes: Axes) -> None:
    """A logarithmic axis where the numbers need one; whole numbers at its ticks either way."""
    x = np.concatenate([np.asarray(line.get_xdata(), np.float64) for line in axes.lines])
    if x.max() > SPREAD * x.min():
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(0, 1.1 * float(x.max()))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
