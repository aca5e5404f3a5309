"""Operations that stand in the slices of Xilinx as they are written: LUTs of two outputs in front of a carry chain.

Synthesis finds none of them by itself. A LUT6 is two functions of the same five inputs, and beside each LUT there is a
bit of a carry chain: its sum bit is `S ^ carry`, its carry `S ? carry : DI`. A position of the chain is such a LUT, O6
is its S and O5 its DI. Counters: T. B. Preusser, Generic and universal parallel matrix summation with a flexible
compression goal for Xilinx FPGAs, FPL 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from qap.fixed import IntArray
from qap.hardware.circuit.arithmetic import Choice, Comparison
from qap.hardware.circuit.operations import Operation
from qap.hardware.circuit.wires import CARRY_BITS_PER_LEVEL, LUT_INPUTS, Range, Wire, bit_of
from qap.hardware.devices import Family

CARRY_CELLS: dict[Family, int] = {"xc7": 4, "xcup": 8}
"""The families whose slices these are, and the bits of a cell of their carry chains: CARRY4, CARRY8."""
KIND = "slice"
"""Cells that synthesis leaves as they are."""
FALSE, TRUE = "1'b0", "1'b1"
Function = Callable[[Sequence[int]], bool | int]
"""Of bits, to one bit."""


class Lut(NamedTuple):
    """A LUT6_2: O6 of all pins, O5 of the first five, I5 taken as 0.

    Args:
        init: the truth table of O6; its lower half is O5's.
        pins: Verilog expressions of I0 and up; the rest is tied to 0, and I5 to 1 where the halves differ.
    """

    init: int
    pins: tuple[str, ...]

    def statement(self, name: str, o6: str, o5: str) -> str:
        """The instance."""
        tied = [*self.pins, *[FALSE] * (LUT_INPUTS - len(self.pins))]
        if len(self.pins) < LUT_INPUTS:
            tied[-1] = TRUE
        ports = ", ".join(f".I{index}({pin})" for index, pin in enumerate(tied))
        return f"LUT6_2 #(.INIT(64'h{self.init:016x})) {name} ({ports}, .O6({o6}), .O5({o5}));"


def lut(pins: Sequence[str], o6: Function, o5: Function) -> Lut:
    """Two functions of the same pins, at most five."""
    return Lut(_table(o6, 5) << 32 | _table(o5, 5), tuple(pins))


def _table(function: Function, inputs: int) -> int:
    return sum(int(function([row >> pin & 1 for pin in range(inputs)])) << row for row in range(1 << inputs))


class Slices(Operation):
    """What stands in slices as it is written; its expression is for other families."""

    __slots__ = ()
    kind = KIND


class Chain(NamedTuple):
    """A carry chain: the statements that drive it, the names of its sums by place, and of its last carry."""

    statements: list[str]
    sums: list[str]
    carry: str


def chain(name: str, luts: Sequence[Lut], carry_in: str, cell: int, places: int) -> Chain:
    """A carry chain behind LUTs, the lowest first.

    Args:
        name: begins the names of its wires.
        luts: of the first places.
        carry_in: what comes into the lowest place.
        cell: bits of a carry cell, 4 or 8.
        places: of the chain; those above the LUTs hand their carry out as sum, which costs no LUT.
    """
    made = Chain([], [], carry_in)
    for place, each in enumerate(luts):
        made.statements.append(f"wire {name}_s{place}, {name}_d{place};")
        made.statements.append(each.statement(f"{name}_l{place}", f"{name}_s{place}", f"{name}_d{place}"))
    for block, start in enumerate(range(0, places, cell)):
        end = min(start + cell, places)
        inside = range(start, min(end, len(luts)))
        empty = [f"{cell - len(inside)}'d0"] * (len(inside) < cell)
        select, data = (", ".join([*empty, *(f"{name}_{kind}{place}" for place in reversed(inside))]) for kind in "sd")
        below, from_outside = (made.carry, FALSE) if block else (FALSE, made.carry)
        inputs = f".CI({below}), .CYINIT({from_outside})" if cell == 4 else f".CI({made.carry}), .CI_TOP({FALSE})"
        outputs = f".O({name}_o{block}), .CO({name}_k{block})"
        made.statements.append(f"wire [{cell - 1}:0] {name}_o{block}, {name}_k{block};")
        made.statements.append(f"CARRY{cell} {name}_c{block} ({inputs}, .S({{{select}}}), .DI({{{data}}}), {outputs});")
        made.sums.extend(f"{name}_o{block}[{place}]" for place in range(end - start))
        made = made._replace(carry=f"{name}_k{block}[{end - start - 1}]")
    return made


class Step(NamedTuple):
    """Bits that a counter takes at one place of its chain, besides the carry that comes in.

    Two bits of one weight are one position. More are two positions, for their weight and its double; at the second
    one, up to two bits of the double weight join.
    """

    ones: int
    twos: int = 0

    @property
    def positions(self) -> int:
        """LUTs, and bits of the result."""
        return 1 if self.ones <= 2 and not self.twos else 2


def possible(ones: int, twos: int) -> bool:
    """Whether a step holds so many bits: five pins, or six of one weight, and with the carry three bits of result."""
    return 1 <= ones <= LUT_INPUTS and (not twos or ones + twos < LUT_INPUTS) and ones + 2 * twos < 7


@dataclass(frozen=True, slots=True)
class Count(Slices):
    """A weighted count of bits, by a carry chain: seven bits of one weight into three in two LUTs.

    The first argument is the carry into the chain, of weight 1.

    Args:
        steps: what each place of the chain takes, the lowest first; the next one begins where its positions end.
        inverted: a bit for each of the other arguments: whether it counts where it is 0. The last of six bits of
            one weight is never inverted.
    """

    steps: tuple[Step, ...]
    inverted: int

    @property
    def _positions(self) -> int:
        return sum(step.positions for step in self.steps)

    def _shifts(self) -> list[int]:
        """The place of each argument's weight."""
        starts = accumulate((step.positions for step in self.steps), initial=0)
        steps = zip(starts, self.steps, strict=False)
        return [0] + [place for start, step in steps for place in [start] * step.ones + [start + 1] * step.twos]

    def _flips(self) -> list[int]:
        """For each argument 1 if it counts where it is 0."""
        return [0] + [self.inverted >> pin & 1 for pin in range(len(self._shifts()) - 1)]

    def range(self, arguments: Sequence[Range]) -> Range:
        """None to all."""
        return Range(0, sum(1 << shift for shift in self._shifts()))

    def evaluate(self, arguments: Sequence[IntArray], ranges: Sequence[Range]) -> IntArray:
        """Add up."""
        total: IntArray = np.zeros(1, np.int64)
        for bit, shift, flip in zip(arguments, self._shifts(), self._flips(), strict=True):
            total = total + ((bit ^ flip) << shift)
        return total

    def verilog(self, arguments: Sequence[Wire], result: Wire) -> str:
        """A sum."""
        terms = []
        for wire, shift, flip in zip(arguments, self._shifts(), self._flips(), strict=True):
            bit = f"{'~' if flip else ''}{wire.name}[0]"
            above = result.width - 1 - shift
            parts = [f"{above}'d0"] * (above > 0) + [bit] + [f"{shift}'d0"] * (shift > 0)
            terms.append(f"{{{', '.join(parts)}}}")
        return " + ".join(terms)

    def instances(self, arguments: Sequence[Wire], result: Wire, cell: int) -> list[str]:
        """Two LUTs for each step of more than two bits, and the chain.

        One place of a slice cannot bring out its sum and its carry, so the last carry leaves as the sum of a place
        more, in front of which no LUT stands.
        """
        names, flips = [f"{wire.name}[0]" for wire in arguments], self._flips()
        luts: list[Lut] = []
        place = 1
        for step in self.steps:
            end = place + step.ones + step.twos
            luts += _counting(step, names[place:end], flips[place:end])
            place = end
        made = chain(result.name, luts, names[0], cell, max(len(luts), result.width))
        return [*made.statements, f"assign {result.name} = {{{', '.join(reversed(made.sums[: result.width]))}}};"]

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT and the carry chain."""
        return 1 + self._positions / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One a position."""
        return float(self._positions)

    def expression(self, arguments: Sequence[str]) -> str:
        """A sum of weighted bits."""
        signs = zip(arguments, self._shifts(), self._flips(), strict=True)
        return " + ".join(f"{'~' if flip else ''}{name}" + f" << {shift}" * (shift > 0) for name, shift, flip in signs)


