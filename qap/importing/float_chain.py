"""A model with float layers as the chain that is quantized: normalizations folded into the kernels around them.

What only multiplies and adds is no layer of its own in hardware: behind a float dense layer it goes into that kernel,
before one into the next. A dense layer of quantized weights counts as float where what follows it is (a normalization
and a ReLU, say) and no quantizer brings it back: ternary weights are then whole multiples of what multiplies them.
Other quantized layers stay as they are, and so does what stands before or behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import keras
import numpy as np
import numpy.typing as npt
import qkeras

from qap.errors import NotExact
from qap.freezing.elements import Curve, Dense, Element, Final, Quantization
from qap.freezing.graph import Call, calls_of
from qap.freezing.layers import NORMALIZATIONS, read
from qap.freezing.view import told_by

T = TypeVar("T")
FloatArray = npt.NDArray[np.float64]
DENSE = (keras.layers.Dense, qkeras.QDense, qkeras.QDenseBatchnorm)
REORDERING = (keras.layers.Flatten, keras.layers.Reshape, keras.layers.Permute)


@dataclass(slots=True)
class FloatDense:
    """A dense layer with what was folded into it, in float64.

    Args:
        name: of the layer.
        kernel: (n_in, n_out).
        bias: (n_out,).
    """

    name: str
    kernel: FloatArray
    bias: FloatArray


@dataclass(slots=True)
class _Scale:
    """`x * scale + offset`, (n,) each, and the layers that say so."""

    scale: FloatArray
    offset: FloatArray
    layers: list[Any] = field(default_factory=list)


Step = FloatDense | Any
"""A `FloatDense`, or a Keras layer that stays as it is."""


def is_float(model: keras.Model, *, at_end: bool = False) -> bool:
    """Whether a dense layer of a model is float, or what follows it, so that something must quantize it.

    Args:
        model: a chain of layers.
        at_end: whether floats behind the last dense layer count, too, which `freeze` can quantize by itself.

    Raises:
        NotExact: the model is not a chain.
    """
    return any(_float_layers(calls_of(model), at_end))


def _float_layers(calls: list[Call], at_end: bool) -> Iterator[str]:
    """The names of the dense calls that are float, or followed by floats that no quantizer brings back."""
    groups = list(groups_of(calls, lambda call: type(call.layer) in DENSE))[1:]
    for group in groups:
        dense, last = group[0], group is groups[-1]
        is_float_itself = type(dense.layer) is keras.layers.Dense or dense.layer.kernel_quantizer is None
        if is_float_itself or ((at_end or not last) and _ends_in_floats(group, last)):
            yield dense.name


def _ends_in_floats(group: list[Call], last: bool) -> bool:
    try:
        elements = [element for call in group for element in read(call)]
    except NotExact:
        return False  # no format helps; freeze names it
    if any(isinstance(element, Quantization) for element in elements):
        return False
    return any(_decides(element) if last else _is_curve(element) for element in elements)


def _is_curve(element: Element) -> bool:
    return isinstance(element, Curve | Final) or (isinstance(element, Dense) and element.refused is not None)


def _decides(element: Element) -> bool:
    """Whether a float at the end can change the class, as numbers of each output's own do."""
    if isinstance(element, Curve):
        return element.line is None or not (_is_common(element.line.scale) and _is_common(element.line.offset))
    return isinstance(element, Dense) and element.scale is not None and not _is_common(element.scale)


def _is_common(numbers: FloatArray) -> bool:
    return numbers.size > 1 and bool((numbers == numbers[0]).all())


def float_chain(model: keras.Model, *, at_end: bool = False) -> list[Step]:
    """The steps of a model, scales and offsets folded into its float dense layers as far as they stand beside one.

    Args:
        model: a chain of layers.
        at_end: as in `is_float`.

    Raises:
        NotExact: the model is not a chain.
    """
    calls = calls_of(model)
    floats = set(_float_layers(calls, at_end))
    steps: list[Step] = []
    before: _Scale | None = None  # what stands between the last step and the next
    for call in calls:
        scale = _scale_of(call)
        if scale is not None and before is None and steps and isinstance(steps[-1], FloatDense):
            steps[-1].kernel, steps[-1].bias = (
                steps[-1].kernel * scale.scale,
                steps[-1].bias * scale.scale + scale.offset,
            )
        elif scale is not None:
            before = scale if before is None else _both(before, scale)
        elif call.name in floats:
            steps.append(_dense(call, before))
            before = None
        elif before is not None and type(call.layer) in REORDERING and _is_one_number(before):
            steps.append(call.layer)
        else:
            steps += [*(before.layers if before else []), call.layer]
            before = None
    return [*steps, *(before.layers if before else [])]


def _scale_of(call: Call) -> _Scale | None:
    """What a normalization or rescaling of a flat tensor, or a rescaling by one number, does; None for others."""
    layer, count = call.layer, int(np.prod(call.shape))
    if type(layer) in NORMALIZATIONS and len(call.shape) == 1:
        return _Scale(*told_by(layer, count), [layer])
    if type(layer) is keras.layers.Rescaling and np.ndim(layer.scale) == np.ndim(layer.offset) == 0:
        return _Scale(np.full(count, float(layer.scale)), np.full(count, float(layer.offset)), [layer])
    return None


def _both(first: _Scale, second: _Scale) -> _Scale:
    scale, offset = first.scale * second.scale, first.offset * second.scale + second.offset
    return _Scale(scale, offset, [*first.layers, *second.layers])


def _is_one_number(scale: _Scale) -> bool:
    return bool((scale.scale == scale.scale[0]).all() and (scale.offset == scale.offset[0]).all())


def _dense(call: Call, before: _Scale | None) -> FloatDense:
    layer = call.layer
    if isinstance(layer, qkeras.QDense):
        kernel, bias = told_by(layer, *call.shape)
    else:
        kernel = np.asarray(layer.kernel, np.float64)
        bias = np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[1])
    if before is not None:
        kernel, bias = before.scale[:, None] * kernel, bias + before.offset @ kernel
    return FloatDense(call.name, kernel, bias)


def groups_of(steps: Iterable[T], begins: Callable[[T], bool]) -> Iterator[list[T]]:
    """The steps in groups, each begun by a dense layer but the first, which may hold what stands before."""
    group: list[T] = []
    for step in steps:
        if begins(step):
            yield group
            group = []
        group.append(step)
    yield group
