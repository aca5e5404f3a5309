"""Training: a float teacher, and a student that is quantized, pruned and distilled in one loop.

Nothing heavy is imported before one of the functions is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qap.errors import RecipeError
from qap.extras import load_tensorflow
from qap.recipe import Recipe
from qap.training.history import EpochRecord, History, Tell

if TYPE_CHECKING:
    from qap.data.dataset import Dataset

__all__ = ["EpochRecord", "History", "train_student", "train_teacher"]


def train_teacher(recipe: Recipe, dataset: Dataset, progress: Tell | None = None) -> tuple[Any, History]:
    """Train the float teacher of a recipe, or several whose mean logits count.

    Args:
        recipe: its `teacher` and `seed` are read.
        dataset: trained on `train`, chosen on `validation`; `test` is not touched.
        progress: called after every epoch.

    Returns:
        The Keras model with its best weights, and how it (the first of several) came there.

    Raises:
        RecipeError: the recipe has no teacher, or the data do not fit to it.
        QapError: the training diverged.
        ToolMissing: the train extra is not installed.
    """
    load_tensorflow()
    from qap.training.fit import fit
    from qap.training.networks import build_teacher, mean_of

    if recipe.teacher is None:
        raise RecipeError(f"the recipe {recipe.name!r} has no [teacher]")
    recipe.teacher.refuse(dataset.name, dataset.image_shape)
    dataset = _to_train_on(recipe, dataset)
    models, histories = [], []
    for member in range(recipe.teacher.ensemble):
        seed = recipe.seed + member
        models.append(
            build_teacher(
                recipe.teacher,
                dataset.n_in,
                dataset.n_classes,
                dataset.image_shape,
                seed=seed,
                scaling=dataset.network_scaling,
            )
        )
        histories.append(fit(models[-1], dataset, recipe.teacher, seed=seed, progress=progress))
    return mean_of(models, dataset.n_in), histories[0]


def train_student(
    recipe: Recipe, dataset: Dataset, teacher: Any = None, progress: Tell | None = None
) -> tuple[Any, History]:
    """Train the quantized student of a recipe: pruned and distilled while it trains, as the recipe says.

    Args:
        recipe: its `student`, `prune`, `quantize`, `distill` and `seed` are read.
        dataset: trained on `train`, chosen on `validation`; `test` is not touched.
        teacher: the Keras model to distill from; needed if the recipe has a [distill] with a trained teacher.
        progress: called after every epoch.

    Returns:
        The model with its best weights, without the neurons that were pruned, and how it came there.

    Raises:
        RecipeError: the recipe does not fit to the data.
        QapError: there is no teacher to distill from, or the training diverged.
        ToolMissing: the train extra is not installed.
    """
    load_tensorflow()
    from qap.training.distillation import DISTILLERS, Lesson
    from qap.training.networks import without_dead_neurons
    from qap.training.post_training import quantize

    lesson = Lesson(recipe, _to_train_on(recipe, dataset), teacher, progress)
    model, history = lesson.train() if recipe.distill is None else DISTILLERS[recipe.distill.method](lesson)
    if recipe.prune.granularity == "neuron":
        model = without_dead_neurons(model, recipe, dataset.n_in, dataset.network_scaling)
    if recipe.student_to_train.is_tables:
        return model, history
    return quantize(model, recipe, dataset), history


def _to_train_on(recipe: Recipe, dataset: Dataset) -> Dataset:
    """The data with the distorted copies that the recipe asks for."""
    if recipe.data.augment is not None and dataset.augmentation is None:
        raise RecipeError("[data.augment] asks for copies, but the data came without; qap.load_for(recipe) loads both")
    return dataset.augmented()
