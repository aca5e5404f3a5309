"""The report of a sweep as files: a page, the same as Markdown, a table of all numbers, and the figures."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from matplotlib.figure import Figure

from qap import __version__
from qap.explore.sweep.records import SWEEP
from qap.explore.sweep.report.figures import accuracy_figure, front_figure, is_target, resources_figure
from qap.explore.sweep.report.plan import Plan, plan_of
from qap.explore.sweep.report.results import SweepResults, amount_label, axis_label, read_results, stage_label
from qap.explore.sweep.report.tables import failures_table, front_table, points_table, records_csv
from qap.files import whole_folder, write_text
from qap.report.figures import save_png, save_svg
from qap.report.markdown import escaped, markdown_table
from qap.report.markup import KeyFigure, Picture, picture, render
from qap.report.tables import count, percent
from qap.run import REPORT

MARKDOWN, CSV, FIGURES = "report.md", "records.csv", "figures"
SCRIPT = resources.files("qap.report") / "templates" / "sortable.js"


def write_files(folder: Path) -> Path:
    """Write the report of a sweep beside its records; everything is made before anything is written.

    Returns:
        The path of the page.

    Raises:
        DataError: the records are missing or damaged, or the report cannot be written.
        RecipeError: the file of the sweep is missing or damaged.
    """
    results = read_results(folder)
    drawn = list(figures(results))
    page, text, numbers = sweep_page(results, drawn), sweep_markdown(results, drawn), records_csv(results)
    with whole_folder(folder / FIGURES) as temporary:
        for name, figure, _ in drawn:
            save_png(figure, temporary / f"{name}.png")
            save_svg(figure, temporary / f"{name}.svg")
    write_text(folder / CSV, numbers)
    write_text(folder / MARKDOWN, text)
    write_text(folder / REPORT, page)
    return folder / REPORT


def figures(results: SweepResults) -> Iterator[tuple[str, Figure, str]]:
    """The figures with their names and captions; none where there is nothing to draw."""
    if not results.good:
        return
    plan = plan_of(results)
    yield "accuracy", accuracy_figure(results, plan), _accuracy_caption(results, plan)
    if results.amounts:
        yield "resources", resources_figure(results, plan), _resources_caption(results, plan)
    if results.cost:
        yield "front", front_figure(results, plan), _front_caption(results)


def sweep_page(results: SweepResults, drawn: list[tuple[str, Figure, str]]) -> str:
    """The whole page as HTML; its table can be sorted where scripts run, and is whole where they do not."""
    script = SCRIPT.read_text(encoding="utf-8")
    pictures: dict[str, Picture] = {name: picture(figure, name, caption) for name, figure, caption in drawn}
    return render(
        "sweep.html.j2",
        sweep=results.sweep,
        key_figures=list(key_figures(results)),
        warnings=list(warnings(results)),
        notes=notes(results),
        pictures=pictures,
        front=front_table(results) if results.cost else None,
        points=points_table(results) if results.good else None,
        failures=failures_table(results) if results.failed else None,
        sweep_text=(results.folder / SWEEP).read_text(encoding="utf-8"),
        version=__version__,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def sweep_markdown(results: SweepResults, drawn: list[tuple[str, Figure, str]]) -> str:
    """The same for readers of text."""
    parts = [f"# {escaped(results.sweep.name)}"]
    parts.append("\n".join(f"- {each.meaning}: {each.value}" for each in key_figures(results)))
    parts += [f"**{escaped(line)}**" for line in warnings(results)]
    parts += [f"![{escaped(caption)}]({FIGURES}/{name}.png)\n\n{escaped(caption)}" for name, _, caption in drawn]
    if results.cost:
        parts += ["## Pareto front", markdown_table(front_table(results))]
    if results.good:
        parts += ["## All points", markdown_table(points_table(results))]
    if results.failed:
        parts += ["## What failed", markdown_table(failures_table(results))]
    if notes(results):
        parts += ["## Notes", "\n".join(f"- {escaped(note)}" for note in notes(results))]
    return "\n\n".join(parts) + "\n"


def key_figures(results: SweepResults) -> Iterator[KeyFigure]:
    """The numbers at the top."""
    yield KeyFigure(f"{count(len(results.good))} of {count(results.sweep.size)}", "points with a result")
    if not results.good:
        return
    best = max(results.good, key=lambda point: point.accuracy["validation"])
    yield KeyFigure(percent(best.accuracy["validation"]), "best accuracy on validation, measured")
    yield KeyFigure(percent(best.accuracy["test"]), "accuracy of that point on test, measured")
    if results.front:
        name = amount_label(str(results.cost))
        told = "estimated" if results.stage else "counted"
        least = min(point.amounts[str(results.cost)].middle for point in results.front)
        yield KeyFigure(f"{least:,.0f}", f"{name} at the least, {told}")
        yield KeyFigure(count(len(results.front)), "points on the Pareto front")


def warnings(results: SweepResults) -> Iterator[str]:
    """What a reader must know before the numbers."""
    if results.failed:
        yield f"{count(len(results.failed))} points failed; why is told at the end."
    if results.missing:
        yield f"{count(results.missing)} points have no record yet; qap sweep --resume does them."
    if results.left_out:
        yield f"{count(results.left_out)} records of points that {SWEEP} does not have any more are left out."


def notes(results: SweepResults) -> list[str]:
    """What the estimators noted, each once."""
    return list(dict.fromkeys(note for point in results.good for note in point.notes))


def _accuracy_caption(results: SweepResults, plan: Plan) -> str:
    dropped = [axis for axis in plan.dropped if not is_target(axis)]
    return f"Accuracy of the integer network against {plan.label}, measured.{_dropped(dropped)}"


def _resources_caption(results: SweepResults, plan: Plan) -> str:
    bands = any(found.low is not None for point in results.good for found in point.amounts.values())
    band = " Bands: the interval in which 80 % of the measured designs fell." if bands else ""
    return f"What a point takes against {plan.label}: {stage_label(results.stage)}.{band}{_dropped(plan.dropped)}"


def _dropped(axes: Sequence[str]) -> str:
    return f" Points that look alike also differ in {', '.join(map(axis_label, axes))}: see the table." if axes else ""


def _front_caption(results: SweepResults) -> str:
    cost = amount_label(str(results.cost))
    return (
        f"Validation accuracy (measured) against {cost} ({stage_label(results.stage)}). Letters: the Pareto front, the "
        "points that no other beats in both."
    )
