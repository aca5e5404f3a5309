"""From the elements of a model to the layers of the integer network.

A layer of the network is an affine map and one activation. Affine maps that stand between two of them are multiplied
into the kernel before or behind them, exactly or not at all; where there is no kernel to take them (a quantizer on the
inputs, a second activation) they become a layer of their own. What is float between an affine map and its quantizer
becomes thresholds of each neuron.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import numpy as np

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing.activations import ActivationForm, activation_form
from qap.freezing.elements import Affine, Comparison, Curve, Dense, Element, Final, Lookup, Quantization, Rectifier
from qap.freezing.endings import Ending, Start, ending_of
from qap.freezing.exact import FloatArray, are_powers_of_two, exact_product, to_integers
from qap.freezing.final import refuse_final, with_final
from qap.freezing.graph import Call, unique
from qap.freezing.layers import SCALING, as_curve, read
from qap.freezing.scales import Codes, Rounding, Sums, rounding
from qap.freezing.staircases import Floats, steps_of
from qap.network import IntegerLayer, LayerSpec, Spec, StepTable, TableLayer, ThresholdLayer
from qap.network.interval import Interval, format_interval, partial_sum_bound, propagate
from qap.network.layer import Activation, activated_interval, prove
from qap.network.truth_tables import normal_form, words_of

MANTISSA = 24
"""Bits of whole numbers that float32 holds."""


class Folded(NamedTuple):
    """The layers of a network and where their results stand in the model.

    Args:
        specs: the layers.
        origins: for each the index of the call that gives its results, None where the model has no such numbers.
        ending: the floats behind the last layer, None without any.
    """

    specs: list[Spec]
    origins: list[int | None]
    ending: Ending | None = None


def fold(model_name: str, calls: Sequence[Call], input_format: FixedPoint) -> Folded:
    """The layers of the integer network that computes what these calls compute.

    Raises:
        NotExact: a layer has no exact integer form; the message names it and says why.
    """
    builder = _Builder(input_format)
    rows = [(index, call, read(call)) for index, call in enumerate(calls)]
    rows, final = with_final(rows)
    for index, call, elements in rows:
        if builder.floats and (curve := as_curve(call, elements, builder.floats)):
            builder.follow(call, curve)
            continue
        for position, element in enumerate(elements):
            last = position == len(elements) - 1
            builder.add(element, call, index if last or isinstance(elements[position + 1], Final) else None)
    builder.finish()
    weighted = [spec for spec in builder.specs if isinstance(spec, LayerSpec)]
    stepped = [spec.name for spec in weighted if _is_per_neuron(spec.activation)]
    if builder.scaled and stepped:
        raise NotExact(
            builder.scaled,
            "its scale is no power of two, or has an offset, so folding it moves the float32 numbers that the "
            f"thresholds of {stepped[0]!r} are made of; give it a power of two and no offset",
        )
    if not builder.dense:
        raise NotExact(model_name, "the model has no QDense layer")
    if final is not None:
        refuse_final(*final, builder.specs[-1].n_out)
    return Folded(builder.specs, builder.origins, builder.ending)


@dataclass(slots=True)
class _Open:
    """An affine map that still waits for its activation."""

    name: str
    kernel: FloatArray
    bias: FloatArray
    origin: int | None
    rectified: bool = False
    curves: list[Curve] = field(default_factory=list)
    product: Dense | None = None
    """What the model itself multiplies and adds, where nothing else is folded into it."""

    @property
    def floats(self) -> NotExact | None:
        """The error where nothing brings its floats back; None if it has none."""
        if self.product is not None and self.product.refused is not None:
            return self.product.refused
        return self.curves[0].refused if self.curves else None


@dataclass(slots=True)
class _Builder:
    input_format: FixedPoint
    specs: list[Spec] = field(default_factory=list)
    origins: list[int | None] = field(default_factory=list)
    dense: bool = False
    taken: set[str] = field(default_factory=set)
    open: _Open | None = None
    pending: Affine | None = None
    """What stands between the results of the last layer, or the inputs, and the next element."""
    source: FixedPoint = field(init=False)
    """The format of the results of the last layer, or of the inputs."""
    format: FixedPoint | None = None
    """The same, None where a layer keeps its accumulator."""
    fractional: int = 0
    interval: Interval | None = None
    """The proven range of the results of the last layer, or of the inputs."""
    scaled: str | None = None
    """A layer whose scale was folded although it is more than a shift."""
    ending: Ending | None = None
    """The floats behind the last layer."""

    def __post_init__(self) -> None:
        self.source = self.format = self.input_format
        self.fractional = self.source.fractional

    @property
    def floats(self) -> NotExact | None:
        """The error where nothing brings back what is float behind the affine map that is open; None if nothing is."""
        return self.open.floats if self.open else None

    def add(self, element: Element, call: Call, origin: int | None) -> None:
        """Take one element of a call; `origin` is the call's index where the element gives the call's results."""
        match element:
            case Dense(matrix, offset):
                self.close()
                self.dense = True
                before = self.pending
                self.begin(call.name, matrix, offset).product = element if before is None else _after(before, element)
            case Comparison() | Lookup():
                self.bits(call, element, origin)
                return
            case Affine():
                self.affine(call, element)
            case Curve():
                self.follow(call, element)
                origin = None  # the model has no numbers of the sums alone
            case Rectifier():
                self.materialize(call).rectified = True
            case Quantization(quantizer):
                self.quantize(call, quantizer, origin)
        if self.open is not None:
            self.open.origin = origin

    def bits(self, call: Call, element: Comparison | Lookup, origin: int | None) -> None:
        """Add a layer of thresholds or tables; an affine map before it becomes a layer of its own."""
        if self.pending is not None:
            self.materialize(call)
        self.close()
        inputs = self.interval or format_interval(self.input_format, int(np.prod(call.shape)))
        spec = _bits_spec(unique(call.name, self.taken), element, inputs.low.size, self.fractional)
        _, self.interval = spec.proven(self.source, inputs).intervals(inputs, self.fractional)
        self.source = self.format = spec.result_format
        self.fractional = self.source.fractional
        self.specs.append(spec)
        self.origins.append(origin)

    def affine(self, call: Call, element: Affine) -> None:
        """Fold an affine map into the kernel that is open, or keep it for the next one."""
        if type(call.layer) in SCALING and not _only_shifts(element):
            self.scaled = call.name
        name = call.name
        if self.open is not None and not self.open.rectified and not self.open.floats:
            self.open.product = None
            self.open.kernel = exact_product(name, self.open.kernel, element.matrix)
            self.open.bias = exact_product(name, self.open.bias, element.matrix, element.offset)
            return
        self.close()
        before = self.pending
        self.pending = element if before is None else Affine(*_behind(name, before, element.matrix, element.offset))

    def follow(self, call: Call, curve: Curve) -> None:
        """Keep what is float between a layer and its quantizer."""
        layer = self.materialize(call)
        if layer.rectified:
            layer.rectified = False
            layer.curves.append(_rectifier(layer))
        layer.curves.append(curve)

    def begin(self, name: str, kernel: FloatArray, bias: FloatArray) -> _Open:
        """Open a layer, with what is pending folded into it."""
        if self.pending is not None:
            kernel, bias = _behind(name, self.pending, kernel, bias)
            self.pending = None
        self.open = _Open(unique(name, self.taken), kernel, bias, None)
        return self.open

    def materialize(self, call: Call) -> _Open:
        """The open layer; where there is none, one that hands its inputs on."""
        if self.open is not None:
            return self.open
        if self.pending is not None:
            count = self.pending.matrix.shape[1]
        else:
            count = self.specs[-1].n_out if self.specs else int(np.prod(call.shape))
        return self.begin(call.name, np.eye(count), np.zeros(count))

    def quantize(self, call: Call, quantizer: object, origin: int | None) -> None:
        """Bring the accumulators of the open layer into a format."""
        if self.open is None and self.pending is None and self.format is not None:
            form = activation_form(call.name, quantizer, self.fractional)
            if _changes_nothing(form, self.format):
                return
        layer = self.materialize(call)
        spec = _spec(layer)
        form = activation_form(call.name, quantizer, spec.accum_fractional(self.fractional))
        layer.origin = origin
        if layer.floats or (layer.rectified and _is_per_neuron(form.activation)):
            form = self.stepped(layer, quantizer, form)
        elif layer.rectified:
            form = _rectified(form)
        self.close(form)

    def stepped(self, layer: _Open, quantizer: object, form: ActivationForm) -> ActivationForm:
        """The thresholds of what stands between a layer and its quantizer; neurons that fall are turned around."""
        if layer.rectified:
            layer.rectified = False
            layer.curves.append(_rectifier(layer))
        proven, accumulators = self.proven(_spec(layer))
        floats = Floats(*self.scale(layer), layer.curves, quantizer)
        steps = steps_of(layer.name, floats, form, accumulators, proven.accum_format.fractional)
        sign = np.where(steps.falls, -1.0, 1.0)
        layer.kernel, layer.bias, layer.curves, layer.product = layer.kernel * sign, layer.bias * sign, [], None
        return steps.form

    def scale(self, layer: _Open) -> tuple[FloatArray, Rounding | None]:
        """What the sums of each neuron are multiplied by, and how far float32 may be off; None where it is exact.

        Raises:
            NotExact: its sums round in float32, and not as the model's do.
        """
        ones, product = np.ones(layer.bias.size), layer.product
        inputs = self.interval or format_interval(self.input_format, len(layer.kernel))
        if product is None or product.scale is None:
            _refuse_rounding(layer, inputs, self.fractional)
            return ones, None
        codes = Codes(product.matrix, product.scale)
        return product.scale, rounding(product.sums, codes, inputs, self.fractional)

    def proven(self, spec: LayerSpec) -> tuple[IntegerLayer, Interval]:
        """A layer behind those that are closed, and the ranges of its accumulators."""
        inputs = self.interval or format_interval(self.input_format, spec.weight.shape[0])
        layer = prove(spec, self.fractional, inputs)
        return layer, propagate(*layer.aligned(self.fractional), inputs)

    def close(self, form: ActivationForm | None = None) -> None:
        """End the open layer, with an activation or with its accumulators as they are."""
        if self.open is None:
            return
        layer, self.open = self.open, None
        if layer.floats:
            raise layer.floats
        spec = _spec(layer)
        if form is not None:
            spec = spec._replace(activation=form.activation, result_format=form.result_format)
        elif layer.rectified:
            spec = spec._replace(activation="relu")
        proven, accumulators = self.proven(spec)
        self.interval, self.source = activated_interval(proven, accumulators), proven.result_format
        self.fractional, self.format = spec.result_fractional(self.fractional), spec.result_format
        self.specs.append(spec)
        self.origins.append(layer.origin)

    def finish(self) -> None:
        """End the network."""
        if self.open is None and self.pending is not None and self.specs:
            count = self.pending.matrix.shape[1]
            self.begin(f"{self.specs[-1].name}_output", np.eye(count), np.zeros(count))
        if self.open is not None and (refused := self.open.floats) and not self.open.rectified:
            self.end(self.open, refused)
        self.close()

    def end(self, layer: _Open, refused: NotExact) -> None:
        """Take the floats off the last layer; one that only hands on the results of a layer is left out."""
        proven, sums = self.proven(_spec(layer))
        start = Start(refused, *self.scale(layer))
        self.ending = ending_of(layer.name, start, layer.curves, sums, proven.accum_format.fractional)
        layer.curves, layer.product = [], None
        if self.specs and not layer.bias.any() and np.array_equal(layer.kernel, np.eye(len(layer.kernel))):
            self.open = None


def _behind(name: str, before: Affine, kernel: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The kernel and bias of an affine map that reads the results of another."""
    return exact_product(name, before.matrix, kernel), exact_product(name, before.offset, kernel, bias)


