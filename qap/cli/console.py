"""What a person sees: progress on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from qap.cli.interrupt import INTERRUPT
from qap.hardware.resources import COUNTS, resource_names

errors = Console(stderr=True, highlight=False)
results = Console(highlight=False)


class ConsoleProgress:
    """Progress bars on a terminal, one line for each finished stage everywhere, and elsewhere when one begins."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def of_run(self, name: str) -> ConsoleProgress:
        """Say which run the stages that follow belong to."""
        self._progress.console.print(Text(name))
        return self

    def start(self, stage: str, total: int | None) -> None:
        """Show a new bar."""
        INTERRUPT.check()
        self._task = self._progress.add_task(stage, total=total, text="")
        if self._progress.disable:  # a file or a pipe: minutes without a word look like a hang
            begun = Text.assemble("  ..  ", f"{stage:<8} ", (f"begins at {datetime.now():%H:%M:%S}", "dim"))
            self._progress.console.print(begun, soft_wrap=True)

    def advance(self, text: str) -> None:
        """Move the bar by one step."""
        INTERRUPT.check()
        if self._task is not None:
            self._progress.update(self._task, advance=1, text=text)

    def finish(self, stage: str, seconds: float, skipped: bool, note: str = "") -> None:
        """Replace the bar by a line."""
        INTERRUPT.check()
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        time = "done before" if skipped else f"{seconds:.1f} s"
        told = f", {note}" if note else ""
        line = Text.assemble("  ", ("ok", "green"), f"  {stage:<8} ", (time, "dim"), told)
        self._progress.console.print(line, soft_wrap=True)


@contextmanager
def progress_bars() -> Iterator[ConsoleProgress]:
    """Progress on stderr while the block runs; without a terminal a line when a stage begins and one when it ends."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<8}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("[dim]{task.fields[text]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        yield ConsoleProgress(progress)


def print_json(content: Mapping[str, Any]) -> None:
    """Print a mapping for machines."""
    sys.stdout.write(json.dumps(content, indent=2) + "\n")


def print_metrics(content: Mapping[str, Any], where: Mapping[str, Any]) -> None:
    """Print what a run is judged by.

    Args:
        content: of `qap.run.measures.metrics`.
        where: label -> path, printed last.
    """
    title = Text(f"{content['recipe']}, seed {content['seed']}", style="table.title")
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for model, accuracy in content["accuracy"].items():
        if accuracy is not None:
            interval = interval_of(content, model)
            table.add_row(
                f"accuracy, {model}", f"{accuracy['test']:.2%} test{interval}, {accuracy['validation']:.2%} validation"
            )
    if line := scores_line(content):
        table.add_row("scores, integer", Text(line))
    if "operating_point" in content:
        table.add_row("operating point", Text(operating_line(content["operating_point"])))
    if content.get("same_class") is not None:
        table.add_row("quantized", f"{content['same_class']:.2%} of the test vectors keep their class")
    if content["parameters"] is not None:
        table.add_row("parameters", f"{content['parameters']:,}")
        table.add_row("non-zeros", f"{content['nonzeros']:,}")
        table.add_row("sparsity", f"{content['sparsity']:.2%} of all weights")
        if content.get("tables"):
            table.add_row("truth tables", f"{content['tables']:,}")
        table.add_row("size", size_line(content))
    for pair, count in (content["mismatches"] or {}).items():
        table.add_row(pair, f"{'[green]' if count == 0 else '[red]'}{count} mismatches")
    for engine, reason in (content["unavailable"] or {}).items():
        table.add_row(engine, Text(f"not run: {reason}", style="yellow"))
    for note in content["notes"] or []:
        table.add_row("note", Text(note))
    for report in content["resources"] or []:
        table.add_row("resources", resources_line(report))
    times = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in content["seconds"].items())
    table.add_row("seconds", times)
    results.print(table)
    for label, path in where.items():
        print_line(f"{label}: {path}")


def interval_of(content: Mapping[str, Any], model: str) -> str:
    """The interval of an accuracy on test, in brackets; nothing where it was not measured."""
    scores = content.get("scores", {}).get(model)
    return " ({:.2%} to {:.2%})".format(*scores["interval"]["test"]) if scores else ""


def scores_line(content: Mapping[str, Any]) -> str:
    """What the integer network is worth beside its accuracy, and what deciding one class would be; nothing if unknown.

    Args:
        content: of `qap.run.measures.metrics`.
    """
    scores, majority = content.get("scores", {}).get("integer"), content.get("majority")
    parts = []
    if scores:
        parts += [f"balanced accuracy {scores['balanced_accuracy']:.2%}", f"F1 {scores['f1']:.4f}"]
        parts += [f"AUC {scores['auc']:.4f}"] if scores["auc"] is not None else []
    if majority:
        parts.append(f"always {majority['class']!r} has {majority['accuracy']['test']:.2%}")
    return ", ".join(parts)


def operating_line(point: Mapping[str, Any]) -> str:
    """What an operating point is worth on test, in one line.

    Args:
        point: of `qap.run.measures.metrics`.
    """
    rates = {"false alarms": point["test"]["false_alarms"]["share"], "found": point["test"]["found"]["share"]}
    parts = [f"{what} {share:.2%}" for what, share in rates.items() if share is not None]
    return f"{point['class']!r} above a lead of {point['threshold']} LSB: {', '.join(parts)} on test"


def size_line(content: Mapping[str, Any]) -> str:
    """The bytes of the integer network, in one line; sparse and compressed where that was counted.

    Args:
        content: of `qap.run.measures.metrics`.
    """
    sizes = content.get("stored_bytes")
    dense = f"{content['size_bytes']:,} bytes, zeros included"
    return f"{dense}; {sizes['sparse']:,} sparse, {sizes['gzip']:,} by gzip" if sizes else dense


def print_line(text: str) -> None:
    """Print a result as it is, in one line."""
    results.print(Text(text), soft_wrap=True)


def resources_line(report: Mapping[str, Any]) -> str:
    """What a design takes, in one line.

    Args:
        report: a `ResourceReport` as a mapping; what was not measured is None and left out.
    """
    parts = [f"{report[key]:,} {name}" for key, name in resource_names(*COUNTS).items() if report[key] is not None]
    if report["latency_cycles"] is not None:
        parts.append(f"latency {report['latency_cycles']} cycles")
    if report["ii_cycles"] is not None:
        parts.append(f"II {report['ii_cycles']}")
    if report["fmax_mhz"] is not None:
        parts.append(f"{report['fmax_mhz']:.0f} MHz")
    return f"{report['design']} on {report['part']} ({report['source']}): {', '.join(parts)}"


def print_warnings(warnings: list[str]) -> None:
    """Print what is doubtful, one line each, on stderr."""
    for warning in warnings:
        errors.print(Text.assemble(("warning", "yellow"), f": {warning}"), soft_wrap=True)


def print_failures(failures: list[str]) -> None:
    """Print the checks that failed, one line each, on stderr."""
    for failure in failures:
        errors.print(Text.assemble(("failed", "red"), f": {failure}"), soft_wrap=True)
