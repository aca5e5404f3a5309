"""Adders counted by hand."""

import numpy as np

from qap.fixed import FixedPoint
from qap.network import LayerSpec, connect
from qap.network.csd import adders, layer_adders


def test_adders_are_terms_less_one_for_each_neuron():
    form = FixedPoint.parse("ap_fixed<8,8>")
    # terms: 7 -> 2, 3 -> 2 and a bias: 4 adders; a single weight: none; nothing at all: none; a bias alone: none
    weight, bias = np.array([[7, 4, 0, 0], [3, 0, 0, 0]]), np.array([7, 0, 0, 5])
    spec = LayerSpec("a", weight, form, bias, form)
    last = LayerSpec("b", np.array([[1], [1], [1], [-3]]), form, np.array([0]), form)
    network = connect(FixedPoint.parse("ap_ufixed<1,1>"), [spec, last], ["0", "1"])
    assert [layer_adders(layer) for layer in network.layers] == [4, 4]
    assert adders(network) == 8
