"""Who is told of a stage of the flow, and how it is run or skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from qap.errors import DataError
from qap.run import RunDirectory, StageRecord
from qap.run.stages import Stage


class Progress(Protocol):
    """Who is told how far the flow is."""

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins; `total` steps if they can be counted."""

    def advance(self, text: str) -> None:
        """One step is done."""

    def finish(self, stage: str, seconds: float, skipped: bool) -> None:
        """The stage is done, or was done before."""


class Silent:
    """Nobody is told."""

    def start(self, stage: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, text: str) -> None:
        """Nothing."""

    def finish(self, stage: str, seconds: float, skipped: bool) -> None:
        """Nothing."""


Work = Callable[[RunDirectory, Progress], Mapping[str, Any]]
"""Does a stage and returns what it found."""


def run_stage(run: RunDirectory, stage: Stage, work: Work, force: bool, progress: Progress) -> StageRecord:
    """Run a stage, unless it is finished and what it read is still the same."""
    for name in stage.reads(run.recipe):
        if not run.file(name).exists():
            raise DataError(f"{run.path} has no {name} yet, which {stage.name} reads; qap run makes it")
    digest = run.digest(stage.reads(run.recipe), stage.settings(run))
    done = run.stage(stage.name)
    if done and (force or done.digest != digest or not all(run.file(f).exists() for f in stage.writes(run.recipe))):
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
    if done and done.result == result:
        record = done  # nothing new, so nothing that reads it has to be done again
    run.finish(stage.name, record)
    progress.finish(stage.name, record.seconds, skipped=record is done)
    return record
