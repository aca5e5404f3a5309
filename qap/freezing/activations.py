"""QKeras activations in exact integers.

Each function reads the settings of one quantizer class and says what it computes on integers: a
rounding into a fixed-point format, a ReLU before it, or a staircase of thresholds. What each class
computes is defined by its `__call__` in qkeras/quantizers.py; the agreement with it is tested, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from qkeras import quantizers

from qap.errors import NotExact
from qap.fixed import MAX_WIDTH, FixedPoint, IntArray
from qap.freezing.exact import first_reached, fractional_bits, refuse_long, to_integers
from qap.freezing.quantizers import kind_of, refuse_unknown
from qap.network import StepTable
from qap.network.layer import Activation

MAX_STEPS = 4096
"""A staircase with more steps than this is no sensible hardware."""


class ActivationForm(NamedTuple):
    """An activation and the format of its results, as `LayerSpec` takes them."""

    activation: Activation
    result_format: FixedPoint


def activation_form(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    """What a quantizer computes on accumulators.

    Args:
        layer: the name of the layer, for the error.
        quantizer: an activation quantizer of QKeras, or a `FixedPointQuantizer`.
        fractional: fractional bits of the accumulator.

    Raises:
        NotExact: this quantizer, or this setting of it, has no exact integer form.
    """
    if isinstance(quantizer, Rounded):
        return quantizer.form
    refuse_unknown(layer, "activation", quantizer)
    name = kind_of(quantizer)
    translate = _FORMS.get(name or "")
    if translate is None:
        raise NotExact(layer, f"the activation {name!r} is not one of {', '.join(_FORMS)}")
    return translate(layer, quantizer, fractional)


def _fixed_point(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    return ActivationForm("relu" if quantizer.relu else "linear", quantizer.format)


def _quantized_bits(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    scale = _scale_exponent(layer, quantizer)
    signed = bool(quantizer.keep_negative)
    bits = int(quantizer.bits)
    if bits - signed == 0:
        return _staircase([0], [-1, 1], scale)
    form = FixedPoint.from_qkeras(bits, int(quantizer.integer), signed=signed, symmetric=bool(quantizer.symmetric))
    if scale == 0:
        return ActivationForm("linear", form)
    reach = form.integer + fractional
    steps = _steps(layer, lambda x: form.requantize(x, fractional), form.min_int, form.max_int, reach)
    scaled = FixedPoint(form.signed, form.width, form.integer + scale)
    return ActivationForm(steps, scaled)


def _quantized_linear(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    scale = _scale_exponent(layer, quantizer)
    signed, bits, integer = bool(quantizer.keep_negative), int(quantizer.bits), int(quantizer.integer)
    if bits == 1 and signed:
        return _staircase([0], [-1, 1], integer - 1 + scale)
    return ActivationForm(
        "linear", FixedPoint.from_qkeras(bits, integer + scale, signed=signed, symmetric=bool(quantizer.symmetric))
    )


def _quantized_relu(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    if quantizer.use_sigmoid:
        raise NotExact(layer, "quantized_relu with use_sigmoid computes a float sigmoid")
    bits, integer, slope = int(quantizer.bits), int(quantizer.integer), float(quantizer.negative_slope)
    if integer < 0:
        raise NotExact(layer, f"QKeras computes no quantized_relu({bits},{integer}); its integer must not be below 0")
    bound = None if quantizer.is_quantized_clip else quantizer.relu_upper_bound
    if not slope:
        form = FixedPoint.from_qkeras(bits, integer, signed=False)
        return ActivationForm("relu", form) if not bound else _bounded_relu(layer, form, float(bound), fractional)
    if bound:
        raise NotExact(layer, "quantized_relu with a negative_slope and a relu_upper_bound")
    return _leaky_relu(layer, bits - 1, integer, -_exponent(layer, "negative_slope", slope), fractional)


def _bounded_relu(layer: str, form: FixedPoint, bound: float, fractional: int) -> ActivationForm:
    """`quantized_relu` that is cut at a bound, which may lie between two numbers of its grid."""
    refuse_long(layer, "relu_upper_bound", np.array([bound]), "2 or 1.5 is one")
    finer = max(0, fractional_bits(np.array([bound])) - form.fractional)
    highest = min(form.max_int << finer, math.floor(math.ldexp(bound, form.fractional + finer)))

    def bounded(x: IntArray) -> IntArray:
        values: IntArray = np.minimum(form.requantize(np.maximum(x, 0), fractional) << finer, highest)
        return values

    steps = _steps(layer, bounded, 0, highest, form.integer + fractional)
    return ActivationForm(steps, FixedPoint.smallest(0, highest, form.fractional + finer))


def _quantized_tanh(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    """QKeras' tanh is the straight line between -1 and 1, unless it is told otherwise."""
    return ActivationForm("linear", FixedPoint.from_qkeras(int(quantizer.bits), 0, symmetric=bool(quantizer.symmetric)))


