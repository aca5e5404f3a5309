"""A recipe trained and frozen in memory, without the folder of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy.typing as npt

from qap.data import Dataset, Split
from qap.extras import load_tensorflow
from qap.flow.operating_point import placed
from qap.network import IntegerNetwork
from qap.recipe import Recipe


class Trained(NamedTuple):
    """What a recipe became.

    Args:
        teacher: the Keras model, None where the recipe trains none before the student.
        student: the Keras model.
        network: the integer network of the student.
    """

    teacher: Any
    student: Any
    network: IntegerNetwork


def train_network(recipe: Recipe, data: Dataset) -> Trained:
    """Train the teacher and the student of a recipe, and freeze the student.

    Args:
        recipe: with a student that has an integer form.
        data: trained on `train`, chosen on `validation`; `test` is not touched.

    Raises:
        RecipeError: the recipe does not fit to the data.
        NotExact: the student has no exact integer form.
        QapError: a training diverged.
        ToolMissing: the train extra is not installed.
    """
    load_tensorflow()
    from qap.freezing import freeze
    from qap.training import train_student, train_teacher

    recipe.student_to_train.refuse(data.n_in, data.n_classes, data.input_format)
    teacher = train_teacher(recipe, data)[0] if recipe.trains_teacher else None
    student = train_student(recipe, data, teacher)[0]
    network = placed(freeze(student, data.input_format, data.class_names), data, recipe.decide)
    return Trained(teacher, student, network)


def keras_logits(model: Any, data: Dataset) -> Callable[[Split], npt.NDArray[Any]]:
    """What a model that was trained on data answers to a part of them, (n, classes)."""
    from qap.training.fit import predict_logits

    return lambda split: predict_logits(model, split.x, data.input_format.lsb)
