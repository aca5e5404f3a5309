"""The stages of a run, declared: what each reads, writes and depends on. Their work is in `qap.flow`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qap.errors import DataError
from qap.products import checksum
from qap.recipe import Recipe, RtlRecipe
from qap.run.directory import (
    CORE_NETLIST,
    DATA,
    HISTORY,
    HLS,
    METRICS,
    NETWORK,
    ONNX_MODEL,
    REPORT,
    RESOURCES,
    RTL,
    STUDENT,
    TEACHER,
    TEACHER_HISTORY,
    TOP_NETLIST,
    VERIFY,
    WEIGHTS,
    RunDirectory,
)
from qap.run.engines import ENGINES, engines_of

MEASURED = ("data", "teacher", "student", "freeze", "hls", "rtl", "synth", "verify")
"""The stages whose results count."""
RTL_STAGES = ("rtl", "synth")
"""The stages that only a recipe with RTL asks for."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the flow.

    Args:
        name: as in the command.
        reads: files and folders of the run.
        writes: files and folders of the run.
        settings: what else decides its result, above all parts of the recipe, as JSON-like content.
        steps: how many steps it reports, None when they cannot be counted.
    """

    name: str
    reads: Callable[[Recipe], tuple[str, ...]]
    writes: Callable[[Recipe], tuple[str, ...]]
    settings: Callable[[RunDirectory], Any]
    steps: Callable[[Recipe], int | None] = lambda recipe: None


def learns_from_file(recipe: Recipe) -> bool:
    """Whether the student needs a teacher that was trained before."""
    return recipe.distill is not None and recipe.distill.needs_trained_teacher


def _verified_files(recipe: Recipe) -> tuple[str, ...]:
    read = dict.fromkeys(name for engine in engines_of(recipe) for name in ENGINES[engine].files(recipe))
    return (DATA, NETWORK, *read)


def _synthesized_files(recipe: Recipe) -> tuple[str, ...]:
    rtl = recipe.rtl or RtlRecipe()
    folders = (CORE_NETLIST, TOP_NETLIST) if rtl.interface == "axis" else (CORE_NETLIST,)
    return (RESOURCES, *(folder.format(target=rtl.target) for folder in folders))


def _verify_settings(run: RunDirectory) -> dict[str, Any]:
    """Who is compared; a netlist is one of the target."""
    target = run.recipe.rtl.target if run.recipe.rtl and run.recipe.makes_rtl else None
    return {"engines": engines_of(run.recipe), "target": target}


def _student_settings(run: RunDirectory) -> dict[str, Any]:
    """What decides a student; a teacher that learns beside it is part of that."""
    if run.recipe.model is not None:
        return _imported_settings(run)
    learning = run.recipe.teacher is not None and not run.recipe.trains_teacher
    return _settings(run, "student", "prune", "quantize", "distill", "seed", *(["teacher"] if learning else []))


def _imported_settings(run: RunDirectory) -> dict[str, Any]:
    """What decides an imported model: the content of its files, wherever they lie."""
    model = run.recipe.model
    files = model.files if model else ()
    for file in files:
        if not file.is_file():
            raise DataError(f"the model {file} that {run.path} was made of is not there; model.file says where it lies")
    return {**_settings(run, "model", "quantize"), "files": [checksum(file) for file in files]}


def _frozen_settings(run: RunDirectory) -> Any:
    """Nothing but the student decides a network, and its operating point, unless it is imported as one."""
    model = run.recipe.model
    if model is None:
        return _settings(run, "decide") if run.recipe.decide else None
    return _imported_settings(run) if model.is_network else {"output_bits": model.output_bits}


def _student_files(recipe: Recipe) -> tuple[str, ...]:
    if recipe.model is None:
        return (STUDENT, HISTORY, WEIGHTS)
    if recipe.model.is_network:
        return ()
    return (STUDENT, WEIGHTS, ONNX_MODEL) if recipe.model.is_onnx else (STUDENT, WEIGHTS)


def _settings(run: RunDirectory, *parts: str) -> dict[str, Any]:
    return run.recipe.model_dump(mode="json", include=set(parts))


def _report_settings(run: RunDirectory) -> list[Any]:
    """What a report shows: the results of the stages that count, and the recipe."""
    records = [run.stage(name) for name in MEASURED]
    return [
        [record and [record.digest, record.seconds, record.result] for record in records],
        run.recipe.model_dump(mode="json"),
    ]


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("data", lambda r: (), lambda r: (DATA,), lambda run: _settings(run, "data", "seed")),
        Stage(
            "teacher",
            lambda r: (DATA,),
            lambda r: (TEACHER, TEACHER_HISTORY) if r.trains_teacher else (),
            lambda run: {**_settings(run, "teacher", "seed"), "trained": run.recipe.trains_teacher},
            lambda r: r.teacher.epochs * r.teacher.ensemble if r.teacher and r.trains_teacher else None,
        ),
        Stage(
            "student",
            lambda r: (DATA, TEACHER) if learns_from_file(r) else (DATA,),
            _student_files,
            _student_settings,
            lambda r: r.student.epochs * r.trainings if r.student else None,
        ),
        Stage(
            "freeze",
            lambda r: (DATA, STUDENT) if STUDENT in _student_files(r) else (DATA,),
            lambda r: (NETWORK,),
            _frozen_settings,
        ),
        Stage("hls", lambda r: (DATA, NETWORK), lambda r: (HLS,), lambda run: _settings(run, "name", "target")),
        Stage("rtl", lambda r: (DATA, NETWORK), lambda r: (RTL,), lambda run: _settings(run, "rtl", "target")),
        Stage("synth", lambda r: (RTL,), _synthesized_files, lambda run: _settings(run, "rtl")),
        Stage(
            "verify",
            _verified_files,
            lambda r: (VERIFY,),
            _verify_settings,
        ),
        Stage(
            "report",
            lambda r: (VERIFY, NETWORK, HISTORY) if r.student else (VERIFY, NETWORK),
            lambda r: (REPORT, METRICS),
            _report_settings,
        ),
    )
}
