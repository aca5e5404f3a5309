"""What `stages.json` and `data.json` hold, as it is checked when it is read.

A result may lack keys, for a stage may find less, and may have more, for a later version may find more; what is there
is of its type.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, RootModel, field_validator

from qap.descriptions import Description
from qap.products import stays_inside

Number = Annotated[int, Field(ge=0, lt=2**63)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Content(RootModel[dict[str, Any]]):
    """Any mapping."""

    model_config = ConfigDict(strict=True)


class Open(Description):
    """A description that may hold more than is known of it."""

    model_config = ConfigDict(extra="allow")


class Accuracy(Open):
    """By part of the data."""

    train: Fraction | None = None
    validation: Fraction
    test: Fraction


class ClassScores(Open):
    """How well a class is told from the others."""

    name: Annotated[str, Field(alias="class")]
    samples: Number
    precision: Fraction
    recall: Fraction
    f1: Fraction
    auc: Fraction | None


class Scores(Open):
    """What a model is worth on test beside its accuracy; `interval` is that of the accuracy, by part."""

    interval: dict[str, tuple[Fraction, Fraction]]
    balanced_accuracy: Fraction
    f1: Fraction
    auc: Fraction | None
    classes: list[ClassScores]


class Judged(Open):
    """What a model is worth."""

    accuracy: Accuracy | None = None
    scores: Scores | None = None
    confusion: list[list[Number]] | None = None

    @field_validator("confusion")
    @classmethod
    def _is_square(cls, rows: list[list[int]] | None) -> list[list[int]] | None:
        if rows and any(len(row) != len(rows) for row in rows):
            raise ValueError(f"it must have as many columns as rows, but got {[len(row) for row in rows]}")
        return rows


class Majority(Open):
    """The class that is most frequent in training, and the accuracy of always deciding it."""

    name: Annotated[str, Field(alias="class")]
    accuracy: Accuracy


class Student(Judged):
    """What the training of a student found."""

    pruned: Fraction | None = None
    units_trained: list[Number] = []
    units: list[Number] = []
    float_accuracy: Accuracy | None = None
    same_class: Fraction | None = None


class Rate(Open):
    """A share of samples."""

    share: Fraction | None
    interval: tuple[Fraction, Fraction] | None
    samples: Number


class Rates(Open):
    """What an operating point is worth on a part of the data."""

    false_alarms: Rate
    found: Rate


class OperatingPoint(Open):
    """Where one of two classes begins."""

    name: Annotated[str, Field(alias="class")]
    threshold: int
    lsb: float
    shift: tuple[Annotated[int, Field(ge=0, le=1)], int]
    validation: Rates
    test: Rates


class Frozen(Judged):
    """What the integer network is."""

    digest: str | None = None
    parameters: Number | None = None
    nonzeros: Number | None = None
    sparsity: Fraction | None = None
    tables: Number | None = None
    size_bytes: Number | None = None
    stored_bytes: dict[str, Number] | None = None
    majority: Majority | None = None
    operating_point: OperatingPoint | None = None
    notes: list[str] = []


class Hls(Open):
    """What the HLS project is."""

    project: str | None = None
    reuse_factors: dict[str, Number] = {}


class Report(Open):
    """What a design takes; its other keys are numbers."""

    __pydantic_extra__: dict[str, int | float | None]
    source: str
    tool: str
    part: str
    design: str


class Synthesis(Open):
    """What was synthesized."""

    reports: list[Report] = []


class Verified(Open):
    """How far the engines agree."""

    exact: bool | None = None
    mismatches: dict[str, Number] = {}
    failures: list[str] = []
    unavailable: dict[str, str] = {}
    notes: list[str] = []


ABSENT: Any = None  # but null is no stage
Result = TypeVar("Result", bound=Open)


def _inside(name: str) -> str:
    if not stays_inside(name):
        raise ValueError(f"a product lies in the run, but got {name!r}")
    return name


class Finished(Open, Generic[Result]):
    """A finished stage."""

    digest: str
    seconds: Annotated[float, Field(ge=0)]
    result: Result
    products: dict[Annotated[str, AfterValidator(_inside)], str] | None = None


class Stages(Open):
    """The finished stages, by name."""

    __pydantic_extra__: dict[str, Finished[Open]]
    teacher: Finished[Judged] = ABSENT
    student: Finished[Student] = ABSENT
    freeze: Finished[Frozen] = ABSENT
    hls: Finished[Hls] = ABSENT
    synth: Finished[Synthesis] = ABSENT
    verify: Finished[Verified] = ABSENT


class Samples(Open):
    """Samples by part."""

    train: Number
    validation: Number
    test: Number


class DataSet(Open):
    """What the data of a run are."""

    name: str | None = None
    digest: str | None = None
    data_dir: str | None = None
    samples: Samples | None = None
    class_names: list[str] = []
    input_format: str | None = None
    image_shape: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
