"""What both synthesizing methods share: samples that are moved, step by step, until they match the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qap.errors import QapError, missing_extra
from qap.training.condensation.k_means import medoids
from qap.training.condensation.source import Floats, Source

try:
    import keras
    import tensorflow as tf
except ImportError as error:
    raise missing_extra("train", error) from error


class Matching:
    """The samples of a source, standardized, and as many moving ones as are wanted of each class.

    Every input is centred, and all of them are divided by one spread, so that pixels keep their relative size.
    The moving samples start at the k-means medoids and never leave the range that each input has in the data.

    Args:
        source: the classes.
    """

    def __init__(self, source: Source) -> None:
        everything = np.concatenate(source.classes)
        counts = np.array([len(samples) for samples in source.classes])
        self._source, self._center = source, everything.mean(axis=0)
        self._spread = float(np.sqrt(everything.var(axis=0).mean())) or 1.0
        self._range = [self._standard(limit(axis=0)) for limit in (everything.min, everything.max)]
        self._data = tf.constant(self._standard(everything))
        self._counts = tf.constant(counts[:, None], tf.float32)
        self._firsts = tf.constant((np.cumsum(counts) - counts)[:, None], tf.int32)
        self.random = tf.random.Generator.from_seed(source.seed)
        self.n_classes, self.n_in = len(counts), everything.shape[1]

    def batch(self, size: int) -> Any:
        """Random samples of each class, with replacement: (n_classes, size, n_in)."""
        rows = tf.cast(self.random.uniform((self.n_classes, size)) * self._counts, tf.int32)
        # float32 can round a share just below 1 up to the count itself
        rows = tf.minimum(rows, tf.cast(self._counts, tf.int32) - 1)
        return tf.gather(self._data, self._firsts + rows)

    def descend(self, distance: Callable[[Any], Any], steps: int, learning_rate: float) -> Floats:
        """Move the samples down a distance by Adam, with a cosine decay of the learning rate.

        Args:
            distance: moving samples (n_classes, per_class, n_in) -> a scalar; asked anew in every step.
            steps: how many.
            learning_rate: of the first step, in units of the spread.

        Returns:
            float64 (n_classes, per_class, n_in), in the unit of the source.

        Raises:
            QapError: the samples became no numbers.
        """
        x = keras.Variable(self._standard(medoids(self._source)))
        optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, steps))
        optimizer.build([x])

        def run() -> Any:
            total = tf.constant(0.0)
            for _ in tf.range(steps):
                with tf.GradientTape() as tape:
                    loss = distance(x.value)
                optimizer.apply([tape.gradient(loss, x.value)], [x])
                x.assign(tf.clip_by_value(x.value, *self._range))
                total += loss
            return total

        if not np.isfinite(tf.function(run)().numpy()):  # the clipping would hide it in the samples
            raise QapError("method: the samples became no numbers while they were matched; select them instead")
        moved: Floats = np.asarray(x.numpy(), np.float64) * self._spread + self._center
        return moved

    def _standard(self, samples: Floats) -> Any:
        standard: Any = ((samples - self._center) / self._spread).astype(np.float32)
        return standard
