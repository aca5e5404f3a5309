"""Signed digits against a direct conversion, and adders counted by hand."""

import numpy as np

from qap.csd import adders, layer_adders, signed_digits
from qap.fixed import FixedPoint
from qap.network import LayerSpec, connect


def converted(n: int) -> int:
    """Digits other than 0, digit by digit: an odd number ends in the 1 or -1 that makes the rest divisible by 4."""
    count = 0
    while n:
        if n % 2:
            n -= 2 - n % 4
            count += 1
        n //= 2
    return count


def test_digits_are_those_of_the_conversion():
    values = np.concatenate([np.arange(-300, 301), [2**60 - 1, -(2**60) + 1, 2**60, 0x555555555]])
    assert signed_digits(values).tolist() == [converted(int(n)) for n in values]
    assert signed_digits(np.array([[7, 0], [-8, 11]])).tolist() == [[2, 0], [1, 3]]


def test_adders_are_terms_less_one_for_each_neuron():
    form = FixedPoint.parse("ap_fixed<8,8>")
    # terms: 7 -> 2, 3 -> 2 and a bias: 4 adders; a single weight: none; nothing at all: none; a bias alone: none
    weight, bias = np.array([[7, 4, 0, 0], [3, 0, 0, 0]]), np.array([7, 0, 0, 5])
    spec = LayerSpec("a", weight, form, bias, form)
    last = LayerSpec("b", np.array([[1], [1], [1], [-3]]), form, np.array([0]), form)
    network = connect(FixedPoint.parse("ap_ufixed<1,1>"), [spec, last], ["0", "1"])
    assert [layer_adders(layer) for layer in network.layers] == [4, 4]
    assert adders(network) == 8
