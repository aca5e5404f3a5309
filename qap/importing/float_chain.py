"""A model with float layers as the chain that is quantized: normalizations folded into the kernels around them.

What only multiplies and adds is no layer of its own in hardware: behind a float dense layer it goes into that kernel,
before one into the next. Quantized layers stay as they are, and so does what stands before or behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from qap.freezing.graph import Call, calls_of
from qap.freezing.layers import NORMALIZATIONS
from qap.freezing.view import told_by

FloatArray = npt.NDArray[np.float64]
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


def is_float(model: keras.Model) -> bool:
    """Whether a dense layer of a model is float, so that something must quantize it."""
    return any(type(call.layer) is keras.layers.Dense for call in calls_of(model))


def float_chain(model: keras.Model) -> list[Step]:
    """The steps of a model, scales and offsets folded into its float dense layers as far as they stand beside one.

    Raises:
        NotExact: the model is not a chain.
    """
    steps: list[Step] = []
    before: _Scale | None = None  # what stands between the last step and the next
    for call in calls_of(model):
        scale = _scale_of(call)
        if scale is not None and before is None and steps and isinstance(steps[-1], FloatDense):
            steps[-1].kernel, steps[-1].bias = (
                steps[-1].kernel * scale.scale,
                steps[-1].bias * scale.scale + scale.offset,
            )
        elif scale is not None:
            before = scale if before is None else _both(before, scale)
        elif type(call.layer) is keras.layers.Dense:
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
    kernel = np.asarray(call.layer.kernel, np.float64)
    bias = np.asarray(call.layer.bias, np.float64) if call.layer.use_bias else np.zeros(kernel.shape[1])
    if before is not None:
        kernel, bias = before.scale[:, None] * kernel, bias + before.offset @ kernel
    return FloatDense(call.name, kernel, bias)


def groups_of(steps: list[Step]) -> Iterator[list[Step]]:
    """The steps in groups, each begun by a layer with a kernel but the first, which may hold what stands before."""
    group: list[Step] = []
    for step in steps:
        if isinstance(step, FloatDense) or hasattr(step, "kernel"):
            yield group
            group = []
        group.append(step)
    yield group
