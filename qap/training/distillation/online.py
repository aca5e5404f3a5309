"""Online distillation: teacher and student learn from each other in one training (arXiv:1706.00384)."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from qap.recipe import DistillRecipe, TrainingRecipe
from qap.training.distillation.lesson import Lesson, Taught
from qap.training.distillation.soft import soft_log, soft_losses
from qap.training.networks import build_teacher
from qap.training.objective import Batch, Objective
from qap.training.optimizer import adam, steps_of


def online(lesson: Lesson) -> Taught:
    """Train a student together with a teacher that starts anew, or from where its own training ended.

    Raises:
        QapError: the teacher should be trained before, but there is none.
    """
    data, recipe = lesson.dataset, lesson.recipe
    assert recipe.teacher is not None  # the recipe was checked
    if lesson.distill.needs_trained_teacher:
        teacher = lesson.taught_by()
    else:
        teacher = build_teacher(
            recipe.teacher, data.n_in, data.n_classes, data.image_shape, seed=recipe.seed, scaling=data.network_scaling
        )
    # both take the same number of steps, so the teacher's rate decays over the student's training
    training = recipe.teacher.model_copy(update={"decay": recipe.student_to_train.decay})
    steps = steps_of(recipe.student_to_train, data.train.originals)
    return lesson.train(LearningTeacher(lesson.distill, teacher, training, steps))


class LearningTeacher(Objective):
    """Learning from a teacher that learns from the same batches, and from the student.

    Args:
        distill: temperature and alpha, for both directions.
        teacher: (n, n_in) real numbers -> (n, n_classes) logits.
        training: the teacher's learning rate and its decay.
        steps: optimizer steps of the whole training.
    """

    def __init__(self, distill: DistillRecipe, teacher: keras.Model, training: TrainingRecipe, steps: int) -> None:
        self._distill = distill
        self._teacher = teacher
        self._optimizer = adam(teacher, training, steps)

    def losses(self, batch: Batch, logits: Any) -> Any:
        """The teacher's answers as they are now, and labels."""
        answers = tf.stop_gradient(self._teacher(batch.inputs, training=False))
        return soft_losses(self._distill, batch, soft_log(answers, self._distill.temperature), logits)

    def learn(self, batch: Batch, logits: Any) -> None:
        """One step of the teacher, on the student's answers and on labels."""
        answers = soft_log(tf.stop_gradient(logits), self._distill.temperature)
        variables = self._teacher.trainable_variables
        with tf.GradientTape() as tape:
            own = self._teacher(batch.inputs, training=True)
            loss = tf.reduce_mean(batch.weights * soft_losses(self._distill, batch, answers, own))
        self._optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