def _counting(step: Step, pins: Sequence[str], flips: Sequence[int]) -> list[Lut]:
    """The LUTs of a step: the sum of its bits and the carry that comes in, as sum bits and a carry.

    Let T be the number of ones. The first position's sum is odd(T + carry); where T is even its own carry does not
    depend on the one that comes in, and DI says it. What is left over from that carry, 0 to 2 together with the
    twos, is what the second position adds to it.
    """
    ones = step.ones

    def true(bits: Sequence[int]) -> list[int]:
        return [bit ^ flip for bit, flip in zip(bits, flips, strict=False)]

    def odd(bits: Sequence[int]) -> int:
        return sum(true(bits)[:ones]) & 1

    def pair(bits: Sequence[int]) -> bool:
        return sum(true(bits)[:ones]) >= 2

    def rest(bits: Sequence[int]) -> int:
        counted = true(bits)
        # of six bits the first five: where their number is odd, the sixth decides the first position's carry
        number = sum(counted[:ones]) // 2 if ones == LUT_INPUTS else max(0, sum(counted[:ones]) - 1) // 2
        return number + sum(counted[ones:])

    if step.positions == 1:
        return [lut(pins, odd, lambda bits: true(bits)[0])]
    if ones == LUT_INPUTS:  # O5 is odd of five, which is the sixth wherever all six are even
        first, counted = Lut(_table(odd, LUT_INPUTS), tuple(pins)), pins[:5]
    else:
        first, counted = lut(pins[:ones], odd, pair), pins
    return [first, lut(counted, lambda bits: rest(bits) & 1, lambda bits: rest(bits) >> 1)]


