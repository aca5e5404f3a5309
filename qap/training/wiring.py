"""Learned wiring: each pin of a table collects evidence for every bit that it could read, and moves to a better one.

The evidence for a bit is how the loss would fall if the pin followed it: minus the product of the bit with the gradient
at the pin, summed over batches. A pin moves when another bit leads its own by a margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from qap.recipe import StudentRecipe
from qap.table_layers import Tables
from qap.training.tables import varying

if TYPE_CHECKING:
    from qap.data.dataset import Dataset

EVERY = 4
"""Steps from one look at the evidence to the next."""
MARGIN, SHARE = 15.0, 0.7


class Wiring:
    """The wires of a model's layers of tables while it is trained.

    Args:
        model: real numbers -> logits; with layers of tables.
        student: margin and share.
        dataset: shows which bits of the first layer vary.
    """

    def __init__(self, model: keras.Model, student: StudentRecipe, dataset: Dataset) -> None:
        layers = [layer for layer in model.layers if isinstance(layer, Tables)]
        self._taps = keras.Model(
            model.input, [*(layer.input for layer in layers), *(layer.output for layer in layers), model.output]
        )
        self._share = SHARE if student.wiring_share is None else student.wiring_share
        margin = student.wiring_margin or MARGIN
        first = varying(keras.Model(model.input, layers[0].input), dataset)
        readable = [first, *(np.arange(layer.units) for layer in layers[:-1])]
        self._layers = [_Pins(layer, each, margin) for layer, each in zip(layers, readable, strict=True)]

    def forward(self, inputs: Any) -> tuple[list[Any], list[Any], Any]:
        """The inputs and the answers of each layer of tables, and the logits."""
        *between, logits = self._taps(inputs, training=True)
        count = len(self._layers)
        return between[:count], between[count:], logits

    def update(self, step: Any, progress: Any, inputs: list[Any], gradients: list[Any]) -> None:
        """Collect the evidence of a batch and move pins; part of the graph of the train step.

        Args:
            step: int64 scalar, optimizer steps that are done.
            progress: float32 scalar, the share of all steps that is done.
            inputs: of each layer of tables, (batch, bits).
            gradients: of the loss by the answers of each, (batch, units).
        """
        if tf.logical_and(progress < self._share, step % EVERY == 0):
            for pins, bits, gradient in zip(self._layers, inputs, gradients, strict=True):
                pins.update(bits, gradient)


class _Pins:
    """The pins of one layer.

    Args:
        layer: whose wires move.
        readable: the inputs that a pin may read, rising.
        margin: of the evidence.
    """

    def __init__(self, layer: Tables, readable: Any, margin: float) -> None:
        self._layer, self._margin = layer, margin
        self._readable = tf.constant(readable, tf.int32)
        place = np.zeros(int(layer.input.shape[1]), np.int32)
        place[readable] = np.arange(len(readable))
        self._place = tf.constant(place)
        self._evidence = tf.Variable(tf.zeros((layer.units * layer.fan_in, len(readable))), trainable=False)

    def update(self, bits: Any, gradient: Any) -> None:
        """Collect evidence, and move the pins that another bit serves better."""
        layer, pins = self._layer, self._layer.units * self._layer.fan_in
        at_pins = tf.reshape(layer.pin_gradients(bits, gradient), (pins, -1))
        at_pins /= tf.norm(at_pins, axis=1, keepdims=True) + 1e-10  # each batch counts alike, whatever the loss
        seen = tf.gather(tf.cast(bits > 0, tf.float32), self._readable, axis=1)
        self._evidence.assign_sub(tf.matmul(at_pins, seen))
        wires = layer.wires.value[:, : layer.fan_in]
        own = tf.gather(self._evidence, tf.gather(self._place, tf.reshape(wires, (-1,))), batch_dims=1)
        best = tf.argmax(self._evidence, axis=1, output_type=tf.int32)
        leads = tf.gather(self._evidence, best, batch_dims=1) - own > self._margin
        better = tf.reshape(tf.gather(self._readable, best), tf.shape(wires))
        taken = tf.reduce_any(better[:, :, None] == wires[:, None, :], axis=2)
        moved = tf.where(tf.reshape(leads, tf.shape(wires)) & ~taken, better, wires)
        layer.connect(moved)
