"""The one training loop: a whole epoch is a single call into a compiled graph.

The data lie on the device as the integers that they are; each batch is gathered by a shuffled
permutation and scaled to real numbers (a power of two: exact). Where classes have weights, losses and accuracies of
training and validation count a sample by the weight of its class. Teachers and students differ only in what
is minimized (an `Objective`) and in what happens after a step: to kernels (a `Pruning`), to wires (a `Wiring`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from qap.errors import QapError
from qap.recipe import PruneRecipe, StudentRecipe, TrainingRecipe
from qap.training.history import EpochRecord, History, Tell
from qap.training.objective import Batch, Objective, cross_entropy
from qap.training.optimizer import adam, steps_of
from qap.training.pruning import Evidence, Pruning, rankings
from qap.training.wiring import Wiring

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
    objective: Objective | None = None,
    progress: Tell | None = None,
) -> History:
    """Train a model; it ends with the weights of the epoch that was best on the validation split.

    Args:
        model: (n, n_in) real numbers -> (n, n_classes) logits.
        dataset: `train` and `validation` are read.
        training: epochs, batch size, learning rate; a `StudentRecipe` for a model that is pruned, or whose wires move.
        seed: of the order of the samples.
        prune: how the student is pruned, if at all. Only epochs with the final sparsity can be the best.
        objective: what is minimized; the cross-entropy of the labels if None.
        progress: called after every epoch.

    Raises:
        RecipeError: the pruning does not fit into the training.
        QapError: the loss is not a number any more.
    """
    objective = objective or Objective()
    total_steps = steps_of(training, dataset.train.originals)
    steps = total_steps // training.epochs
    pruning = _pruning(model, dataset, training, prune, seed)
    optimizer = adam(model, training, total_steps)
    wiring = Wiring(model, training, dataset) if isinstance(training, StudentRecipe) and training.is_tables else None
    train_epoch = _compile_epoch(model, dataset, training, optimizer, objective, pruning, wiring)
    evaluate = _compile_evaluation(model, dataset)
    choice = _Choice(training.patience, first_step=pruning.period.end if pruning else 0)
    records: list[EpochRecord] = []
    order = np.random.default_rng(seed)
    for epoch in range(1, training.epochs + 1):
        start = time.perf_counter()
        loss, accuracy = train_epoch(tf.constant(dataset.train.epoch(order), tf.int32))
        objective.end_epoch(epoch, model)
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
        if not math.isfinite(record.train_loss + record.validation_loss):
            raise QapError(
                f"the loss of {model.name!r} is not a number any more in epoch {epoch}; "
                f"lower its learning_rate, now {training.learning_rate:g}"
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
    return compile_prediction(model, lsb)(x)


def compile_prediction(
    model: keras.Model, lsb: float
) -> Callable[[npt.NDArray[np.integer[Any]]], npt.NDArray[np.float32]]:
    """`predict_logits` of a model whose weights will change: it is compiled once, not for each call."""
    predict = tf.function(lambda part: model(_real(part, lsb), training=False), reduce_retracing=True)

    def logits(x: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
        parts = [predict(tf.constant(x[start : start + CHUNK])).numpy() for start in range(0, len(x), CHUNK)]
        return np.concatenate(parts)

    return logits


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


def _pruning(
    model: keras.Model, dataset: Dataset, training: TrainingRecipe, prune: PruneRecipe | None, seed: int
) -> Pruning | None:
    """The masks of a student, or None when nothing is pruned."""
    if prune is None or not isinstance(training, StudentRecipe):
        return None
    ranked = rankings(prune, training, dataset.n_in)
    if not ranked:
        return None
    evidence = Evidence.of(model, dataset.train, dataset.validation, dataset.input_format.lsb, seed)
    pruning = Pruning(evidence, ranked, prune, steps_of(training, dataset.train.originals), model.trainable_variables)
    pruning.update(tf.constant(0, tf.int64))
    return pruning


def _compile_epoch(
    model: keras.Model,
    dataset: Dataset,
    training: TrainingRecipe,
    optimizer: keras.optimizers.Optimizer,
    objective: Objective,
    pruning: Pruning | None,
    wiring: Wiring | None,
) -> Callable[[Any], tuple[Any, Any]]:
    """The compiled epoch: rows int32 (n,) of the training split -> its mean loss and accuracy."""
    samples, lsb = dataset.train.originals, dataset.input_format.lsb
    weigh, counted = _weights(dataset), _counted(dataset, dataset.train.y[:samples])
    batch_size = min(training.batch_size, samples)
    total_steps = steps_of(training, samples)
    # arguments, not captured: TensorFlow never frees the constants of a graph
    x, y = tf.constant(dataset.train.x), tf.constant(dataset.train.y, tf.int32)
    variables = model.trainable_variables
    forward = wiring.forward if wiring is not None else lambda inputs: ([], [], model(inputs, training=True))

    def step(x: Any, y: Any, rows: Any) -> tuple[Any, Any]:
        progress = tf.cast(optimizer.iterations.value, tf.float32) / total_steps
        labels = tf.gather(y, rows)
        batch = Batch(rows, _real(tf.gather(x, rows), lsb), labels, progress, weigh(labels))
        with tf.GradientTape() as tape:
            read, answers, logits = forward(batch.inputs)
            losses = batch.weights * objective.losses(batch, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, [*(variable.value for variable in variables), *answers])
        optimizer.apply(gradients[: len(variables)], variables)
        steps_done = tf.cast(optimizer.iterations.value, tf.int64)
        if pruning is not None:
            pruning.update(steps_done)
        if wiring is not None:
            wiring.update(steps_done, batch.progress, read, gradients[len(variables) :])
        objective.learn(batch, logits)
        return tf.reduce_sum(losses), _count_correct(batch.labels, logits, batch.weights)

    def epoch(x: Any, y: Any, order: Any) -> tuple[Any, Any]:
        loss, correct = tf.constant(0.0), tf.constant(0.0, tf.float64)
        for start in tf.range(0, samples, batch_size):
            step_loss, step_correct = step(x, y, order[start : start + batch_size])
            loss += step_loss
            correct += step_correct
        return loss / counted, correct / counted

    compiled = tf.function(epoch)
    return lambda order: compiled(x, y, order)


def _compile_evaluation(model: keras.Model, dataset: Dataset) -> Callable[[], tuple[Any, Any]]:
    """The compiled evaluation: mean cross-entropy and accuracy on the validation split."""
    samples, lsb = len(dataset.validation), dataset.input_format.lsb
    weigh, counted = _weights(dataset), _counted(dataset, dataset.validation.y)
    x, y = tf.constant(dataset.validation.x), tf.constant(dataset.validation.y, tf.int32)

    def evaluate(x: Any, y: Any) -> tuple[Any, Any]:
        loss, correct = tf.constant(0.0), tf.constant(0.0, tf.float64)
        for start in tf.range(0, samples, CHUNK):
            labels = y[start : start + CHUNK]
            logits = model(_real(x[start : start + CHUNK], lsb), training=False)
            weights = weigh(labels)
            loss += tf.reduce_sum(weights * cross_entropy(labels, logits))
            correct += _count_correct(labels, logits, weights)
        return loss / counted, correct / counted

    compiled = tf.function(evaluate)
    return lambda: compiled(x, y)


def _real(x: Any, lsb: float) -> Any:
    """Integers in LSBs as the real numbers that the model sees; exact, since an LSB is a power of two."""
    return tf.cast(x, tf.float32) * lsb


def _weights(dataset: Dataset) -> Callable[[Any], Any]:
    """Labels -> how much each sample counts, 1 where classes have no weights."""
    if dataset.class_weights is None:
        return lambda labels: 1.0
    weights = tf.constant(dataset.class_weights, tf.float32)
    return lambda labels: tf.gather(weights, labels)


def _counted(dataset: Dataset, labels: npt.NDArray[Any]) -> float:
    """How many samples there are, each counted by its weight."""
    if dataset.class_weights is None:
        return float(len(labels))
    return float(np.asarray(dataset.class_weights)[labels].sum())


def _count_correct(labels: Any, logits: Any, weights: Any) -> Any:
    """The sum of the weights of the samples that are decided right, in float64: exact where all of them are 1."""
    right = tf.argmax(logits, axis=1, output_type=tf.int32) == labels
    return tf.reduce_sum(tf.cast(right, tf.float64) * tf.cast(weights, tf.float64))
