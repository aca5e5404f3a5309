"""The only bridge from Keras to the integer network. It never approximates: exact, or `NotExact`.

Weights are read *after* their quantizers, whatever these are, and stored in the smallest format that
holds every one of them. Activations are translated by what their quantizer is defined to compute.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import qkeras

from qap.errors import NotExact
from qap.fixed import FixedPoint, IntArray
from qap.freezing.activations import activation_form, refuse_random
from qap.network import IntegerNetwork, LayerSpec, StepTable, connect

MAX_PARAMETER_BITS = 32  # wider numbers come from a float scale, not from a fixed-point format
IGNORED = ("Dropout", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "Flatten", "InputLayer", "Identity")
FINAL_ONLY = ("softmax", "sigmoid")


@dataclass(frozen=True, slots=True)
class DenseGroup:
    """A QDense layer and the layers after it that act on its outputs, one by one."""

    dense: Any
    activations: list[tuple[str, Any]] = field(default_factory=list)
    """Name of the layer and its quantizer or function, in order; linear ones are left out."""


def freeze(model: keras.Model, input_format: FixedPoint, class_names: Sequence[str] | None = None) -> IntegerNetwork:
    """Turn a quantized Keras classifier into the integer network that computes exactly the same.

    Args:
        model: a chain of QDense and QActivation layers; dropout and a softmax or sigmoid at the end are
            left out (the class is decided on integer logits).
        input_format: the format of the inputs that the model was trained on.
        class_names: one for each output (two for a single output); numbers if None.

    Raises:
        NotExact: a layer has no exact integer form; the message names it and says why.
    """
    specs: list[LayerSpec] = []
    fractional = input_format.fractional
    for group in dense_groups(model):
        specs.append(_spec(group, fractional))
        fractional = specs[-1].result_fractional(fractional)
    if not specs:
        raise NotExact(model.name, "the model has no QDense layer")
    count = max(2, specs[-1].weight.shape[1])
    return connect(input_format, specs, class_names or [str(index) for index in range(count)])


def dense_groups(model: keras.Model) -> list[DenseGroup]:
    """The QDense layers of a chain, each with what follows it up to the next; a final softmax or sigmoid is dropped.

    Raises:
        NotExact: a layer is of a kind that has no exact integer form, or the model is not a chain.
    """
    groups: list[DenseGroup] = []
    for layer in _chain(model):
        if isinstance(layer, qkeras.QDense):
            groups.append(DenseGroup(layer))
            _append(groups, layer.name, layer.activation)
        elif isinstance(layer, keras.layers.Dense):
            raise NotExact(layer.name, "its kernel is float; make it a QDense with a kernel_quantizer")
        elif type(layer).__name__ in IGNORED:
            continue
        elif type(layer).__name__ in ("QActivation", "Activation"):
            _append(groups, layer.name, layer.activation)
        elif isinstance(layer, keras.layers.ReLU) and not layer.negative_slope and layer.max_value is None:
            _append(groups, layer.name, keras.activations.relu)
        elif isinstance(layer, keras.layers.Softmax):
            _append(groups, layer.name, keras.activations.softmax)
        else:
            raise NotExact(layer.name, f"{type(layer).__name__} layers are not supported")
    if groups and groups[-1].activations and _function_name(groups[-1].activations[-1][1]) in FINAL_ONLY:
        groups[-1].activations.pop()
    return groups


def quantized_parameters(dense: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Kernel (n_in, n_out) and bias (n_out,) of a QDense layer as its quantizers give them; no bias is zeros.

    Raises:
        NotExact: a quantizer is missing or draws random numbers.
    """
    kernel = _quantized(dense.name, "kernel", dense.kernel_quantizer_internal, dense.kernel)
    if not dense.use_bias:
        return kernel, np.zeros(kernel.shape[1])
    if dense.bias_quantizer_internal is None and not np.any(dense.bias.numpy()):
        return kernel, np.zeros(kernel.shape[1])
    return kernel, _quantized(dense.name, "bias", dense.bias_quantizer_internal, dense.bias)


