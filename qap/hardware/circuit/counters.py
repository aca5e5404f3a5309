"""Weighted sums as columns of bits that counters of carry chains add up, half a LUT for each bit that they save.

Every bit of every node stands in the column of its weight; a negative one counts where it is 0, which leaves a
constant over. Counters take bits out of the columns and put fewer back, until each column has one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import NamedTuple

from qap.hardware.circuit.builder import Builder, Node
from qap.hardware.circuit.sums import Sum, digit_terms
from qap.hardware.circuit.wires import LUT_INPUTS
from qap.hardware.circuit.xilinx import Count, Step

MOST_BITS = 2_000
"""Sums of more bits are left to adders that share, which the columns know nothing of."""


class Bit(NamedTuple):
    """A node of one bit, and whether it counts where it is 0."""

    node: Node
    inverted: bool


Columns = defaultdict[int, list[Bit]]
"""For each place of a weight the bits of that weight."""


class Counting(NamedTuple):
    """A counter over columns: one bit of the place as its carry, then steps."""

    place: int
    steps: tuple[Step, ...]


class Plan(NamedTuple):
    """Counters in rounds: those of a round read what the rounds before them left, not each other."""

    rounds: tuple[tuple[Counting, ...], ...]

    @property
    def luts(self) -> int:
        """Of all counters."""
        return sum(step.positions for counters in self.rounds for each in counters for step in each.steps)


def column_bits(builder: Builder, weights: Mapping[Node, int]) -> int:
    """How many bits the columns of a weighted sum hold."""
    return sum(builder.width(node) * len(digit_terms(node, weight)) for node, weight in weights.items())


def counted_sum(builder: Builder, weights: Mapping[Node, int]) -> Sum:
    """The sum of weight * node, by counters."""
    columns, offset = _columns(builder, weights)
    high = sum(len(column) << place for place, column in columns.items())
    plan = planned(tuple(len(columns[place]) for place in range(1 + max(columns, default=0))))
    for counters in plan.rounds:
        found = [(each.place, _counter(builder, columns, each)) for each in counters]
        for place, node in found:
            for position in range(builder.width(node)):
                columns[place + position].append(Bit(builder.slice(node, position, position), False))
    empty = Bit(builder.constant(0), False)
    bits = [(columns[place] or [empty])[0] for place in range(max(1, high.bit_length()))]
    return Sum(builder.joined([_plain(builder, bit) for bit in bits], high), offset)


def _columns(builder: Builder, weights: Mapping[Node, int]) -> tuple[Columns, int]:
    """The bits of a weighted sum, and the constant that is to be added to them."""
    columns: Columns = defaultdict(list)
    offset = 0
    for node, weight in weights.items():
        top = builder.width(node) - 1
        for term in digit_terms(node, weight):
            for position in range(top + 1):
                is_sign = position == top and builder.range(node).signed
                inverted = term.negative != is_sign
                columns[term.shift + position].append(Bit(builder.slice(node, position, position), inverted))
                offset -= inverted << (term.shift + position)
    return columns, offset


def _counter(builder: Builder, columns: Columns, counting: Counting) -> Node:
    """One counter; what it reads is taken out of the columns."""
    place, read = counting.place, [_taken(builder, columns[counting.place])]
    for step in counting.steps:
        last = [_taken(builder, columns[place])] if step.ones == LUT_INPUTS else []
        read += [_taken(builder, columns[place], plain=False) for _ in range(step.ones - len(last))] + last
        read += [_taken(builder, columns[place + 1], plain=False) for _ in range(step.twos)]
        place += step.positions
    inverted = sum(bit.inverted << pin for pin, bit in enumerate(read[1:]))
    return builder.node(Count(counting.steps, inverted), *(bit.node for bit in read))


def _taken(builder: Builder, column: list[Bit], plain: bool = True) -> Bit:
    """A bit of a column, inverted ones first where they may be; if it must not be and all are, one is turned."""
    index = next((index for index, bit in enumerate(column) if bit.inverted != plain), 0)
    bit = column.pop(index)
    return Bit(_plain(builder, bit), False) if plain else bit


def _plain(builder: Builder, bit: Bit) -> Node:
    return builder.truth_table([bit.node], lambda rows: 1 - rows[:, 0]) if bit.inverted else bit.node


@cache
def planned(heights: tuple[int, ...]) -> Plan:
    """The counters for columns of so many bits: of a few ways the one with the fewest LUTs, a round counting as one."""
    ways = product((7, 6, 5), (6, 5, 4), (True, False), (1, 99))
    plans = (Plan(tuple(_rounds(heights, *way))) for way in ways if way[0] > way[1])
    return min(plans, key=lambda plan: (plan.luts + len(plan.rounds), plan.luts))


def _rounds(
    heights: tuple[int, ...], least: int, least_joined: int, waits: bool, longest: int
) -> Iterator[tuple[Counting, ...]]:
    """First counters of full columns, side by side; then, from the lowest column up, one chain a round.

    Args:
        heights: of the columns.
        least: bits that a counter begins with while columns are full.
        least_joined: bits of another column that join its chain.
        waits: whether a last chain ends at a column of one bit while there are bits left below.
        longest: steps of a chain while columns are full.
    """
    left = Counter(dict(enumerate(heights)))
    while max(left.values(), default=0) > 1:
        if max(left.values()) >= least:
            counters = tuple(_full(left, least, least_joined, longest))
        else:
            counters = (_last(left, waits),)
        for place, steps in counters:
            left.update(range(place, place + 1 + sum(step.positions for step in steps)))
        yield counters


def _full(left: Counter[int], least: int, least_joined: int, longest: int) -> Iterator[Counting]:
    """Counters of full columns, whose bits are taken."""
    while full := [place for place in sorted(left) if left[place] >= least]:
        start = place = full[0]
        left[place] -= 1
        steps: list[Step] = []
        while left[place] >= least_joined and len(steps) < longest:
            steps.append(Step(min(LUT_INPUTS, left[place])))
            left[place] -= steps[-1].ones
            place += 2
        yield Counting(start, tuple(steps))


def _last(left: Counter[int], waits: bool) -> Counting:
    """A chain from the lowest column of more than one bit up to an empty one, whose bits are taken."""
    start = place = min(place for place in left if left[place] > 1)
    left[place] -= 1
    steps: list[Step] = []
    done = True
    while left[place] > (waits and not done):
        ones = min(left[place], LUT_INPUTS)
        twos = min(left[place + 1], 1) if 2 < ones < 5 else 0
        steps.append(Step(ones, twos))
        left[place] -= ones
        left[place + 1] -= twos
        done = done and not left[place] and (steps[-1].positions == 1 or not left[place + 1])
        place += steps[-1].positions
    return Counting(start, tuple(steps))
