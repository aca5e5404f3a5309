"""Quantizers as Keras objects: the QKeras classes, and exact `ap_fixed` arithmetic with a straight-through gradient."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import qkeras
import tensorflow as tf

from qap.fixed import FixedPoint, Overflow, Rounding
from qap.recipe.quantizer import Quantizer


@keras.saving.register_keras_serializable(package="qap")
class FixedPointQuantizer:
    """Brings numbers into a fixed-point format, bit for bit as `FixedPoint.quantize` does.

    Exact for formats of at most 24 bits in float32 and 53 bits in float64 (subnormal floats count as 0); in a
    wider format the ends of the range are the last numbers that the float type holds. The gradient goes
    straight through, except where the number was cut by saturation or by the ReLU: there it is zero.

    Args:
        format: the format, or its text, `ap_fixed<6,2,AP_RND_CONV,AP_SAT>`.
        relu: whether negative numbers become 0 before they are brought into the format.

    Example:
        >>> FixedPointQuantizer("ap_fixed<4,2,AP_RND,AP_SAT>")(keras.ops.array([0.6, -9.0]))  # 0.5, -2.0
    """

    def __init__(self, format: FixedPoint | str, relu: bool = False) -> None:
        self.format = format if isinstance(format, FixedPoint) else FixedPoint.parse(format)
        self.relu = bool(relu)

    def __call__(self, x: Any) -> Any:
        """Quantize a float32 or float64 tensor of any shape."""
        x, form = tf.convert_to_tensor(x), self.format
        low, high = _float_range(form, x.dtype.as_numpy_dtype)
        positive = tf.nn.relu(x) if self.relu else x
        grid = _round(positive * 2.0**form.fractional, form.rounding)
        passes = positive == x  # where the ReLU did not cut
        if form.overflow is Overflow.WRAP:
            quantized = _wrap(grid, form)
        else:
            quantized = tf.clip_by_value(grid, low, high)
            passes &= quantized == grid
        through = tf.where(passes, x, tf.zeros_like(x))
        # through - stop_gradient(through) is exactly 0, so that no bit of the quantized number is lost
        return tf.stop_gradient(quantized * form.lsb) + (through - tf.stop_gradient(through))

    @property
    def bits(self) -> int:
        """All bits: QKeras' initializers ask for it."""
        return self.format.width

    def max(self) -> float:
        """The largest number: QKeras' initializers and constraints ask for it."""
        return self.format.max_int * self.format.lsb

    def min(self) -> float:
        """The smallest number."""
        return 0.0 if self.relu else self.format.min_int * self.format.lsb

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {"format": str(self.format), "relu": self.relu}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FixedPointQuantizer:
        """What Keras loads."""
        return cls(**config)

    def __str__(self) -> str:
        return f"relu({self.format})" if self.relu else str(self.format)


