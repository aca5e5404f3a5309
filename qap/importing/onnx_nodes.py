"""What each node of a chain adds to the twin: the operators of ONNX and QONNX that dense networks are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import numpy as np

from qap.errors import DataError, NotExact
from qap.fixed import FixedPoint
from qap.importing.onnx_chain import Step
from qap.importing.onnx_constants import REORDERING, WITHOUT_EFFECT, Constant
from qap.importing.onnx_quant import MAX_STEPS, Array, Grid, Steps, grid_of, positive_scale
from qap.importing.onnx_twin import FLOAT32_BITS, SHORT_BITS, Codes, Twin, is_dyadic, one_if_equal, short_format
from qap.training.quantization import FixedPointQuantizer

MAX_LEVELS = 256
"""Levels of a quantizer up to which the offset before it moves its thresholds instead of being added."""


def _matmul(twin: Twin, step: Step) -> None:
    if step.attributes.get("transA"):
        raise DataError(f"node {step.name!r}: a Gemm with transA mixes the samples of a batch")
    weight = step.needed(1, "weight")
    _finite(step, weight.value)
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
    if is_dyadic(scale) and (form := short_format(values, FLOAT32_BITS)) is not None:
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
    offset = _spread(step, constant.value, twin.width)
    if constant.scale is not None and abs(factor) == 1:
        scale = _spread(step, constant.scale, twin.width)
        if np.allclose(scale, twin.scale, rtol=2.0**-21, atol=0):
            twin.shift = one_if_equal(twin.shift + factor * np.rint(offset / scale))
            return
    twin.add(factor * offset)


def _mul(twin: Twin, step: Step) -> None:
    other = step.needed(1 - step.position, "other input")
    twin.multiply(step.name, _spread(step, other.value, twin.width))


def _div(twin: Twin, step: Step) -> None:
    if step.position == 1:
        raise DataError(f"node {step.name!r}: a constant divided by the values of the network is not supported")
    divisor = _spread(step, step.needed(1, "other input").value, twin.width)
    if not divisor.all():
        raise DataError(f"node {step.name!r}: it divides by 0")
    twin.multiply(step.name, 1.0 / divisor)


def _neg(twin: Twin, step: Step) -> None:
    twin.multiply(step.name, np.asarray(-1.0))


def _batch_normalization(twin: Twin, step: Step) -> None:
    if step.attributes.get("training_mode"):
        raise DataError(f"node {step.name!r}: a BatchNormalization in training mode; export the model in eval mode")
    gamma, beta, mean, variance = (
        _channels(step, step.needed(1 + index, what).value, twin.width)
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


def _quant(twin: Twin, step: Step) -> None:
    scale = _spread(step, positive_scale(step.name, step.needed(1, "scale").value), twin.width)
    zero = _spread(step, step.needed(2, "zero point").value, twin.width)
    grid = grid_of(step.name, {"bits": step.needed(3, "bit width").value}, step.attributes)
    _quantize(twin, step, grid, scale, zero)


def _quantize(twin: Twin, step: Step, grid: Grid, scale: Array, zero: Array) -> None:
    """Bring `value / scale + zero` onto a grid; its numbers keep the unit of a scale that is a power of two."""
    exponent = _exponent(scale)
    if exponent is None:
        twin.multiply(step.name, 1.0 / scale)
    unit = 1.0 if exponent is None else float(scale)
    twin.add(zero * unit)
    form = grid.format(-(exponent or 0))
    if form is None or (grid.high - grid.low < MAX_LEVELS and twin.is_short and twin.shift.any() and not twin.product):
        steps = grid.steps(step.name)
        twin.climb(step.name, steps._replace(thresholds=steps.thresholds * unit, values=steps.values * unit))
    else:
        if grid.high - grid.low <= MAX_STEPS:
            twin.refuse_ties(step.name, grid.steps(step.name).thresholds * unit)
        twin.quantize(step.name, FixedPointQuantizer(form), unit)
    twin.scale, twin.shift = scale if exponent is None else np.ones(()), -zero * unit


def _quantize_linear(twin: Twin, step: Step) -> None:
    """Remember the codes of ONNX's own quantization; `DequantizeLinear` makes numbers of them again."""
    zero = step.constant(2)
    kind = np.dtype(np.uint8) if zero is None else zero.value.dtype
    if kind.kind not in "iu" or kind.itemsize > 2:
        raise DataError(f"node {step.name!r}: a QuantizeLinear to {kind}; integers of 8 or 16 bits are possible")
    limits = np.iinfo(kind)
    twin.codes = Codes(*_scale_and_zero(step), int(limits.min), int(limits.max))


