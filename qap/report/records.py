"""What is known of a run: everything that its page shows, read from the files of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
from pydantic import ConfigDict

from qap.archives import open_npz
from qap.descriptions import Description, read_description
from qap.errors import DataError
from qap.network import IntegerNetwork, load_network
from qap.recipe import Recipe
from qap.run import HISTORY, NETWORK, TEACHER_HISTORY, VERIFY, WEIGHTS, RunDirectory
from qap.run.measures import metrics
from qap.run.stages import STAGES
from qap.training.history import History
from qap.verification import Agreement, Verification

PARTS = ("train", "validation", "test")
MODELS = {"teacher": "Teacher (float)", "student": "Student (quantized)", "integer": "Integer network"}
STAGE_OF = {"teacher": "teacher", "student": "student", "integer": "freeze"}
IMPORTED = "Imported model"

REMEDY = "; qap verify makes it again"

Kernels = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a run; None or empty where a stage has not been run.

    Args:
        recipe: what the run does.
        metrics: as in `metrics.json`.
        data: as in `data.json`.
        results: what each stage found, by its name.
        seconds: wall time of each stage.
        teacher_history: how the teacher was trained.
        history: how the student was trained.
        kernels: `initial_I` and `trained_I`, the float kernels of layer I before and after training.
        network: the frozen network.
        verification: which engines agree.
        stale: what a reader must know about records that do not belong together, one line each.
    """

    recipe: Recipe
    metrics: Mapping[str, Any]
    data: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]
    seconds: Mapping[str, float]
    teacher_history: History | None
    history: History | None
    kernels: Kernels
    network: IntegerNetwork | None
    verification: Verification | None
    stale: tuple[str, ...]

    @property
    def titles(self) -> Mapping[str, str]:
        """How the models of this run are called: an imported one has neither a teacher nor a student."""
        if self.recipe.model is None:
            return {model: title for model, title in MODELS.items() if model != "teacher" or self.recipe.teacher}
        quantized = f"{IMPORTED}, quantized" if "same_class" in self.results["student"] else IMPORTED
        models = {} if self.recipe.model.is_network else {"student": quantized}
        return {**models, "integer": MODELS["integer"]}

    @property
    def has_labels(self) -> bool:
        """Whether there is an accuracy to speak of."""
        return not self.data or bool(self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, empty when no data were loaded."""
        return tuple(self.data.get("class_names") or ())


def read_records(run: RunDirectory) -> Records:
    """Read everything that the run has left so far.

    Raises:
        DataError: a file is damaged.
    """
    stages = {name: record for name in STAGES if name != "report" and (record := run.stage(name))}
    if run.recipe.teacher is None:
        stages.pop("teacher", None)
    network = load_network(run.file(NETWORK)) if "freeze" in stages else None
    verification = read_verification(run.file(VERIFY)) if "verify" in stages else None
    is_network = run.recipe.model is not None and run.recipe.model.is_network
    stale = [line for name in stages if name != "data" and (line := _stale(run, name))]
    if verification and network and verification.network_digest != network.digest:
        stale.append("verify.json is about another network than network.npz: run qap verify again")
    return Records(
        recipe=run.recipe,
        metrics=metrics(run),
        data=run.data_set.model_dump(mode="json", exclude_unset=True) if "data" in stages else {},
        results={name: stages[name].result if name in stages else {} for name in STAGES},
        seconds={name: record.seconds for name, record in stages.items()},
        teacher_history=History.read_csv(run.file(TEACHER_HISTORY)) if "teacher" in stages else None,
        history=History.read_csv(run.file(HISTORY)) if "student" in stages and run.recipe.student else None,
        kernels=read_kernels(run.file(WEIGHTS)) if "student" in stages and not is_network else {},
        network=network,
        verification=verification,
        stale=tuple(stale),
    )


class VerificationFile(Description):
    """What `Verification.to_dict` wrote."""

    model_config = ConfigDict(extra="ignore")  # what follows from the rest is written, too

    network_digest: str
    agreements: tuple[Agreement, ...]
    unavailable: dict[str, str]
    notes: tuple[str, ...]


def read_verification(path: Path) -> Verification:
    """What `Verification.to_dict` wrote.

    Raises:
        DataError: the file is missing, or its content is not a verification.
    """
    found = read_description(path, VerificationFile, missing=f"{path.parent} has no {path.name} yet", remedy=REMEDY)
    return Verification(found.network_digest, found.agreements, found.unavailable, found.notes)


def read_kernels(path: Path) -> Kernels:
    """The arrays of `weights.npz`.

    Raises:
        DataError: the file is missing or damaged.
    """
    with open_npz(path, "NPZ file") as stored:
        for name, member in stored.members.items():
            if member.dtype.kind != "f" or len(member.shape) != 2:
                raise DataError(
                    f"{path} is damaged: the array {name!r} must be numbers (inputs, neurons), but is {member.dtype} "
                    f"{member.shape}; qap student --force makes it again"
                )
        return stored.read_all()


def _stale(run: RunDirectory, name: str) -> str | None:
    """Why the record of a stage may not be about the files that are there now, None when it is."""
    stage, record = STAGES[name], run.stage(name)
    try:
        digest = run.digest(stage.reads(run.recipe), stage.settings(run))
    except DataError as error:
        return f"whether stage {name!r} is up to date cannot be said: {error}"
    if record is None or record.digest == digest:
        return None
    return (
        f"stage {name!r} was finished with other files, another recipe or another version of qap than are here now: "
        f"run qap {name} again"
    )
