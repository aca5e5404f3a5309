"""The canonical signed-digit form of integers: the fewest terms of shifts and additions that make a product."""

from __future__ import annotations

import numpy as np

from qap.fixed import IntArray
from qap.network.layer import IntegerLayer
from qap.network.network import IntegerNetwork


def csd_digits(values: IntArray) -> IntArray:
    """How many canonical signed digits of each integer are not 0, int64 of the same shape.

    They are where w and 3w differ (H. Prodinger, "On binary representations of integers with digits -1, 0, 1",
    Integers 0, 2000).
    """
    size = np.abs(values)
    return np.asarray(np.bitwise_count(size ^ (3 * size)), np.int64)


def layer_adders(layer: IntegerLayer) -> int:
    """Two-operand adders of an unrolled layer: for each neuron one less than it has terms.

    Each non-zero canonical signed digit of a weight is a term, and a bias that is not 0 is one, whatever its digits.
    Nothing is shared between neurons, so this is an upper bound.
    """
    terms = csd_digits(layer.weight).sum(axis=0) + (layer.bias != 0)
    return int(np.maximum(terms - 1, 0).sum())


def adders(network: IntegerNetwork) -> int:
    """Two-operand adders of all layers of weights, as `layer_adders` counts them."""
    return sum(layer_adders(layer) for layer in network.weighted)
