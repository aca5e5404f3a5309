"""What is float between an accumulator and its quantizer, as integer thresholds of each neuron.

An accumulator is an integer with a proven range. A normalization that was trained multiplies it by a float, adds
another and hands it to a quantizer: that never turns back, and ends in few values, so it *is* a list of integers, the
least accumulators that reach each value (FINN calls it MultiThreshold; M. Blott et al., "FINN-R", ACM TRETS 11(3),
2018). They are found by bisection with the model's own float32 arithmetic. Products and sums of one number are the same
whatever stands beside it. Sums of a float kernel and curves as tanh are not: there each step is shown to be the same
for all that float32 may compute, or refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import FixedPoint, IntArray
from qap.freezing.activations import ActivationForm
from qap.freezing.elements import Curve
from qap.freezing.exact import FloatArray, first_reached
from qap.freezing.scales import GUARD, Rounding
from qap.network import StepTable
from qap.network.interval import Interval

MAX_LEVELS = 256
"""Comparators of more than eight bits of results are no sensible hardware."""
MOST_REFUSED = 20
"""After so many steps that rounding decides nobody needs the others."""
CHECKED = 256
"""Accumulators over the whole range of each neuron at which the staircase is compared with the arithmetic."""


class Steps(NamedTuple):
    """A staircase, and for each neuron whether it falls: then it reads the negative of the accumulator."""

    form: ActivationForm
    falls: IntArray


class Floats(NamedTuple):
    """What a model computes between the sums of a layer and the result of its quantizer.

    Args:
        scale: (n_out,) of the sums, 1 where they are exact numbers.
        rounding: how far the model's float32 sums may be off; None where they are exact.
        curves: what follows them, in the model's order.
        quantizer: at the end.
    """

    scale: FloatArray
    rounding: Rounding | None
    curves: Sequence[Curve]
    quantizer: Any


def steps_of(layer: str, floats: Floats, form: ActivationForm, accumulators: Interval, fractional: int) -> Steps:
    """The staircase of everything between an accumulator and the result of its quantizer.

    Args:
        layer: the name of the layer, for the error.
        floats: what the model computes in between.
        form: what the quantizer computes by itself; its result format holds every result.
        accumulators: the proven range of each neuron.
        fractional: fractional bits of the accumulators.

    Raises:
        NotExact: it has too many values, does not rise or fall all the way, or rounding decides a step.
    """
    result_format = form.result_format
    values = _values(layer, form)
    arithmetic = _Arithmetic(layer, floats, fractional, result_format)
    ends = arithmetic(np.stack([accumulators.low, accumulators.high]))
    falls = ends[1] < ends[0]
    sign = np.where(falls, -1, 1)
    low = np.where(falls, -accumulators.high, accumulators.low)
    high = np.where(falls, -accumulators.low, accumulators.high)

    def rising(points: IntArray) -> IntArray:
        return arithmetic(points * sign)

    steps = _reached(first_reached(rising, values[1:], low, high), values)
    _check(layer, rising, steps, low, high)
    if arithmetic.rounds:
        _check_rounding(layer, arithmetic, steps, sign, low, high)
    return Steps(ActivationForm(steps, result_format), falls)


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """Integers of results (n, neurons) of integers of accumulators (n, neurons), by the model's own code."""

    layer: str
    floats: Floats
    fractional: int
    result_format: FixedPoint

    def __call__(self, accumulators: IntArray) -> IntArray:
        return self.of_sums(self.sums(accumulators))

    def of_sums(self, sums: FloatArray) -> IntArray:
        """The results of sums (n, neurons), real numbers."""
        x = keras.ops.convert_to_tensor(sums, "float32")
        for curve in self.floats.curves:
            x = curve.function(x)
        return self._quantized(x)

    @property
    def rounds(self) -> bool:
        """Whether the model may compute other floats on the way."""
        return self.floats.rounding is not None or any(curve.slack is not None for curve in self.floats.curves)

    def range(self, sums: FloatArray, off: FloatArray) -> tuple[IntArray, IntArray]:
        """The least and the largest result that the model may give for sums that are off by so much.

        Both ends of what a sum may be pass through the curves, which do not turn back, and each is moved on by what
        the curve itself may be off.
        """
        ends = [_outwards(sums - off, -np.inf), _outwards(sums + off, np.inf)]
        for curve in self.floats.curves:
            passed = [np.asarray(curve.function(keras.ops.convert_to_tensor(end))) for end in ends]
            ends = [np.minimum(*passed), np.maximum(*passed)]
            if curve.slack is not None:
                low, high = (end.astype(np.float64) for end in ends)
                ends = [
                    _outwards(low - curve.slack(low), -np.inf),
                    _outwards(high + curve.slack(high), np.inf),
                ]
        results = [self._quantized(keras.ops.convert_to_tensor(end)) for end in ends]
        return np.minimum(*results), np.maximum(*results)

    def sums(self, accumulators: IntArray) -> FloatArray:
        """The exact sums, as real numbers."""
        return np.ldexp(accumulators.astype(np.float64), -self.fractional) * self.floats.scale

    def _quantized(self, x: Any) -> IntArray:
        scaled = np.ldexp(np.asarray(self.floats.quantizer(x), np.float64), self.result_format.fractional)
        integers = scaled.astype(np.int64)
        if (integers != scaled).any() or not self.result_format.holds(integers):
            raise NotExact(self.layer, f"its quantizer gives numbers that {self.result_format} does not hold")
        return integers


