"""Offline distillation: a finished teacher (or the mean logits of several) answers, the student learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from qap.errors import QapError
from qap.recipe import DistillRecipe
from qap.training.distillation.lesson import Lesson, Taught
from qap.training.distillation.soft import soft_log, soft_losses
from qap.training.fit import predict_logits
from qap.training.objective import Batch, Objective


def offline(lesson: Lesson) -> Taught:
    """Train a student on the answers of the teacher, which are computed once.

    Raises:
        QapError: there is no teacher, or its logits are not finite.
    """
    data = lesson.dataset
    logits = predict_logits(lesson.taught_by(), data.train.x, data.input_format.lsb)
    return lesson.train(FixedAnswers(lesson.distill, logits))


class FixedAnswers(Objective):
    """Learning from logits that are known for the whole training split.

    Args:
        distill: temperature and alpha.
        logits: (n_train, n_classes), in the order of the split.

    Raises:
        QapError: a logit is not finite.
    """

    def __init__(self, distill: DistillRecipe, logits: npt.NDArray[np.floating[Any]]) -> None:
        if not np.isfinite(logits).all():
            raise QapError("the teacher's logits are not finite; train it again with a lower teacher.learning_rate")
        self._distill = distill
        self._log_soft = soft_log(tf.constant(logits, tf.float32), distill.temperature)

    def losses(self, batch: Batch, logits: Any) -> Any:
        """Soft answers and labels."""
        return soft_losses(self._distill, batch, tf.gather(self._log_soft, batch.rows), logits)
