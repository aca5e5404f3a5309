"""Activations, rounding, saturation and comparison as operations of a circuit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from qap.fixed import MAX_WIDTH, FixedPoint, IntArray, Overflow
from qap.hardware.circuit.builder import Builder, Node
from qap.hardware.circuit.sums import Sum
from qap.hardware.circuit.wires import LUT_INPUTS, Range
from qap.network import IntegerLayer, StepTable

TABLE_BITS = 10
"""Wider values are never looked up in a table."""
FEW_STEPS = 15
"""A staircase of at most so many steps may be lowered to comparisons."""
MANY_STEPS = 31
"""A staircase of more steps is searched: beyond 31 comparisons bisection always takes fewer LUTs."""
CHAIN_BITS = 12
"""Wider numbers are compared by a carry chain instead of a chain of LUTs; wider than a LUT takes, in slices."""


def cheapest(builder: Builder, candidates: Sequence[Callable[[], Node]]) -> Node:
    """Build every candidate and take the one with the fewest estimated LUTs; the first of equals."""
    best: tuple[float, Node] | None = None
    start = builder.mark()
    for build in candidates:
        node = build()
        cost = builder.luts_since(start, [node])
        if best is None or cost < best[0]:
            best = cost, node
    assert best is not None
    return best[1]


def activated(builder: Builder, layer: IntegerLayer, total: Sum) -> Node:
    """The result of a layer's only neuron from its accumulator, `layer.activate(node + offset)`, the cheapest way."""
    node, offset = total
    bounds = builder.range(node)

    def looked_up() -> Node:
        return builder.truth_table([node], lambda rows: layer.activate(rows[:, 0] + offset))

    candidates: list[Callable[[], Node]] = []
    if bounds.width <= TABLE_BITS:
        candidates.append(looked_up)
    steps = staircase(layer, Range(bounds.low + offset, bounds.high + offset))
    if steps is not None and (len(steps.thresholds) <= FEW_STEPS or isinstance(layer.activation, StepTable)):
        thresholds, values = steps.thresholds - offset, steps.values
        if len(thresholds) <= MANY_STEPS:
            candidates.append(lambda: stepped(builder, node, thresholds, values))
        if thresholds.size:
            candidates.append(lambda: searched(builder, node, thresholds, values))
    if not isinstance(layer.activation, StepTable):
        candidates.append(lambda: _computed(builder, layer, total))
    return cheapest(builder, candidates)


def staircase(layer: IntegerLayer, accumulator: Range) -> StepTable | None:
    """The activation as a staircase over the accumulator's range, or None where it has many steps or is none."""
    low, high = (int(end) for end in layer.activate(np.array(accumulator, np.int64)))
    if isinstance(layer.activation, StepTable):
        inside = (layer.activation.thresholds > accumulator.low) & (layer.activation.thresholds <= accumulator.high)
        first = int((layer.activation.thresholds <= accumulator.low).sum())
        return StepTable(
            layer.activation.thresholds[inside], layer.activation.values[first : first + int(inside.sum()) + 1]
        )
    dropped = layer.accum_format.fractional - layer.result_format.fractional
    if dropped <= 0 or high - low > FEW_STEPS or _wraps(layer, accumulator):
        return None
    thresholds = [_first_at(layer, accumulator, level) for level in range(low + 1, high + 1)]
    return StepTable(np.array(thresholds, np.int64), np.arange(low, high + 1))


def stepped(builder: Builder, node: Node, thresholds: IntArray, values: IntArray) -> Node:
    """`values[number of thresholds <= node]`; all thresholds lie inside of the node's range."""
    bits = [at_least(builder, node, int(threshold)) for threshold in thresholds]
    if not bits:
        return builder.constant(int(values[0]))
    if len(bits) <= LUT_INPUTS:
        return builder.truth_table(bits, lambda rows: values[rows.sum(axis=1)])

    def select(first: int, last: int) -> Node:
        if first == last:
            return builder.constant(int(values[first]))
        middle = (first + last) // 2
        return builder.mux(bits[middle], select(middle + 1, last), select(first, middle))

    return select(0, len(bits))


def searched(builder: Builder, node: Node, thresholds: IntArray, values: IntArray) -> Node:
    """`values[number of thresholds <= node]`, the number by bisection: one bit after the other.

    Each bit says whether the node reaches the threshold that the bits before it choose from a table.
    """
    depth = len(thresholds).bit_length()
    beyond = np.full((1 << depth) - 1 - len(thresholds), builder.range(node).high + 1)
    thresholds, values = np.append(thresholds, beyond), np.append(values, np.repeat(values[-1:], len(beyond)))
    missed: list[Node] = []  # the bits of the number turned around, the highest first
    for level in range(depth):
        half = 1 << (depth - level - 1)
        limit = _chosen(builder, missed, thresholds[half - 1 :: 2 * half])
        missed.append(greater(builder, limit, node))
    return _chosen(builder, missed, values)


def _chosen(builder: Builder, missed: Sequence[Node], choices: IntArray) -> Node:
    """`choices[number]`, for a number whose bits are turned around, the highest first."""
    if not missed:
        return builder.constant(int(choices[0]))
    weights = 1 << np.arange(len(missed))[::-1]
    return builder.truth_table(missed, lambda rows: choices[(1 - rows) @ weights])