def to_integers(layer: str, what: str, values: npt.NDArray[np.float64]) -> tuple[IntArray, FixedPoint]:
    """Integers and the narrowest format that hold these real numbers exactly.

    Args:
        layer: the name of the layer, for the error.
        what: "kernel" or "bias", for the error.
        values: any shape.

    Raises:
        NotExact: a number is not finite, or the format would be wider than 32 bits.
    """
    if not np.isfinite(values).all():
        raise NotExact(layer, f"its {what} holds a number that is not finite")
    if not values.any():
        return np.zeros(values.shape, np.int64), FixedPoint(False, 1, 1)
    mantissa, exponent = np.frexp(values[values != 0])
    digits = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.log2(digits & -digits).astype(np.int64)  # exact: the operand is a power of two
    fractional = int((53 - exponent - trailing).max())
    largest = math.ldexp(np.abs(values).max(), fractional)
    if largest >= 2.0**MAX_PARAMETER_BITS:
        raise NotExact(
            layer,
            f"its {what} needs {int(math.log2(largest)) + 2} bits, at most {MAX_PARAMETER_BITS} are allowed; "
            "a float scale (alpha='auto') is the usual cause",
        )
    integers = np.ldexp(values, fractional).astype(np.int64)
    return integers, FixedPoint.smallest(int(integers.min()), int(integers.max()), fractional)


def _chain(model: keras.Model) -> Iterator[Any]:
    """The layers in order, where each reads only the one before."""
    previous = None
    for layer in model.layers:
        if previous is not None and not isinstance(layer, keras.layers.InputLayer) and layer.input is not previous:
            raise NotExact(layer.name, "the model is not a simple chain of layers")
        previous = layer.output
        yield layer


def _append(groups: list[DenseGroup], name: str, activation: Any) -> None:
    if activation is None or _function_name(activation) == "linear":
        return
    if not groups:
        raise NotExact(name, "an activation before the first QDense layer; give its format as input_format instead")
    groups[-1].activations.append((name, activation))


def _function_name(activation: Any) -> str:
    """The name of a plain Keras activation function; empty for quantizers."""
    name = getattr(activation, "__name__", "")
    return str(name) if isinstance(name, str) else ""


def _quantized(layer: str, what: str, quantizer: Any, variable: Any) -> npt.NDArray[np.float64]:
    if quantizer is None:
        raise NotExact(layer, f"its {what} has no quantizer, it is float")
    if reason := getattr(quantizer, "not_exact", None):
        raise NotExact(layer, reason)
    alpha = getattr(quantizer, "alpha", None)
    if alpha is not None and not (isinstance(alpha, str) and alpha == "auto_po2") and not _powers_of_two(alpha):
        raise NotExact(layer, f"its {what} has a float scale (alpha={alpha!r}); use alpha='auto_po2' or a power of two")
    refuse_random(layer, quantizer)
    return np.asarray(quantizer(keras.ops.convert_to_tensor(variable)), np.float64)


def _powers_of_two(alpha: Any) -> bool:
    return not isinstance(alpha, str) and bool((np.frexp(np.abs(np.asarray(alpha, np.float64)))[0] == 0.5).all())


def _spec(group: DenseGroup, input_fractional: int) -> LayerSpec:
    name = group.dense.name
    kernel, bias = quantized_parameters(group.dense)
    weight, weight_format = to_integers(name, "kernel", kernel)
    bias_int, bias_format = to_integers(name, "bias", bias)
    spec = LayerSpec(name, weight, weight_format, bias_int, bias_format)
    activations = list(group.activations)
    rectified = bool(activations) and _function_name(activations[0][1]) == "relu"
    if rectified:
        activations.pop(0)
    if not activations:
        return spec._replace(activation="relu" if rectified else "linear")
    if len(activations) > 1:
        raise NotExact(activations[1][0], f"a second activation after {activations[0][0]!r}")
    layer, quantizer = activations[0]
    form = activation_form(layer, quantizer, spec.accum_fractional(input_fractional))
    if rectified and isinstance(form.activation, StepTable):
        raise NotExact(layer, "a ReLU before an activation that rises in steps")
    return spec._replace(activation="relu" if rectified else form.activation, result_format=form.result_format)
