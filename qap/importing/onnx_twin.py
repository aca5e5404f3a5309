"""The Keras twin of a chain of ONNX nodes: integer kernels, quantizers, and one scale and shift between two of them.

What is multiplied and added between two layers (scales of weights, biases, normalizations, zero points) is kept as one
pair of float64 numbers for each neuron, `value = scale * (v + shift)` for the numbers v that the layers so far give. A
positive scale goes past a ReLU; a scale that all neurons share goes past a matrix product, with the shift multiplied.
What is left becomes a bias, a Rescaling or a BatchNormalization where a quantizer or another function reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import numpy as np
import qkeras

from qap.errors import NotExact
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.freezing.exact import are_powers_of_two
from qap.freezing.graph import unique
from qap.importing.onnx_quant import Array, Steps
from qap.importing.onnx_shapes import one_if_equal
from qap.training.quantization import FixedPointQuantizer, StepQuantizer

SHORT_BITS = 16
"""Weights without a quantizer whose common format has so many bits were quantized before the export."""
FLOAT32_BITS = 24
TIE = 1e-12
"""Relative distance of real numbers that are the same one, after some operations in float64."""


class Product(NamedTuple):
    """A dense layer that still waits for its bias.

    Args:
        name: its name.
        kernel: (n_in, neurons).
        format: of the kernel, None where it is float.
    """

    name: str
    kernel: Array
    format: FixedPoint | None


class Codes(NamedTuple):
    """The integers of ONNX's own quantization: `round(value / scale) + zero`, from low to high."""

    scale: float
    zero: int
    low: int
    high: int


