"""Layers of single bits as operations of a circuit: a truth table is one, a threshold a chain of comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qap.fixed import BoolArray, IntArray
from qap.hardware.circuit.activations import at_least
from qap.hardware.circuit.builder import Builder, Node
from qap.network import TableLayer, ThresholdLayer
from qap.network.truth_tables import ignored, normal_form, without_constants


def thresholds(builder: Builder, layer: ThresholdLayer, signals: Sequence[tuple[Node, int, int]]) -> list[Node]:
    """A node for each threshold; comparing a power of two with all of its upper bits is wiring.

    Args:
        builder: gets the nodes.
        layer: the layer.
        signals: what it reads, as (node, factor, offset): `factor * node + offset`, the factor above 0.
    """
    bits = []
    for feature, threshold in zip(layer.features.tolist(), layer.thresholds.tolist(), strict=True):
        node, factor, offset = signals[feature]
        bits.append(at_least(builder, node, -((offset - threshold) // factor)))
    return bits


def tables(builder: Builder, layer: TableLayer, nodes: Sequence[Node]) -> list[Node]:
    """A node for each table: of the nodes that it depends on, one table for equal ones, no table for a wire."""
    constant, values = np.zeros(max(nodes) + 1, bool), np.zeros(max(nodes) + 1, np.int64)
    for node in nodes:
        constant[node], values[node] = builder.is_constant(node), builder.range(node).low
    wires = np.array(nodes)[layer.wires]
    wires, bits = normal_form(wires, without_constants(wires, layer.bits, constant, values))
    counts = (~ignored(bits)).sum(axis=1)
    return [_table(builder, *one) for one in zip(wires, bits, counts.tolist(), strict=True)]


def _table(builder: Builder, wires: IntArray, bits: BoolArray, count: int) -> Node:
    """The table of the first `count` of six nodes, with an answer for each of 64 addresses."""
    if not count:
        return builder.constant(int(bits[0]))
    answers = bits.astype(np.int64)
    return builder.truth_table(wires[:count].tolist(), lambda rows: answers[rows @ (1 << np.arange(count))])
