"""The flow: data -> teacher -> student -> freeze -> hls -> (rtl -> synth ->) verify -> report, in resumable stages.

A stage is a function of a run directory. It says which files of the run and which parts of the recipe
it reads; when their digest is the one it finished with, it is skipped. Stages hand over files, never
objects, so that every stage can be a command of its own and Ctrl-C loses one stage at most.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from qap.data import Dataset, Split
from qap.errors import DataError, QapError, RecipeError, ToolMissing, missing_extra
from qap.files import write_with
from qap.quiet import quiet_stderr
from qap.recipe import Recipe, RtlRecipe
from qap.run import (
    CSIM,
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
from qap.storage import load_network, save_network
from qap.verify import EmulatorEngine, Engine, Verification, adversarial_vectors, verify

if TYPE_CHECKING:
    from qap.training import EpochRecord

ENGINES = ("keras", "emulator", "csim")
HARDWARE_ENGINES = ("rtl", "netlist")
"""Engines that run what `qap rtl` generated."""
RTL_STAGES = ("rtl", "synth")


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


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the flow.

    Args:
        name: as in the command.
        work: does it and returns what it found.
        reads: files and folders of the run.
        writes: files and folders of the run.
        settings: what else decides its result, above all parts of the recipe, as JSON-like content.
        steps: how many steps it reports, None when they cannot be counted.
    """

    name: str
    work: Work
    reads: Callable[[Recipe], tuple[str, ...]]
    writes: Callable[[Recipe], tuple[str, ...]]
    settings: Callable[[RunDirectory], Any]
    steps: Callable[[Recipe], int | None] = lambda recipe: None


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
        QapError: and its children, from the stages.
    """
    asked_for = [name for name in STAGES if run.recipe.makes_rtl or name not in RTL_STAGES]
    wanted = asked_for if stages is None else list(stages)
    unknown = [name for name in wanted if name not in STAGES]
    if unknown:
        raise QapError(f"no stage {unknown[0]!r} (there are: {', '.join(STAGES)})")
    progress = progress or Silent()
    with run.lock():
        return {name: _run_stage(run, STAGES[name], force, progress) for name in STAGES if name in wanted}


def _run_stage(run: RunDirectory, stage: Stage, force: bool, progress: Progress) -> StageRecord:
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
    result = stage.work(run, progress)
    record = StageRecord(digest, round(time.perf_counter() - start, 3), result)
    if done and done.result == result:
        record = done  # nothing new, so nothing that reads it has to be done again
    run.finish(stage.name, record)
    progress.finish(stage.name, record.seconds, skipped=record is done)
    return record


def _data(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    data = run.dataset
    last = len(run.recipe.student.layers) - 1
    units = run.recipe.student.layers[last].units
    if units != data.n_classes:  # building the student says so too, but only after the teacher's training
        raise RecipeError(f"student.layers.{last}.units must be {data.n_classes}, one for each class, but got {units}")
    content = {
        "name": data.name,
        "digest": data.digest,
        "data_dir": str(run.data_dir.resolve()) if run.data_dir else None,
        "samples": {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)},
        "class_names": list(data.class_names),
        "input_format": str(data.input_format),
        "image_shape": list(data.image_shape) if data.image_shape else None,
        "scaling": data.scaling.to_dict() if data.scaling else None,
    }
    if not run.file(DATA).exists() or run.read_json(DATA) != content:
        run.write_json(DATA, content)
    return {key: content[key] for key in ("name", "digest", "samples")}


def _teacher(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    if not run.recipe.trains_teacher:
        return {}
    load_tensorflow()
    from qap.training import train_teacher
    from qap.training.networks import save_model

    model, history = train_teacher(run.recipe, run.dataset, _told(progress))
    history.write_csv(run.file(TEACHER_HISTORY))
    save_model(model, run.file(TEACHER))
    return {**_judge(model, run.dataset), "parameters": int(model.count_params()), "best_epoch": history.best_epoch}


def _student(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    load_tensorflow()
    from qap.training import train_student
    from qap.training.networks import load_model, save_model, untrained_student

    recipe, data = run.recipe, run.dataset
    teacher = load_model(run.file(TEACHER)) if _learns_from_file(recipe) else None
    model, history = train_student(recipe, data, teacher, _told(progress))
    untrained = untrained_student(recipe, data.n_in, data.n_classes)
    _save_kernels(run, initial=untrained, trained=model)
    history.write_csv(run.file(HISTORY))
    save_model(model, run.file(STUDENT))
    return {
        **_judge(model, data),
        "best_epoch": history.best_epoch,
        "pruned": history.best.sparsity,
        "units_trained": [layer.units for layer in recipe.student.layers],
        "units": [int(layer.kernel.shape[1]) for layer in model.layers if hasattr(layer, "kernel")],
    }


def _freeze(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    load_tensorflow()
    from qap.freeze import freeze
    from qap.training.networks import load_model

    data = run.dataset
    network = freeze(load_model(run.file(STUDENT)), data.input_format, data.class_names)
    save_network(network, run.file(NETWORK))
    return {
        **_accuracies(lambda split: network.decide(network.forward(split.x)), data),
        "digest": network.digest,
        "parameters": network.parameters,
        "nonzeros": network.nonzeros,
        "sparsity": network.sparsity,
        "size_bytes": network.size_bytes,
    }


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
    return _record_verification(run, verify_run(run, engines_of(run.recipe)))


def engines_of(recipe: Recipe) -> tuple[str, ...]:
    """The engines that a run of this recipe is verified with."""
    return (*ENGINES, *HARDWARE_ENGINES) if recipe.makes_rtl else ENGINES


def _record_verification(run: RunDirectory, found: Verification) -> Mapping[str, Any]:
    run.write_json(VERIFY, found.to_dict())
    return {
        "exact": found.exact,
        "mismatches": found.mismatches(),
        "failures": [str(agreement) for agreement in found.agreements if not agreement.exact],
        "unavailable": dict(found.unavailable),
        "notes": list(found.notes),
    }


def _report(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    from qap.report import write_report

    run.write_json(METRICS, metrics(run))
    write_report(run)
    return {"path": str(run.file(REPORT))}


def _learns_from_file(recipe: Recipe) -> bool:
    return recipe.distill is not None and recipe.distill.needs_trained_teacher


def _student_settings(run: RunDirectory) -> dict[str, Any]:
    """What decides a student; a teacher that learns beside it is part of that."""
    learning = run.recipe.teacher is not None and not run.recipe.trains_teacher
    return _settings(run, "student", "prune", "quantize", "distill", "seed", *(["teacher"] if learning else []))


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("data", _data, lambda r: (), lambda r: (DATA,), lambda run: _settings(run, "data", "seed")),
        Stage(
            "teacher",
            _teacher,
            lambda r: (DATA,),
            lambda r: (TEACHER, TEACHER_HISTORY) if r.trains_teacher else (),
            lambda run: {**_settings(run, "teacher", "seed"), "trained": run.recipe.trains_teacher},
            lambda r: r.teacher.epochs * r.teacher.ensemble if r.teacher and r.trains_teacher else None,
        ),
        Stage(
            "student",
            _student,
            lambda r: (DATA, TEACHER) if _learns_from_file(r) else (DATA,),
            lambda r: (STUDENT, HISTORY, WEIGHTS),
            _student_settings,
            lambda r: r.student.epochs * r.trainings,
        ),
        Stage("freeze", _freeze, lambda r: (DATA, STUDENT), lambda r: (NETWORK,), lambda run: None),
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


def verify_run(run: RunDirectory, engines: Sequence[str], *, required: bool = False) -> Verification:
    """Compare engines on all test samples of a run and on adversarial vectors.

    Args:
        run: a run that is frozen.
        engines: at least two names out of `ENGINES` and `HARDWARE_ENGINES`.
        required: whether an engine that cannot run is an error.

    Raises:
        DataError: what an engine needs is not there.
        ToolMissing: a required engine cannot run.
        QapError: fewer than two engines can run, or the name of one is not known.
    """
    known = (*ENGINES, *HARDWARE_ENGINES)
    for name in engines:
        if name not in known:
            raise QapError(f"no engine {name!r} (there are: {', '.join(known)})")
    if len(set(engines)) != len(engines) or len(engines) < 2:
        raise QapError(f"at least two different engines can be compared, but got {', '.join(engines)}")
    network = load_network(run.file(NETWORK))
    data = run.dataset
    vectors = {"test": data.test.x, "adversarial": adversarial_vectors(network.input_format, network.n_in)}
    made = [_engine(run, name) for name in engines]
    missing = [reason for engine in made if (reason := engine.available())]
    if required and missing:
        raise ToolMissing("; ".join(missing))
    return verify(made, network, vectors)


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
            run.finish("verify", StageRecord(digest, seconds, _record_verification(run, found)))
        progress.finish("verify", seconds, skipped=False)
    return found


def _engine(run: RunDirectory, name: str) -> Engine:
    if name == "emulator":
        return EmulatorEngine()
    if name == "keras":
        load_tensorflow()
        from qap.training.engine import KerasEngine
        from qap.training.networks import load_model

        return KerasEngine(load_model(run.file(STUDENT)))
    if name in HARDWARE_ENGINES:
        from qap.hardware.engines import NetlistEngine, RtlEngine
        from qap.hardware.project import load_project

        project = load_project(run.file(RTL))
        return RtlEngine(project) if name == "rtl" else NetlistEngine(project)
    from qap.hardware.csim import CsimEngine

    return CsimEngine(run.file(HLS), cache=run.file(CSIM))


def metrics(run: RunDirectory) -> dict[str, Any]:
    """What a run is judged by, as `metrics.json` holds it; None where a stage has not been run.

    Raises:
        DataError: `stages.json` is damaged.
    """
    records = {name: run.stage(name) for name in STAGES if name != "report"}
    results = {name: dict(record.result) if record else {} for name, record in records.items()}
    frozen = results["freeze"]
    return {
        "recipe": run.recipe.name,
        "seed": run.recipe.seed,
        "accuracy": {
            "teacher": results["teacher"].get("accuracy"),
            "student": results["student"].get("accuracy"),
            "integer": frozen.get("accuracy"),
        },
        "accuracy_floor": run.recipe.accuracy_floor,
        "parameters": frozen.get("parameters"),
        "nonzeros": frozen.get("nonzeros"),
        "sparsity": frozen.get("sparsity"),
        "pruned": results["student"].get("pruned"),
        "size_bytes": frozen.get("size_bytes"),
        **{key: results["verify"].get(key) for key in ("exact", "mismatches", "failures", "unavailable", "notes")},
        "seconds": {name: record.seconds for name, record in records.items() if record},
        "resources": results["synth"].get("reports") if run.recipe.makes_rtl else None,
        "network_digest": frozen.get("digest"),
    }


def failed_checks(content: Mapping[str, Any]) -> list[str]:
    """The checks that a run did not pass, one line each.

    Args:
        content: of `metrics`.
    """
    failures = list(content["failures"] or [])
    integer, floor = content["accuracy"]["integer"], content["accuracy_floor"]
    if integer is not None and integer["test"] < floor:
        failures.append(f"the integer network has {integer['test']:.2%} on test, accuracy_floor is {floor:.2%}")
    return failures


def load_tensorflow() -> None:
    """Import TensorFlow without its greetings, before anything else imports it.

    Raises:
        ToolMissing: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet_stderr():
            import tensorflow as tf

            tf.constant(0)
            tf.get_logger().setLevel("ERROR")
    except ImportError as error:
        raise missing_extra("train", error) from error


