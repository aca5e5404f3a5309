"""Who is told of a stage of the flow, and how it is run or skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from qap.errors import DataError
from qap.products import damage, foreign_files
from qap.run import RunDirectory, StageRecord
from qap.run.stages import Stage


class Progress(Protocol):
    """Who is told how far the flow is."""

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins; `total` steps if they can be counted."""

    def advance(self, text: str) -> None:
        """One step is done."""

    def finish(self, stage: str, seconds: float, skipped: bool, note: str = "") -> None:
        """The stage is done, or was done before; `note` is what else there is to know."""


class Silent:
    """Nobody is told."""

    def start(self, stage: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, text: str) -> None:
        """Nothing."""

    def finish(self, stage: str, seconds: float, skipped: bool, note: str = "") -> None:
        """Nothing."""


Work = Callable[[RunDirectory, Progress], Mapping[str, Any]]
"""Does a stage and returns what it found."""


def run_stage(run: RunDirectory, stage: Stage, work: Work, force: bool, progress: Progress) -> StageRecord:
    """Run a stage, unless it is finished, what it read is still the same and what it wrote still stands."""
    for name in stage.reads(run.recipe):
        if not run.file(name).exists():
            raise DataError(f"{run.path} has no {name} yet, which {stage.name} reads; qap run makes it")
    if not stage.writes(run.recipe):
        progress = Silent()  # nothing to do: a teacher that nobody asked for has no time worth a line
    digest = run.digest(stage.reads(run.recipe), stage.settings(run))
    done = run.stage(stage.name)
    damaged = list(_damage(run, stage, done)) if done else []
    if done and (force or done.digest != digest or damaged):
        run.forget(stage.name)  # from here on its files may be new in part, whatever the recipe is next time
        done = None
    # the data are always loaded: only that shows whether they have changed; and what was missing may be there now
    if done and stage.name != "data" and not done.result.get("unavailable"):
        progress.finish(stage.name, done.seconds, skipped=True)
        return done
    progress.start(stage.name, stage.steps(run.recipe))
    start = time.perf_counter()
    result = work(run, progress)
    record = StageRecord(digest, round(time.perf_counter() - start, 3), result)
    if nothing_new := done is not None and done.result == result:
        record = done  # so nothing that reads it has to be done again
    run.finish(stage.name, replace(record, products=run.products(stage.writes(run.recipe))))
    notes = ([f"made again: {shortened(damaged)}"] if damaged else []) + list(_kept(run, stage))
    progress.finish(stage.name, record.seconds, skipped=nothing_new, note="; ".join(notes))
    return record


def _damage(run: RunDirectory, stage: Stage, done: StageRecord) -> Iterator[str]:
    """What has happened to the files that a finished stage wrote, a text each."""
    gone = [name for name in stage.writes(run.recipe) if not run.file(name).exists()]
    yield from (f"{name} is missing" for name in gone)
    if not gone:
        yield from damage(run.path, done.products or {})


def _kept(run: RunDirectory, stage: Stage) -> Iterator[str]:
    """The files of others in the folders of a stage, a text for each folder."""
    for name in stage.writes(run.recipe):
        if run.file(name).is_dir() and (foreign := foreign_files(run.file(name))):
            yield f"kept what qap did not write: {shortened([f'{name}/{file}' for file in foreign])}"


def shortened(items: list[str]) -> str:
    """The first of some texts, and how many more there are."""
    return items[0] if len(items) == 1 else f"{items[0]} and {len(items) - 1} more"
