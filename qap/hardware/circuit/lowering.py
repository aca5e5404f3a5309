"""An integer network as a circuit: the only place that calls da4ml.

da4ml finds the adders that the neurons of a layer can share (its multiplication of a vector by a
constant matrix). It computes in float32, so its answer is not trusted but proven: every adder carries
the exact integer weights that it sums, and the last of them must be the layer's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from qap.extras import extra
from qap.fixed import IntArray
from qap.hardware.circuit import bit_layers
from qap.hardware.circuit.activations import TABLE_BITS, activated, cheapest, winner
from qap.hardware.circuit.builder import Builder, Circuit, Node
from qap.hardware.circuit.counters import MOST_BITS, column_bits, counted_sum
from qap.hardware.circuit.sums import Sum, adder_sum, digits, table_sum
from qap.hardware.circuit.wires import Range
from qap.hardware.circuit.xilinx import CARRY_CELLS
from qap.hardware.devices import Family
from qap.network import IntegerLayer, IntegerNetwork, Layer, StepTable, TableLayer, ThresholdLayer

FLOAT32_BITS = 20
"""Weights beyond so many bits are not given to da4ml, which computes in float32."""


def lower_network(network: IntegerNetwork, family: Family = "xc7") -> Circuit:
    """The circuit of a simplified network; input i of the circuit is input i of the network.

    Args:
        network: a simplified one.
        family: what it is for; Xilinx' have operations of their own.

    Raises:
        ToolMissing: da4ml is not installed.
    """
    form = network.input_format
    builder = Builder(network.n_in, form.min_int, form.max_int, slices=family in CARRY_CELLS)
    signals = [Signal(node) for node in builder.inputs]
    fractional = form.fractional
    for layer in network.layers[:-1]:
        bits, low, step = _as_bits(layer)
        signals = [Signal(node, step, low) for node in _lower_layer(builder, bits, signals, fractional)]
        fractional = layer.result_format.fractional
    logits = _lower_layer(builder, network.layers[-1], signals, fractional)
    return builder.finish(logits, winner(builder, logits))


class Signal(NamedTuple):
    """A number of the network as the circuit holds it: `factor * node + offset`."""

    node: Node
    factor: int = 1
    offset: int = 0


def _as_bits(layer: Layer) -> tuple[Layer, int, int]:
    """A layer that answers 0 or 1, with `low` and `step`, where the layer itself answers low or low + step.

    A sign of -1 and 1 takes two bits, and twice the tables behind it, where one says as much. Other layers stay.
    """
    if isinstance(layer, IntegerLayer) and isinstance(layer.activation, StepTable):
        low, high = int(layer.activation.values[0]), int(layer.activation.values[-1])
        if high > low and np.isin(layer.activation.values, (low, high)).all():
            values = (layer.activation.values == high).astype(np.int64)
            steps = StepTable(layer.activation.thresholds, values)
            return replace(layer, activation=steps), low, high - low
    return layer, 0, 1


class Neuron(NamedTuple):
    """A neuron over different nodes that are no constants: `sum(weight * node) + offset`."""

    weights: dict[Node, int]
    offset: int


def _lower_layer(builder: Builder, layer: Layer, signals: list[Signal], fractional: int) -> list[Node]:
    if isinstance(layer, TableLayer):
        return bit_layers.tables(builder, layer, [signal.node for signal in signals])  # 0 and 1 are held as they are
    if isinstance(layer, ThresholdLayer):
        return bit_layers.thresholds(builder, layer, signals)
    return _lower_weights(builder, layer, signals, fractional)


def _lower_weights(builder: Builder, layer: IntegerLayer, signals: list[Signal], fractional: int) -> list[Node]:
    weight, bias = layer.aligned(fractional)
    neurons = [_neuron(builder, signals, weight[:, j], int(bias[j])) for j in range(layer.n_out)]
    start = builder.mark()
    alone = [layer.neuron(j) for j in range(layer.n_out)]
    tables = [_by_tables(builder, *pair) for pair in zip(alone, neurons, strict=True)]
    cost = builder.luts_since(start, tables)
    if cost <= SHARING * _adders(builder, neurons):
        return tables
    shared = [activated(builder, *pair) for pair in zip(alone, _shared_sums(builder, neurons), strict=True)]
    return shared if builder.luts_since(start, shared) < cost else tables


def _neuron(builder: Builder, signals: list[Signal], weight: IntArray, bias: int) -> Neuron:
    """Fold constants and add up the weights of equal nodes."""
    weights: dict[Node, int] = {}
    for row in np.flatnonzero(weight):
        node, factor = signals[row].node, int(weight[row]) * signals[row].factor
        bias += int(weight[row]) * signals[row].offset
        if builder.is_constant(node):
            bias += builder.range(node).low * factor
        else:
            weights[node] = weights.get(node, 0) + factor
    return Neuron({node: factor for node, factor in weights.items() if factor}, bias)


def _by_tables(builder: Builder, layer: IntegerLayer, neuron: Neuron) -> Node:
    """The only neuron of a layer as one truth table if it reads few bits, else by sums of tables, what is cheaper."""
    read = list(neuron.weights)
    if not read:
        return builder.constant(int(layer.activate(np.array([neuron.offset]))[0]))
    factors = np.array([neuron.weights[node] for node in read], np.int64)

    def whole() -> Node:
        return builder.truth_table(read, lambda rows: layer.activate(rows @ factors + neuron.offset))

    def summed(fold: int) -> Node:
        total = table_sum(builder, neuron.weights, fold)
        return activated(builder, layer, Sum(total.node, total.offset + neuron.offset - fold))

    def counted() -> Node:
        total = counted_sum(builder, neuron.weights)
        return activated(builder, layer, Sum(total.node, total.offset + neuron.offset))

    candidates = [lambda: summed(0), lambda: summed(neuron.offset)]
    if builder.slices and column_bits(builder, neuron.weights) <= MOST_BITS:
        candidates.append(counted)
    if sum(builder.width(node) for node in read) <= TABLE_BITS:
        candidates.insert(0, whole)
    return cheapest(builder, candidates)


SHARING = 0.45
"""Sharing adders has never saved more than 55 % of them; where tables save as much, it is not tried."""


def _adders(builder: Builder, neurons: list[Neuron]) -> float:
    """Bits of adders that a layer takes without sharing: in a tree over w-bit terms about w + 2 for each term."""
    return sum(
        digits(weight) * (builder.width(node) + 2) for neuron in neurons for node, weight in neuron.weights.items()
    )


def _shared_sums(builder: Builder, neurons: list[Neuron]) -> list[Sum]:
    """Let da4ml share adders between neurons; sums that it does not get exactly right are built without it."""
    rows = sorted({node for neuron in neurons for node in neuron.weights})
    place = {node: row for row, node in enumerate(rows)}
    weight = np.zeros((len(rows), len(neurons)), np.int64)
    for column, neuron in enumerate(neurons):
        for node, factor in neuron.weights.items():
            weight[place[node], column] = factor
    small = bool(np.abs(weight).max(initial=0) < 1 << FLOAT32_BITS)
    wide = max((builder.width(node) for node in rows), default=0) > FLOAT32_BITS
    found = _da4ml_sums(builder, rows, weight) if small and not wide and rows else [None] * len(neurons)
    sums = [
        Sum(node, 0) if node is not None else adder_sum(builder, neuron.weights)
        for node, neuron in zip(found, neurons, strict=True)
    ]
    return [Sum(total.node, total.offset + neuron.offset) for total, neuron in zip(sums, neurons, strict=True)]


class _Partial(NamedTuple):
    """A partial sum: `node * 2**exponent`, where node = sum of factor * row, exactly."""

    node: Node
    exponent: int
    factors: tuple[int, ...]


def _da4ml_sums(builder: Builder, rows: list[Node], weight: IntArray) -> list[Node | None]:
    """For each column its node, or None where da4ml's answer is not exactly the column."""
    ranges = [builder.range(node) for node in rows]
    solution = _solve(weight, ranges)
    values = [
        _Partial(node, 0, tuple(int(row == other) for other in range(len(rows)))) for row, node in enumerate(rows)
    ]
    for part in solution.solutions:
        values = _follow(builder, ranges, part, values)
    nodes: list[Node | None] = []
    for column, value in enumerate(values):
        factors = np.array(value.factors, object)
        expected = weight[:, column].astype(object)
        exact = value.exponent >= 0 and bool((factors * (1 << value.exponent) == expected).all())
        nodes.append(builder.shift(value.node, value.exponent) if exact else None)
    return nodes


