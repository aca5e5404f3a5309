"""The distributed arithmetic strategy: adder graphs that share sub-sums, without any multiplier."""

from __future__ import annotations

import numpy as np

from qap.fixed import IntArray
from qap.hardware.estimate.amounts import Amounts
from qap.hardware.estimate.constants import Constants
from qap.hardware.estimate.description import LayerDescription, NetworkDescription, alive
from qap.hardware.estimate.products import trailing_zeros
from qap.network.csd import csd_digits

SHARING = (0.93, 0.09)
"""Adders of da4ml 0.5.2 for each one of the plain digit sums: 0.93 - 0.09 ln(1 + adders for each input), within
0.13 on random matrices of 16 to 100 inputs, 2 to 8 bits, 0 to 95 % zeros."""


def distributed_amounts(network: NetworkDescription, fitted: Constants) -> tuple[list[Amounts], Amounts]:
    """The amounts of each layer and of the network.

    An adder of the graph takes what an adder of a tree does; the registers are those between the layers.
    """
    layers = [
        _layer(layer, weight, network, fitted)
        for layer, weight in zip(network.layers, alive(network.layers), strict=True)
    ]
    total = Amounts(
        lut=sum(layer.lut for layer in layers),
        ff=sum(layer.ff for layer in layers),
        dsp=0,
        bram18=0,
        latency_cycles=sum(layer.latency_cycles for layer in layers),
        ii_cycles=1,
    )
    return layers, total


def shared_adders(weight: IntArray) -> float:
    """Adders after sharing.

    Args:
        weight: (n_in, n_out) integers.
    """
    read = int(np.count_nonzero(weight.any(axis=1)))
    plain = float(np.maximum(csd_digits(weight).sum(axis=0) - 1, 0).sum())
    return plain * (SHARING[0] - SHARING[1] * float(np.log1p(plain / max(1, read))))


def _layer(layer: LayerDescription, weight: IntArray, network: NetworkDescription, fitted: Constants) -> Amounts:
    adders = shared_adders(weight) + float(np.count_nonzero(layer.bias))
    shift = layer.accum_format.fractional - layer.input_format.fractional - layer.weight_format.fractional
    values = weight[weight != 0]
    drop = int(trailing_zeros(values).min()) + shift if values.size else 0
    width = (layer.input_format.width + layer.accum_format.width - drop) / 2 + 1  # sums grow from one to the other
    used = int(np.count_nonzero(weight.any(axis=0)))
    lut = adders * (width * fitted.lut["addition_bits"] + fitted.lut["additions"])
    if layer.activation != "linear":
        rate = fitted.lut["quantized_bits" if layer.quantizes else "relu_bits"]
        lut += used * layer.result_format.width * rate
    digits = csd_digits(weight).sum(axis=0).max(initial=1)
    delays = fitted.delays[network.family]
    levels = int(np.ceil(np.log2(max(1, int(digits))))) + 1
    cycles = int(levels * (delays.add + delays.add_bit * width) / network.usable_ns)
    between = used * (layer.result_format.width + layer.activation_format.width) / 2
    inside = cycles * used * layer.accum_format.width * 2
    return Amounts(lut, between + inside, 0, 0, cycles + 1, 1)