def _dequantize_linear(twin: Twin, step: Step) -> None:
    codes, twin.codes = twin.codes, None
    if codes is None or (codes.scale, codes.zero) != _scale_and_zero(step):
        raise DataError(f"node {step.name!r}: a DequantizeLinear without a QuantizeLinear of its scale before it")
    # ONNX rounds first and adds the zero point then
    grid = Grid(codes.low - codes.zero, codes.high - codes.zero, "ROUND")
    _quantize(twin, step, grid, np.asarray(codes.scale), np.zeros(()))


def _scale_and_zero(step: Step) -> tuple[float, int]:
    scale = one_if_equal(positive_scale(step.name, step.needed(1, "scale").value))
    zero = step.constant(2)
    if scale.ndim or (zero is not None and zero.value.size != 1):
        raise NotExact(step.name, "values with a scale of each neuron's own; one scale for all is possible")
    return float(scale), 0 if zero is None else int(zero.value.ravel()[0])


def _bipolar_quant(twin: Twin, step: Step) -> None:
    scale = _spread(step, positive_scale(step.name, step.needed(1, "scale").value), twin.width)
    twin.climb(step.name, Steps(np.zeros(1), np.array([False]), np.array([-1.0, 1.0])))
    twin.scale = scale


def _sign(twin: Twin, step: Step) -> None:
    twin.climb(step.name, Steps(np.zeros(2), np.array([False, True]), np.array([-1.0, 0.0, 1.0])))


def _multi_threshold(twin: Twin, step: Step) -> None:
    thresholds = np.asarray(step.needed(1, "thresholds").value, np.float64)
    if thresholds.ndim != 2 or (np.diff(thresholds) < 0).any() or not thresholds.size:
        raise NotExact(step.name, f"a MultiThreshold needs rows of rising thresholds, but has {thresholds.shape}")
    if len(thresholds) > 1:
        rows = _channels(step, np.arange(len(thresholds)), twin.width).astype(np.int64)
        thresholds = thresholds[rows]
    scale, bias = (float(step.attributes.get(key, nothing)) for key, nothing in (("out_scale", 1.0), ("out_bias", 0.0)))
    if not scale:
        raise DataError(f"node {step.name!r}: its out_scale is 0")
    values = np.arange(thresholds.shape[1] + 1, dtype=np.float64)
    direct = scale > 0 and short_format(values * scale + bias, SHORT_BITS) is not None
    if direct:
        values = values * scale + bias
    if len(thresholds) == 1:
        last = np.append(np.diff(thresholds[0]) > 0, True)  # of equal thresholds only the last decides
        thresholds, values = thresholds[0][last], np.concatenate([values[:1], values[1:][last]])
    twin.climb(step.name, Steps(thresholds, np.zeros(thresholds.shape[-1], bool), values))
    if not direct:
        twin.scale, twin.shift = np.asarray(scale), np.asarray(bias / scale)


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
    "Quant": _quant,
    "IntQuant": _quant,
    "QuantizeLinear": _quantize_linear,
    "DequantizeLinear": _dequantize_linear,
    "BipolarQuant": _bipolar_quant,
    "Sign": _sign,
    "MultiThreshold": _multi_threshold,
    **dict.fromkeys(_FUNCTIONS, _function),
    **dict.fromkeys(REORDERING, _reorder),
    **dict.fromkeys(WITHOUT_EFFECT, _nothing),
    "ArgMax": _argmax,
}
"""Operator -> what it adds to the twin."""

OF_CODES = ("Clip", "DequantizeLinear", *WITHOUT_EFFECT, *REORDERING)
"""Operators that may read the integers of a `QuantizeLinear`."""


def _finite(step: Step, values: Array) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError(f"node {step.name!r} ({step.op}) has a constant that is not finite")


def _spread(step: Step, values: Array, width: int) -> Array:
    """A constant beside the values of the chain: one number, or one for each neuron."""
    _finite(step, values)
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


def _channels(step: Step, values: Array, width: int) -> Array:
    """One number for each channel, for each neuron."""
    _finite(step, values)
    layout = step.attributes.get("data_layout", b"")
    last = (layout.endswith(b"C") and len(layout) > 2) or step.attributes.get("channels_last")
    axis = len(step.shape) - 1 if last else 1
    if values.ndim != 1 or values.size != step.shape[axis]:
        raise DataError(f"node {step.name!r} ({step.op}): {values.shape} does not fit to the channels of {step.shape}")
    shape = [1] * len(step.shape)
    shape[axis] = values.size
    return np.broadcast_to(np.asarray(values, np.float64).reshape(shape), step.shape).ravel()


def _exponent(scale: Array) -> int | None:
    """log2 of one scale, None where it is none or not a power of two."""
    if scale.ndim:
        return None
    mantissa, exponent = np.frexp(float(scale))
    return int(exponent) - 1 if mantissa == 0.5 else None
