"""Counted amounts, against sums written out."""

import numpy as np
from support.estimate_cases import network

from qap.fixed import FixedPoint
from qap.hardware.estimate import ESTIMATORS
from qap.network import LayerSpec, connect
from qap.recipe import TargetRecipe

FORM = FixedPoint(True, 5, 5)


def small():
    weight = np.array([[1, 0], [-6, 11], [0, 4]])
    spec = LayerSpec("only", weight, FORM, np.array([0, 3]), FORM)
    return connect(FixedPoint(False, 8, 0), [spec], ["a", "b"])


def test_effective_bit_operations():
    # bits of 1, 6 = 110, 11 = 1011 and 4 = 100 without the zeros below: 1 + 2 + 4 + 1, times 8 bits of the input
    assert ESTIMATORS["ebops"](small(), TargetRecipe()).counts == {"ebops": 64, "ebops of only": 64}


def test_counts():
    found = ESTIMATORS["counts"](small(), TargetRecipe()).counts
    assert found["multiplications"] == 6
    # digits: 1 and 6 = 8 - 2 are 3 terms; 11 = 8 + 4 - 1 and 4 are 4 terms, with the bias 5
    assert found["adders"] == 2 + 4
    assert found["weight_bits"] == 8 * 5
    assert (found["nonzero_weights"], found["nonzero_weight_bits"]) == (4, 20)


def test_effective_bit_operations_grow_with_the_inputs_bits():
    layers = network(sizes=(6, 3, 2))
    wide = connect(FixedPoint(False, 16, 0), layers.specs(), layers.class_names)
    first = "ebops of dense0"
    narrow_bits, wide_bits = (ESTIMATORS["ebops"](net, TargetRecipe()).counts[first] for net in (layers, wide))
    assert wide_bits == 2 * narrow_bits
