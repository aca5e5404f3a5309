"""`gradient-matching`: samples that teach a network what the data teach it."""

from __future__ import annotations

import math
from typing import Any

from qap.errors import missing_extra
from qap.training.condensation.matching import Matching
from qap.training.condensation.source import Floats, Source

try:
    import tensorflow as tf
except ImportError as error:
    raise missing_extra("train", error) from error

STEPS, LEARNING_RATE = 2000, 0.02
BATCH = 128  # real samples of each class
HIDDEN = 64
LIFETIME, NETWORK_RATE = 100, 0.1  # steps until a network is replaced, and its own learning rate until then


def match_gradients(source: Source) -> Floats:
    """The gradients that both give a network are drawn together, class by class, while it learns from the samples.

    B. Zhao, K. R. Mopuri, H. Bilen, "Dataset condensation with gradient matching", ICLR 2021. The network has one
    hidden layer here, and the distance is squared and Euclidean; the authors' cosine gave less on `digits`.
    """
    matching = Matching(source)
    network = _Network(matching)
    age = tf.Variable(0)

    def distance(x: Any) -> Any:
        tf.cond(age % LIFETIME == 0, network.restart, lambda: None)
        age.assign_add(1)
        real, made = network.gradients(matching.batch(BATCH)), network.gradients(x)
        loss = tf.add_n([tf.reduce_sum((tf.stop_gradient(a) - b) ** 2) for a, b in zip(real, made, strict=True)])
        network.learn(made)
        return loss

    return matching.descend(distance, STEPS, LEARNING_RATE)


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
