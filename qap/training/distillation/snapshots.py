"""Self-distillation within one training: the student learns from its earlier answers (arXiv:2006.12000)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from qap.recipe import DistillRecipe
from qap.training.distillation.lesson import Lesson, Taught
from qap.training.distillation.soft import soft_log, soft_losses
from qap.training.fit import compile_prediction
from qap.training.objective import Batch, Objective, cross_entropy

if TYPE_CHECKING:
    from qap.data.dataset import Dataset

DEFAULT_EPOCHS = 5


def snapshots(lesson: Lesson) -> Taught:
    """Train a student on its own earlier answers."""
    return lesson.train(EarlierSelf(lesson.distill, lesson.dataset))


class EarlierSelf(Objective):
    """Learning from one's own answers of the last snapshot; from labels alone until there is one.

    Args:
        distill: temperature, alpha and the epochs from one snapshot to the next.
        dataset: its training split is answered at each snapshot.
    """

    def __init__(self, distill: DistillRecipe, dataset: Dataset) -> None:
        self._distill = distill
        self._every = distill.snapshot_epochs or DEFAULT_EPOCHS
        self._x, self._lsb = dataset.train.x, dataset.input_format.lsb
        self._log_soft = tf.Variable(tf.zeros((len(dataset.train), dataset.n_classes)), trainable=False)
        self._predict: Any = None
        self._taken = tf.Variable(False, trainable=False)

    def losses(self, batch: Batch, logits: Any) -> Any:
        """The snapshot's answers and labels."""
        if self._taken:
            return soft_losses(self._distill, batch, tf.gather(self._log_soft, batch.rows), logits)
        return cross_entropy(batch.labels, logits)

    def end_epoch(self, epoch: int, model: keras.Model) -> None:
        """Take a snapshot when it is time."""
        if epoch % self._every == 0:
            self._predict = self._predict or compile_prediction(model, self._lsb)
            self._log_soft.assign(soft_log(tf.constant(self._predict(self._x)), self._distill.temperature))
            self._taken.assign(True)
