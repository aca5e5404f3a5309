"""What is minimized: the cross-entropy on labels, alone or together with a teacher's soft answers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from qap.errors import QapError, missing_extra
from qap.recipe import DistillRecipe

try:
    import tensorflow as tf
except ImportError as error:
    raise missing_extra("train", error) from error


class Objective(Protocol):
    """The loss of each sample of a batch, as the training loop calls it inside of its graph."""

    def __call__(self, rows: Any, labels: Any, logits: Any) -> Any:
        """Losses (batch,), in nats.

        Args:
            rows: int32 (batch,), the samples' places in the training split.
            labels: int32 (batch,), their classes.
            logits: float32 (batch, n_classes) of the model that is trained.
        """


def cross_entropy(rows: Any, labels: Any, logits: Any) -> Any:
    """The cross-entropy of the labels; an `Objective`."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def offline(distill: DistillRecipe, teacher_logits: npt.NDArray[np.floating[Any]]) -> Objective:
    """Distillation from a finished teacher, whose logits are computed once.

    alpha * T^2 * KL(softmax(teacher / T) || softmax(student / T)) + (1 - alpha) * cross-entropy, after
    Hinton, Vinyals, Dean 2015 (arXiv:1503.02531). T^2 keeps the size of the soft gradients when T changes.

    Args:
        distill: temperature T and alpha.
        teacher_logits: (n, n_classes) for all of the training split, in its order.

    Raises:
        QapError: a logit is not finite.
    """
    if not np.isfinite(teacher_logits).all():
        raise QapError("the teacher's logits are not finite; train it again with a lower teacher.learning_rate")
    temperature, alpha = distill.temperature, distill.alpha
    log_soft = tf.nn.log_softmax(tf.constant(teacher_logits, tf.float32) / temperature)

    def objective(rows: Any, labels: Any, logits: Any) -> Any:
        log_teacher = tf.gather(log_soft, rows)
        log_student = tf.nn.log_softmax(logits / temperature)
        divergence = tf.reduce_sum(tf.exp(log_teacher) * (log_teacher - log_student), axis=1)
        return alpha * temperature**2 * divergence + (1 - alpha) * cross_entropy(rows, labels, logits)

    return objective
