"""Condensation by synthesis: samples that are moved, step by step, until they match the data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from qap.errors import QapError
from qap.training.condensation.selection import medoids
from qap.training.condensation.source import Floats, Source

DISTRIBUTION_STEPS, DISTRIBUTION_RATE = 1000, 0.05
DISTRIBUTION_BATCH = 256  # real samples of each class
FEATURES, BIAS = 256, 0.3  # neurons of each random network, and the deviation of their thresholds

GRADIENT_STEPS, GRADIENT_RATE = 2000, 0.02
GRADIENT_BATCH = 128  # real samples of each class
HIDDEN = 64
LIFETIME, NETWORK_RATE = 100, 0.1  # steps until a network is replaced, and its own learning rate until then


def match_distributions(source: Source) -> Floats:
    """`distribution-matching`: samples that random networks see as they see the data.

    In each step a new random network embeds both, and the means of each class are drawn together.

    B. Zhao, H. Bilen, "Dataset condensation with distribution matching", WACV 2023; the network is one layer of
    ReLU neurons here, and nothing is augmented.
    """
    matching = Matching(source)

    def distance(x: Any) -> Any:
        weight = matching.random.normal((matching.n_in, FEATURES), stddev=math.sqrt(2 / matching.n_in))
        bias = matching.random.normal((FEATURES,), stddev=BIAS)
        both = (matching.batch(DISTRIBUTION_BATCH), x)
        real, made = (tf.reduce_mean(tf.nn.relu(samples @ weight + bias), axis=1) for samples in both)
        return tf.reduce_sum((real - made) ** 2)

    return matching.descend(distance, DISTRIBUTION_STEPS, DISTRIBUTION_RATE)


def match_gradients(source: Source) -> Floats:
    """`gradient-matching`: samples that teach a network what the data teach it.

    The gradients that both give a network are drawn together, class by class, while it learns from the samples.

    B. Zhao, K. R. Mopuri, H. Bilen, "Dataset condensation with gradient matching", ICLR 2021. The network has one
    hidden layer here, and the distance is squared and Euclidean; the authors' cosine gave less on `digits`.
    """
    matching = Matching(source)
    network = _Network(matching)
    age = tf.Variable(0)

    def distance(x: Any) -> Any:
        tf.cond(age % LIFETIME == 0, network.restart, lambda: None)
        age.assign_add(1)
        real, made = network.gradients(matching.batch(GRADIENT_BATCH)), network.gradients(x)
        loss = tf.add_n([tf.reduce_sum((tf.stop_gradient(a) - b) ** 2) for a, b in zip(real, made, strict=True)])
        network.learn(made)
        return loss

    return matching.descend(distance, GRADIENT_STEPS, GRADIENT_RATE)


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


class _Network:
    """A layer of ReLU neurons and a softmax, whose gradients stand in closed form: all classes at once, one tape."""

    def __init__(self, matching: Matching) -> None:
        self._random, self._shape = matching.random, (matching.n_in, HIDDEN, matching.n_classes)
        n_in, hidden, n_classes = self._shape
        self._weights = [
            tf.Variable(tf.zeros(shape)) for shape in ((n_in, hidden), hidden, (hidden, n_classes), n_classes)
        ]

    def restart(self) -> None:
        n_in, hidden, n_classes = self._shape
        weight, bias, out_weight, out_bias = self._weights
        weight.assign(self._random.normal((n_in, hidden), stddev=math.sqrt(2 / n_in)))
        out_weight.assign(self._random.normal((hidden, n_classes), stddev=math.sqrt(1 / hidden)))
        bias.assign(tf.zeros(hidden))
        out_bias.assign(tf.zeros(n_classes))

    def gradients(self, x: Any) -> list[Any]:
        """Samples (n_classes, n, n_in) -> gradients of the mean cross-entropy of each class, (n_classes, ...) each."""
        weight, bias, out_weight, out_bias = self._weights
        hidden = tf.nn.relu(x @ weight + bias)
        labels = tf.eye(self._shape[2])[:, None, :]
        at_logits = (tf.nn.softmax(hidden @ out_weight + out_bias) - labels) / tf.cast(tf.shape(x)[1], tf.float32)
        at_hidden = tf.where(hidden > 0, at_logits @ tf.transpose(out_weight), 0.0)
        return [
            tf.matmul(x, at_hidden, transpose_a=True),
            tf.reduce_sum(at_hidden, axis=1),
            tf.matmul(hidden, at_logits, transpose_a=True),
            tf.reduce_sum(at_logits, axis=1),
        ]

    def learn(self, gradients: list[Any]) -> None:
        """One step of plain descent on the mean over the classes."""
        for variable, gradient in zip(self._weights, gradients, strict=True):
            variable.assign_sub(NETWORK_RATE * tf.reduce_mean(gradient, axis=0))
