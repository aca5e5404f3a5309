"""One dense layer in integers, its activations, and the proof of its accumulator."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import MAX_WIDTH, BoolArray, FixedPoint, IntArray
from qap.network.emulator import ExactProduct
from qap.network.interval import Interval, partial_sum_bound, propagate
from qap.network.steps import Activation, StepTable, frozen_array
from qap.rows import Row

__all__ = ["Activation", "IntegerLayer", "LayerSpec", "StepTable", "activated_interval", "prove"]


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

    @property
    def n_in(self) -> int:
        """Inputs of each neuron."""
        return int(self.weight.shape[0])

    @property
    def n_out(self) -> int:
        """Neurons."""
        return int(self.weight.shape[1])

    @property
    def reads(self) -> BoolArray:
        """Which inputs a weight reads, (n_in,)."""
        return np.asarray(self.weight.any(axis=1), bool)

    @property
    def firsts(self) -> None:
        """None: equal neurons of weights stay as they were trained."""
        return None

    def proven(self, source: FixedPoint, inputs: Interval) -> IntegerLayer:
        """The layer behind inputs of this format and these ranges; as `prove` raises."""
        return prove(self, source.fractional, inputs)

    def kept(self, rows: IntArray, columns: IntArray) -> LayerSpec:
        """The layer with these of its inputs and neurons alone."""
        steps = self.activation
        return self._replace(
            weight=self.weight[np.ix_(rows, columns)],
            bias=self.bias[columns],
            activation=steps.of(columns) if isinstance(steps, StepTable) else steps,
        )

    def folded(self, constant: BoolArray, values: IntArray, input_fractional: int) -> LayerSpec:
        """The same layer without weights that read constant inputs: what they contribute is in the bias.

        Args:
            constant: which inputs are, (n_in,).
            values: of the inputs, (n_in,); read where they are constant.
            input_fractional: the fractional bits of the inputs.
        """
        read = constant & self.reads
        if not read.any():
            return self
        weight = self.weight.copy()
        products = values[read] @ weight[read]
        weight[read] = 0
        bias, form = _add(self.bias, self.bias_format, products, input_fractional + self.weight_format.fractional)
        return self._replace(weight=weight, bias=bias, bias_format=form)

    def redirected(self, places: IntArray) -> LayerSpec:
        """The same layer where input `places[i]` is read in the place of input i, which equals it; (n_in,)."""
        return self.behind(places, self.n_in)

    def behind(self, wires: IntArray, n_in: int) -> LayerSpec:
        """The layer without one before it that only hands on its inputs `wires`, one for each input, of `n_in`."""
        weight = np.zeros((n_in, self.n_out), np.int64)
        np.add.at(weight, wires, self.weight)
        form = self.weight_format
        if not form.holds(weight):
            form = FixedPoint.smallest(int(weight.min()), int(weight.max()), form.fractional)
        return self._replace(weight=weight, weight_format=form)

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
        object.__setattr__(self, "weight", frozen_array(self.weight))
        object.__setattr__(self, "bias", frozen_array(self.bias))

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

    @property
    def reads(self) -> BoolArray:
        """Which inputs a weight reads, (n_in,)."""
        return np.asarray(self.weight.any(axis=1), bool)

    @property
    def stored_bits(self) -> int:
        """All weights and biases at the widths of their formats, zeros included."""
        return self.weight.size * self.weight_format.width + self.bias.size * self.bias_format.width

    @property
    def spec(self) -> LayerSpec:
        """What `connect` needs to make this layer again."""
        return LayerSpec(
            self.name, self.weight, self.weight_format, self.bias, self.bias_format, self.activation,
            self.result_format,
        )  # fmt: skip

    def intervals(self, inputs: Interval, input_fractional: int) -> tuple[Interval, Interval]:
        """The ranges of accumulators and results, for inputs within these ranges."""
        accumulators = propagate(*self.aligned(input_fractional), inputs)
        return accumulators, activated_interval(self, accumulators)

    def executor(self, inputs: Interval, input_fractional: int) -> Callable[[npt.NDArray[Any]], IntArray]:
        """A fast `forward` for inputs within these ranges."""
        product = ExactProduct(*self.aligned(input_fractional), inputs)
        return lambda x_int: self.activate(product(x_int))

    def float_bits(self, inputs: Interval, input_fractional: int) -> int:
        """The mantissa bits with which floating point computes it exactly, in any order of the sum.

        Every partial sum and every result must be a whole multiple of the finer of the two LSBs.
        """
        finer = max(0, self.result_format.fractional - self.accum_format.fractional)
        if self.is_per_neuron:
            finer = 0  # the thresholds hold whatever floating point does behind the sum
        return math.frexp(partial_sum_bound(*self.aligned(input_fractional), inputs))[1] + finer

    def row(self) -> Row:
        """Its shape and formats, for people."""
        return {
            "layer": self.name,
            "inputs": self.n_in,
            "outputs": self.n_out,
            "not 0": int(np.count_nonzero(self.weight)),
            "weight": str(self.weight_format),
            "bias": str(self.bias_format),
            "accumulator": str(self.accum_format),
            "activation": "steps" if isinstance(self.activation, StepTable) else self.activation,
            "result": str(self.result_format),
        }

    def content(self) -> tuple[dict[str, str], dict[str, IntArray]]:
        """The layer as a JSON-like header and named arrays."""
        steps = self.activation if isinstance(self.activation, StepTable) else None
        header = {
            "name": self.name,
            "weight_format": str(self.weight_format),
            "bias_format": str(self.bias_format),
            "accum_format": str(self.accum_format),
            "result_format": str(self.result_format),
            "activation": "steps" if steps else str(self.activation),
        }
        arrays = {"weight": self.weight, "bias": self.bias}
        if steps:
            arrays |= {"thresholds": steps.thresholds, "values": steps.values}
        return header, arrays

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


def _add(bias: IntArray, form: FixedPoint, extra: IntArray, fractional: int) -> tuple[IntArray, FixedPoint]:
    """The sum of a bias and of `extra` (in units of `2**-fractional`), in the narrowest format."""
    finest = max(form.fractional, fractional)
    total = (bias << (finest - form.fractional)) + (extra << (finest - fractional))
    return total, FixedPoint.smallest(int(total.min()), int(total.max()), finest)


def _align(values: npt.NDArray[Any], fractional: int, target: int) -> IntArray:
    return values.astype(np.int64) << (target - fractional)