@dataclass(frozen=True, slots=True)
class Compared(Slices, Comparison):
    """A comparison by a carry chain, two bits a LUT; of an odd number of bits (3 at least) the lowest costs nothing."""

    def _operands(self, arguments: Sequence[Wire]) -> tuple[list[str], list[str]]:
        """The bits of both, the lowest first; the signs of two's complement change sides, which sorts as unsigned."""
        signed = any(wire.range.signed for wire in arguments)
        width = max(wire.width + (signed and not wire.range.signed) for wire in arguments)
        a, b = ([bit_of(wire, place) for place in range(width)] for wire in arguments)
        if signed:
            a[-1], b[-1] = b[-1], a[-1]
        return a, b

    def instances(self, arguments: Sequence[Wire], result: Wire, cell: int) -> list[str]:
        """Each LUT tells "equal" and "greater" of two bits, and the chain what the highest unequal pair says."""
        a, b = self._operands(arguments)
        luts: list[Lut] = []
        # an odd bit comes in as carry: it decides where all above is equal and b has no one there
        lowest = len(a) % 2
        for place in range(lowest, len(a), 2):
            pins = [*a[place : place + 2], *b[place : place + 2], *b[: lowest * (place == 1)]]
            luts.append(lut(pins, _equal, _greater))
        carry_in = a[0] if lowest else FALSE
        made = chain(result.name, luts, carry_in, cell, len(luts))
        return [*made.statements, f"assign {result.name} = {made.carry};"]

    def levels(self, arguments: Sequence[Range], result: Range) -> float:
        """One LUT and the carry chain."""
        return 1 + self.luts(arguments, result) / CARRY_BITS_PER_LEVEL

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One for two bits."""
        signed = any(bounds.signed for bounds in arguments)
        return float(max(bounds.width + (signed and not bounds.signed) for bounds in arguments) // 2)


def _equal(bits: Sequence[int]) -> bool:
    return bits[0:2] == bits[2:4] and not bits[4]


def _greater(bits: Sequence[int]) -> bool:
    return bits[0] + 2 * bits[1] > bits[2] + 2 * bits[3]


@dataclass(frozen=True, slots=True)
class Chosen(Slices, Choice):
    """A choice, two bits a LUT."""

    def instances(self, arguments: Sequence[Wire], result: Wire, cell: int) -> list[str]:
        """LUTs of two multiplexers each."""
        condition, a, b = arguments
        name, statements = result.name, []
        for low in range(0, result.width, 2):
            places = range(low, min(low + 2, result.width))
            pins = [f"{condition.name}[0]", *(bit_of(wire, place) for place in places for wire in (a, b))]
            each = lut(pins, lambda bits: bits[2 - bits[0]], lambda bits: bits[4 - bits[0]])
            o5 = f"{name}[{low + 1}]" if len(places) == 2 else ""
            statements.append(each.statement(f"{name}_l{low}", f"{name}[{low}]", o5))
        return statements

    def luts(self, arguments: Sequence[Range], result: Range) -> float:
        """One for two bits."""
        return float(-(-result.width // 2))
