"""The Keras layers of a network of truth tables: thresholds, tables and class sums, in their hard form.

`Thresholds`, `Tables` (one or more) and `ClassSums` stand behind one another; every number between them is 0 or 1, and
the logits are the plain sums. Training builds on these layers, `freeze` reads them, and both may import this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from qap.errors import QapError
from qap.extras import load_tensorflow

load_tensorflow()
import keras  # noqa: E402
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
import tensorflow as tf  # noqa: E402

PINS = 6
"""Inputs of a table, as a LUT of an FPGA has them."""
ROWS = 1 << PINS
"""Addresses of a table."""
SOFTNESS = 0.1
"""How far the gradient of a table by a pin looks beyond the row that was read: each other pin is taken for flipped with
this probability."""


@keras.saving.register_keras_serializable(package="qap")
class Thresholds(keras.layers.Layer):  # type: ignore[misc]
    """Bits of real numbers: `y[:, j] = x[:, features[j]] >= thresholds[j]`, as 0.0 or 1.0.

    Args:
        features: which input each bit compares, (n,) indices.
        thresholds: what it compares it with, (n,) real numbers in the units of the inputs.

    Raises:
        QapError: there are none, or not as many of both; a feature is negative, or is not there.
    """

    def __init__(self, features: Sequence[int], thresholds: Sequence[float], **settings: Any) -> None:
        super().__init__(**settings)
        self.features = [int(feature) for feature in features]
        self.thresholds = [float(threshold) for threshold in thresholds]
        if not self.features or len(self.features) != len(self.thresholds) or min(self.features) < 0:
            raise QapError(
                f"thresholds need one feature each, 0 or above, but got {len(self.features)} features and "
                f"{len(self.thresholds)} thresholds"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the features."""
        if len(input_shape) != 2 or max(self.features) >= int(input_shape[1] or 0):
            raise QapError(f"layer {self.name!r} compares input {max(self.features)}, but its input is {input_shape}")

    def call(self, inputs: Any) -> Any:
        """The bits (n, bits) of inputs (n, features)."""
        read = keras.ops.take(inputs, np.array(self.features, np.int32), axis=1)
        limits = keras.ops.cast(np.array(self.thresholds, np.float32), self.compute_dtype)
        return keras.ops.cast(read >= limits, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """One number a threshold."""
        return input_shape[0], len(self.features)

    def get_config(self) -> dict[str, Any]:
        """Features and thresholds, too."""
        return {**super().get_config(), "features": self.features, "thresholds": self.thresholds}


@keras.saving.register_keras_serializable(package="qap")
class Tables(keras.layers.Layer):  # type: ignore[misc]
    """Neurons that look their answer up: `y[:, j] = table[j, address] > 0`, as 0.0 or 1.0.

    Bit p of the address of neuron j is `x[:, wires[j, p]] > 0`. The layer owns two variables:

    - `wires`: int32 (units, 6), not trained; pins from `fan_in` on repeat the wire of pin 0. Drawn at random.
    - `table`: float32 (units, 64) in [-1, 1], trained; it answers by its sign, and 0 is no answer of 1.

    The gradient by an answer goes straight through to the row that was read, and to a pin by the difference that
    it makes in the table (an extended finite difference, as in arXiv:2410.11112).

    Args:
        units: neurons.
        fan_in: different inputs of a neuron, 2 to 6.
        seed: of the wires and tables that it begins with.

    Raises:
        QapError: there are no units, `fan_in` is not 2 to 6, or there are fewer inputs than that.
    """

    def __init__(self, units: int, fan_in: int = PINS, seed: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        if units < 1 or not 2 <= fan_in <= PINS:
            raise QapError(f"tables need units >= 1 and a fan_in of 2 to {PINS}, but got {units} and {fan_in}")
        self.units, self.fan_in, self.seed = int(units), int(fan_in), int(seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Draw wires and tables."""
        if len(input_shape) != 2 or int(input_shape[1] or 0) < self.fan_in:
            raise QapError(
                f"layer {self.name!r} has tables of {self.fan_in} inputs, but its input is {input_shape}; lower fan_in"
            )
        rng = np.random.default_rng(self.seed)
        self.wires = self.add_weight(shape=(self.units, PINS), dtype="int32", trainable=False, name="wires")
        self.table = self.add_weight(shape=(self.units, ROWS), dtype="float32", name="table", constraint=_in_range)
        self.draw(np.arange(int(input_shape[1] or 0)), rng)
        self.table.assign(rng.uniform(-1, 1, (self.units, ROWS)).astype(np.float32))

    def draw(self, readable: npt.NDArray[np.int64], rng: np.random.Generator) -> None:
        """Give each neuron different inputs among those that may be read."""
        self.connect(np.stack([rng.choice(readable, self.fan_in, replace=False) for _ in range(self.units)]))

    def connect(self, wires: Any) -> None:
        """Set the wires of the pins (units, fan_in); the pins beyond repeat that of pin 0."""
        wires = tf.cast(wires, tf.int32)
        self.wires.assign(tf.concat([wires, tf.repeat(wires[:, :1], PINS - self.fan_in, axis=1)], axis=1))

    def call(self, inputs: Any) -> Any:
        """The answers (n, units) to inputs (n, n_in)."""

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def answers(inputs: Any, table: Any) -> tuple[Any, Any]:
            rows = self._rows(inputs)
            found = tf.cast(tf.gather(tf.reshape(table, (-1,)), rows) > 0, inputs.dtype)

            def backward(gradient: Any) -> tuple[Any, Any]:
                by_row = tf.math.unsorted_segment_sum(tf.transpose(gradient), rows, self.units * ROWS)
                return self._by_input(inputs, gradient), tf.reshape(by_row, table.shape)

            return tf.transpose(found), backward

        return answers(inputs, tf.convert_to_tensor(self.table))

    def pin_gradients(self, inputs: Any, gradient: Any) -> Any:
        """The gradient of the loss by what each pin reads.

        Args:
            inputs: (n, n_in).
            gradient: of the loss by the answers, (n, units).

        Returns:
            float32 (units, fan_in, n).
        """
        slopes = tf.matmul(tf.cast(self.table.value > 0, tf.float32), _slopes(self.fan_in))
        slopes = tf.reshape(slopes, (-1,))  # of each unit, by each pin, at each address
        address = self._rows(inputs) - ROWS * tf.range(self.units)[:, None]
        first = ROWS * tf.reshape(tf.range(self.units * self.fan_in), (self.units, self.fan_in, 1))
        return tf.gather(slopes, first + address[:, None, :]) * tf.transpose(gradient)[:, None, :]

    def _rows(self, inputs: Any) -> Any:
        """Where each answer stands among the rows of all tables, int32 (units, n)."""
        bits = tf.transpose(tf.cast(inputs > 0, tf.uint8))  # a wire is one copy of a row then
        wires = self.wires.value
        address = tf.gather(bits, wires[:, 0])
        for pin in range(1, PINS):  # sums of whole rows: a sum along an axis between two others takes twice as long
            address += tf.gather(bits, wires[:, pin]) * tf.constant(1 << pin, tf.uint8)
        return tf.cast(address, tf.int32) + ROWS * tf.range(self.units)[:, None]

    def _by_input(self, inputs: Any, gradient: Any) -> Any:
        """The gradient of the loss by the inputs, (n, n_in): that by all pins that read them."""
        pins = tf.reshape(self.pin_gradients(inputs, gradient), (self.units * self.fan_in, -1))
        wires = tf.reshape(self.wires.value[:, : self.fan_in], (-1,))
        return tf.transpose(tf.math.unsorted_segment_sum(pins, wires, inputs.shape[1]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """One number a neuron."""
        return input_shape[0], self.units

    def get_config(self) -> dict[str, Any]:
        """Units, fan-in and seed, too."""
        return {**super().get_config(), "units": self.units, "fan_in": self.fan_in, "seed": self.seed}


def _in_range(table: Any) -> Any:
    return keras.ops.clip(table, -1, 1)


@cache
def _slopes(fan_in: int) -> npt.NDArray[np.float32]:
    """The matrix (64, fan_in * 64) from the answers of a table to its differences by each pin, at each address.

    The difference by a pin at an address is that of the multilinear interpolation of the table where every other pin is
    right with probability 1 - `SOFTNESS`.
    """
    row, address = np.arange(ROWS)[:, None], np.arange(ROWS)[None]
    pins = np.arange(fan_in)[:, None, None]
    repeated = sum(1 << pin for pin in range(fan_in, PINS))
    possible = (row & repeated) == np.where(row & 1, repeated, 0)  # pins beyond the fan-in repeat pin 0
    others = (row ^ address)[None] & ~(1 << pins) & ((1 << fan_in) - 1)
    distance = np.array([bin(number).count("1") for number in others.ravel()]).reshape(others.shape)
    weight = SOFTNESS**distance * (1 - SOFTNESS) ** (fan_in - 1 - distance)
    signed = np.where(row >> pins & 1, weight, -weight) * possible
    matrix: npt.NDArray[np.float32] = signed.transpose(1, 0, 2).reshape(ROWS, -1).astype(np.float32)
    return matrix


@keras.saving.register_keras_serializable(package="qap")
class ClassSums(keras.layers.Layer):  # type: ignore[misc]
    """Logits that count: logit c is the sum of the c-th of `classes` equal consecutive blocks of the inputs.

    Args:
        classes: logits.

    Raises:
        QapError: there are no classes, or they do not divide the inputs.
    """

    def __init__(self, classes: int, **settings: Any) -> None:
        super().__init__(**settings)
        if classes < 1:
            raise QapError(f"class sums need classes >= 1, but got {classes}")
        self.classes = int(classes)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check the inputs."""
        count = int(input_shape[-1] or 0)
        if len(input_shape) != 2 or not count or count % self.classes:
            following = (count // self.classes + 1) * self.classes
            raise QapError(
                f"layer {self.name!r} sums {self.classes} equal blocks, but its input is {input_shape}; "
                f"the next width that {self.classes} divides is {following}"
            )

    def call(self, inputs: Any) -> Any:
        """The sums (n, classes) of inputs (n, n_in)."""
        block = inputs.shape[-1] // self.classes
        return keras.ops.sum(keras.ops.reshape(inputs, (-1, self.classes, block)), axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """One number a class."""
        return input_shape[0], self.classes

    def get_config(self) -> dict[str, Any]:
        """The classes, too."""
        return {**super().get_config(), "classes": self.classes}
