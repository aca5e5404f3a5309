"""Sweeps: the same recipe at many points, each trained, frozen, judged and estimated; records that survive anything."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qap.errors import DataError, RecipeError, did_you_mean
from qap.explore.sweep.executors import DaskWorkers, Executor, LocalProcesses
from qap.explore.sweep.measure import measure, network_task, train_shared, training_of, training_task
from qap.explore.sweep.points import MANY, Point, points_of, recipe_key
from qap.explore.sweep.records import RECORDS, SWEEP, Records
from qap.explore.sweep.spec import Sweep, builtin_sweeps, load_sweep, parse_sweep
from qap.files import locked, write_text
from qap.flow import Progress, Silent
from qap.hardware.estimate import ESTIMATORS
from qap.recipe.reading import read_toml

__all__ = [
    "RECORDS",
    "SWEEP",
    "DaskWorkers",
    "LocalProcesses",
    "Records",
    "Sweep",
    "builtin_sweeps",
    "load_sweep",
    "parse_sweep",
    "run_sweep",
]


def run_sweep(
    sweep: Sweep,
    folder: Path,
    executor: Executor,
    *,
    resume: bool = False,
    any_size: bool = False,
    data_dir: Path | None = None,
    progress: Progress | None = None,
) -> list[dict[str, object]]:
    """Do every point of a sweep that has no record yet.

    Args:
        sweep: what is swept.
        folder: of the records and of everything that is trained.
        executor: who works.
        resume: whether to go on where an earlier sweep stopped.
        any_size: go on although there are more points than anybody waits for.
        data_dir: folder of IDX files, if the data set needs one.
        progress: is told about every point.

    Returns:
        The records of all points of this sweep, in its order.

    Raises:
        RecipeError: a point is not possible, or there are too many.
        DataError: the folder holds records already or those of another sweep, or cannot be used.
        QapError: another process works in it; and its children, from the trainings.
    """
    if sweep.size > MANY and not any_size:
        raise RecipeError(f"{sweep.name} has {sweep.size:,} points, more than {MANY:,}; --yes does them all")
    if sweep.estimator not in ESTIMATORS:
        raise RecipeError(f"{sweep.name}: no estimator {sweep.estimator!r}{did_you_mean(sweep.estimator, ESTIMATORS)}")
    points = points_of(sweep)
    with locked(folder):
        records = _begun(sweep, folder, resume)
        done = {str(record["key"]) for record in records.read()}
        left = [point for point in points if point.key not in done]
        _do(sweep, left, records, executor, data_dir, progress or Silent())
        by_key = {str(record["key"]): record for record in records.read()}
    return [by_key[point.key] for point in points]


def _begun(sweep: Sweep, folder: Path, resume: bool) -> Records:
    """The records of a folder, for this sweep.

    Raises:
        DataError: there are records and nobody wants to go on with them, or they are of another sweep.
    """
    records = Records(folder)
    if records.exists() and not resume:
        raise DataError(f"{folder} has {RECORDS} already; --resume goes on with it, or choose another --out")
    if records.exists() and (changes := sweep.changes(_stored(folder) or sweep)):
        raise DataError(
            f"{folder} holds another sweep: {', '.join(changes)} differs from its {SWEEP}; --resume goes on with the "
            "same sweep, which may have more values on its axes; or choose another --out"
        )
    write_text(folder / SWEEP, sweep.to_toml())
    records.begin()
    return records


def _stored(folder: Path) -> Sweep | None:
    """The sweep that was begun in a folder, None when its file is gone or damaged: the records say what they are."""
    try:
        return parse_sweep(read_toml(folder / SWEEP, "sweep"), SWEEP)
    except RecipeError:
        return None


def _do(
    sweep: Sweep,
    points: Sequence[Point],
    records: Records,
    executor: Executor,
    data_dir: Path | None,
    progress: Progress,
) -> None:
    folder = records.path.parent
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.network_key, []).append(point)
    needed = {}
    for group in groups.values():
        if shared := training_of(group[0].recipe, sweep.training):
            needed[recipe_key(shared[0])] = training_task(*shared, folder, data_dir)
    if needed:
        trainings = list(needed.values())
        trainings += [{}] * (executor.workers - len(trainings))  # who has nothing to train imports TensorFlow
        with _told_as(progress, "train", len(trainings)):
            for _ in executor.results(train_shared, trainings):
                progress.advance("")
    tasks = [network_task(group, sweep, folder, data_dir) for group in groups.values()]
    written: set[str] = set()
    with _told_as(progress, "sweep", len(points)):
        for found in executor.results(measure, tasks):
            for record in found:
                if record["key"] not in written:  # two points of a sweep may be the same
                    records.append(record)
                    written.add(str(record["key"]))
                progress.advance(_told(record))


@contextmanager
def _told_as(progress: Progress, stage: str, total: int) -> Iterator[None]:
    start = time.perf_counter()
    progress.start(stage, total)
    yield
    progress.finish(stage, time.perf_counter() - start, skipped=False)


def _told(record: dict[str, object]) -> str:
    accuracy = record.get("accuracy")
    if not isinstance(accuracy, dict):
        return str(record["error"])[:60]
    return f"validation accuracy {accuracy['validation']:.2%}"