def _spec(layer: _Open) -> LayerSpec:
    weight, weight_format = to_integers(layer.name, "kernel", layer.kernel)
    bias, bias_format = to_integers(layer.name, "bias", layer.bias)
    return LayerSpec(layer.name, weight, weight_format, bias, bias_format)


def _bits_spec(name: str, element: Comparison | Lookup, n_in: int, fractional: int) -> TableLayer | ThresholdLayer:
    """The layer of thresholds or tables, with thresholds brought up to the grid of what they compare.

    Raises:
        NotExact: a threshold is beyond 62 bits.
    """
    if isinstance(element, Lookup):
        wires, bits = normal_form(element.wires, element.bits)
        return TableLayer(name, wires, words_of(bits), n_in)
    limits = np.ceil(np.ldexp(element.thresholds, fractional))
    if not (np.abs(limits) < 2.0**62).all():
        raise NotExact(name, f"the threshold {element.thresholds[np.abs(limits).argmax()]} has no integer of 62 bits")
    return ThresholdLayer(name, element.features, limits.astype(np.int64), n_in)


def _changes_nothing(form: ActivationForm, values: FixedPoint) -> bool:
    """Whether an activation leaves every number of a format as it is."""
    finer = form.result_format.fractional - values.fractional
    if isinstance(form.activation, StepTable) or finer < 0 or (form.activation == "relu" and values.min_int < 0):
        return False
    return form.result_format.min_int <= values.min_int << finer and (
        values.max_int << finer <= form.result_format.max_int
    )


