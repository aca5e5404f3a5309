"""Simplification: the same outputs from fewer neurons and inputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qap.fixed import FixedPoint, IntArray
from qap.network.layer import LayerSpec, StepTable
from qap.network.network import IntegerNetwork, connect


class Simplified(NamedTuple):
    """A smaller network and the inputs of the original one that it reads.

    `original.forward(x) == network.forward(x[:, inputs])` for every x of the input format.
    """

    network: IntegerNetwork
    inputs: IntArray


def simplify(network: IntegerNetwork) -> Simplified:
    """Fold constant neurons into biases, drop neurons that nobody reads and inputs that no weight reads.

    Outputs are never dropped. A layer keeps at least one neuron, and the network at least one input.
    """
    inputs = np.arange(network.n_in)
    while True:
        specs = _folded(network)
        keep = [np.flatnonzero(spec.weight.any(axis=1)) for spec in specs]
        keep = [rows if rows.size else np.array([0]) for rows in keep]
        smaller = connect(network.input_format, _kept(specs, keep), network.class_names)
        inputs = inputs[keep[0]]
        if smaller.digest == network.digest:
            return Simplified(smaller, inputs)
        network = smaller


def _folded(network: IntegerNetwork) -> list[LayerSpec]:
    """The layers, with what constant neurons contribute moved into the next bias."""
    specs = network.specs()
    for index, (_, results) in enumerate(network.intervals()[:-1]):
        constant = results.low == results.high
        following = specs[index + 1]
        read = constant & following.weight.any(axis=1)
        if not read.any():
            continue
        weight = following.weight.copy()
        products = results.low[read] @ weight[read]
        weight[read] = 0
        fractional = network.layers[index].result_format.fractional + following.weight_format.fractional
        bias, form = _add(following.bias, following.bias_format, products, fractional)
        specs[index + 1] = following._replace(weight=weight, bias=bias, bias_format=form)
    return specs


def _add(bias: IntArray, form: FixedPoint, extra: IntArray, fractional: int) -> tuple[IntArray, FixedPoint]:
    """The sum of a bias and of `extra` (in units of `2**-fractional`), in the narrowest format."""
    finest = max(form.fractional, fractional)
    total = (bias << (finest - form.fractional)) + (extra << (finest - fractional))
    return total, FixedPoint.smallest(int(total.min()), int(total.max()), finest)


def _kept(specs: list[LayerSpec], keep: list[IntArray]) -> list[LayerSpec]:
    """Only these inputs of each layer, and so only these neurons of the one before."""
    columns = [*keep[1:], np.arange(specs[-1].weight.shape[1])]
    return [
        spec._replace(
            weight=spec.weight[np.ix_(rows, cols)],
            bias=spec.bias[cols],
            activation=spec.activation.of(cols) if isinstance(spec.activation, StepTable) else spec.activation,
        )
        for spec, rows, cols in zip(specs, keep, columns, strict=True)
    ]
