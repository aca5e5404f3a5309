"""Simplification: the same outputs from fewer neurons and inputs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qap.fixed import IntArray
from qap.network.interval import format_interval
from qap.network.layer import LayerSpec
from qap.network.network import IntegerNetwork, Spec, connect
from qap.network.table_layer import TableLayer


class Simplified(NamedTuple):
    """A smaller network and the inputs of the original one that it reads.

    `original.forward(x) == network.forward(x[:, inputs])` for every x of the input format.
    """

    network: IntegerNetwork
    inputs: IntArray


def simplify(network: IntegerNetwork) -> Simplified:
    """Fold constant neurons into what reads them, drop neurons that nobody reads and inputs that no layer reads.

    Of equal tables and equal thresholds the first is read; a layer of tables that only hand on their inputs is left
    out, unless an LSB changes there. Outputs are never dropped. A layer keeps at least one neuron, and the network at
    least one input.
    """
    inputs = np.arange(network.n_in)
    while True:
        sources = [form.fractional for form in (network.input_format, *(each.result_format for each in network.layers))]
        specs = _without_wires(_merged(_folded(network, sources)), sources[:-1])
        keep = [np.flatnonzero(spec.reads) for spec in specs]
        keep = [rows if rows.size else np.array([0]) for rows in keep]
        columns = [*keep[1:], np.arange(specs[-1].n_out)]
        kept = [spec.kept(rows, cols) for spec, rows, cols in zip(specs, keep, columns, strict=True)]
        smaller = connect(network.input_format, kept, network.class_names)
        inputs = inputs[keep[0]]
        if smaller.digest == network.digest:
            return Simplified(smaller, inputs)
        network = smaller


def _folded(network: IntegerNetwork, fractionals: list[int]) -> list[Spec]:
    """The layers, with constant neurons moved into what reads them."""
    ranges = [format_interval(network.input_format, network.n_in), *(results for _, results in network.intervals())]
    return [
        spec.folded(inputs.low == inputs.high, inputs.low, fractional)
        for spec, inputs, fractional in zip(network.specs(), ranges, fractionals, strict=False)
    ]


def _merged(specs: list[Spec]) -> list[Spec]:
    """The layers, with the first of equal neurons read in the place of the others."""
    merged = specs[:1]
    for spec in specs[1:]:
        places = merged[-1].firsts
        merged.append(spec if places is None else spec.redirected(places))
    return merged


def _without_wires(specs: list[Spec], fractionals: list[int]) -> list[Spec]:
    """The layers without those of tables that only hand on their inputs.

    Args:
        specs: the layers.
        fractionals: of the inputs of each; weights behind a layer that is left out must find the same LSB.
    """
    left: list[tuple[Spec, int]] = []
    for spec, fractional in zip(specs, fractionals, strict=True):
        before, source = left[-1] if left else (None, 0)
        same = source == fractional or not isinstance(spec, LayerSpec)
        if isinstance(before, TableLayer) and before.handed_on.all() and same:
            left[-1] = spec.behind(before.wires[:, 0], before.n_in), source
        else:
            left.append((spec, fractional))
    return [spec for spec, _ in left]
