"""Canonical signed digits: what a constant costs when it is multiplied by shifts and additions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import IntArray
from qap.network import IntegerLayer, IntegerNetwork


def signed_digits(values: npt.NDArray[Any]) -> IntArray:
    """How many digits -1 or 1 each integer has in canonical signed digit form, which has the fewest of them.

    The form of n has a digit other than 0 where the binary digits of 3n and n differ (Reitwiesner 1960;
    Prodinger, Integers 0 (2000) A8).

    Args:
        values: integers below 2**61 in magnitude, any shape.

    Returns:
        int64, same shape; 0 for 0, 1 for a power of two.
    """
    magnitude = np.abs(values.astype(np.int64))
    return np.bitwise_count((3 * magnitude) ^ magnitude).astype(np.int64)


def layer_adders(layer: IntegerLayer) -> int:
    """Two-operand adders of an unrolled layer: for each neuron one less than it has terms.

    Each non-zero signed digit of a weight is a term, and a bias that is not 0 is one, whatever its digits. Nothing
    is shared between neurons, so this is an upper bound.
    """
    terms = signed_digits(layer.weight).sum(axis=0) + (layer.bias != 0)
    return int(np.maximum(terms - 1, 0).sum())


def adders(network: IntegerNetwork) -> int:
    """Two-operand adders of all layers, as `layer_adders` counts them."""
    return sum(layer_adders(layer) for layer in network.layers)