def _told(progress: Progress) -> Callable[[EpochRecord], None]:
    def tell(record: EpochRecord) -> None:
        progress.advance(f"validation accuracy {record.validation_accuracy:.2%}, sparsity {record.sparsity:.1%}")

    return tell


def _judge(model: Any, data: Dataset) -> dict[str, Any]:
    from qap.training.fit import predict_logits

    return _accuracies(lambda split: predict_logits(model, split.x, data.input_format.lsb).argmax(axis=1), data)


def _accuracies(decide: Callable[[Split], npt.NDArray[Any]], data: Dataset) -> dict[str, Any]:
    """Accuracy on every part, and the confusion matrix (true class, decided class) on test."""
    decided = {part: decide(getattr(data, part)) for part in ("train", "validation", "test")}
    accuracy = {part: float((classes == getattr(data, part).y).mean()) for part, classes in decided.items()}
    confusion = np.zeros((data.n_classes, data.n_classes), np.int64)
    np.add.at(confusion, (data.test.y, decided["test"]), 1)
    return {"accuracy": accuracy, "confusion": confusion.tolist()}


def _settings(run: RunDirectory, *parts: str) -> dict[str, Any]:
    return run.recipe.model_dump(mode="json", include=set(parts))


def _save_kernels(run: RunDirectory, **models: Any) -> None:
    """Keep the float kernels of models as `NAME_INDEX`, for the report."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, model in models.items():
        kernels = [np.asarray(layer.kernel) for layer in model.layers if hasattr(layer, "kernel")]
        arrays |= {f"{name}_{index}": kernel for index, kernel in enumerate(kernels)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_with(run.file(WEIGHTS), lambda path: path.write_bytes(buffer.getvalue()))
