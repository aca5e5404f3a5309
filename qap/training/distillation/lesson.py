"""A lesson: the student to train, the data, and the teacher if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import keras

from qap.errors import QapError
from qap.recipe import DistillRecipe, Recipe
from qap.training.fit import fit
from qap.training.history import History, Tell
from qap.training.networks import untrained_student
from qap.training.objective import Objective
from qap.training.tables import build_tables, logit_scale, scaled

if TYPE_CHECKING:
    from qap.data.dataset import Dataset


class Taught(NamedTuple):
    """A student with its best weights, and how it came there."""

    model: keras.Model
    history: History


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a distillation method works with.

    Args:
        recipe: its `student`, `prune`, `quantize`, `distill` and `seed` are read.
        dataset: trained on `train`, chosen on `validation`.
        teacher: a trained model, or a new one that learns together with the student; None when there is none.
        progress: called after every epoch.
    """

    recipe: Recipe
    dataset: Dataset
    teacher: keras.Model | None = None
    progress: Tell | None = None

    @property
    def distill(self) -> DistillRecipe:
        """How the answers are softened and weighed."""
        if self.recipe.distill is None:
            raise QapError(f"the recipe {self.recipe.name!r} has no [distill]")
        return self.recipe.distill

    def taught_by(self) -> keras.Model:
        """The teacher.

        Raises:
            QapError: there is none.
        """
        if self.teacher is None:
            raise QapError(f"the recipe {self.recipe.name!r} distills, but there is no teacher; train it first")
        return self.teacher

    @property
    def scale(self) -> float:
        """What the student's logits are multiplied by before they are compared with others, or with labels."""
        return logit_scale(self.recipe.student_to_train, self.dataset.n_classes)

    def _untrained(self, generation: int) -> keras.Model:
        recipe, data = self.recipe, self.dataset
        if recipe.student_to_train.is_tables:
            return build_tables(recipe.student_to_train, data, seed=recipe.seed + generation)
        return untrained_student(recipe, data.n_in, data.n_classes, generation=generation, scaling=data.network_scaling)

    def train(self, objective: Objective | None = None, *, generation: int = 0) -> Taught:
        """Train a new student.

        Args:
            objective: what it minimizes; labels alone if None.
            generation: another one starts from other weights.
        """
        recipe, data = self.recipe, self.dataset
        model = self._untrained(generation)
        history = fit(
            scaled(model, self.scale) if self.scale != 1 else model,
            data,
            recipe.student_to_train,
            seed=recipe.seed + generation,
            prune=recipe.prune,
            objective=objective,
            progress=self.progress,
        )
        return Taught(model, history)
