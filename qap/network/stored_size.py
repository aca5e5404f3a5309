"""How many bytes parameters take: with all zeros, with as few of them as pay, or compressed."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.network.layer import IntegerLayer
from qap.network.network import IntegerNetwork

FLOAT_BITS = 32


class StoredLayer(NamedTuple):
    """What a layer stores.

    Args:
        weight: (n_in, n_out) numbers, of which only the zeros are looked at.
        weight_bits: of one weight.
        bias: (n_out,) numbers, or (0,) for none.
        bias_bits: of one bias.
        other_bits: of what is stored as it is: a scale that is no power of two, tables, thresholds.
    """

    weight: npt.NDArray[Any]
    weight_bits: int
    bias: npt.NDArray[Any]
    bias_bits: int
    other_bits: int = 0

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return int(self.weight.size + self.bias.size)

    @property
    def nonzeros(self) -> int:
        """Weights and biases that are not 0."""
        return int(np.count_nonzero(self.weight) + np.count_nonzero(self.bias))


def integer_layers(network: IntegerNetwork) -> list[StoredLayer]:
    """The layers of a network at the widths of their formats."""
    return [
        StoredLayer(layer.weight, layer.weight_format.width, layer.bias, layer.bias_format.width)
        if isinstance(layer, IntegerLayer)
        else StoredLayer(np.zeros((0, 0)), 0, np.zeros(0), 0, layer.stored_bits)
        for layer in network.layers
    ]


def dense_bytes(layers: Iterable[StoredLayer]) -> int:
    """All parameters, zeros included, packed without gaps, in bytes (rounded up)."""
    return -(-sum(_dense_bits(layer) + _other_bits(layer) for layer in layers) // 8)


def sparse_bytes(layers: Iterable[StoredLayer]) -> int:
    """All parameters, each layer's weights in the smallest of three formats, in bytes (rounded up).

    With n_in * n_out weights of b bits, k of them not 0:

    - dense: n_in * n_out * b
    - bitmap: n_in * n_out + k * b, one bit a weight and the others in order (as in SparTen, MICRO 2019)
    - compressed columns: k * (b + ceil(log2 n_in)) + (n_out + 1) * ceil(log2(k + 1)), the input of each and where
      each neuron starts (compressed sparse rows of the transpose; Saad, Iterative Methods for Sparse Linear
      Systems, 2003, section 3.4)

    Biases, scales, tables and thresholds are stored as they are.
    """
    bits = 0
    for layer in layers:
        n_in, n_out = layer.weight.shape
        k = int(np.count_nonzero(layer.weight))
        bitmap = layer.weight.size + k * layer.weight_bits
        columns = k * (layer.weight_bits + _bits_for(n_in)) + (n_out + 1) * _bits_for(k + 1)
        bits += min(_dense_bits(layer), bitmap, columns) + _other_bits(layer)
    return -(-bits // 8)


def gzip_bytes(network: IntegerNetwork) -> int:
    """All weights and biases, zeros included, packed without gaps as `dense_bytes` counts and compressed by gzip.

    Raises:
        QapError: a layer has no weights.
    """
    layers = network.only_weighted("the size by gzip")
    packed = [
        _bits_of(values, form.width)
        for layer in layers
        for values, form in ((layer.weight, layer.weight_format), (layer.bias, layer.bias_format))
    ]
    return len(gzip.compress(np.packbits(np.concatenate(packed)).tobytes(), mtime=0))


def stored_bytes(network: IntegerNetwork) -> dict[str, int]:
    """The sizes of a network of weights: `dense`, `sparse` and `gzip`; nothing where a layer has none."""
    if len(network.weighted) < len(network.layers):
        return {}
    layers = integer_layers(network)
    return {"dense": dense_bytes(layers), "sparse": sparse_bytes(layers), "gzip": gzip_bytes(network)}


def _bits_of(values: npt.NDArray[Any], width: int) -> npt.NDArray[np.uint8]:
    """The bits of two's complement numbers of so many bits, one after the other."""
    bits: npt.NDArray[np.uint8] = ((values.reshape(-1, 1) >> np.arange(width)) & 1).astype(np.uint8).ravel()
    return bits


def _dense_bits(layer: StoredLayer) -> int:
    return int(layer.weight.size) * layer.weight_bits


def _other_bits(layer: StoredLayer) -> int:
    return int(layer.bias.size) * layer.bias_bits + layer.other_bits


def _bits_for(count: int) -> int:
    """Bits that tell so many things apart."""
    return math.ceil(math.log2(count)) if count > 1 else 0
