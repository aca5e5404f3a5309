"""Interval arithmetic on integers: the exact range of a sum of products."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qap.fixed import FixedPoint, IntArray


class Interval(NamedTuple):
    """The ranges of many values, both ends included: int64 (n,) each; the range of one is a `Range` of circuits."""

    low: IntArray
    high: IntArray


def format_interval(form: FixedPoint, count: int) -> Interval:
    """The range of `count` numbers of a format."""
    return Interval(np.full(count, form.min_int, np.int64), np.full(count, form.max_int, np.int64))


def propagate(weight: IntArray, bias: IntArray, inputs: Interval) -> Interval:
    """Interval arithmetic: the exact range of `x @ weight + bias` for independent x in `inputs`."""
    up, down = np.maximum(weight, 0), np.minimum(weight, 0)
    return Interval(inputs.low @ up + inputs.high @ down + bias, inputs.high @ up + inputs.low @ down + bias)


def partial_sum_bound(weight: IntArray, bias: IntArray, inputs: Interval) -> float:
    """No partial sum of `x @ weight + bias`, in any order, is larger in magnitude.

    Args:
        weight: (n_in, n_out) in LSBs of the accumulator.
        bias: (n_out,) in LSBs of the accumulator.
        inputs: the range of each input.
    """
    largest_input = np.maximum(np.abs(inputs.low), np.abs(inputs.high)).astype(np.float64)
    bound = largest_input @ np.abs(weight).astype(np.float64) + np.abs(bias).astype(np.float64)
    return float(bound.max(initial=0))
