"""What the training loop minimizes: an `Objective`. The plain one is the cross-entropy of the labels."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Batch(NamedTuple):
    """What an objective sees of a batch, inside of the graph of the train step.

    Args:
        rows: int32 (batch,), the samples' places in the training split.
        inputs: float32 (batch, n_in), the real numbers that the model reads.
        labels: int32 (batch,), their classes.
        progress: float32 scalar, the share of all optimizer steps that is done, 0 to below 1.
        weights: how much each sample counts, float32 (batch,), or 1 for all.
    """

    rows: Any
    inputs: Any
    labels: Any
    progress: Any
    weights: Any = 1.0


class Objective:
    """Learning from labels alone; distillation methods say what else there is to learn from."""

    def losses(self, batch: Batch, logits: Any) -> Any:
        """The loss of each sample (batch,), in nats, for logits float32 (batch, n_classes) of the model."""
        return cross_entropy(batch.labels, logits)

    def learn(self, batch: Batch, logits: Any) -> None:
        """What else learns from this batch, after the model's own step; part of the graph."""
        return  # a body that AutoGraph can translate

    def end_epoch(self, epoch: int, model: keras.Model) -> None:
        """What happens between two epochs, outside of the graph; epochs count from 1."""


def cross_entropy(labels: Any, logits: Any) -> Any:
    """The cross-entropy (batch,) of labels int32 (batch,), in nats."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
