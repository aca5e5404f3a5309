"""What layers of single bits, tables and thresholds, have in common."""

from __future__ import annotations

import numpy as np

from qap.errors import NotExact
from qap.fixed import BoolArray, FixedPoint, IntArray
from qap.network.interval import Interval
from qap.rows import Row

BIT = FixedPoint(False, 1, 1)
"""The format of one-bit results."""


def first_equal(rows: IntArray) -> IntArray:
    """For each row the index of the first that equals it."""
    _, first, places = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[places.ravel()], np.int64)


def marked(places: IntArray, count: int) -> BoolArray:
    """Which of so many places are named, (count,)."""
    marks = np.zeros(count, bool)
    marks[places] = True
    return marks


def refuse_places(name: str, what: str, places: IntArray, n_in: int) -> None:
    """Refuse places that are no inputs; `what` says who reads them."""
    wrong = places[(places < 0) | (places >= n_in)]
    if wrong.size:
        raise NotExact(name, f"{what} input {wrong[0]}, but it has {n_in} inputs")


def refuse_count(name: str, n_in: int, inputs: Interval) -> None:
    """Refuse a layer behind another number of inputs."""
    if n_in != inputs.low.size:
        raise NotExact(name, f"it reads {n_in} inputs, but there are {inputs.low.size}")


def bits_row(name: str, n_in: int, n_out: int, kind: str) -> Row:
    """A row as layers of weights have it, with what such a layer has not left empty."""
    empty = {"not 0": None, "weight": "", "bias": "", "accumulator": ""}
    return {"layer": name, "inputs": n_in, "outputs": n_out, **empty, "activation": kind, "result": str(BIT)}
