"""The flow: data -> teacher -> student -> freeze -> hls -> (rtl -> synth ->) verify -> report, in resumable stages.

A stage is a function of a run directory. It says which files of the run and which parts of the recipe
it reads; when their digest is the one it finished with, it is skipped. Stages hand over files, never
objects, so that every stage can be a command of its own and Ctrl-C loses one stage at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from qap.errors import QapError, RecipeError
from qap.flow.measures import failed_checks, metrics
from qap.flow.stage import Progress, Silent, Stage, run_stage
from qap.flow.tensorflow_import import load_tensorflow
from qap.flow.training import data, freeze, learns_from_file, student, teacher
from qap.flow.verification import ENGINES, HARDWARE_ENGINES, engines_of, record_verification, verify_run
from qap.recipe import RtlRecipe
from qap.run import (
    DATA,
    HISTORY,
    HLS,
    METRICS,
    NETWORK,
    REPORT,
    RESOURCES,
    RTL,
    STUDENT,
    TEACHER,
    TEACHER_HISTORY,
    VERIFY,
    WEIGHTS,
    RunDirectory,
    StageRecord,
)
from qap.storage import load_network
from qap.verify import Verification

__all__ = [
    "ENGINES",
    "HARDWARE_ENGINES",
    "RTL_STAGES",
    "STAGES",
    "Progress",
    "Silent",
    "Stage",
    "engines_of",
    "failed_checks",
    "load_tensorflow",
    "metrics",
    "run_flow",
    "verify_run",
    "verify_stage",
]

RTL_STAGES = ("rtl", "synth")


def run_flow(
    run: RunDirectory, stages: Iterable[str] | None = None, *, force: bool = False, progress: Progress | None = None
) -> dict[str, StageRecord]:
    """Run stages in the order of the flow; what is finished and still holds is skipped.

    Args:
        run: the run directory.
        stages: their names, out of `STAGES`; None runs all that the recipe asks for.
        force: run them again even if they are finished.
        progress: is told about every stage.

    Returns:
        The record of every stage that was asked for.

    Raises:
        RecipeError: the whole flow is asked for, but the recipe's student has no integer form.
        QapError: and its children, from the stages.
    """
    asked_for = [name for name in STAGES if run.recipe.makes_rtl or name not in RTL_STAGES]
    wanted = asked_for if stages is None else list(stages)
    unknown = [name for name in wanted if name not in STAGES]
    if unknown:
        raise QapError(f"no stage {unknown[0]!r} (there are: {', '.join(STAGES)})")
    if stages is None and not run.recipe.quantize.has_integer_form:
        raise RecipeError(
            f'quantize.method = "{run.recipe.quantize.method}" has no integer form, so the flow would end at freeze; '
            "qap train trains and judges it"
        )
    progress = progress or Silent()
    with run.lock():
        return {name: run_stage(run, STAGES[name], force, progress) for name in STAGES if name in wanted}


def _hls(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    from qap.hardware.hls import write_project

    recipe = run.recipe
    project = write_project(
        load_network(run.file(NETWORK)),
        run.file(HLS),
        name=recipe.name,
        target=recipe.target,
        x_int=run.dataset.test.x,
    )
    return {"project": project.name, "reuse_factors": dict(zip(project.layers, project.reuse_factors, strict=True))}


def _rtl(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    from qap.implementation import generate_rtl

    project = generate_rtl(run)
    return {
        "top": project.top,
        "latency_cycles": project.latency_cycles,
        "stage_depth": project.stage_depth,
        "inputs_read": len(project.kept),
        "estimated_luts": project.estimated_luts,
    }


def _synth(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    from qap.implementation import measure_resources

    target = (run.recipe.rtl or RtlRecipe()).target
    return {"reports": [asdict(report) for report in measure_resources(run, target, progress=progress.advance)]}


def _verify(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    return record_verification(run, verify_run(run, engines_of(run.recipe)))


def _report(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    from qap.report import write_report

    run.write_json(METRICS, metrics(run))
    write_report(run)
    return {"path": str(run.file(REPORT))}


def _student_settings(run: RunDirectory) -> dict[str, Any]:
    """What decides a student; a teacher that learns beside it is part of that."""
    learning = run.recipe.teacher is not None and not run.recipe.trains_teacher
    return _settings(run, "student", "prune", "quantize", "distill", "seed", *(["teacher"] if learning else []))


def _settings(run: RunDirectory, *parts: str) -> dict[str, Any]:
    return run.recipe.model_dump(mode="json", include=set(parts))


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("data", data, lambda r: (), lambda r: (DATA,), lambda run: _settings(run, "data", "seed")),
        Stage(
            "teacher",
            teacher,
            lambda r: (DATA,),
            lambda r: (TEACHER, TEACHER_HISTORY) if r.trains_teacher else (),
            lambda run: {**_settings(run, "teacher", "seed"), "trained": run.recipe.trains_teacher},
            lambda r: r.teacher.epochs * r.teacher.ensemble if r.teacher and r.trains_teacher else None,
        ),
        Stage(
            "student",
            student,
            lambda r: (DATA, TEACHER) if learns_from_file(r) else (DATA,),
            lambda r: (STUDENT, HISTORY, WEIGHTS),
            _student_settings,
            lambda r: r.student.epochs * r.trainings,
        ),
        Stage("freeze", freeze, lambda r: (DATA, STUDENT), lambda r: (NETWORK,), lambda run: None),
        Stage("hls", _hls, lambda r: (DATA, NETWORK), lambda r: (HLS,), lambda run: _settings(run, "name", "target")),
        Stage("rtl", _rtl, lambda r: (DATA, NETWORK), lambda r: (RTL,), lambda run: _settings(run, "rtl", "target")),
        Stage("synth", _synth, lambda r: (RTL,), lambda r: (RESOURCES,), lambda run: _settings(run, "rtl")),
        Stage(
            "verify",
            _verify,
            lambda r: (DATA, STUDENT, NETWORK, HLS, RTL) if r.makes_rtl else (DATA, STUDENT, NETWORK, HLS),
            lambda r: (VERIFY,),
            lambda run: engines_of(run.recipe),
        ),
        Stage(
            "report",
            _report,
            lambda r: (VERIFY, NETWORK, HISTORY),
            lambda r: (REPORT, METRICS),
            lambda run: [metrics(run), run.recipe.model_dump(mode="json")],
        ),
    )
}


def verify_stage(
    run: RunDirectory, engines: Sequence[str], *, required: bool, progress: Progress | None = None
) -> Verification:
    """Verify a run anew, whatever was found before; with all engines the run remembers it.

    Args:
        run: a run that is frozen.
        engines: as `verify_run` takes them.
        required: whether an engine that cannot run is an error.
        progress: is told about the stage.

    Raises:
        ToolMissing: a required engine cannot run.
        QapError: as `verify_run`.
    """
    progress = progress or Silent()
    stage = STAGES["verify"]
    with run.lock():
        progress.start("verify", None)
        start = time.perf_counter()
        found = verify_run(run, engines, required=required)
        seconds = round(time.perf_counter() - start, 3)
        if tuple(engines) == engines_of(run.recipe):
            digest = run.digest(stage.reads(run.recipe), stage.settings(run))
            run.finish("verify", StageRecord(digest, seconds, record_verification(run, found)))
        progress.finish("verify", seconds, skipped=False)
    return found
