"""What the quantizers of a chain add to the twin: QONNX's, FINN's and ONNX's own."""

from __future__ import annotations

import numpy as np

from qap.errors import DataError, NotExact
from qap.importing.onnx_chain import Step
from qap.importing.onnx_quant import MAX_STEPS, Array, Grid, Steps, grid_of, positive_scale
from qap.importing.onnx_shapes import channels_of, one_if_equal, spread
from qap.importing.onnx_twin import SHORT_BITS, Codes, Twin, short_format
from qap.training.quantization import FixedPointQuantizer

MAX_LEVELS = 256
"""Levels of a quantizer up to which the offset before it moves its thresholds instead of being added."""


def quant(twin: Twin, step: Step) -> None:
    """QONNX's Quant of activations."""
    scale = spread(step, positive_scale(step.name, step.needed(1, "scale").value), twin.width)
    zero = spread(step, step.needed(2, "zero point").value, twin.width)
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


def quantize_linear(twin: Twin, step: Step) -> None:
    """Remember the codes of ONNX's own quantization; `DequantizeLinear` makes numbers of them again."""
    zero = step.constant(2)
    kind = np.dtype(np.uint8) if zero is None else zero.value.dtype
    if kind.kind not in "iu" or kind.itemsize > 2:
        raise DataError(f"node {step.name!r}: a QuantizeLinear to {kind}; integers of 8 or 16 bits are possible")
    limits = np.iinfo(kind)
    twin.codes = Codes(*_scale_and_zero(step), int(limits.min), int(limits.max))


def dequantize_linear(twin: Twin, step: Step) -> None:
    """Bring values onto the codes that a `QuantizeLinear` before it named."""
    codes, twin.codes = twin.codes, None
    if codes is None or (codes.scale, codes.zero) != _scale_and_zero(step):
        raise DataError(f"node {step.name!r}: a DequantizeLinear without a QuantizeLinear of its scale before it")
    # ONNX rounds first and then adds the zero point
    grid = Grid(codes.low - codes.zero, codes.high - codes.zero, "ROUND")
    _quantize(twin, step, grid, np.asarray(codes.scale), np.zeros(()))


def _scale_and_zero(step: Step) -> tuple[float, int]:
    scale = one_if_equal(positive_scale(step.name, step.needed(1, "scale").value))
    zero = step.constant(2)
    if scale.ndim or (zero is not None and zero.value.size != 1):
        raise NotExact(step.name, "values with a scale of each neuron's own; one scale for all is possible")
    return float(scale), 0 if zero is None else int(zero.value.ravel()[0])


def bipolar_quant(twin: Twin, step: Step) -> None:
    """QONNX's BipolarQuant: minus or plus a scale, plus from 0 on."""
    scale = spread(step, positive_scale(step.name, step.needed(1, "scale").value), twin.width)
    twin.climb(step.name, Steps(np.zeros(1), np.array([False]), np.array([-1.0, 1.0])))
    twin.scale = scale


def sign(twin: Twin, step: Step) -> None:
    """-1, 0 and 1."""
    twin.climb(step.name, Steps(np.zeros(2), np.array([False, True]), np.array([-1.0, 0.0, 1.0])))


def multi_threshold(twin: Twin, step: Step) -> None:
    """FINN's MultiThreshold: the number of thresholds that a value reaches, scaled."""
    thresholds = np.asarray(step.needed(1, "thresholds").value, np.float64)
    if thresholds.ndim != 2 or (np.diff(thresholds) < 0).any() or not thresholds.size:
        raise NotExact(step.name, f"a MultiThreshold needs rows of rising thresholds, but has {thresholds.shape}")
    if len(thresholds) > 1:
        rows = channels_of(step, np.arange(len(thresholds)), twin.width).astype(np.int64)
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


def _exponent(scale: Array) -> int | None:
    """log2 of one scale, None where it is none or not a power of two."""
    if scale.ndim:
        return None
    mantissa, exponent = np.frexp(float(scale))
    return int(exponent) - 1 if mantissa == 0.5 else None