@keras.saving.register_keras_serializable(package="qap")
class ChannelQuantizer:
    """Brings the weights of each neuron onto a grid of its own, or all onto one: half to even, saturating.

    Args:
        signed: whether the grids go below 0.
        width: bits of every weight.
        fractional: fractional bits, one number for all neurons or one for each.
    """

    def __init__(self, signed: bool, width: int, fractional: list[int]) -> None:
        self.signed, self.width = bool(signed), int(width)
        self.fractional = np.array(fractional, np.int64)

    def __call__(self, x: Any) -> Any:
        """Quantize a float32 or float64 tensor (..., neurons)."""
        x = tf.convert_to_tensor(x)
        scale = tf.constant(np.ldexp(1.0, self.fractional.astype(np.int32)), x.dtype)
        form = FixedPoint(self.signed, self.width, self.width)
        low, high = _float_range(form, x.dtype.as_numpy_dtype)
        quantized = tf.clip_by_value(tf.round(x * scale), low, high) / scale
        return tf.stop_gradient(quantized) + (x - tf.stop_gradient(x))

    @property
    def bits(self) -> int:
        """QKeras' layers ask for it."""
        return self.width

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {"signed": self.signed, "width": self.width, "fractional": self.fractional.tolist()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ChannelQuantizer:
        """What Keras loads."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="qap")
class FloatScaleQuantizer:
    """Weights as whole multiples of a float scale, as dynamic quantization has them; no exact integer form.

    Args:
        width: bits of every weight; the range is symmetric.
        per_channel: a scale for each neuron, not one for all.
    """

    not_exact = (
        "dynamic quantization gives its weights a float scale and leaves biases and activations float; "
        'quantize.method = "ptq", "full-integer" or "qat" has an integer form'
    )

    def __init__(self, width: int, per_channel: bool = False) -> None:
        self.width, self.per_channel = int(width), bool(per_channel)

    def __call__(self, x: Any) -> Any:
        """Quantize a float tensor (n_in, neurons)."""
        x = tf.convert_to_tensor(x)
        largest = tf.reduce_max(tf.abs(x), axis=0 if self.per_channel else None, keepdims=True)
        scale = tf.maximum(largest, 1e-30) / max(1, 2 ** (self.width - 1) - 1)
        return tf.round(x / scale) * scale

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {"width": self.width, "per_channel": self.per_channel}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FloatScaleQuantizer:
        """What Keras loads."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="qap")
class StepQuantizer:
    """Steps up from value to value, as networks with binary and ternary activations do; for what is trained already.

    Args:
        thresholds: (k,) that rise, for all neurons alike, or a row (neurons, k) for each that never falls, as FINN's
            MultiThreshold has them; a number that reaches one belongs to the step above it.
        values: (k + 1,), rising.
    """

    def __init__(self, thresholds: Any, values: Any) -> None:
        self.thresholds, self.values = np.asarray(thresholds, np.float64), np.asarray(values, np.float64)
        if self.thresholds.ndim not in (1, 2) or not self.thresholds.size:
            raise ValueError(f"thresholds of the shape {self.thresholds.shape}")
        if self.values.shape != (self.thresholds.shape[-1] + 1,):
            raise ValueError(f"{self.thresholds.shape[-1]} thresholds part {self.thresholds.shape[-1] + 1} values")
        steps = np.diff(self.thresholds)
        rises = (steps > 0 if self.thresholds.ndim == 1 else steps >= 0).all()
        if not (np.diff(self.values) > 0).all() or not rises:
            raise ValueError("thresholds and values must rise")

    def __call__(self, x: Any) -> Any:
        """Quantize a float32 or float64 tensor (..., neurons)."""
        x = tf.convert_to_tensor(x)
        short = self.thresholds.astype(x.dtype.as_numpy_dtype)
        upwards = np.where(short < self.thresholds, np.nextafter(short, short.dtype.type(np.inf)), short)
        reached = tf.reduce_sum(tf.cast(x[..., None] >= tf.constant(upwards, x.dtype), tf.int32), axis=-1)
        return tf.gather(tf.constant(self.values, x.dtype), reached)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves."""
        return {"thresholds": self.thresholds.tolist(), "values": self.values.tolist()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StepQuantizer:
        """What Keras loads."""
        return cls(**config)


def keras_quantizer(quantizer: Quantizer) -> Any:
    """The Keras quantizer of a recipe's: a class of QKeras, or a `FixedPointQuantizer`."""
    if quantizer.name == "fixed_point":
        return FixedPointQuantizer(**quantizer.arguments)
    return getattr(qkeras, quantizer.name)(**quantizer.arguments)


def _float_range(form: FixedPoint, dtype: type[np.floating[Any]]) -> tuple[float, float]:
    """The ends of the range, in LSBs, rounded into the range where the float type is too short for them."""
    high = dtype(form.max_int)
    if int(high) > form.max_int:
        high = np.nextafter(high, dtype(0))
    low = dtype(form.min_int)
    if int(low) < form.min_int:
        low = np.nextafter(low, dtype(0))
    return float(low), float(high)


def _round(scaled: Any, rounding: Rounding) -> Any:
    if rounding is Rounding.RND_CONV:
        return tf.round(scaled)
    grid = tf.floor(scaled)
    if rounding is Rounding.RND:
        grid += tf.cast(scaled - grid >= 0.5, grid.dtype)  # floor(x + 0.5) would round twice
    return grid


def _wrap(grid: Any, form: FixedPoint) -> Any:
    """Keep the lower bits of whole numbers; every step is exact, since the remainder of floats is."""
    modulus = 2.0**form.width
    rest = tf.truncatemod(grid, tf.constant(modulus, grid.dtype))
    low, high = (-modulus / 2, modulus / 2) if form.signed else (0.0, modulus)
    rest = tf.where(rest < low, rest + modulus, rest)
    return tf.where(rest >= high, rest - modulus, rest)
