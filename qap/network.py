"""The exact integer network: the golden model that everything after `freeze` reads.

A layer computes, in integers,

    accumulator = x @ weight + bias      (bias aligned to the accumulator's LSB)
    y = activation(accumulator)          brought into `result_format` by its rounding and overflow

and nothing else. Formats of accumulators are not chosen but proven: interval arithmetic over the
weights gives the range that each accumulator can reach, and the format is the narrowest that holds
every one of them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact, QapError
from qap.fixed import MAX_WIDTH, FixedPoint, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StepTable:
    """An activation as a monotone staircase: `y = values[number of thresholds <= accumulator]`.

    It holds every activation that rises in steps: binary, ternary, leaky ReLU.

    Args:
        thresholds: strictly rising accumulator values, int64 (k,), in LSBs of the accumulator.
        values: outputs, int64 (k + 1,), in LSBs of the result format.
    """

    thresholds: IntArray
    values: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", _frozen_array(self.thresholds))
        object.__setattr__(self, "values", _frozen_array(self.values))
        if self.values.size != self.thresholds.size + 1 or (np.diff(self.thresholds) <= 0).any():
            raise QapError("a step table needs rising thresholds and one value more than thresholds")

    def __call__(self, accumulator: IntArray) -> IntArray:
        """The outputs for accumulators of any shape."""
        return self.values[np.searchsorted(self.thresholds, accumulator, side="right")]


Activation = Literal["linear", "relu"] | StepTable


class LayerSpec(NamedTuple):
    """What a layer is made of before its accumulator is proven; arguments as in `IntegerLayer`.

    `result_format` None keeps the accumulator as it is, without its sign after a ReLU.
    """

    name: str
    weight: npt.NDArray[Any]
    weight_format: FixedPoint
    bias: npt.NDArray[Any]
    bias_format: FixedPoint
    activation: Activation = "linear"
    result_format: FixedPoint | None = None

    def accum_fractional(self, input_fractional: int) -> int:
        """Fractional bits of the accumulator, for an input with so many."""
        return max(input_fractional + self.weight_format.fractional, self.bias_format.fractional)

    def result_fractional(self, input_fractional: int) -> int:
        """Fractional bits of the result, for an input with so many."""
        return self.result_format.fractional if self.result_format else self.accum_fractional(input_fractional)


class Interval(NamedTuple):
    """The range that each neuron can reach, both ends included: int64 (n_out,) each."""

    low: IntArray
    high: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class IntegerLayer:
    """One dense layer in integers.

    Args:
        name: unique in the network.
        weight: int64 (n_in, n_out), in LSBs of `weight_format`.
        bias: int64 (n_out,), in LSBs of `bias_format`.
        weight_format: holds all weights.
        bias_format: holds all biases.
        accum_format: the narrowest format that no accumulator can overflow.
        result_format: the format of the outputs, with the rounding and overflow that bring them there.
        activation: "linear", "relu", or a `StepTable` of the accumulator.
    """

    name: str
    weight: IntArray
    bias: IntArray
    weight_format: FixedPoint
    bias_format: FixedPoint
    accum_format: FixedPoint
    result_format: FixedPoint
    activation: Activation

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", _frozen_array(self.weight))
        object.__setattr__(self, "bias", _frozen_array(self.bias))

    @property
    def n_in(self) -> int:
        """Inputs of each neuron."""
        return self.weight.shape[0]

    @property
    def n_out(self) -> int:
        """Neurons."""
        return self.weight.shape[1]

    def aligned(self, input_fractional: int) -> tuple[IntArray, IntArray]:
        """Weight and bias in LSBs of the accumulator: `accumulator = x @ weight + bias`.

        Args:
            input_fractional: the fractional bits of the layer's input.
        """
        fractional = self.accum_format.fractional
        weight = self.weight << (fractional - input_fractional - self.weight_format.fractional)
        return weight, _align(self.bias, self.bias_format.fractional, fractional)

    def activate(self, accumulator: IntArray) -> IntArray:
        """Outputs, in LSBs of `result_format`, of accumulators of any shape."""
        if isinstance(self.activation, StepTable):
            return self.activation(accumulator)
        if self.activation == "relu":
            accumulator = np.maximum(accumulator, 0)
        if self.result_format == self.accum_format:
            return accumulator
        return self.result_format.requantize(accumulator, self.accum_format.fractional)


@dataclass(frozen=True, slots=True, eq=False)
class IntegerNetwork:
    """A classifier in exact integers. Make one with `connect`, `freeze` or `load_network`.

    Args:
        input_format: the format of every input.
        layers: at least one; each reads the result of the one before.
        class_names: one for each output, or two for a single output (decided at 0).

    Example:
        >>> logits = network.forward(x_int)          # (n, n_in) -> (n, n_out), in LSBs of output_format
        >>> classes = network.predict(x_int * network.input_format.lsb)
    """

    input_format: FixedPoint
    layers: tuple[IntegerLayer, ...]
    class_names: tuple[str, ...]
    _programs: tuple[Any, ...] = field(init=False, repr=False, default=())

    @property
    def n_in(self) -> int:
        """Inputs."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """Outputs (logits)."""
        return self.layers[-1].n_out

    @property
    def output_format(self) -> FixedPoint:
        """The format of the logits."""
        return self.layers[-1].result_format

    @property
    def parameters(self) -> int:
        """Weights and biases, zeros included."""
        return sum(layer.weight.size + layer.bias.size for layer in self.layers)

    @property
    def nonzeros(self) -> int:
        """Weights and biases that are not 0."""
        return sum(int(np.count_nonzero(a)) for layer in self.layers for a in (layer.weight, layer.bias))

    @property
    def sparsity(self) -> float:
        """The share of weights (without biases) that are 0."""
        zeros = sum(int((layer.weight == 0).sum()) for layer in self.layers)
        return zeros / sum(layer.weight.size for layer in self.layers)

    @property
    def size_bytes(self) -> int:
        """All weights and biases at the widths of their formats, zeros included, in bytes (rounded up)."""
        bits = sum(
            layer.weight.size * layer.weight_format.width + layer.bias.size * layer.bias_format.width
            for layer in self.layers
        )
        return -(-bits // 8)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole content, in hexadecimal."""
        header, arrays = self.content()
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        for name in sorted(arrays):
            digest.update(f"{name}{arrays[name].shape}".encode() + arrays[name].astype("<i8").tobytes())
        return digest.hexdigest()

    def forward(self, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits of integer inputs, exactly.

        Args:
            x_int: (n, n_in), any integer type, in LSBs of `input_format`.

        Returns:
            int64 (n, n_out), in LSBs of `output_format`.

        Raises:
            QapError: the shape is wrong or a number is outside of the input format.
        """
        from qap.emulator import compile_network

        if not self._programs:
            object.__setattr__(self, "_programs", tuple(compile_network(self)))
        y: npt.NDArray[Any] = self.checked_input(x_int)
        for program in self._programs:
            y = program(y)
        return y

    def trace(self, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The results of every layer for integer inputs, as `forward` computes them."""
        results: list[IntArray] = []
        y: npt.NDArray[Any] = self.checked_input(x_int)
        fractional = self.input_format.fractional
        for layer in self.layers:
            weight, bias = layer.aligned(fractional)
            y = layer.activate(y.astype(np.int64) @ weight + bias)
            results.append(y)
            fractional = layer.result_format.fractional
        return results

    def decide(self, y_int: IntArray) -> IntArray:
        """Class indices (n,) of logits (n, n_out): the largest, the lowest index wins ties; one output: above 0."""
        return (y_int[:, 0] > 0).astype(np.int64) if self.n_out == 1 else y_int.argmax(axis=1)

    def predict(self, x: npt.NDArray[Any]) -> IntArray:
        """Class indices (n,) of real-valued inputs (n, n_in) that lie on the grid of `input_format`.

        Raises:
            QapError: an input is not on the grid; `input_format.quantize` brings it there.
        """
        x_int = self.input_format.quantize(x)
        off = self.input_format.to_float(x_int) != x
        if off.any():
            sample, feature = np.argwhere(off)[0]
            raise QapError(
                f"input {feature} of sample {sample} is {x[sample, feature]!r}, "
                f"which {self.input_format} does not hold; bring it there with input_format.quantize"
            )
        return self.decide(self.forward(x_int))

    def checked_input(self, x_int: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The same array, or an error when it cannot be an input."""
        if x_int.ndim != 2 or x_int.shape[1] != self.n_in or not np.issubdtype(x_int.dtype, np.integer):
            raise QapError(f"inputs must be integers of shape (n, {self.n_in}), but got {x_int.dtype} {x_int.shape}")
        form, limits = self.input_format, np.iinfo(x_int.dtype)
        if (limits.min < form.min_int or limits.max > form.max_int) and not form.holds(x_int):
            raise QapError(
                f"inputs must be in {form.min_int}..{form.max_int} ({form}), got {x_int.min()}..{x_int.max()}"
            )
        return x_int

    def intervals(self) -> list[tuple[Interval, Interval]]:
        """For every layer the ranges that its accumulators and its results can reach, for any input of the format."""
        ranges = []
        reach = _input_interval(self.input_format, self.n_in)
        fractional = self.input_format.fractional
        for layer in self.layers:
            weight, bias = layer.aligned(fractional)
            accumulator = _propagate(weight, bias, reach)
            reach = _activated(layer, accumulator)
            ranges.append((accumulator, reach))
            fractional = layer.result_format.fractional
        return ranges

    def float_bits(self) -> list[int]:
        """For every layer the mantissa bits with which floating point computes it exactly, in any order of the sum.

        Every partial sum and every result must be a whole multiple of the finer of the two LSBs.
        """
        bits = []
        reach = _input_interval(self.input_format, self.n_in)
        fractional = self.input_format.fractional
        for layer, (_, following) in zip(self.layers, self.intervals(), strict=True):
            bound = partial_sum_bound(*layer.aligned(fractional), reach)
            finer = max(0, layer.result_format.fractional - layer.accum_format.fractional)
            bits.append(math.frexp(bound)[1] + finer)
            reach, fractional = following, layer.result_format.fractional
        return bits

    def specs(self) -> list[LayerSpec]:
        """What `connect` needs to make this network again."""
        return [
            LayerSpec(
                layer.name, layer.weight, layer.weight_format, layer.bias, layer.bias_format, layer.activation,
                layer.result_format,
            )
            for layer in self.layers
        ]  # fmt: skip

    def content(self) -> tuple[dict[str, Any], dict[str, IntArray]]:
        """The network as a JSON-like header and named arrays."""
        header: dict[str, Any] = {
            "input_format": str(self.input_format),
            "class_names": list(self.class_names),
            "layers": [],
        }
        arrays = {}
        for index, layer in enumerate(self.layers):
            steps = layer.activation if isinstance(layer.activation, StepTable) else None
            header["layers"].append(
                {
                    "name": layer.name,
                    "weight_format": str(layer.weight_format),
                    "bias_format": str(layer.bias_format),
                    "accum_format": str(layer.accum_format),
                    "result_format": str(layer.result_format),
                    "activation": "steps" if steps else layer.activation,
                }
            )
            arrays[f"weight_{index}"] = layer.weight
            arrays[f"bias_{index}"] = layer.bias
            if steps:
                arrays[f"thresholds_{index}"] = steps.thresholds
                arrays[f"values_{index}"] = steps.values
        return header, arrays


def connect(input_format: FixedPoint, specs: Iterable[LayerSpec], class_names: Sequence[str]) -> IntegerNetwork:
    """Connect layers to a network and prove its accumulators.

    Args:
        input_format: the format of every input.
        specs: the layers, from the input on.
        class_names: one for each output, or two for a single output.

    Raises:
        NotExact: a layer does not fit to the one before, a number is outside of its format, or an
            accumulator needs more than 63 bits.
    """
    layers: list[IntegerLayer] = []
    fractional = input_format.fractional
    reach: Interval | None = None
    for spec in specs:
        reach = reach or _input_interval(input_format, spec.weight.shape[0])
        layer = _prove(spec, fractional, reach)
        weight, bias = layer.aligned(fractional)
        reach = _activated(layer, _propagate(weight, bias, reach))
        fractional = layer.result_format.fractional
        layers.append(layer)
    if len({layer.name for layer in layers}) != len(layers) or not layers:
        raise QapError(f"a network needs layers with different names, but got {[layer.name for layer in layers]}")
    if len(class_names) != max(2, layers[-1].n_out):
        raise QapError(f"{layers[-1].n_out} outputs do not fit to {len(class_names)} class names")
    return IntegerNetwork(input_format, tuple(layers), tuple(class_names))


def _prove(spec: LayerSpec, input_fractional: int, reach: Interval) -> IntegerLayer:
    """Check one layer and find the narrowest accumulator that cannot overflow."""
    if spec.weight.ndim != 2 or spec.weight.shape[0] != reach.low.size or spec.bias.shape != (spec.weight.shape[1],):
        raise NotExact(
            spec.name, f"weight {spec.weight.shape} and bias {spec.bias.shape} do not fit to {reach.low.size} inputs"
        )
    for what, values, form in (
        ("weight", spec.weight, spec.weight_format),
        ("bias", spec.bias, spec.bias_format),
    ):
        if not form.holds(values):
            raise NotExact(spec.name, f"a {what} is outside of {form}")
    products = input_fractional + spec.weight_format.fractional
    fractional = spec.accum_fractional(input_fractional)
    _refuse_wide(spec, fractional - products, fractional - spec.bias_format.fractional, reach)
    weight = spec.weight.astype(np.int64) << (fractional - products)
    bias = _align(spec.bias, spec.bias_format.fractional, fractional)
    accumulator = _propagate(weight, bias, reach)
    accum_format = FixedPoint.smallest(int(accumulator.low.min()), int(accumulator.high.max()), fractional)
    result_format = spec.result_format
    if result_format is None:
        positive = FixedPoint.smallest(0, max(0, int(accumulator.high.max())), fractional)
        result_format = positive if spec.activation == "relu" else accum_format
    return IntegerLayer(
        spec.name, spec.weight, spec.bias, spec.weight_format, spec.bias_format, accum_format, result_format,
        spec.activation,
    )  # fmt: skip


def _refuse_wide(spec: LayerSpec, weight_shift: int, bias_shift: int, reach: Interval) -> None:
    """Refuse accumulators that could leave int64; float64 is good enough to see that."""
    largest_input = np.maximum(np.abs(reach.low), np.abs(reach.high)).astype(np.float64)
    weight, bias = np.abs(spec.weight).astype(np.float64), np.abs(spec.bias).astype(np.float64)
    bound = np.ldexp(largest_input @ weight, weight_shift) + np.ldexp(bias, bias_shift)
    if bound.max() >= 2.0 ** (MAX_WIDTH - 1):
        raise NotExact(
            spec.name, f"its accumulator needs {int(np.log2(bound.max())) + 2} bits, at most {MAX_WIDTH} fit"
        )


def _align(values: npt.NDArray[Any], fractional: int, target: int) -> IntArray:
    return values.astype(np.int64) << (target - fractional)


def partial_sum_bound(weight: IntArray, bias: IntArray, reach: Interval) -> float:
    """No partial sum of `x @ weight + bias`, in any order, is larger in magnitude.

    Args:
        weight: (n_in, n_out) in LSBs of the accumulator.
        bias: (n_out,) in LSBs of the accumulator.
        reach: the range of each input.
    """
    largest_input = np.maximum(np.abs(reach.low), np.abs(reach.high)).astype(np.float64)
    bound = largest_input @ np.abs(weight).astype(np.float64) + np.abs(bias).astype(np.float64)
    return float(bound.max(initial=0))


def _input_interval(form: FixedPoint, n_in: int) -> Interval:
    return Interval(np.full(n_in, form.min_int, np.int64), np.full(n_in, form.max_int, np.int64))


def _propagate(weight: IntArray, bias: IntArray, reach: Interval) -> Interval:
    """Interval arithmetic: the exact range of `x @ weight + bias` for independent x in `reach`."""
    up, down = np.maximum(weight, 0), np.minimum(weight, 0)
    return Interval(reach.low @ up + reach.high @ down + bias, reach.high @ up + reach.low @ down + bias)


def _activated(layer: IntegerLayer, accumulator: Interval) -> Interval:
    """The range of the results; the whole format where an overflow may wrap, since that is not monotone."""
    low, high = layer.activate(accumulator.low), layer.activate(accumulator.high)
    form = layer.result_format
    if isinstance(layer.activation, StepTable) or form == layer.accum_format:
        return Interval(low, high)
    wide = form.with_modes(form.rounding, form.overflow.WRAP)
    unwrapped = FixedPoint(True, MAX_WIDTH, MAX_WIDTH - form.fractional, form.rounding)
    wraps = np.zeros(low.shape, bool)
    if form.modes == wide.modes:
        ends = [np.maximum(end, 0) if layer.activation == "relu" else end for end in accumulator]
        plain = [unwrapped.requantize(end, layer.accum_format.fractional) for end in ends]
        wraps = (plain[0] < form.min_int) | (plain[1] > form.max_int)
    return Interval(np.where(wraps, form.min_int, low), np.where(wraps, form.max_int, high))


def _frozen_array(values: npt.NDArray[Any]) -> IntArray:
    array = np.array(values, np.int64, order="C")
    array.flags.writeable = False
    return array
