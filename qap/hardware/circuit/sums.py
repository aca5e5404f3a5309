"""Weighted sums of narrow values as truth tables and adders.

Six one-bit inputs with any weights are a truth table: one LUT for each bit of their partial sum, where
adders would take one for each bit of every intermediate sum. Partial sums are taken from their least
value, so that they are never negative; the constants left over go into the neuron's bias.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from qap.fixed import IntArray
from qap.hardware.circuit.builder import Builder, Node
from qap.hardware.circuit.wires import LUT_INPUTS

NARROW = 5
"""Values of at most so many bits go into tables; wider ones into adders."""
TABLES_ADDED = 5
"""So many tables are added to one of six bits, one after the other; more would keep inputs waiting in registers."""
Weighted = list[tuple[Node, int]]
"""Nodes with their weights."""


class Sum(NamedTuple):
    """The value `node + offset`."""

    node: Node
    offset: int


class Term(NamedTuple):
    """The value `node << shift`, or minus that."""

    node: Node
    shift: int
    negative: bool


def table_sum(builder: Builder, weights: Mapping[Node, int], fold: int = 0) -> Sum:
    """The sum of weight * node, in tables where the nodes are narrow, else in adders; and `fold`, if there are tables.

    Args:
        weights: for each node its weight, not 0.
        fold: a constant that is added; with 0 the tables' least values are left over as the offset.
    """
    narrow = [(node, weight) for node, weight in weights.items() if builder.width(node) <= NARROW]
    wide = [(node, weight) for node, weight in weights.items() if builder.width(node) > NARROW]
    bins = _bins(builder, narrow)
    terms, offset = _units(builder, bins, fold)
    terms += [term for node, weight in wide for term in digit_terms(node, weight)]
    node, rest = _reduced(builder, terms)
    return Sum(node, offset + fold + rest)


def adder_sum(builder: Builder, weights: Mapping[Node, int]) -> Sum:
    """The sum of weight * node by adders alone: one term for each signed digit of each weight."""
    terms = [term for node, weight in weights.items() for term in digit_terms(node, weight)]
    return Sum(*_reduced(builder, terms, tables=False))


def digit_terms(node: Node, weight: int) -> list[Term]:
    """The node times a weight in canonical signed digits: the fewest terms that are powers of two."""
    terms = []
    shift = 0
    while weight:
        if weight & 1:
            negative = weight & 3 == 3
            terms.append(Term(node, shift, negative))
            weight += 1 if negative else -1
        weight >>= 1
        shift += 1
    return terms


def digits(weight: int) -> int:
    """How many signed digits of the weight are not 0."""
    return len(digit_terms(0, weight))


def _bins(builder: Builder, weights: Weighted) -> list[Weighted]:
    """What goes into the same table: six bits in the first of each unit, five in the others, alike weights together."""
    order = sorted(weights, key=lambda pair: (_zeros(pair[1]), abs(pair[1]), pair[0]))
    wide = [pair for pair in order if builder.width(pair[0]) > LUT_INPUTS // 2]
    # a power of two needs no table at all when a unit begins with it
    wide.sort(key=lambda pair: (not _is_shift([pair]), -builder.width(pair[0])))
    waiting = wide + [pair for pair in order if pair not in wide]
    bins: list[Weighted] = []
    while waiting:
        room = LUT_INPUTS - bool(len(bins) % (1 + TABLES_ADDED))
        chunk: Weighted = []
        for pair in list(waiting):
            if builder.width(pair[0]) <= room:
                chunk.append(pair)
                waiting.remove(pair)
                room -= builder.width(pair[0])
            if not room:
                break
        bins.append(chunk)
    return bins


def _units(builder: Builder, bins: list[Weighted], fold: int) -> tuple[list[Term], int]:
    """Partial sums of a table and tables that are added to it, one after the other; `fold` goes into the first table.

    Returns:
        The partial sums, and the constant that is still to be added to them.
    """
    terms: list[Term] = []
    free = [index % (1 + TABLES_ADDED) == 0 and _is_shift(chunk) for index, chunk in enumerate(bins)]
    offset = sum(_least(builder, chunk) for chunk, is_free in zip(bins, free, strict=True) if not is_free)
    fold += offset if fold else 0
    for index, (chunk, is_free) in enumerate(zip(bins, free, strict=True)):
        if is_free:
            terms.append(digit_terms(*chunk[0])[0])
            continue
        if index % (1 + TABLES_ADDED) == 0:
            terms.append(_tabled(builder, chunk, fold))
        else:
            terms[-1] = _table_added(builder, terms[-1], chunk, fold)
        offset -= fold
        fold = 0
    return terms, offset


def _is_shift(weights: Weighted) -> bool:
    """Whether the weighted sum is one node times a power of two."""
    return len(weights) == 1 and weights[0][1] > 0 and digits(weights[0][1]) == 1


def _least(builder: Builder, weights: Weighted) -> int:
    """The least value of a weighted sum."""
    return sum(min(weight * end for end in builder.range(node)) for node, weight in weights)


def _tabled(builder: Builder, weights: Weighted, fold: int = 0) -> Term:
    """One table for a weighted sum less its least value, plus `fold`."""
    shift, function = _partial(builder, weights, fold)
    return Term(builder.truth_table([node for node, _ in weights], function), shift, False)


def _table_added(builder: Builder, term: Term, weights: Weighted, fold: int) -> Term:
    """A term plus a table as in `_tabled`, which costs no more than the adder."""
    shift, function = _partial(builder, weights, fold)
    common = min(term.shift, shift)
    read = [node for node, _ in weights]
    return Term(builder.add_table(term.node, term.shift - common, read, shift - common, function), common, False)


def _partial(builder: Builder, weights: Weighted, fold: int) -> tuple[int, Callable[[IntArray], IntArray]]:
    """A weighted sum less its least value, plus `fold`: the zeros at its end, and what is left as a function."""
    constant = fold - _least(builder, weights)
    shift = min([_zeros(weight) for _, weight in weights] + ([_zeros(constant)] if constant else []))
    factors = np.array([weight for _, weight in weights], np.int64)

    def function(rows: IntArray) -> IntArray:
        result: IntArray = (rows @ factors + constant) >> shift
        return result

    return shift, function


def _reduced(builder: Builder, terms: list[Term], tables: bool = True) -> tuple[Node, int]:
    """The sum of terms, the narrowest first, and the constant that is still to be added to it."""
    if not terms:
        return builder.constant(0), 0
    offset = 0
    heap = [(builder.width(term.node) + term.shift, order, term) for order, term in enumerate(terms)]
    heapq.heapify(heap)
    order = len(terms)
    while len(heap) > 1:
        merged = [heapq.heappop(heap)[2], heapq.heappop(heap)[2]]
        bits = sum(builder.width(term.node) for term in merged)
        if tables and bits <= LUT_INPUTS:
            while heap and bits + builder.width(heap[0][2].node) <= LUT_INPUTS:
                merged.append(heapq.heappop(heap)[2])
                bits += builder.width(merged[-1].node)
            combined: dict[Node, int] = {}
            for term in merged:
                combined[term.node] = combined.get(term.node, 0) + (-1 if term.negative else 1) * (1 << term.shift)
            used = [(node, weight) for node, weight in combined.items() if weight]
            if not used:
                continue
            one = len(used) == 1 and digits(used[0][1]) == 1
            result = digit_terms(*used[0])[0] if one else _tabled(builder, used)
            offset += 0 if one else _least(builder, used)
        else:
            result = _added(builder, *merged)
        heapq.heappush(heap, (builder.width(result.node) + result.shift, order, result))
        order += 1
    if not heap:
        return builder.constant(0), offset
    last = heap[0][2]
    if last.negative:
        return builder.add(builder.constant(0), last.node, 0, last.shift, subtract=True), offset
    return builder.shift(last.node, last.shift), offset


def _added(builder: Builder, a: Term, b: Term) -> Term:
    if a.negative and not b.negative:
        a, b = b, a
    shift = min(a.shift, b.shift)
    node = builder.add(a.node, b.node, a.shift - shift, b.shift - shift, subtract=a.negative != b.negative)
    return Term(node, shift, a.negative)


def _zeros(weight: int) -> int:
    """How often 2 divides the weight."""
    return (weight & -weight).bit_length() - 1
