"""What each node of a chain adds to the twin: the operators of ONNX and QONNX that dense networks are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import numpy as np

from qap.errors import DataError, NotExact
from qap.fixed import FixedPoint
from qap.freezing.exact import are_powers_of_two
from qap.importing.onnx_chain import Step
from qap.importing.onnx_constants import REORDERING, WITHOUT_EFFECT, Constant
from qap.importing.onnx_quant import Array
from qap.importing.onnx_quantizers import (
    bipolar_quant,
    dequantize_linear,
    multi_threshold,
    quant,
    quantize_linear,
    sign,
)
from qap.importing.onnx_shapes import channels_of, finite, one_if_equal, spread
from qap.importing.onnx_twin import FLOAT32_BITS, SHORT_BITS, Twin, short_format


def _matmul(twin: Twin, step: Step) -> None:
    if step.attributes.get("transA"):
        raise DataError(f"node {step.name!r}: a Gemm with transA mixes the samples of a batch")
    weight = step.needed(1, "weight")
    finite(step, weight.value)
    values = weight.value.astype(np.float64)
    if step.attributes.get("transB"):
        values, scale = values.T, None if weight.scale is None else weight.scale.T
    else:
        scale = weight.scale
    twin.close()
    twin.multiply_by_matrix(step.name, *_factors(step, values, scale))


def _gemm(twin: Twin, step: Step) -> None:
    _matmul(twin, step)
    twin.multiply(step.name, np.asarray(float(step.attributes.get("alpha", 1.0))))
    if (bias := step.constant(2)) is not None:
        factor = float(step.attributes.get("beta", 1.0))
        _add_constant(twin, step, bias, factor)


def _factors(step: Step, values: Array, scale: Array | None) -> tuple[Array, Array, FixedPoint | None]:
    """A kernel, the scale of each neuron that it is to be multiplied by, and its format, None where it is float."""
    if scale is None:
        return values, np.ones(()), short_format(values, SHORT_BITS)
    if are_powers_of_two(scale) and (form := short_format(values, FLOAT32_BITS)) is not None:
        return values, np.ones(()), form
    if (scale != scale[:1]).any():
        raise NotExact(step.name, "its weights have a float scale for each input; one for each neuron is possible")
    integers = np.rint(values / scale)
    form = short_format(integers, FLOAT32_BITS)
    if form is None:
        raise NotExact(step.name, f"its weights need more than {FLOAT32_BITS} bits")
    return integers, one_if_equal(scale[0]), form


def _add(twin: Twin, step: Step) -> None:
    other = step.needed(1 - step.position, "other input")
    _add_constant(twin, step, other, 1.0)


def _sub(twin: Twin, step: Step) -> None:
    other = step.needed(1 - step.position, "other input")
    if step.position == 1:
        twin.multiply(step.name, np.asarray(-1.0))
    _add_constant(twin, step, other, 1.0 if step.position else -1.0)


def _add_constant(twin: Twin, step: Step, constant: Constant, factor: float) -> None:
    """Add; integers of the scale that the values have, as biases of an integer kernel are, stay integers."""
    offset = spread(step, constant.value, twin.width)
    if constant.scale is not None and abs(factor) == 1:
        scale = spread(step, constant.scale, twin.width)
        if np.allclose(scale, twin.scale, rtol=2.0**-21, atol=0):
            twin.shift = one_if_equal(twin.shift + factor * np.rint(offset / scale))
            return
    if constant.value.size == 1 and not are_powers_of_two(twin.scale):
        twin.close()  # one number behind a float scale is left out with it where nothing follows, so it is no bias
    twin.add(factor * offset)


def _mul(twin: Twin, step: Step) -> None:
    other = step.needed(1 - step.position, "other input")
    twin.multiply(step.name, spread(step, other.value, twin.width))


def _div(twin: Twin, step: Step) -> None:
    if step.position == 1:
        raise DataError(f"node {step.name!r}: a constant divided by the values of the network is not supported")
    divisor = spread(step, step.needed(1, "other input").value, twin.width)
    if not divisor.all():
        raise DataError(f"node {step.name!r}: it divides by 0")
    twin.multiply(step.name, 1.0 / divisor)


def _neg(twin: Twin, step: Step) -> None:
    twin.multiply(step.name, np.asarray(-1.0))


def _batch_normalization(twin: Twin, step: Step) -> None:
    if step.attributes.get("training_mode"):
        raise DataError(f"node {step.name!r}: a BatchNormalization in training mode; export the model in eval mode")
    gamma, beta, mean, variance = (
        channels_of(step, step.needed(1 + index, what).value, twin.width)
        for index, what in enumerate(("scale", "bias", "mean", "variance"))
    )
    deviation = np.sqrt(variance + float(step.attributes.get("epsilon", 1e-5)))
    if not (deviation > 0).all():
        raise DataError(f"node {step.name!r}: a variance of it is not positive")
    factor = gamma / deviation
    if (factor == 0).any():
        twin.affine(step.name, factor, beta - mean * factor)
        return
    twin.multiply(step.name, factor)
    twin.add(beta - mean * factor)


def _relu(twin: Twin, step: Step) -> None:
    twin.past_zero(step.name)
    twin.layer(keras.layers.ReLU, step.name)


def _leaky_relu(twin: Twin, step: Step) -> None:
    twin.past_zero(step.name)
    twin.layer(keras.layers.LeakyReLU, step.name, float(step.attributes.get("alpha", 0.01)))


def _prelu(twin: Twin, step: Step) -> None:
    slope = np.unique(step.needed(1, "slope").value)
    if slope.size != 1:
        raise NotExact(step.name, "a PRelu with a slope of each neuron's own; one slope for all is possible")
    twin.past_zero(step.name)
    twin.layer(keras.layers.LeakyReLU, step.name, float(slope[0]))


def _clip(twin: Twin, step: Step) -> None:
    low, high = (
        float(np.asarray(each.value).ravel()[0]) if (each := step.constant(index)) is not None
        else float(step.attributes.get(key, nothing))
        for index, key, nothing in ((1, "min", -np.inf), (2, "max", np.inf))
    )  # fmt: skip
    low, high = (
        limit if abs(limit) < np.finfo(np.float32).max else np.copysign(np.inf, limit) for limit in (low, high)
    )
    if not low < high:
        raise DataError(f"node {step.name!r}: a Clip from {low} to {high}")
    if (codes := twin.codes) is not None:
        twin.codes = codes._replace(low=int(max(low, codes.low)), high=int(min(high, codes.high)))
        return
    twin.flush(step.name)
    if low == -np.inf and high < np.inf:
        twin.scale, twin.shift = np.asarray(-1.0), np.asarray(-high)
        twin.flush(step.name)
        twin.layer(keras.layers.ReLU, step.name)
        twin.scale, twin.shift = np.asarray(-1.0), np.asarray(-high)
    elif low > -np.inf:
        twin.shift = np.asarray(-low)
        twin.flush(step.name)
        twin.layer(keras.layers.ReLU, step.name, high - low if high < np.inf else None)
        twin.shift = np.asarray(low)


def _function(twin: Twin, step: Step) -> None:
    name, defaults = _FUNCTIONS[step.op]
    axis = step.attributes.get("axis", -1)
    over_all = int(np.prod(step.shape)) == step.shape[axis] if -len(step.shape) <= axis < len(step.shape) else False
    if step.op in ("Softmax", "LogSoftmax") and not over_all and not (axis == 1 and len(step.shape) == 2):
        raise DataError(
            f"node {step.name!r}: a {step.op} over axis {axis} of {step.shape}; only the classes are possible"
        )
    for key, value in defaults.items():
        if not np.isclose(float(step.attributes.get(key, _DEFAULTS[step.op][key])), value, rtol=1e-6):
            raise DataError(f"node {step.name!r}: a {step.op} with another {key} than {value:.4g} is not supported")
    twin.flush(step.name)
    twin.layer(keras.layers.Activation, step.name, name)


_FUNCTIONS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "Softmax": ("softmax", {}),
    "LogSoftmax": ("log_softmax", {}),
    "Sigmoid": ("sigmoid", {}),
    "Tanh": ("tanh", {}),
    "Softsign": ("softsign", {}),
    "Softplus": ("softplus", {}),
    "Elu": ("elu", {"alpha": 1.0}),
    "HardSigmoid": ("hard_sigmoid", {"alpha": 1 / 6, "beta": 0.5}),
}
_DEFAULTS = {"Elu": {"alpha": 1.0}, "HardSigmoid": {"alpha": 0.2, "beta": 0.5}}


def _reorder(twin: Twin, step: Step) -> None:
    """Hand numbers on in another order; only the order of what lies in memory matters here."""
    order = step.needed(1, "order").value
    if np.array_equal(order, np.arange(order.size)):
        return
    twin.flush(step.name)
    if order.ndim != 1 or step.op != "Transpose":
        raise DataError(f"node {step.name!r} ({step.op}) reorders numbers, which only a Transpose may")
    sizes, axes = step.shape[1:], [int(axis) for axis in step.attributes.get("perm", range(len(step.shape))[::-1])]
    twin.layer(keras.layers.Reshape, f"{step.name}_shape", sizes)
    twin.layer(keras.layers.Permute, step.name, tuple(axes[1:]))
    twin.layer(keras.layers.Flatten, f"{step.name}_flat")


def _nothing(twin: Twin, step: Step) -> None:
    if step.op == "Cast" and step.attributes.get("to") not in (1, 10, 11, 16):  # float32, float16, float64, bfloat16
        raise DataError(f"node {step.name!r}: a Cast of values to something else than floats is not supported")
    if step.op == "Dropout" and (mode := step.constant(2)) is not None and mode.value.any():
        raise DataError(f"node {step.name!r}: a Dropout in training mode; export the model in eval mode")


def _argmax(twin: Twin, step: Step) -> None:
    raise DataError(f"node {step.name!r}: an ArgMax between nodes; only at the end it can be left out")


READERS: Mapping[str, Callable[[Twin, Step], None]] = {
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Add": _add,
    "Sub": _sub,
    "Mul": _mul,
    "Div": _div,
    "Neg": _neg,
    "BatchNormalization": _batch_normalization,
    "Relu": _relu,
    "LeakyRelu": _leaky_relu,
    "PRelu": _prelu,
    "Clip": _clip,
    "Quant": quant,
    "IntQuant": quant,
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "BipolarQuant": bipolar_quant,
    "Sign": sign,
    "MultiThreshold": multi_threshold,
    **dict.fromkeys(_FUNCTIONS, _function),
    **dict.fromkeys(REORDERING, _reorder),
    **dict.fromkeys(WITHOUT_EFFECT, _nothing),
    "ArgMax": _argmax,
}
"""Operator -> what it adds to the twin."""

OF_CODES = ("Clip", "DequantizeLinear", *WITHOUT_EFFECT, *REORDERING)
"""Operators that may read the integers of a `QuantizeLinear`."""