def _quantized_sigmoid(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    """QKeras' sigmoid is the straight line (x + 1) / 2 between 0 and 1, unless it is told otherwise."""
    form = FixedPoint.from_qkeras(int(quantizer.bits), 0, signed=False)
    lowest, finer = int(bool(quantizer.symmetric)), max(0, -fractional)

    def sigmoid(x: IntArray) -> IntArray:
        line = (x << finer) + (1 << (fractional + finer))
        return np.maximum(form.requantize(line, fractional + finer + 1), lowest)

    steps = _steps(layer, sigmoid, lowest, form.max_int, 2 + fractional)
    return ActivationForm(steps, FixedPoint(False, form.width, form.integer))


def curve_of(layer: str, quantizer: Any) -> Callable[[Any], Any] | None:
    """The curve that a `quantized_tanh` or `quantized_sigmoid` begins with; None for the straight line of QKeras.

    Args:
        layer: the name of the layer, for the error.
        quantizer: any.

    Raises:
        NotExact: QKeras was told to take another sigmoid for all of them.
    """
    kind = kind_of(quantizer)
    if kind not in ("quantized_tanh", "quantized_sigmoid"):
        return None
    if quantizer.use_real_tanh if kind == "quantized_tanh" else quantizer.use_real_sigmoid:
        curve: Callable[[Any], Any] = getattr(keras.activations, kind.removeprefix("quantized_"))
        return curve
    if quantizers._sigmoid is not quantizers.hard_sigmoid:
        raise NotExact(layer, "QKeras was set to another sigmoid than its hard one, which is a line")
    return None


class Rounded:
    """What a `quantized_tanh` or `quantized_sigmoid` does behind its curve: round half to even, and clip.

    Args:
        quantizer: the quantizer.
    """

    def __init__(self, quantizer: Any) -> None:
        self.is_signed = kind_of(quantizer) == "quantized_tanh"
        self.steps, self.symmetric = 2 ** (int(quantizer.bits) - self.is_signed), bool(quantizer.symmetric)
        self.low = -self.steps * self.is_signed + self.symmetric

    def __call__(self, x: Any) -> Any:
        """Round float32 tensors of any shape."""
        return keras.ops.clip(keras.ops.round(x * self.steps), self.low, self.steps - 1) / self.steps

    @property
    def form(self) -> ActivationForm:
        """Its values, and their format."""
        values = np.arange(self.low, self.steps)
        fractional = self.steps.bit_length() - 1
        return ActivationForm(
            StepTable(values[1:], values), FixedPoint.smallest(-self.steps * self.is_signed, self.steps - 1, fractional)
        )


def _leaky_relu(layer: str, magnitude_bits: int, integer: int, shift: int, fractional: int) -> ActivationForm:
    """`x` above 0, `x * 2**-shift` below, rounded half to even, clipped to [-2**(integer-shift), 2**integer)."""
    form = FixedPoint.from_qkeras(magnitude_bits + 1, integer)
    finer = max(0, shift - magnitude_bits)  # the lower clip can lie between two numbers of the grid
    lowest = -(1 << (magnitude_bits + finer - shift))

    def leaky(x: IntArray) -> IntArray:
        positive = form.requantize(np.maximum(x, 0), fractional) << finer
        negative = form.requantize(np.minimum(x, 0), fractional + shift) << finer
        both: IntArray = positive + np.maximum(negative, lowest)
        return both

    highest = form.max_int << finer
    steps = _steps(layer, leaky, lowest, highest, form.integer + fractional + finer)
    return ActivationForm(steps, FixedPoint.smallest(lowest, highest, form.fractional + finer))


def _binary(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    return _staircase([0], [0, 1] if quantizer.use_01 else [-1, 1], _scale_exponent(layer, quantizer))


def _ternary(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    scale = _scale_exponent(layer, quantizer)
    limit = quantizer.default_threshold if quantizer.threshold is None else float(quantizer.threshold)
    first = {math.ceil(math.ldexp(float(kind(limit)), fractional)) for kind in (np.float32, np.float64)}
    if len(first) > 1:
        raise NotExact(
            layer, f"the threshold {limit} is not the same number in float32 at {fractional} fractional bits"
        )
    threshold = first.pop()
    return _staircase([1 - threshold, threshold], [-1, 0, 1], scale)


def _thresholds(layer: str, quantizer: Any, fractional: int) -> ActivationForm:
    """Real thresholds as the least accumulators that reach them, and values in the narrowest format."""
    values, value_format = to_integers(layer, "list of values", quantizer.values)
    reached = np.ceil(np.ldexp(quantizer.thresholds, fractional))
    if not (np.abs(reached) < 2.0**MAX_WIDTH).all():
        raise NotExact(layer, f"a threshold of its activation is {np.abs(quantizer.thresholds).max():.6g}")
    thresholds = reached.astype(np.int64)
    if thresholds.ndim == 1:
        return ActivationForm(StepTable(thresholds[None], values).alone(0), value_format)
    return ActivationForm(StepTable(thresholds, values), value_format)


_FORMS: Mapping[str, Callable[[str, Any, int], ActivationForm]] = {
    "quantized_bits": _quantized_bits,
    "quantized_linear": _quantized_linear,
    "quantized_relu": _quantized_relu,
    "quantized_tanh": _quantized_tanh,
    "quantized_sigmoid": _quantized_sigmoid,
    "binary": _binary,
    "ternary": _ternary,
    "FixedPointQuantizer": _fixed_point,
    "StepQuantizer": _thresholds,
}


def _staircase(thresholds: list[int], values: list[int], scale: int) -> ActivationForm:
    """Steps whose values are in units of `2**scale`."""
    steps = StepTable(np.array(thresholds), np.array(values))
    return ActivationForm(steps, FixedPoint.smallest(min(values), max(values), -scale))


def _steps(
    layer: str, function: Callable[[IntArray], IntArray], lowest: int, highest: int, reach_bits: int
) -> StepTable:
    """The staircase of a monotone function, by bisection for the first accumulator that reaches each value.

    Args:
        layer: the name of the layer, for the error.
        function: integers of an accumulator -> integers from `lowest` to `highest`, never falling.
        lowest: the smallest value.
        highest: the largest value.
        reach_bits: the function stays constant above `2**reach_bits` and below its negative.
    """
    if highest - lowest > MAX_STEPS:
        raise NotExact(layer, f"an activation of {highest - lowest} steps, at most {MAX_STEPS} are sensible")
    values = np.arange(lowest, highest + 1)
    reach = np.array([2 << max(0, reach_bits)])
    return StepTable(first_reached(function, values[1:], -reach, reach).T, values).alone(0)


def _scale_exponent(layer: str, quantizer: Any) -> int:
    """log2 of the quantizer's scale; no scale is 0."""
    return 0 if quantizer.alpha is None else _exponent(layer, "alpha", quantizer.alpha)


def _exponent(layer: str, what: str, value: Any) -> int:
    if isinstance(value, str) or np.ndim(value) or math.frexp(float(value))[0] != 0.5:
        raise NotExact(layer, f"{what} of an activation must be a power of two, but got {value!r}")
    return math.frexp(float(value))[1] - 1
