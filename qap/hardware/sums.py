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
from qap.hardware.circuit import Builder, Node
from qap.hardware.operations import LUT_INPUTS

NARROW = 3
"""Values of at most so many bits go into tables; wider ones into adders."""
TABLES_ADDED = 2
"""So many tables are added to one of six bits, one after the other; more would keep inputs waiting in registers."""


class Sum(NamedTuple):
    """The value `node + offset`."""

    node: Node
    offset: int


class Term(NamedTuple):
    """The value `node << shift`, or minus that."""

    node: Node
    shift: int
    negative: bool


def table_sum(builder: Builder, weights: Mapping[Node, int]) -> Sum:
    """The sum of weight * node, in tables of at most six bits where that is possible, then in adders.

    Args:
        weights: for each node its weight, not 0.
    """
    narrow = [node for node in weights if builder.width(node) <= NARROW]
    narrow.sort(key=lambda node: (_zeros(weights[node]), abs(weights[node]), node))
    terms, offset = _units(builder, [(node, weights[node]) for node in narrow])
    for node in weights.keys() - set(narrow):
        terms += digit_terms(node, weights[node])
    node, least = _reduced(builder, terms)
    return Sum(node, offset + least)


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


def _units(builder: Builder, weights: list[tuple[Node, int]]) -> tuple[list[Term], int]:
    """Partial sums of a table of six bits and tables of five that are added to it, and the constant left over."""
    terms: list[Term] = []
    offset = 0
    added = TABLES_ADDED
    while weights:
        room = LUT_INPUTS if added == TABLES_ADDED else LUT_INPUTS - 1
        chunk = _filled(builder, weights, room)
        del weights[: len(chunk)]
        if added == TABLES_ADDED:
            term, least = _tabled(builder, chunk)
            terms.append(term)
            added = 0
        else:
            terms[-1], least = _table_added(builder, terms[-1], chunk)
            added += 1
        offset += least
    return terms, offset


def _filled(builder: Builder, weights: list[tuple[Node, int]], room: int) -> list[tuple[Node, int]]:
    """The first weights whose bits fit."""
    for count in range(1, len(weights)):
        if sum(builder.width(node) for node, _ in weights[: count + 1]) > room:
            return weights[:count]
    return weights[:]


def _table_added(builder: Builder, term: Term, weights: list[tuple[Node, int]]) -> tuple[Term, int]:
    """A term plus a table, which costs no more than the adder, and the constant left over."""
    least, shift, function = _partial(builder, weights)
    common = min(term.shift, shift)
    read = [node for node, _ in weights]
    node = builder.add_table(term.node, term.shift - common, read, shift - common, function)
    return Term(node, common, False), least


def _tabled(builder: Builder, weights: list[tuple[Node, int]]) -> tuple[Term, int]:
    """One table for a weighted sum less its least value, and that value."""
    if len(weights) == 1 and digits(weights[0][1]) == 1:
        return digit_terms(*weights[0])[0], 0
    least, shift, function = _partial(builder, weights)
    return Term(builder.table([node for node, _ in weights], function), shift, False), least


def _partial(builder: Builder, weights: list[tuple[Node, int]]) -> tuple[int, int, Callable[[IntArray], IntArray]]:
    """A weighted sum as its least value, the zeros at its end, and what is left as a function of the nodes."""
    least = sum(min(weight * end for end in builder.reach(node)) for node, weight in weights)
    shift = min(_zeros(weight) for _, weight in weights)
    factors = np.array([weight for _, weight in weights], np.int64)

    def function(rows: IntArray) -> IntArray:
        result: IntArray = (rows @ factors - least) >> shift
        return result

    return least, shift, function


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
            result, least = _tabled(builder, used)
            offset += least
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
