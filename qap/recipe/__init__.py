"""The recipe: one object that is read, overridden, trained, frozen, searched and recorded.

Recipes are TOML. Every key is checked when it is read; an unknown one is refused with the nearest
that exists. `Recipe` and its parts are immutable pydantic models.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from html import escape
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

import tomli_w
from pydantic import Field, model_validator

from qap.errors import RecipeError, did_you_mean
from qap.recipe.compression import DistillRecipe, PruneRecipe, QuantizeRecipe
from qap.recipe.hardware import RtlRecipe, Strategy, TargetRecipe
from qap.recipe.model import ModelRecipe
from qap.recipe.reading import assign, checked, read_toml, toml_value
from qap.recipe.training import (
    UNWRITTEN,
    AugmentRecipe,
    DataRecipe,
    DecideRecipe,
    LayerRecipe,
    StudentRecipe,
    TeacherRecipe,
    TrainingRecipe,
)
from qap.recipe.values import Part, Share
from qap.sources import in_folder

__all__ = [
    "AugmentRecipe",
    "DataRecipe",
    "DecideRecipe",
    "DistillRecipe",
    "LayerRecipe",
    "ModelRecipe",
    "PruneRecipe",
    "QuantizeRecipe",
    "Recipe",
    "RtlRecipe",
    "Strategy",
    "StudentRecipe",
    "TargetRecipe",
    "TeacherRecipe",
    "TrainingRecipe",
    "builtin_recipes",
    "load_recipe",
    "parse_recipe",
    "parse_target",
]

BUILTIN = resources.files("qap.recipe") / "builtin"


class Recipe(Part):
    """Everything that decides what a run does.

    Example:
        >>> recipe = load_recipe("digits").override(["seed=3", "prune.sparsity=0.8"])
    """

    name: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32, strict=True)] = 0
    accuracy_floor: Share = 0.0
    """The run fails (exit 1) when the integer network is below it on the test images."""
    data: DataRecipe = DataRecipe()
    teacher: TeacherRecipe | None = None
    student: StudentRecipe | None = None
    model: ModelRecipe | None = None
    """A model that was trained elsewhere, instead of a student."""
    prune: PruneRecipe = PruneRecipe()
    quantize: QuantizeRecipe = QuantizeRecipe()
    distill: DistillRecipe | None = None
    decide: Annotated[DecideRecipe | None, UNWRITTEN] = None
    """None decides for the largest logit as it was trained."""
    target: TargetRecipe = TargetRecipe()
    rtl: RtlRecipe | None = None
    """None leaves it to the command: `qap run` makes RTL when the rtl extra is installed."""

    def __repr__(self) -> str:
        return f"Recipe({self.name}: {self.data.name}, {self.what}, seed {self.seed})"

    def _repr_html_(self) -> str:
        return f"<details><summary>{escape(repr(self))}</summary><pre>{escape(self.to_toml())}</pre></details>"

    def summary(self) -> str:
        """What is trained, pruned, quantized and distilled, as the TOML of the recipe."""
        return f"{self!r}\n\n{self.to_toml()}"

    @property
    def what(self) -> str:
        """The student, or the model that stands in its place, in a few words."""
        if self.model is not None:
            return f"model {Path(self.model.file).name}"
        shape = "-".join(str(units) for units in self.student_to_train.shape)
        return f"student of {shape} tables" if self.student_to_train.is_tables else f"student {shape}"

    @property
    def student_to_train(self) -> StudentRecipe:
        """The student.

        Raises:
            RecipeError: there is none, for the recipe imports a model.
        """
        if self.student is None:
            raise RecipeError(
                f"the recipe {self.name!r} imports a model and has no [student], so there is nothing to train"
            )
        return self.student

    @property
    def weighted_layers(self) -> tuple[LayerRecipe, ...]:
        """The layers of a student that has weights.

        Raises:
            RecipeError: it consists of tables, or there is no student.
        """
        if self.student_to_train.is_tables:
            raise RecipeError(
                f'the student of the recipe {self.name!r} consists of truth tables (student.kind = "tables"): there '
                "are no weights to quantize, to mask or to look at layer by layer"
            )
        return self.student_to_train.layers

    @property
    def trains_teacher(self) -> bool:
        """Whether a teacher is trained before the student."""
        fresh = self.distill is not None and self.distill.needs_teacher and not self.distill.needs_trained_teacher
        return self.teacher is not None and not fresh

    @property
    def trainings(self) -> int:
        """How often a student is trained until the last one stands."""
        return 1 + (self.distill.later_generations if self.distill else 0)

    @property
    def makes_rtl(self) -> bool:
        """Whether RTL is part of the run."""
        return self.rtl is not None and self.rtl.enabled

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.student is None and self.model is None:
            raise ValueError("the key 'student' is missing, or a 'model' to import")
        if self.student is not None and self.model is not None:
            raise ValueError("a recipe has a [student] that is trained or a [model] that is imported, not both")
        if self.distill is not None and self.distill.needs_teacher and self.teacher is None:
            raise ValueError(f'[distill] with method = "{self.distill.method}" needs a [teacher]')
        if self.target.strategy == "distributed_arithmetic" and self.target.reuse_factor != 1:
            raise ValueError(
                f"target.reuse_factor={self.target.reuse_factor}: the distributed_arithmetic strategy is fully "
                "parallel, only reuse_factor=1 is possible"
            )
        if self.student is not None and self.student.is_tables:
            self._check_tables()
        elif self.student is not None:
            self.prune.check(self.student)
        else:
            self._check_import()
        return self

    def _check_tables(self) -> None:
        for part, given, neutral in (
            ("prune", self.prune, PruneRecipe()),
            ("quantize", self.quantize, QuantizeRecipe()),
        ):
            if given != neutral:
                raise ValueError(
                    f'[{part}] does not apply to student.kind = "tables", whose neurons have no weights and answer in '
                    "one bit; leave it out"
                )

    def _check_import(self) -> None:
        trained = {
            "teacher": self.teacher,
            "distill": self.distill,
            "prune": self.prune != PruneRecipe(),
            "decide": self.decide,
        }
        if given := [part for part, value in trained.items() if value]:
            raise ValueError(f"a [model] is imported as it is, so [{given[0]}] is not read; leave it out")
        if self.quantize.method not in ("qat", "ptq"):
            raise ValueError(
                f'quantize.method = "{self.quantize.method}" is for students; float layers of a [model] take "ptq"'
            )

    def override(self, assignments: Iterable[str]) -> Recipe:
        """A recipe with `a.b.0.c=value` assignments applied; values are TOML or plain text, `a.b=` removes the key.

        Raises:
            RecipeError: the key does not exist or the value is not possible.
        """
        content = self.model_dump(mode="json", exclude_none=True)
        for assignment in assignments:
            key, equals, value = assignment.partition("=")
            if not equals:
                raise RecipeError(f"--set {assignment!r}: write key=value, as in prune.sparsity=0.9")
            assign(content, key.strip(), toml_value(value.strip()))
        return parse_recipe(content, "--set")

    def in_folder(self, folder: Path) -> Recipe:
        """The recipe with the files of its data and its model made absolute.

        Args:
            folder: what relative paths of files belong to.
        """
        data = self.data.model_copy(update={"name": in_folder(self.data.name, folder)})
        model = self.model.in_folder(folder) if self.model else None
        return self.model_copy(update={"data": data, "model": model})

    def to_toml(self) -> str:
        """The recipe as TOML that `load_recipe` reads back to an equal one."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def builtin_recipes() -> list[str]:
    """The names of the recipes that come with the package."""
    return sorted(item.name.removesuffix(".toml") for item in BUILTIN.iterdir() if item.name.endswith(".toml"))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a built-in recipe by name, or a TOML file; relative paths of data belong to the folder of the file.

    Raises:
        RecipeError: there is no such recipe, or it is not possible.
    """
    text = str(name_or_path)
    if text in builtin_recipes():
        source = (BUILTIN / f"{text}.toml").read_text(encoding="utf-8")
        return parse_recipe(tomllib.loads(source), text)
    path = Path(text)
    if path.suffix != ".toml":
        raise RecipeError(f"no recipe {text!r}{did_you_mean(text, builtin_recipes())}; a file must end in .toml")
    return parse_recipe(read_toml(path, "recipe"), str(path)).in_folder(path.parent)


def parse_recipe(content: Mapping[str, Any], source: str) -> Recipe:
    """Check the content of a recipe.

    Args:
        content: the nested mapping, as TOML gives it.
        source: where it comes from, for the error.

    Raises:
        RecipeError: one line that names the first key that is wrong and what is allowed.
    """
    return checked(Recipe, content, source)


def parse_target(content: Mapping[str, Any], source: str) -> TargetRecipe:
    """Check a target that stands alone.

    Args:
        content: its keys.
        source: where it comes from, for the error.

    Raises:
        RecipeError: one line that names the first key that is wrong and what is allowed.
    """
    return checked(TargetRecipe, content, source)
