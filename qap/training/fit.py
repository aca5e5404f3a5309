"""The one training loop: a whole epoch is a single call into a compiled graph.

The data lie on the device as the integers that they are; each batch is gathered by a shuffled
permutation and scaled to real numbers (a power of two: exact). Teacher and student differ only in what
is minimized (`distillation.py`) and in what happens after a step (`pruning.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qap.errors import QapError, missing_extra
from qap.recipe import DistillRecipe, PruneRecipe, StudentRecipe, TrainingRecipe
from qap.training.history import EpochRecord, History

try:
    import keras
    import tensorflow as tf
except ImportError as error:
    raise missing_extra("train", error) from error

from qap.training.distillation import Objective, cross_entropy, offline
from qap.training.pruning import Pruning, final_sparsities

if TYPE_CHECKING:
    from qap.data.dataset import Dataset

CHUNK = 4096
"""Samples that are predicted at once."""


def fit(
    model: keras.Model,
    dataset: Dataset,
    training: TrainingRecipe,
    *,
    seed: int,
    prune: PruneRecipe | None = None,
    distill: DistillRecipe | None = None,
    teacher_logits: npt.NDArray[np.floating[Any]] | None = None,
    progress: Callable[[EpochRecord], None] | None = None,
) -> History:
    """Train a model; it ends with the weights of the epoch that was best on the validation split.

    Args:
        model: (n, n_in) real numbers -> (n, n_classes) logits.
        dataset: `train` and `validation` are read.
        training: epochs, batch size, learning rate; a `StudentRecipe` for a model that is pruned.
        seed: of the order of the samples.
        prune: how the student is pruned, if at all. Only epochs with the final sparsity can be the best.
        distill: how the teacher's answers are weighed, if at all.
        teacher_logits: (n_train, n_classes), needed with `distill`.
        progress: called after every epoch.

    Raises:
        RecipeError: the pruning does not fit into the training.
        QapError: the loss is not a number any more.
    """
    steps = math.ceil(len(dataset.train) / training.batch_size)
    total_steps = steps * training.epochs
    objective = cross_entropy if distill is None else offline(distill, _needed(teacher_logits))
    pruning = _pruning(model, training, prune, total_steps)
    optimizer = _optimizer(model, training, total_steps)
    train_epoch = _compile_epoch(model, dataset, training.batch_size, optimizer, objective, pruning)
    evaluate = _compile_evaluation(model, dataset)
    choice = _Choice(training.patience, first_step=pruning.period.end if pruning else 0)
    records: list[EpochRecord] = []
    order = np.random.default_rng(seed)
    for epoch in range(1, training.epochs + 1):
        start = time.perf_counter()
        loss, accuracy = train_epoch(tf.constant(order.permutation(len(dataset.train)), tf.int32))
        validation_loss, validation_accuracy = evaluate()
        record = EpochRecord(
            epoch=epoch,
            train_loss=float(loss),
            train_accuracy=float(accuracy),
            validation_loss=float(validation_loss),
            validation_accuracy=float(validation_accuracy),
            sparsity=pruning.sparsity if pruning else 0.0,
            learning_rate=float(optimizer.learning_rate),
            seconds=time.perf_counter() - start,
        )
        if not math.isfinite(record.train_loss):
            raise QapError(
                f"the loss of {model.name!r} is {record.train_loss} in epoch {epoch}; "
                f"a learning_rate below {training.learning_rate:g} helps"
            )
        records.append(record)
        if progress is not None:
            progress(record)
        if choice.stops_after(record, steps * epoch, model):
            break
    model.set_weights(choice.weights)
    return History(tuple(records), choice.epoch)


def predict_logits(model: keras.Model, x: npt.NDArray[np.integer[Any]], lsb: float) -> npt.NDArray[np.float32]:
    """The logits of a model for integer inputs.

    Args:
        model: real numbers -> logits.
        x: (n, n_in) integers.
        lsb: the value of one LSB of `x`.

    Returns:
        float32 (n, n_classes).
    """
    predict = tf.function(lambda part: model(_real(part, lsb), training=False), reduce_retracing=True)
    parts = [predict(tf.constant(x[start : start + CHUNK])).numpy() for start in range(0, len(x), CHUNK)]
    return np.concatenate(parts)


class _Choice:
    """Keeps the best weights and says when to stop.

    The best epoch has the highest validation accuracy, and the lowest validation loss of those.

    Args:
        patience: epochs without a higher accuracy before it stops; None never stops.
        first_step: epochs that end before so many steps do not count.
    """

    def __init__(self, patience: int | None, first_step: int) -> None:
        self.epoch = 0
        self.weights: list[npt.NDArray[Any]] = []
        self._best = (-1.0, 0.0)
        self._waited = 0
        self._patience = patience
        self._first_step = first_step

    def stops_after(self, record: EpochRecord, steps_done: int, model: keras.Model) -> bool:
        """Take note of an epoch; true when it was one too many without a better one."""
        if steps_done < self._first_step:
            return False
        merit = (record.validation_accuracy, -record.validation_loss)
        self._waited = 0 if merit[0] > self._best[0] else self._waited + 1
        if not self.weights or merit > self._best:
            self._best, self.epoch, self.weights = merit, record.epoch, model.get_weights()
        return self._patience is not None and self._waited >= self._patience


def _needed(teacher_logits: npt.NDArray[np.floating[Any]] | None) -> npt.NDArray[np.floating[Any]]:
    if teacher_logits is None:
        raise QapError("distillation needs the teacher's logits of the training split")
    return teacher_logits


def _pruning(
    model: keras.Model, training: TrainingRecipe, prune: PruneRecipe | None, total_steps: int
) -> Pruning | None:
    """The masks of a student, or None when nothing is pruned."""
    if prune is None or not isinstance(training, StudentRecipe):
        return None
    sparsities = final_sparsities(prune, training)
    if not np.any(sparsities):
        return None
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    pruning = Pruning(kernels, sparsities, prune, total_steps)
    pruning.update(tf.constant(0, tf.int64))
    return pruning


def _optimizer(model: keras.Model, training: TrainingRecipe, total_steps: int) -> keras.optimizers.Optimizer:
    """Adam, ready for the variables of the model."""
    rate: Any = training.learning_rate
    if training.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, total_steps)
    optimizer = keras.optimizers.Adam(rate, weight_decay=training.weight_decay or None)
    optimizer.exclude_from_weight_decay([variable for variable in model.trainable_variables if variable.ndim == 1])
    optimizer.build(model.trainable_variables)
    return optimizer


def _compile_epoch(
    model: keras.Model,
    dataset: Dataset,
    batch_size: int,
    optimizer: keras.optimizers.Optimizer,
    objective: Objective,
    pruning: Pruning | None,
) -> Callable[[Any], tuple[Any, Any]]:
    """The compiled epoch: a permutation int32 (n,) of the training split -> its mean loss and accuracy."""
    samples, batch_size, lsb = len(dataset.train), min(batch_size, len(dataset.train)), dataset.input_format.lsb
    x, y = tf.constant(dataset.train.x), tf.constant(dataset.train.y, tf.int32)
    variables = model.trainable_variables

    def step(rows: Any) -> tuple[Any, Any]:
        labels = tf.gather(y, rows)
        with tf.GradientTape() as tape:
            logits = model(_real(tf.gather(x, rows), lsb), training=True)
            losses = objective(rows, labels, logits)
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        if pruning is not None:
            pruning.update(tf.cast(optimizer.iterations.value, tf.int64))
        return tf.reduce_sum(losses), _count_correct(labels, logits)

    def epoch(order: Any) -> tuple[Any, Any]:
        loss, correct = tf.constant(0.0), tf.constant(0)
        for start in tf.range(0, samples, batch_size):
            step_loss, step_correct = step(order[start : start + batch_size])
            loss += step_loss
            correct += step_correct
        return loss / samples, correct / samples

    compiled: Callable[[Any], tuple[Any, Any]] = tf.function(epoch)
    return compiled


def _compile_evaluation(model: keras.Model, dataset: Dataset) -> Callable[[], tuple[Any, Any]]:
    """The compiled evaluation: mean cross-entropy and accuracy on the validation split."""
    samples, lsb = len(dataset.validation), dataset.input_format.lsb
    x, y = tf.constant(dataset.validation.x), tf.constant(dataset.validation.y, tf.int32)

    def evaluate() -> tuple[Any, Any]:
        loss, correct = tf.constant(0.0), tf.constant(0)
        for start in tf.range(0, samples, CHUNK):
            labels = y[start : start + CHUNK]
            logits = model(_real(x[start : start + CHUNK], lsb), training=False)
            loss += tf.reduce_sum(cross_entropy(None, labels, logits))
            correct += _count_correct(labels, logits)
        return loss / samples, correct / samples

    compiled: Callable[[], tuple[Any, Any]] = tf.function(evaluate)
    return compiled


def _real(x: Any, lsb: float) -> Any:
    """Integers in LSBs as the real numbers that the model sees; exact, since an LSB is a power of two."""
    return tf.cast(x, tf.float32) * lsb


def _count_correct(labels: Any, logits: Any) -> Any:
    return tf.math.count_nonzero(tf.argmax(logits, axis=1, output_type=tf.int32) == labels, dtype=tf.int32)
