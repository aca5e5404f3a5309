"""Adders: what the weights of a network cost when each neuron is unrolled into shifts and additions."""

from __future__ import annotations

import numpy as np

from qap.csd import csd_digits
from qap.network import IntegerLayer, IntegerNetwork


def layer_adders(layer: IntegerLayer) -> int:
    """Two-operand adders of an unrolled layer: for each neuron one less than it has terms.

    Each non-zero canonical signed digit of a weight is a term, and a bias that is not 0 is one, whatever its digits.
    Nothing is shared between neurons, so this is an upper bound.
    """
    terms = csd_digits(layer.weight).sum(axis=0) + (layer.bias != 0)
    return int(np.maximum(terms - 1, 0).sum())


def adders(network: IntegerNetwork) -> int:
    """Two-operand adders of all layers, as `layer_adders` counts them."""
    return sum(layer_adders(layer) for layer in network.layers)