def _outwards(values: FloatArray, to: float) -> npt.NDArray[np.float32]:
    """The float32 numbers that are not nearer to the end `to` of the number line than these by less than rounding."""
    short = values.astype(np.float32)
    inside = short > values if to < 0 else short < values
    return np.where(inside, np.nextafter(short, np.float32(to)), short)


def _values(layer: str, form: ActivationForm) -> IntArray:
    """Every value that a quantizer can give, rising."""
    if isinstance(form.activation, StepTable):
        values = form.activation.values
        if values[-1] - values[0] < MAX_LEVELS:  # floats reach what the grid of its accumulators passes over
            values = np.arange(values[0], values[-1] + 1)
    elif form.result_format.width <= MAX_LEVELS.bit_length():
        values = np.arange(form.result_format.min_int, form.result_format.max_int + 1)
    else:
        values = np.arange(0)
    if not 1 < values.size <= MAX_LEVELS:
        raise NotExact(
            layer,
            f"behind floats its quantizer has {values.size or 2**form.result_format.width:,} values, at most "
            f"{MAX_LEVELS} become thresholds; use 8 bits or fewer",
        )
    return values


def _reached(thresholds: IntArray, values: IntArray) -> StepTable:
    """The staircase of thresholds (k, neurons) into values (k + 1,), without values that no neuron stops at."""
    passed = np.append((thresholds[1:] == thresholds[:-1]).all(axis=1), False)
    return StepTable(thresholds[~passed].T, np.concatenate([values[:1], values[1:][~passed]]))


def _check(layer: str, rising: Any, steps: StepTable, low: IntArray, high: IntArray) -> None:
    """Compare the staircase with the arithmetic on both sides of each threshold and all over the range.

    Raises:
        NotExact: they differ, so what the model computes does not rise all the way.
    """
    thresholds = steps.thresholds.T
    share = np.linspace(0, 1, CHECKED)[:, None]
    over = low + np.floor(share * (high - low)).astype(np.int64)
    points = np.clip(np.concatenate([thresholds - 1, thresholds, over, low[None], high[None]]), low, high)
    if (steps(points) != rising(points)).any():
        raise NotExact(layer, "what stands between its accumulator and its quantizer does not rise all the way")


def _check_rounding(
    layer: str, arithmetic: _Arithmetic, steps: StepTable, sign: IntArray, low: IntArray, high: IntArray
) -> None:
    """Show that the steps are the model's, however float32 rounds on the way.

    What the model computes never turns back but by rounding, so it is enough to look at both sides of each step.

    Raises:
        NotExact: at one of them rounding decides.
    """
    refused: dict[tuple[int, int], str] = {}
    for points in (steps.thresholds.T - 1, steps.thresholds.T):
        points = np.clip(points, low, high)
        sums, expected, rounding = arithmetic.sums(points * sign), steps(points), arithmetic.floats.rounding
        off = np.zeros(sums.shape) if rounding is None else rounding(points * sign)
        least, largest = arithmetic.range(sums, off)
        for step, neuron in np.argwhere((least != expected) | (largest != expected)):
            accumulator = int(points[step, neuron] * sign[neuron])
            if (why := _decided(arithmetic, sums[step], expected[step], accumulator, neuron)) is not None:
                refused[neuron, step] = why
            if len(refused) > MOST_REFUSED:
                break
    if refused:
        (neuron, step), why = min(refused.items())
        value = arithmetic.result_format.to_float(steps.values[step + 1])
        raise NotExact(
            layer,
            f"{'more than ' * (len(refused) > MOST_REFUSED)}{len(refused)} of its {steps.thresholds.size} steps lie "
            f"within the rounding of float32, the first into {value:g} at neuron {neuron}: {why}; use alpha='auto_po2' "
            "or another quantizer",
        )


def _decided(
    arithmetic: _Arithmetic, sums: FloatArray, expected: IntArray, accumulator: int, neuron: int
) -> str | None:
    """None if the sums that the model computes for inputs of one accumulator show that it gives one result.

    Args:
        arithmetic: of the layer.
        sums: the exact sums, (neurons,).
        expected: the results of them, (neurons,).
        accumulator: of the neuron.
        neuron: which.
    """
    if arithmetic.floats.rounding is None:
        return "two codes of a curve may differ there"
    computed = arithmetic.floats.rounding.computed_at(neuron, accumulator)
    if not computed.size:
        return "the order of a sum may decide"
    rows = np.tile(sums, (computed.size, 1))
    rows[:, neuron] = computed
    if np.unique(arithmetic.of_sums(rows)[:, neuron]).size > 1:
        return f"for inputs of the same sum, {sums[neuron]:.6g}, the model itself gives both sides"
    off = np.zeros(sums.shape)
    off[neuron] = GUARD * np.abs(computed - sums[neuron]).max()
    ends = [end[0, neuron] for end in arithmetic.range(sums[None], off)]
    return None if ends == [expected[neuron]] * 2 else "the order of a sum may decide"