@dataclass(slots=True)
class Twin:
    """The layers so far, and what stands behind them.

    Args:
        inputs: numbers that the model reads.
    """

    inputs: int
    layers: list[Any] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    scale: Array = field(default_factory=lambda: np.ones(()))
    shift: Array = field(default_factory=lambda: np.zeros(()))
    product: Product | None = None
    codes: Codes | None = None
    """What flows, where it is integers between two nodes of ONNX's own quantization."""
    width: int = field(init=False)
    """Numbers that flow behind the last layer."""
    unit: float = 2.0**-SHORT_BITS
    """What all v are whole multiples of; the inputs of any sensible format are of this."""
    rounds: bool = False
    """Whether a float scale rounds the sums of the last product, so that equal numbers may differ in their last bit."""

    def __post_init__(self) -> None:
        self.width = self.inputs

    def model(self) -> keras.Model:
        """The Keras model, with its weights."""
        self.flush("output")
        inputs = x = keras.Input((self.inputs,), name="input")
        for layer, _ in self.layers:
            x = layer(x)
        model = keras.Model(inputs, x, name="student")
        for layer, weights in self.layers:
            layer.set_weights(weights)
        return model

    def layer(self, kind: Any, name: str, *arguments: Any, weights: tuple[Array, ...] = (), **settings: Any) -> None:
        """Put a layer at the end."""
        plain = re.sub(r"\W+", "_", name).strip("_") or "layer"
        self.layers.append((kind(*arguments, name=unique(plain, self.taken), **settings), weights))

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands behind the layers."""
        return bool((self.scale == 1).all()) and not self.shift.any()

    def multiply_by_matrix(self, name: str, kernel: Array, scales: Array, form: FixedPoint | None) -> None:
        """Multiply by a kernel (n_in, neurons) of a format, and then by scales, one or one a neuron; None is float."""
        if self.scale.ndim and form is not None:
            self.flush(name)
        elif self.scale.ndim:
            kernel, self.scale = kernel * self.scale[:, None], np.ones(())
        self.shift = one_if_equal(self.shift * np.ones(len(kernel)) @ kernel) if self.shift.any() else np.zeros(())
        if form is not None:
            self.rounds = not (are_powers_of_two(self.scale) and are_powers_of_two(scales))
            self.unit *= form.lsb
        self.scale = one_if_equal(self.scale * scales)
        self.product, self.width = Product(name, kernel, form), kernel.shape[1]

    def multiply(self, name: str, factor: Array) -> None:
        """Multiply by a factor, one number or one a neuron."""
        if (factor == 0).any():
            self.affine(name, factor, np.zeros(()))
        else:
            self.scale = one_if_equal(self.scale * factor)

    def add(self, offset: Array) -> None:
        """Add an offset, one number or one a neuron."""
        self.shift = one_if_equal(self.shift + offset / self.scale)

    def affine(self, name: str, factor: Array, offset: Array) -> None:
        """`value * factor + offset` as a layer of its own: some factor is 0, so that no shift stands before it."""
        self.flush(name)
        if factor.ndim == 0 and offset.ndim == 0:
            self.layer(keras.layers.Rescaling, name, float(factor), float(offset))
            return
        ones = np.ones(self.width)
        weights = (factor * ones, offset * ones, 0 * ones, ones)
        self.layer(keras.layers.BatchNormalization, name, epsilon=0.0, weights=weights)

    def close(self) -> None:
        """Give the product that waits its bias: all that stands behind a float one, a shift that is short of others.

        A shift is short by itself or where it is of whole units of the sums, as a quantized bias is; others would
        need sums finer than float32 holds.
        """
        product, self.product = self.product, None
        if product is None:
            return
        if product.format is None:
            folded = (product.kernel * self.scale, self.scale * self.shift * np.ones(self.width))
            self.layer(keras.layers.Dense, product.name, self.width, weights=folded)
            self.scale, self.shift = np.ones(()), np.zeros(())
            return
        settings: dict[str, Any] = {"kernel_quantizer": FixedPointQuantizer(product.format), "use_bias": False}
        weights: tuple[Array, ...] = (product.kernel,)
        form = short_format(self.shift, FLOAT32_BITS)
        if self.shift.any() and form is not None and (form.width <= SHORT_BITS or form.lsb >= self.unit):
            settings |= {"bias_quantizer": FixedPointQuantizer(form), "use_bias": True}
            weights = (product.kernel, self.shift * np.ones(self.width))
            self.shift = np.zeros(())
        settings["kernel_initializer"] = "zeros"  # those of QKeras ask the quantizer what it is
        self.layer(qkeras.QDense, product.name, self.width, weights=weights, **settings)

    def flush(self, name: str) -> None:
        """Put all that stands behind the layers into one."""
        self.close()
        if self.is_plain:
            return
        scale, offset = self.scale, one_if_equal(self.scale * self.shift)
        self.scale, self.shift = np.ones(()), np.zeros(())
        self.affine(f"{name}_scale", scale, offset)

    def quantize(self, name: str, quantizer: Any, unit: float) -> None:
        """Put a quantizer behind everything; it gives whole multiples of a unit."""
        self.flush(name)
        self.layer(qkeras.QActivation, name, quantizer)
        self.unit, self.rounds = unit, False

    def climb(self, name: str, steps: Steps) -> None:
        """Put a staircase behind everything; scale and shift move its thresholds where that rounds nothing."""
        self.refuse_ties(name, steps.thresholds)
        self.close()
        if self.is_short and not self.is_plain:
            scale, shift = (np.reshape(each, (-1, 1)) if each.ndim else each for each in (self.scale, self.shift))
            steps = steps._replace(thresholds=steps.thresholds / scale - shift)
            self.scale, self.shift = np.ones(()), np.zeros(())
        form = short_format(steps.values, FLOAT32_BITS)
        if form is None:
            raise NotExact(name, f"its {steps.values.size} values need more than {FLOAT32_BITS} bits")
        self.quantize(name, StepQuantizer(steps.closed, steps.values), form.lsb)

    @property
    def is_short(self) -> bool:
        """Whether scale and shift are positive powers of two and short numbers."""
        shift = short_format(self.shift, SHORT_BITS)
        return bool((self.scale > 0).all()) and are_powers_of_two(self.scale) and shift is not None

    def refuse_ties(self, name: str, thresholds: Array) -> None:
        """Refuse a quantizer that turns just where sums can lie that a float scale rounds: chance would decide.

        Args:
            name: of the quantizer.
            thresholds: (k,) or (neurons, k), of the values.
        """
        if not self.rounds:
            return
        scale, shift = (np.reshape(each, (-1, 1)) for each in (self.scale, self.shift))
        sums = (thresholds / scale - shift) / self.unit
        noise = TIE * (np.abs(thresholds / scale) + np.abs(shift) + 1) / self.unit
        if (np.abs(sums - np.rint(sums)) < noise).any():
            raise NotExact(
                name,
                "it turns just where sums can lie that the float scale before it rounds; take scales that are powers "
                "of two, or a rounding to nearest",
            )

    def past_zero(self, name: str) -> None:
        """Make ready for a function that keeps scales: only a positive scale may stand behind the layers."""
        self.close()
        if self.shift.any() or (self.scale < 0).any():
            self.flush(name)


def short_format(values: Array, bits: int) -> FixedPoint | None:
    """The narrowest fixed-point format that holds these numbers exactly, None where it has more bits."""
    numbers = np.asarray(values, np.float64).ravel()
    numbers = numbers[numbers != 0]
    if not numbers.size:
        return FixedPoint(True, 2, 2, Rounding.RND_CONV, Overflow.SAT)
    mantissa, exponents = np.frexp(numbers)
    digits = np.ldexp(mantissa, 53).astype(np.int64)
    fractional = int((53 - exponents - np.log2(digits & -digits).astype(np.int64)).max())
    largest = np.ldexp(np.abs(numbers).max(), fractional)
    if largest >= 2.0 ** (bits - 1):
        return None
    width = int(largest).bit_length() + 1
    return FixedPoint(True, width, width - fractional, Rounding.RND_CONV, Overflow.SAT)
