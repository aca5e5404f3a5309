"""One dense layer in integers, its activations, and the proof of its accumulator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact, QapError
from qap.fixed import MAX_WIDTH, FixedPoint, IntArray
from qap.network.interval import Interval, propagate


@dataclass(frozen=True, slots=True, eq=False)
class StepTable:
    """An activation as a monotone staircase: `y = values[number of thresholds <= accumulator]`.

    It holds every activation that rises in steps: binary, ternary, leaky ReLU; and, with thresholds of each neuron's
    own, whatever is float between an accumulator and its quantizer, as a normalization that was trained.

    Args:
        thresholds: accumulator values, in LSBs of the accumulator: int64 (k,) that rise, for all neurons alike; or
            (neurons, k), a row a neuron that never falls (a neuron that jumps over a value has two equal ones).
        values: outputs, int64 (k + 1,), in LSBs of the result format.
    """

    thresholds: IntArray
    values: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", _frozen_array(self.thresholds))
        object.__setattr__(self, "values", _frozen_array(self.values))
        rises = np.diff(self.thresholds) > (0 if self.thresholds.ndim == 1 else -1)
        if self.values.shape != (self.thresholds.shape[-1] + 1,) or not rises.all():
            raise QapError("a step table needs rising thresholds and one value more than thresholds")
        if (np.diff(self.values) < 0).any():
            raise QapError("the values of a step table must not fall")

    def __call__(self, accumulator: IntArray) -> IntArray:
        """The outputs for accumulators of any shape; its last axis is the neurons where each has its own thresholds."""
        if not self.is_per_neuron:
            return self.values[np.searchsorted(self.thresholds, accumulator, side="right")]
        counts = np.empty(accumulator.shape, np.int64)
        for neuron, thresholds in enumerate(self.thresholds):
            counts[..., neuron] = np.searchsorted(thresholds, accumulator[..., neuron], side="right")
        return self.values[counts]

    @property
    def is_per_neuron(self) -> bool:
        """Whether every neuron has thresholds of its own."""
        return self.thresholds.ndim == 2

    def of(self, neurons: IntArray) -> StepTable:
        """The staircase of these neurons, (m,) indices, in this order."""
        return StepTable(self.thresholds[neurons], self.values) if self.is_per_neuron else self

    def alone(self, neuron: int) -> StepTable:
        """The staircase of one neuron, for accumulators of any shape."""
        if not self.is_per_neuron:
            return self
        thresholds = self.thresholds[neuron]
        last = np.append(np.diff(thresholds) > 0, True)  # of equal thresholds only the last decides
        return StepTable(thresholds[last], np.concatenate([self.values[:1], self.values[1:][last]]))


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
        return int(self.weight.shape[0])

    @property
    def n_out(self) -> int:
        """Neurons."""
        return int(self.weight.shape[1])

    @property
    def is_per_neuron(self) -> bool:
        """Whether its activation has thresholds of each neuron's own."""
        return isinstance(self.activation, StepTable) and self.activation.is_per_neuron

    def aligned(self, input_fractional: int) -> tuple[IntArray, IntArray]:
        """Weight and bias in LSBs of the accumulator: `accumulator = x @ weight + bias`.

        Args:
            input_fractional: the fractional bits of the layer's input.
        """
        fractional = self.accum_format.fractional
        weight = self.weight << (fractional - input_fractional - self.weight_format.fractional)
        return weight, _align(self.bias, self.bias_format.fractional, fractional)

    def forward(self, x_int: IntArray, input_fractional: int) -> IntArray:
        """The results (n, n_out) of inputs (n, n_in) with so many fractional bits."""
        weight, bias = self.aligned(input_fractional)
        return self.activate(x_int.astype(np.int64) @ weight + bias)

    def neuron(self, index: int) -> IntegerLayer:
        """The layer with this neuron alone; its activation takes accumulators of any shape."""
        steps = self.activation
        return replace(
            self,
            weight=self.weight[:, index : index + 1],
            bias=self.bias[index : index + 1],
            activation=steps.alone(index) if isinstance(steps, StepTable) else steps,
        )

    def activate(self, accumulator: IntArray) -> IntArray:
        """Outputs, in LSBs of `result_format`, of accumulators (..., n_out)."""
        if isinstance(self.activation, StepTable):
            return self.activation(accumulator)
        if self.activation == "relu":
            accumulator = np.maximum(accumulator, 0)
        if self.result_format == self.accum_format:
            return accumulator
        return self.result_format.requantize(accumulator, self.accum_format.fractional)


