"""The flow: data -> teacher -> student -> freeze -> hls -> (rtl -> synth ->) verify -> report, in resumable stages.

A stage says which files of the run and which parts of the recipe it reads (`qap.run.stages`); when their
digest is the one it finished with, it is skipped. Its work is a function of the run directory, in `WORK`.
Stages hand over files, never objects, so that every stage can be a command of its own and Ctrl-C loses one
stage at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qap.errors import QapError, RecipeError
from qap.flow.hardware import hls, rtl, synth
from qap.flow.prediction import Prediction, predict
from qap.flow.stage import Progress, Silent, Work, run_stage
from qap.flow.training import data, freeze, student, teacher
from qap.flow.verification import verify, verify_run, verify_stage
from qap.report import write_report
from qap.run import METRICS, REPORT, RunDirectory, StageRecord
from qap.run.measures import metrics
from qap.run.stages import RTL_STAGES, STAGES

__all__ = ["Prediction", "Progress", "Silent", "predict", "run_flow", "verify_run", "verify_stage"]


def run_flow(
    run: RunDirectory, stages: Iterable[str] | None = None, *, force: bool = False, progress: Progress | None = None
) -> dict[str, StageRecord]:
    """Run stages in the order of the flow; what is finished and still holds is skipped.

    Args:
        run: the run directory.
        stages: their names, out of `qap.run.stages.STAGES`; None runs all that the recipe asks for.
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
        return {name: run_stage(run, STAGES[name], WORK[name], force, progress) for name in STAGES if name in wanted}


def report(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Write the metrics and the page of the run."""
    run.write_json(METRICS, metrics(run))
    write_report(run)
    return {"path": str(run.file(REPORT))}


WORK: dict[str, Work] = {
    "data": data,
    "teacher": teacher,
    "student": student,
    "freeze": freeze,
    "hls": hls,
    "rtl": rtl,
    "synth": synth,
    "verify": verify,
    "report": report,
}
