"""Interval arithmetic on integers: the exact range of a sum of products."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qap.fixed import FixedPoint, IntArray


class Interval(NamedTuple):
    """The range that each neuron can reach, both ends included: int64 (n_out,) each."""

    low: IntArray
    high: IntArray


def format_interval(form: FixedPoint, count: int) -> Interval:
    """The range of `count` numbers of a format."""
    return Interval(np.full(count, form.min_int, np.int64), np.full(count, form.max_int, np.int64))


def propagate(weight: IntArray, bias: IntArray, reach: Interval) -> Interval:
    """Interval arithmetic: the exact range of `x @ weight + bias` for independent x in `reach`."""
    up, down = np.maximum(weight, 0), np.minimum(weight, 0)
    return Interval(reach.low @ up + reach.high @ down + bias, reach.high @ up + reach.low @ down + bias)


def partial_sum_bound(weight: IntArray, bias: IntArray, reach: Interval) -> float:
    """No partial sum of `x @ weight + bias`, in any order, is larger in magnitude.

    Args:
        weight: (n_in, n_out) in LSBs of the accumulator.
        bias: (n_out,) in LSBs of the accumulator.
        reach: the range of each input.
    """
    largest_input = np.maximum(np.abs(reach.low), np.abs(reach.high)).astype(np.float64)
    bound = largest_input @ np.abs(weight).astype(np.float64) + np.abs(bias).astype(np.float64)
    return float(bound.max(initial=0))