def _is_per_neuron(activation: Activation) -> bool:
    return isinstance(activation, StepTable) and activation.is_per_neuron


def _only_shifts(element: Affine) -> bool:
    """Whether a scale is made of powers of two, so that its numbers keep their digits."""
    numbers = element.matrix[element.matrix != 0]
    return not element.offset.any() and are_powers_of_two(numbers)


def _rectifier(layer: _Open) -> Curve:
    """The ReLU of a layer as a curve."""
    return Curve(layer.name, keras.activations.relu, layer.floats or NotExact(layer.name, "its ReLU has no quantizer"))


def _after(before: Affine, product: Dense) -> Dense:
    """The products of a layer as functions of what stands before an affine map that is folded into it."""
    matrix, offset = (keras.ops.convert_to_tensor(each, "float32") for each in before)
    sums = product.sums

    def call(x: Any) -> Any:
        return sums.call(keras.ops.matmul(x, matrix) + offset)

    kernel = before.matrix @ sums.kernel
    return product._replace(matrix=before.matrix @ product.matrix, sums=Sums(call, kernel))


def _refuse_rounding(layer: _Open, inputs: Interval, fractional: int) -> None:
    """Refuse sums that are exact numbers, but not in float32: what stands behind them would read others."""
    spec = _spec(layer)
    weight, bias = prove(spec, fractional, inputs).aligned(fractional)
    bits = math.frexp(partial_sum_bound(weight, bias, inputs))[1]
    if bits > MANTISSA:
        behind = layer.curves[0].name if layer.curves else layer.name
        raise NotExact(
            layer.name,
            f"its sums need {bits} bits, and {behind!r} computes with them in float32, which holds {MANTISSA}, so the "
            "model itself rounds; give its weights or inputs fewer bits",
        )


def _rectified(form: ActivationForm) -> ActivationForm:
    """The same activation with a ReLU before it: below 0 it answers as at 0."""
    steps = form.activation
    if not isinstance(steps, StepTable):
        return form._replace(activation="relu")
    first = int(np.searchsorted(steps.thresholds, 0, side="right"))
    return form._replace(activation=StepTable(steps.thresholds[first:], steps.values[first:]))
