"""The canonical signed-digit form of integers: the fewest terms of shifts and additions that make a product."""

from __future__ import annotations

import numpy as np

from qap.fixed import IntArray


def csd_digits(values: IntArray) -> IntArray:
    """How many canonical signed digits of each integer are not 0, int64 of the same shape.

    They are where w and 3w differ (H. Prodinger, "On binary representations of integers with digits -1, 0, 1",
    Integers 0, 2000).
    """
    size = np.abs(values)
    return np.asarray(np.bitwise_count(size ^ (3 * size)), np.int64)
