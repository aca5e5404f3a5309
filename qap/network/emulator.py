"""The fast emulator: exact matrix products of integers, and truth tables of 64 samples at once.

BLAS multiplies integers exactly as long as no partial sum leaves the mantissa. The weights bound all
partial sums, and that bound picks the cheapest arithmetic that is exact: float32 below 2**24, float64
below 2**53, int64 above. Inputs that no weight reads are not even copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import BoolArray, IntArray
from qap.network.interval import Interval, partial_sum_bound
from qap.network.truth_tables import PINS, Words, looked_up

SMALL_PRODUCT = 2**18
"""Multiplications up to which BLAS keeps a matrix product in one thread; handing a thin one to more costs time."""
FEWEST_ROWS, MANY_ROWS = 32, 2048
CACHED_WORDS = 1 << 14
"""Words of 64 samples of all tables that are looked up at once, so that what lies between them stays in the cache."""
WORD = 64


class ExactProduct:
    """`x @ weight + bias` in exact integers, for x within known ranges.

    Args:
        weight: int64 (n_in, n_out), in LSBs of the accumulator.
        bias: int64 (n_out,), in LSBs of the accumulator.
        inputs: the range of each input.
    """

    def __init__(self, weight: IntArray, bias: IntArray, inputs: Interval) -> None:
        columns = np.flatnonzero(weight.any(axis=1))
        self._columns = None if columns.size > 0.75 * len(weight) else columns
        self._dtype = exact_dtype(weight, bias, inputs)
        self._weight = (weight if self._columns is None else weight[columns]).astype(self._dtype)
        self._bias = bias.astype(self._dtype)
        # so few samples at once that their copies stay in the cache, unless the layer is wide enough for all threads
        few = SMALL_PRODUCT // max(1, self._weight.size)
        self._rows = few if few >= FEWEST_ROWS else MANY_ROWS

    def __call__(self, x: npt.NDArray[Any]) -> IntArray:
        """The accumulators, int64 (n, n_out), of integers (n, n_in) of any type."""
        accumulator = np.empty((len(x), self._bias.size), self._dtype)
        for start in range(0, len(x), self._rows):
            part = x[start : start + self._rows]
            picked = part if self._columns is None else part.take(self._columns, axis=1)
            np.matmul(picked.astype(self._dtype), self._weight, out=accumulator[start : start + self._rows])
        accumulator += self._bias
        return accumulator.astype(np.int64, copy=False)


def exact_dtype(weight: IntArray, bias: IntArray, inputs: Interval) -> type[np.floating[Any]] | type[np.int64]:
    """The cheapest type whose matrix product is exact: every partial sum is below its mantissa.

    Args:
        weight: (n_in, n_out) in LSBs of the accumulator.
        bias: (n_out,) in LSBs of the accumulator.
        inputs: the range of each input.
    """
    bound = partial_sum_bound(weight, bias, inputs)
    if bound < 2**24:
        return np.float32
    return np.float64 if bound < 2**53 else np.int64


class TableLookup:
    """The answers of truth tables, bit-sliced: a word holds one bit of each of 64 samples.

    Args:
        wires: (n, 6), which input each pin reads.
        bits: (n, 64), the answers of the tables.
    """

    def __init__(self, wires: IntArray, bits: BoolArray) -> None:
        self._columns, places = np.unique(wires, return_inverse=True)
        self._places = places.reshape(wires.shape)
        self._bits = bits
        self._words = max(1, CACHED_WORDS // len(bits))

    def __call__(self, x: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """The answers, (n, tables), to inputs (n, n_in) of 0 and 1, of any integer type."""
        packed = _packed(x.take(self._columns, axis=1))
        answers: Words = np.empty((len(self._bits), packed.shape[1]), np.uint64)
        for start in range(0, packed.shape[1], self._words):
            part = packed[:, start : start + self._words]
            pins = [part[self._places[:, pin]] for pin in range(PINS)]
            answers[:, start : start + self._words] = looked_up(self._bits, pins)
        return _unpacked(answers, len(x))


def _packed(x: npt.NDArray[Any]) -> Words:
    """Samples (n, inputs) of 0 and 1 as words (inputs, ceil(n / 64)), the first sample lowest."""
    bits = np.pad(x.astype(np.uint8).T, ((0, 0), (0, -len(x) % WORD)))
    return np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view(np.uint64)


def _unpacked(words: Words, count: int) -> npt.NDArray[np.uint8]:
    """The inverse of `_packed`, (count, inputs)."""
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little", count=count)
    return np.ascontiguousarray(bits.T)