def prove(spec: LayerSpec, input_fractional: int, inputs: Interval) -> IntegerLayer:
    """Check one layer and find the narrowest accumulator that cannot overflow."""
    if spec.weight.ndim != 2 or spec.weight.shape[0] != inputs.low.size or spec.bias.shape != (spec.weight.shape[1],):
        raise NotExact(
            spec.name, f"weight {spec.weight.shape} and bias {spec.bias.shape} do not fit to {inputs.low.size} inputs"
        )
    for what, values, form in (
        ("weight", spec.weight, spec.weight_format),
        ("bias", spec.bias, spec.bias_format),
    ):
        if not form.holds(values):
            raise NotExact(spec.name, f"a {what} is outside of {form}")
    if isinstance(spec.activation, StepTable):
        _refuse_steps(spec, spec.activation)
    products = input_fractional + spec.weight_format.fractional
    fractional = spec.accum_fractional(input_fractional)
    _refuse_wide(spec, fractional - products, fractional - spec.bias_format.fractional, inputs)
    weight = spec.weight.astype(np.int64) << (fractional - products)
    bias = _align(spec.bias, spec.bias_format.fractional, fractional)
    accumulator = propagate(weight, bias, inputs)
    accum_format = FixedPoint.smallest(int(accumulator.low.min()), int(accumulator.high.max()), fractional)
    result_format = spec.result_format
    if result_format is None:
        positive = FixedPoint.smallest(0, max(0, int(accumulator.high.max())), fractional)
        result_format = positive if spec.activation == "relu" else accum_format
    return IntegerLayer(
        spec.name, spec.weight, spec.bias, spec.weight_format, spec.bias_format, accum_format, result_format,
        spec.activation,
    )  # fmt: skip


def _refuse_steps(spec: LayerSpec, steps: StepTable) -> None:
    """Refuse a staircase that does not fit to the layer."""
    if spec.result_format is None or not spec.result_format.holds(steps.values):
        raise NotExact(spec.name, f"a step of its activation is outside of {spec.result_format}")
    neurons = spec.weight.shape[1]
    if steps.is_per_neuron and len(steps.thresholds) != neurons:
        raise NotExact(spec.name, f"it has thresholds of {len(steps.thresholds)} neurons, but {neurons} neurons")


def _refuse_wide(spec: LayerSpec, weight_shift: int, bias_shift: int, inputs: Interval) -> None:
    """Refuse accumulators that could leave int64; float64 is good enough to see that."""
    largest_input = np.maximum(np.abs(inputs.low), np.abs(inputs.high)).astype(np.float64)
    weight, bias = np.abs(spec.weight).astype(np.float64), np.abs(spec.bias).astype(np.float64)
    bound = np.ldexp(largest_input @ weight, weight_shift) + np.ldexp(bias, bias_shift)
    if bound.max() >= 2.0 ** (MAX_WIDTH - 1):
        raise NotExact(
            spec.name, f"its accumulator needs {int(np.log2(bound.max())) + 2} bits, at most {MAX_WIDTH} fit"
        )


def activated_interval(layer: IntegerLayer, accumulator: Interval) -> Interval:
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


def _align(values: npt.NDArray[Any], fractional: int, target: int) -> IntArray:
    return values.astype(np.int64) << (target - fractional)


def _frozen_array(values: npt.NDArray[Any]) -> IntArray:
    array = np.array(values, np.int64, order="C")
    array.flags.writeable = False
    return array
