"""Bytes of small layers, counted by hand."""

import gzip

import numpy as np
import pytest
from support.table_networks import random_table_network

from qap.fixed import FixedPoint
from qap.network import LayerSpec, connect
from qap.network.stored_size import StoredLayer, dense_bytes, gzip_bytes, integer_layers, sparse_bytes, stored_bytes


def layer(n_in, n_out, nonzeros, bits, biases=0, bias_bits=0):
    weight = np.zeros((n_in, n_out), int)
    weight.flat[:nonzeros] = 1
    return StoredLayer(weight, bits, np.ones(biases), bias_bits)


@pytest.mark.parametrize(
    ("stored", "bits"),
    [
        (layer(16, 4, 64, 4), 256),  # dense: no zeros
        (layer(16, 4, 47, 4), 64 + 47 * 4),  # bitmap
        (layer(16, 4, 48, 4), 256),  # bitmap would take 256 as well
        (layer(256, 4, 8, 4), 8 * (4 + 8) + 5 * 4),  # columns: 8 bits an index, 4 for 0 to 8
        (layer(256, 4, 0, 4), 0),  # nothing at all: nothing to tell apart
        (layer(1, 8, 1, 4), 8 + 4),  # bitmap; columns have no index with one input, but 9 starts
        (layer(64, 1, 1, 9), 9 + 6 + 2),  # columns: where the neuron starts and ends
        (layer(16, 4, 0, 4, biases=4, bias_bits=9), 36),
    ],
)
def test_the_smallest_format_is_counted(stored, bits):
    assert sparse_bytes([stored]) == -(-bits // 8)
    assert stored.nonzeros == np.count_nonzero(stored.weight) + stored.bias.size
    assert dense_bytes([stored]) == -(
        -(stored.weight.size * stored.weight_bits + stored.bias.size * stored.bias_bits) // 8
    )


def test_layers_choose_for_themselves_and_bits_are_rounded_up_once():
    layers = [layer(16, 4, 64, 4), layer(1, 8, 1, 4), layer(16, 4, 0, 4, biases=1, bias_bits=1)]
    assert sparse_bytes(layers) == -(-(256 + 12 + 1) // 8)


def test_a_networks_dense_bytes_are_its_size():
    form, wide = FixedPoint.parse("ap_fixed<3,3>"), FixedPoint.parse("ap_fixed<6,6>")
    spec = LayerSpec("a", np.array([[1, -4], [0, 3], [0, 2]]), form, np.array([9, 0]), wide)
    network = connect(FixedPoint.parse("ap_ufixed<1,1>"), [spec], ["0", "1"])
    assert dense_bytes(integer_layers(network)) == network.size_bytes == -(-(6 * 3 + 2 * 6) // 8)


def test_scales_are_counted():
    stored = layer(4, 2, 1, 8)._replace(other_bits=64)
    assert dense_bytes([stored]) == 8 + 8
    assert sparse_bytes([stored]) == 2 + 8


def test_gzip_compresses_the_bits_that_are_stored():
    """By Python's own integers, a bit at a time, lowest first."""
    rng = np.random.default_rng(2)
    form, wide = FixedPoint.parse("ap_fixed<4,1>"), FixedPoint.parse("ap_fixed<7,2>")
    weight, bias = rng.integers(-8, 8, (9, 5)) * (rng.random((9, 5)) < 0.3), rng.integers(-64, 64, 5)
    network = connect(FixedPoint.parse("ufixed<4,4>"), [LayerSpec("a", weight, form, bias, wide)], list("abcde"))
    bits = [int(w) >> b & 1 for w in weight.ravel() for b in range(4)] + [
        int(v) >> b & 1 for v in bias for b in range(7)
    ]
    bits += [0] * (-len(bits) % 8)
    packed = bytes(int("".join(map(str, bits[i : i + 8])), 2) for i in range(0, len(bits), 8))
    assert len(packed) == network.size_bytes
    assert gzip_bytes(network) == len(gzip.compress(packed, mtime=0))
    assert set(stored_bytes(network)) == {"dense", "sparse", "gzip"}


def test_a_network_of_tables_has_one_size():
    assert stored_bytes(random_table_network(np.random.default_rng(0))) == {}