def _solve(weight: IntArray, ranges: list[Range]) -> Any:
    """da4ml's cheapest solution over a few depths of its matrix decomposition."""
    with extra("rtl"):
        from da4ml.cmvm.api import jit_solve
        from da4ml.cmvm.types import QInterval
    kernel = weight.astype(np.float32)
    intervals = [QInterval(float(low), float(high), 1.0) for low, high in ranges]
    solutions = [
        jit_solve(kernel, qintervals=intervals, hard_dc=-1, decompose_dc=depth, adder_size=1, carry_size=-1)
        for depth in (-2, -1, 0)
    ]
    return min(solutions, key=lambda solution: float(solution.cost))


def _follow(builder: Builder, ranges: list[Range], part: Any, inputs: list[_Partial]) -> list[_Partial]:
    """Build one adder graph of da4ml: its operations are inputs (-1), sums (0) and differences (1)."""
    zero = _Partial(builder.constant(0), 0, (0,) * len(ranges))
    known: list[_Partial] = []
    for operation in part.ops:
        if operation.opcode == -1:
            source = inputs[operation.id0]
            known.append(source._replace(exponent=source.exponent + int(part.inp_shifts[operation.id0])))
        elif operation.opcode in (0, 1):
            second = known[operation.id1]
            second = second._replace(exponent=second.exponent + int(operation.data))
            known.append(_combined(builder, ranges, known[operation.id0], second, operation.opcode == 1))
        else:
            raise AssertionError(f"da4ml's matrix product holds an operation {operation.opcode}, which is none")
    outputs = []
    for index, shift, negative in zip(part.out_idxs, part.out_shifts, part.out_negs, strict=True):
        value = zero if index < 0 else known[index]._replace(exponent=known[index].exponent + int(shift))
        outputs.append(_combined(builder, ranges, zero, value, True) if negative else value)
    return outputs


def _combined(builder: Builder, ranges: list[Range], a: _Partial, b: _Partial, subtract: bool) -> _Partial:
    """a + b or a - b, with the tightest range that its weights prove."""
    if not any(a.factors):
        a = a._replace(exponent=b.exponent)
    if not any(b.factors):
        b = b._replace(exponent=a.exponent)
    exponent = min(a.exponent, b.exponent)
    shifts = a.exponent - exponent, b.exponent - exponent
    sign = -1 if subtract else 1
    factors = tuple((x << shifts[0]) + sign * (y << shifts[1]) for x, y in zip(a.factors, b.factors, strict=True))
    bounds = Range(_extreme(min, factors, ranges), _extreme(max, factors, ranges))
    return _Partial(builder.add(a.node, b.node, *shifts, subtract=subtract, bounds=bounds), exponent, factors)


def _extreme(choose: Callable[[int, int], int], factors: tuple[int, ...], ranges: list[Range]) -> int:
    return sum(
        choose(factor * low, factor * high) for factor, (low, high) in zip(factors, ranges, strict=True) if factor
    )
