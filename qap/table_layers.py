"""The Keras layers of a network of truth tables: thresholds, tables and class sums, in their hard form.

`Thresholds`, `Tables` (one or more) and `ClassSums` stand behind one another; every number between them is 0 or 1, and
the logits are the plain sums. Training builds on these layers, `freeze` reads them, and both may import this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qap.errors import QapError
from qap.extras import load_tensorflow

load_tensorflow()
import keras  # noqa: E402
import numpy as np  # noqa: E402

PINS = 6
"""Inputs of a table, as a LUT of an FPGA has them."""
ROWS = 1 << PINS
"""Addresses of a table."""


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
        n_in, rng = int(input_shape[1] or 0), np.random.default_rng(self.seed)
        wires = np.stack([rng.choice(n_in, self.fan_in, replace=False) for _ in range(self.units)])
        wires = np.hstack([wires, np.repeat(wires[:, :1], PINS - self.fan_in, axis=1)])
        table = rng.uniform(-1, 1, (self.units, ROWS))
        self.wires = self.add_weight(shape=wires.shape, dtype="int32", trainable=False, name="wires")
        self.table = self.add_weight(shape=table.shape, dtype="float32", name="table")
        self.wires.assign(wires.astype(np.int32))
        self.table.assign(table.astype(np.float32))

    def call(self, inputs: Any) -> Any:
        """The answers (n, units) to inputs (n, n_in)."""
        pins = keras.ops.take(inputs, keras.ops.reshape(self.wires, (-1,)), axis=1) > 0
        bits = keras.ops.reshape(keras.ops.cast(pins, "int32"), (-1, self.units, PINS))
        address = keras.ops.sum(bits * np.array([1 << pin for pin in range(PINS)], np.int32), axis=-1)
        rows = address + np.arange(self.units, dtype=np.int32) * ROWS
        return keras.ops.cast(keras.ops.take(keras.ops.reshape(self.table, (-1,)), rows) > 0, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """One number a neuron."""
        return input_shape[0], self.units

    def get_config(self) -> dict[str, Any]:
        """Units, fan-in and seed, too."""
        return {**super().get_config(), "units": self.units, "fan_in": self.fan_in, "seed": self.seed}


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
