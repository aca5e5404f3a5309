"""Constants beside the values of a chain, as one number or one for each neuron."""

from __future__ import annotations

import numpy as np

from qap.errors import DataError
from qap.importing.onnx_chain import Step
from qap.importing.onnx_quant import Array


def one_if_equal(values: Array) -> Array:
    """One number where all neurons have the same."""
    values = np.asarray(values, np.float64)
    return values.ravel()[0].reshape(()) if values.size and (values == values.ravel()[0]).all() else values


def finite(step: Step, values: Array) -> None:
    """Refuse constants that hold a number that is not finite.

    Raises:
        DataError: one does.
    """
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError(f"node {step.name!r} ({step.op}) has a constant that is not finite")


def spread(step: Step, values: Array, width: int) -> Array:
    """A constant that is broadcast to the values of the chain.

    Args:
        step: the node.
        values: the constant.
        width: numbers that flow.

    Returns:
        One number, or one for each neuron (width,).

    Raises:
        DataError: it does not fit, or holds a number that is not finite.
    """
    finite(step, values)
    if values.size == 1:
        return np.asarray(values, np.float64).reshape(())
    shape = step.shape if int(np.prod(step.shape)) == width else (1, width)
    try:
        found = np.broadcast_to(values, np.broadcast_shapes(shape, values.shape))
    except ValueError:
        found = values
    if found.size != width:
        raise DataError(f"node {step.name!r} ({step.op}): {values.shape} does not fit to {shape}")
    return one_if_equal(found.astype(np.float64).ravel())


def channels_of(step: Step, values: Array, width: int) -> Array:
    """A constant of one number for each channel, as one for each neuron (width,).

    Raises:
        DataError: it does not fit, or holds a number that is not finite.
    """
    finite(step, values)
    layout = step.attributes.get("data_layout", b"")
    last = (layout.endswith(b"C") and len(layout) > 2) or step.attributes.get("channels_last")
    axis = len(step.shape) - 1 if last else 1
    if values.ndim != 1 or values.size != step.shape[axis]:
        raise DataError(f"node {step.name!r} ({step.op}): {values.shape} does not fit to the channels of {step.shape}")
    shape = [1] * len(step.shape)
    shape[axis] = values.size
    return np.broadcast_to(np.asarray(values, np.float64).reshape(shape), step.shape).ravel()
