"""Truth tables of six one-bit inputs: their bits, their normal form, and 64 samples looked up at once.

Bit p of an address is the bit at pin p; bit a of a table, a number of 64 bits, is the answer at address a.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qap.fixed import BoolArray, IntArray

PINS = 6
"""Inputs of a table, as a LUT has them."""
ROWS = 1 << PINS
ADDRESSES = np.arange(ROWS)
Words = npt.NDArray[np.uint64]


def bits_of(tables: Words) -> BoolArray:
    """The answers of tables (n,) at every address, (n, 64)."""
    return ((tables[:, None] >> ADDRESSES.astype(np.uint64)) & np.uint64(1)).astype(bool)


def words_of(bits: BoolArray) -> Words:
    """The inverse of `bits_of`."""
    return np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view(np.uint64).ravel()


def ignored(bits: BoolArray) -> BoolArray:
    """Which pins change no answer, (n, 6), of tables as bits (n, 64)."""
    return np.stack([(bits == bits[:, ADDRESSES ^ (1 << pin)]).all(axis=1) for pin in range(PINS)], axis=1)


def without_constants(wires: IntArray, bits: BoolArray, constant: BoolArray, values: IntArray) -> BoolArray:
    """The answers of tables that ignore inputs which are constant.

    Args:
        wires: (n, 6) inputs of the pins.
        bits: (n, 64) answers.
        constant: which inputs are constant, (n_in,).
        values: of the inputs, 0 or 1, (n_in,); read where they are constant.
    """
    bits = bits.copy()
    for pin in range(PINS):
        for value in (0, 1):
            rows = constant[wires[:, pin]] & (values[wires[:, pin]] == value)
            bits[rows] = bits[rows][:, (ADDRESSES & ~(1 << pin)) | (value << pin)]
    return bits


def normal_form(wires: IntArray, bits: BoolArray) -> tuple[IntArray, BoolArray]:
    """The same functions with every input at one pin, in rising order, and none that is ignored.

    Unused pins repeat the wire of pin 0, and the tables ignore them; a constant reads input 0 at every pin. Two
    neurons of one layer are equal if and only if their normal forms are.

    Args:
        wires: (n, 6) inputs of the pins.
        bits: (n, 64) answers.
    """
    bits = bits.copy()
    for pin in range(1, PINS):
        for earlier in range(pin):  # an input at two pins is read at the first of them
            rows = wires[:, pin] == wires[:, earlier]
            copied = (ADDRESSES & ~(1 << pin)) | ((ADDRESSES >> earlier & 1) << pin)
            bits[rows] = bits[rows][:, copied]
    unused = ignored(bits)
    order = np.argsort(np.where(unused, np.iinfo(np.int64).max, wires), axis=1, kind="stable")
    address = sum((ADDRESSES >> pin & 1) << order[:, pin : pin + 1] for pin in range(PINS))
    ordered, unused = np.take_along_axis(wires, order, axis=1), np.take_along_axis(unused, order, axis=1)
    first = np.where(unused[:, :1], 0, ordered[:, :1])
    return np.where(unused, first, ordered), np.take_along_axis(bits, np.asarray(address), axis=1)


def looked_up(bits: BoolArray, pins: Sequence[Words]) -> Words:
    """The answers of tables to many samples, by multiplexers over words of 64 samples.

    Args:
        bits: (n, 64) answers of the tables.
        pins: for each of the six pins (n, words), a bit a sample.

    Returns:
        (n, words), a bit a sample.
    """
    ends = np.where(bits, np.uint64(0xFFFF_FFFF_FFFF_FFFF), np.uint64(0))

    def multiplexed(first: int, count: int) -> Words:
        """The answers among `count` addresses from `first` on, by the pins that tell these apart."""
        if count == 1:
            return ends[:, first : first + 1]
        half = count // 2
        low, high = multiplexed(first, half), multiplexed(first + half, half)
        return low ^ ((low ^ high) & pins[half.bit_length() - 1])

    return multiplexed(0, ROWS)