def at_least(builder: Builder, node: Node, threshold: int) -> Node:
    """1 if node >= threshold: a chain of LUTs, each with five bits and what the lower bits said."""
    bounds = builder.range(node)
    if threshold <= bounds.low or threshold > bounds.high:
        return builder.constant(int(threshold <= bounds.low))
    top = bounds.width - 1
    flip = (1 << top) if bounds.signed else 0  # two's complement with its sign flipped sorts as unsigned
    threshold += flip
    start = (threshold & -threshold).bit_length() - 1 if threshold else top
    lower: list[Node] = []
    while start <= top:
        end = min(top, start + LUT_INPUTS - len(lower) - 1)
        chunk = builder.slice(node, end, start)
        limit = (threshold >> start) & ((1 << (end - start + 1)) - 1)
        turned = (flip >> start) & ((1 << (end - start + 1)) - 1)

        def decide(rows: IntArray, limit: int = limit, turned: int = turned) -> IntArray:
            value = rows[:, 0] ^ turned
            below = rows[:, 1] if rows.shape[1] > 1 else 1
            result: IntArray = ((value > limit) | ((value == limit) & (below == 1))).astype(np.int64)
            return result

        lower = [builder.truth_table([chunk, *lower], decide)]
        start = end + 1
    return lower[0]


def greater(builder: Builder, a: Node, b: Node) -> Node:
    """1 if a > b: a chain of LUTs for narrow numbers, a carry chain for wide ones."""
    first, second = builder.range(a), builder.range(b)
    if first.low > second.high or first.high <= second.low:
        return builder.constant(int(first.low > second.high))
    width = max(bounds.width + (not bounds.signed) for bounds in (first, second))
    if first.width + second.width <= LUT_INPUTS:
        return builder.truth_table([a, b], lambda rows: (rows[:, 0] > rows[:, 1]).astype(np.int64))
    if builder.slices or width > CHAIN_BITS:
        return builder.greater(a, b)
    lower: list[Node] = []
    start = 0
    while start < width:
        end = min(width - 1, start + (LUT_INPUTS - len(lower)) // 2 - 1)
        turned = 1 << (end - start) if end == width - 1 else 0

        def decide(rows: IntArray, turned: int = turned) -> IntArray:
            left, right = rows[:, 0] ^ turned, rows[:, 1] ^ turned
            below = rows[:, 2] if rows.shape[1] > 2 else 0
            result: IntArray = ((left > right) | ((left == right) & (below == 1))).astype(np.int64)
            return result

        lower = [builder.truth_table([builder.slice(a, end, start), builder.slice(b, end, start), *lower], decide)]
        start = end + 1
    return lower[0]


def winner(builder: Builder, logits: Sequence[Node]) -> Node:
    """The class index: the largest logit, the lowest index of equals; a single logit is decided at 0."""
    if len(logits) == 1:
        return at_least(builder, logits[0], 1)
    entries = [Entry(logit, builder.constant(0)) for logit in logits]
    bits = 0
    while len(entries) > 1:
        pairs = [entries[i : i + 2] for i in range(0, len(entries), 2)]
        entries = [_better(builder, bits, *pair) if len(pair) == 2 else pair[0] for pair in pairs]
        bits += 1
    return entries[0].place


class Entry(NamedTuple):
    """The largest of some logits, and its place among them."""

    value: Node
    place: Node


def _better(builder: Builder, bits: int, first: Entry, second: Entry) -> Entry:
    """The larger of two entries, whose places have so many bits; the next bit says which one it was."""
    wins = greater(builder, second.value, first.value)
    place = builder.mux(wins, second.place, first.place)
    below = [builder.slice(place, bit, bit) for bit in range(bits)]
    return Entry(builder.mux(wins, second.value, first.value), builder.joined([*below, wins], (2 << bits) - 1))


def _computed(builder: Builder, layer: IntegerLayer, total: Sum) -> Node:
    """Add the bias, then ReLU, rounding and overflow as arithmetic."""
    node, form = total.node, layer.result_format
    if total.offset:
        node = builder.add(node, builder.constant(total.offset))
    drop = layer.accum_format.fractional - form.fractional
    node = builder.round(node, drop, form.rounding) if drop > 0 else builder.shift(node, -drop)
    # every rounding is monotone and leaves 0 alone, so that ReLU may come after it
    if layer.activation == "relu":
        node = builder.clip(node, 0, max(0, builder.range(node).high))
    if form.overflow is not Overflow.WRAP:
        return builder.clip(node, form.min_int, form.max_int)
    bounds = builder.range(node)
    if form.min_int <= bounds.low and bounds.high <= form.max_int:
        return node
    return builder.signed(node, form.width) if form.signed else builder.slice(node, form.width - 1, 0)


def _wraps(layer: IntegerLayer, accumulator: Range) -> bool:
    """Whether an overflow can wrap around for an accumulator of this range."""
    form = layer.result_format
    if form.overflow is not Overflow.WRAP:
        return False
    wide = FixedPoint(True, MAX_WIDTH, MAX_WIDTH - form.fractional, form.rounding)
    ends = np.array(accumulator, np.int64)
    return not form.holds(wide.requantize(np.maximum(ends, 0) if layer.activation == "relu" else ends,
                                          layer.accum_format.fractional))  # fmt: skip


def _first_at(layer: IntegerLayer, accumulator: Range, level: int) -> int:
    """The least accumulator whose result reaches the level, by bisection."""
    low, high = accumulator
    while low < high:
        middle = (low + high) // 2
        if int(layer.activate(np.array([middle]))[0]) >= level:
            high = middle
        else:
            low = middle + 1
    return low
