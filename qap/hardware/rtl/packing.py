"""Integers as bits: rows of numbers packed into words, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import IntArray

Bits = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


def to_bits(values: npt.NDArray[Any], width: int) -> Bits:
    """The low bits of each number, number after number, the lowest bit first: (n, k) -> (n, k * width)."""
    shifts = np.arange(width, dtype=np.int64)
    bits = (np.asarray(values, np.int64)[..., None] >> shifts) & 1
    return bits.astype(np.uint8).reshape(len(values), -1)


def from_bits(bits: Bits, width: int, signed: bool) -> IntArray:
    """The inverse of `to_bits`: (n, k * width) -> int64 (n, k)."""
    grouped = bits.reshape(len(bits), -1, width).astype(np.int64)
    weights = np.int64(1) << np.arange(width, dtype=np.int64)
    if signed and width < 64:  # bit 63 of int64 is its sign already
        weights[-1] = -weights[-1]
    return grouped @ weights


def to_words(bits: Bits) -> Words:
    """Rows of bits as 32-bit words, the last one filled with zeros: (n, b) -> (n, ceil(b / 32))."""
    padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 32)))
    return np.ascontiguousarray(np.packbits(padded, axis=1, bitorder="little")).view("<u4")


def from_words(words: Words, bits: int) -> Bits:
    """The first bits of rows of 32-bit words: (n, w) -> (n, bits)."""
    raw = np.ascontiguousarray(words, "<u4").view(np.uint8)
    return np.unpackbits(raw.reshape(len(words), -1), axis=1, bitorder="little", count=bits)
