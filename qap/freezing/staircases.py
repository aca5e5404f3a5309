"""What is float between an accumulator and its quantizer, as integer thresholds of each neuron.

An accumulator is an integer with a proven range. A normalization that was trained multiplies it by a float, adds
another and hands it to a quantizer: that never turns back, and ends in few values, so it *is* a list of integers, the
least accumulators that reach each value (FINN calls it MultiThreshold; M. Blott et al., "FINN-R", ACM TRETS 11(3),
2018). They are found by bisection with the model's own float32 arithmetic, which is the same for a number whatever
stands beside it: a product and a sum, each rounded once, and a quantizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from qap.errors import NotExact
from qap.fixed import FixedPoint, IntArray
from qap.freezing.activations import ActivationForm
from qap.freezing.exact import first_reached
from qap.freezing.layers import Curve
from qap.network import StepTable
from qap.network.interval import Interval

MAX_LEVELS = 256
"""Comparators of more than eight bits of results are no sensible hardware."""
CHECKED = 256
"""Accumulators over the whole range of each neuron at which the staircase is compared with the arithmetic."""


class Steps(NamedTuple):
    """A staircase, and for each neuron whether it falls: then it reads the negative of the accumulator."""

    form: ActivationForm
    falls: IntArray


def steps_of(
    layer: str, curves: Sequence[Curve], quantizer: Any, form: ActivationForm, accumulators: Interval, fractional: int
) -> Steps:
    """The staircase of everything between an accumulator and the result of its quantizer.

    Args:
        layer: the name of the layer, for the error.
        curves: what the model computes in between, in its order.
        quantizer: of QKeras, at the end.
        form: what the quantizer computes by itself; its result format holds every result.
        accumulators: the proven range of each neuron.
        fractional: fractional bits of the accumulators.

    Raises:
        NotExact: it has too many values, or does not rise or fall all the way.
    """
    result_format = form.result_format
    values = _values(layer, form)
    arithmetic = _Arithmetic(layer, curves, quantizer, fractional, result_format)
    ends = arithmetic(np.stack([accumulators.low, accumulators.high]))
    falls = ends[1] < ends[0]
    sign = np.where(falls, -1, 1)
    low = np.where(falls, -accumulators.high, accumulators.low)
    high = np.where(falls, -accumulators.low, accumulators.high)

    def rising(points: IntArray) -> IntArray:
        return arithmetic(points * sign)

    thresholds = first_reached(rising, values[1:], low, high)
    steps = StepTable(thresholds.T, values)
    _check(layer, rising, steps, low, high)
    return Steps(ActivationForm(steps, result_format), falls)


@dataclass(frozen=True, slots=True)
class _Arithmetic:
    """Integers of results (n, neurons) of integers of accumulators (n, neurons), by the model's own code."""

    layer: str
    curves: Sequence[Curve]
    quantizer: Any
    fractional: int
    result_format: FixedPoint

    def __call__(self, accumulators: IntArray) -> IntArray:
        x = keras.ops.convert_to_tensor(np.ldexp(accumulators.astype(np.float64), -self.fractional), "float32")
        for curve in self.curves:
            x = curve.function(x)
        scaled = np.ldexp(np.asarray(self.quantizer(x), np.float64), self.result_format.fractional)
        integers = scaled.astype(np.int64)
        if (integers != scaled).any() or not self.result_format.holds(integers):
            raise NotExact(self.layer, f"its quantizer gives numbers that {self.result_format} does not hold")
        return integers


def _values(layer: str, form: ActivationForm) -> IntArray:
    """Every value that a quantizer can give, rising."""
    if isinstance(form.activation, StepTable):
        values = form.activation.values
    elif form.result_format.width <= MAX_LEVELS.bit_length():
        values = np.arange(form.result_format.min_int, form.result_format.max_int + 1)
    else:
        values = np.arange(0)
    if not 1 < values.size <= MAX_LEVELS:
        raise NotExact(
            layer,
            f"behind a normalization its quantizer has {values.size or 2**form.result_format.width:,} values, at most "
            f"{MAX_LEVELS} become thresholds; use 8 bits or fewer",
        )
    return values


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
