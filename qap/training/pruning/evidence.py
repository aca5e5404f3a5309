"""What a pruning method may look at when masks are renewed; nothing is computed before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from qap.training.networks import dense_layers
from qap.training.objective import cross_entropy

if TYPE_CHECKING:
    from qap.data.dataset import Split

SAMPLES = 1024
"""Samples that gradients and answers are taken from, evenly spread over their split."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The state of a network, as tensors inside of the graph.

    Args:
        kernels: the Keras variables of all layers, float32 (n_in, n_out).
        quantized: gives the kernels as the forward pass uses them.
        gradients: gives the gradient of the cross-entropy on training samples for each kernel, masked weights too.
        answers: gives what each hidden layer answers validation samples, (samples, n_out), after its activation.
        seed: of `noise`.
        step: int64 scalar, optimizer steps that are done.
    """

    kernels: Sequence[Any]
    quantized: Callable[[], list[Any]]
    gradients: Callable[[], list[Any]]
    answers: Callable[[], list[Any]]
    seed: int = 0
    step: Any = 0

    def noise(self, stream: int = 0) -> list[Any]:
        """Uniform numbers shaped as the kernels; other ones for each step, seed and stream."""
        places = range(len(self.kernels))
        step = tf.cast(self.step, tf.int64)
        return [
            tf.random.stateless_uniform(kernel.shape, seed=tf.stack([self.seed + 7919 * stream, step * 64 + place]))
            for place, kernel in zip(places, self.kernels, strict=True)
        ]

    @classmethod
    def of(cls, model: keras.Model, train: Split, validation: Split, lsb: float, seed: int) -> Evidence:
        """The evidence of a model that is a chain of layers.

        Args:
            model: real numbers -> logits.
            train: where gradients are taken.
            validation: where answers are taken.
            lsb: the value of one LSB of an input.
            seed: of `noise`.
        """
        layers = dense_layers(model)
        kernels = [layer.kernel for layer in layers]

        def gradients() -> list[Any]:
            x, y = _sample(train, lsb)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(cross_entropy(y, model(x, training=False)))
            found: list[Any] = tape.gradient(loss, [kernel.value for kernel in kernels])
            return found

        def answers() -> list[Any]:
            hidden = keras.Model(model.input, [layer.input for layer in layers[1:]])
            found = hidden(_sample(validation, lsb)[0], training=False)
            return list(found) if isinstance(found, list | tuple) else [found]

        return cls(kernels, lambda: [_quantized(layer) for layer in layers], gradients, answers, seed)


def _sample(split: Split, lsb: float) -> tuple[Any, Any]:
    rows = np.unique(np.linspace(0, len(split) - 1, SAMPLES).astype(np.int64))
    return tf.cast(tf.constant(split.x[rows]), tf.float32) * lsb, tf.constant(split.y[rows], tf.int32)


def _quantized(layer: Any) -> Any:
    kernel = tf.convert_to_tensor(layer.kernel)
    quantizer = getattr(layer, "kernel_quantizer_internal", None)
    return kernel if quantizer is None else quantizer(kernel)
