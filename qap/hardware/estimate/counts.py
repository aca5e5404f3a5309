"""Estimators that count: effective bit operations, and multiplications, adders and weight bits."""

from __future__ import annotations

import numpy as np

from qap.hardware.estimate.products import bit_length, trailing_zeros
from qap.hardware.estimate.result import Estimate
from qap.network import IntegerNetwork
from qap.network.csd import layer_adders
from qap.recipe import TargetRecipe


def ebops(network: IntegerNetwork, target: TargetRecipe) -> Estimate:
    """Effective bit operations: over all non-zero multiplications, the bits of the weight times the bits of the input.

    The bits of a weight are those that its value needs, from its highest to its lowest bit that is set, as in HGQ
    (C. Sun et al., "HGQ: High Granularity Quantization for Real-time Neural Networks on FPGAs", arXiv:2405.00645).
    There one EBOP is about one LUT, and 55 are about one DSP.

    Args:
        network: the network.
        target: without influence.
    """
    per_layer, width = {}, network.input_format.width
    for layer in network.only_weighted("the estimator ebops, unlike counts,"):
        bits = np.where(layer.weight != 0, bit_length(layer.weight) - trailing_zeros(layer.weight), 0)
        per_layer[layer.name] = int(bits.sum()) * width
        width = layer.result_format.width
    return Estimate("ebops", counts={"ebops": sum(per_layer.values())} | _named("ebops", per_layer))


def counts(network: IntegerNetwork, target: TargetRecipe) -> Estimate:
    """Multiplications, adders with those inside of products by constants (CSD digits), and bits of weights and biases.

    Truth tables are counted where there are any; thresholds are not.

    Args:
        network: the network.
        target: without influence.
    """
    totals = {"multiplications": 0, "adders": 0, "weight_bits": 0, "nonzero_weights": 0, "nonzero_weight_bits": 0}
    for layer in network.weighted:
        weight = layer.weight
        present = int(np.count_nonzero(weight))
        totals["multiplications"] += weight.size
        totals["adders"] += layer_adders(layer)
        totals["weight_bits"] += weight.size * layer.weight_format.width + layer.bias.size * layer.bias_format.width
        totals["nonzero_weights"] += present
        totals["nonzero_weight_bits"] += present * layer.weight_format.width
    if network.tables:
        totals["tables"] = network.tables
    return Estimate("counts", counts=totals)


def _named(what: str, per_layer: dict[str, int]) -> dict[str, int]:
    return {f"{what} of {name}": count for name, count in per_layer.items()}
