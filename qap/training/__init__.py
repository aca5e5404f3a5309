"""Training: a float teacher, and a student that is quantized, pruned and distilled in one loop.

Nothing heavy is imported before one of the functions is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qap.errors import QapError, RecipeError
from qap.recipe import Recipe
from qap.training.history import EpochRecord, History

if TYPE_CHECKING:
    from qap.data.dataset import Dataset

__all__ = ["EpochRecord", "History", "train_student", "train_teacher"]

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow greets with warnings that no user can act on

Progress = Callable[[EpochRecord], None]


def train_teacher(recipe: Recipe, dataset: Dataset, progress: Progress | None = None) -> tuple[Any, History]:
    """Train the float teacher of a recipe.

    Args:
        recipe: its `teacher` and `seed` are read.
        dataset: trained on `train`, chosen on `validation`; `test` is not touched.
        progress: called after every epoch.

    Returns:
        The Keras model with its best weights, and how it came there.

    Raises:
        RecipeError: the recipe has no teacher.
        QapError: the training diverged.
    """
    from qap.training.fit import fit
    from qap.training.networks import build_teacher

    if recipe.teacher is None:
        raise RecipeError(f"the recipe {recipe.name!r} has no [teacher]")
    model = build_teacher(recipe.teacher, dataset.n_in, dataset.n_classes, seed=recipe.seed)
    return model, fit(model, dataset, recipe.teacher, seed=recipe.seed, progress=progress)


def train_student(
    recipe: Recipe, dataset: Dataset, teacher: Any = None, progress: Progress | None = None
) -> tuple[Any, History]:
    """Train the quantized student of a recipe: pruned and distilled while it trains, as the recipe says.

    Args:
        recipe: its `student`, `prune`, `distill` and `seed` are read.
        dataset: trained on `train`, chosen on `validation`; `test` is not touched.
        teacher: the Keras model to distill from; needed if the recipe has a [distill].
        progress: called after every epoch.

    Returns:
        The QKeras model with its best weights, and how it came there.

    Raises:
        RecipeError: the recipe does not fit to the data.
        QapError: there is no teacher to distill from, or the training diverged.
    """
    from qap.training.fit import fit, predict_logits
    from qap.training.networks import build_student

    if recipe.distill is not None and teacher is None:
        raise QapError(f"the recipe {recipe.name!r} distills, but there is no teacher; train it first")
    model = build_student(recipe.student, dataset.n_in, dataset.n_classes, seed=recipe.seed)
    soft = None if recipe.distill is None else predict_logits(teacher, dataset.train.x, dataset.input_format.lsb)
    history = fit(
        model,
        dataset,
        recipe.student,
        seed=recipe.seed,
        prune=recipe.prune,
        distill=recipe.distill,
        teacher_logits=soft,
        progress=progress,
    )
    return model, history
