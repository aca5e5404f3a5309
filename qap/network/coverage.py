"""Inputs that reach the rows of truth tables, so that a wrong bit of a table cannot hide; and how many they reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qap.fixed import BoolArray, IntArray
from qap.network.network import IntegerNetwork
from qap.network.table_layer import TableLayer
from qap.network.threshold_layer import ThresholdLayer
from qap.network.truth_tables import ADDRESSES, PINS, ROWS

DRAWN = 512
"""Random inputs before any is made for a row: of 1,000 tables they leave some dozen rows."""
MADE = 512
"""Inputs that are made for rows, at most."""
TRIED = 256
"""Rows that an input is made for, at most."""


class Coverage(NamedTuple):
    """How many rows of the tables of a layer were reached.

    Args:
        layer: its name.
        reached: rows that some input addressed.
        possible: rows that some input can address, as far as that is known: for tables that read inputs or thresholds
            of inputs; for others all 64 of each table.
        proven: whether `possible` is known.
    """

    layer: str
    reached: int
    possible: int
    proven: bool

    def __str__(self) -> str:
        of = "rows that its wiring allows" if self.proven else "rows, some of which no input may reach"
        return f"the vectors reach {self.reached:,} of {self.possible:,} {of} of the tables of {self.layer!r}"


class _Pins(NamedTuple):
    """The pins of the first layer of tables as comparisons of inputs: features and thresholds, (n, 6) both."""

    features: IntArray
    thresholds: IntArray


def row_vectors(network: IntegerNetwork, seed: int = 0) -> IntArray:
    """Inputs (n, n_in), in LSBs, for the rows of the tables of a network; none for a network without tables.

    Rows of tables on inputs, or on thresholds of inputs, that chance leaves are aimed at by at most `MADE` inputs, each
    made for many rows. Those of further layers are met by chance; `coverage` says how many.
    """
    if not network.tables:
        return np.zeros((0, network.n_in), np.int64)
    rng, form = np.random.default_rng(seed), network.input_format
    drawn = rng.integers(form.min_int, form.max_int, (DRAWN, network.n_in), np.int64, endpoint=True)
    first = _first(network)
    if first is None:
        return drawn
    layer, pins = first
    missing = _possible(network, pins) & ~_reached(network, drawn)[layer.name]
    made = list(_made(network, pins, missing, rng))
    return np.concatenate([drawn, *(row[None] for row in made)])


def coverage(network: IntegerNetwork, x_int: IntArray) -> list[Coverage]:
    """How many rows of each layer of tables some inputs (n, n_in) reach."""
    first, found = _first(network), []
    for name, reached in _reached(network, x_int).items():
        proven = first is not None and first[0].name == name
        possible = int(_possible(network, first[1]).sum()) if first and proven else reached.size
        found.append(Coverage(name, int(reached.sum()), possible, proven))
    return found


def _first(network: IntegerNetwork) -> tuple[TableLayer, _Pins] | None:
    """The first layer of tables where it reads inputs or thresholds of them, None elsewhere."""
    first, *rest = network.layers
    if isinstance(first, TableLayer):
        return first, _Pins(first.wires, np.ones_like(first.wires))
    if isinstance(first, ThresholdLayer) and rest and isinstance(rest[0], TableLayer):
        return rest[0], _Pins(first.features[rest[0].wires], first.thresholds[rest[0].wires])
    return None


def _possible(network: IntegerNetwork, pins: _Pins) -> BoolArray:
    """Which rows some input addresses, (n, 64): what a lower threshold misses, a higher one of the input does too."""
    form, one = network.input_format, (ADDRESSES[:, None] >> np.arange(PINS) & 1).astype(bool)
    features, thresholds = pins
    possible = np.ones((len(features), ROWS), bool)
    for p in range(PINS):
        always, never = thresholds[:, p] <= form.min_int, thresholds[:, p] > form.max_int
        possible &= ~(always[:, None] & ~one[:, p]) & ~(never[:, None] & one[:, p])
        for q in range(PINS):
            implied = (features[:, p] == features[:, q]) & (thresholds[:, p] <= thresholds[:, q])
            possible &= ~(implied[:, None] & one[:, q] & ~one[:, p])
    return possible


def _reached(network: IntegerNetwork, x_int: IntArray) -> dict[str, BoolArray]:
    """Which rows inputs address, (n, 64) for each layer of tables."""
    reached: dict[str, BoolArray] = {}
    read = [x_int, *network.trace(x_int)[:-1]]
    for layer, x in zip(network.layers, read, strict=True):
        if isinstance(layer, TableLayer):
            marks = np.zeros((layer.n_out, ROWS), bool)
            marks[np.arange(layer.n_out), layer.addresses(x)] = True
            reached[layer.name] = marks
    return reached


def _made(network: IntegerNetwork, pins: _Pins, missing: BoolArray, rng: np.random.Generator) -> Iterator[IntArray]:
    """Inputs (n_in,) for rows that are missing, each for as many of them as go together."""
    form = network.input_format
    rows = rng.permutation(np.argwhere(missing)).tolist()
    for _ in range(MADE):
        if not rows:
            return
        low, high = np.full(network.n_in, form.min_int), np.full(network.n_in, form.max_int)
        left = [[table, row] for table, row in rows[:TRIED] if not _narrow(pins, table, row, low, high)]
        rows = rows[TRIED:] + left
        yield rng.integers(low, high, dtype=np.int64, endpoint=True)


def _narrow(pins: _Pins, table: int, row: int, low: IntArray, high: IntArray) -> bool:
    """Narrow the ranges of inputs, (n_in,), to those that address a row; whether that is possible."""
    features = pins.features[table]
    before = low[features].copy(), high[features].copy()
    for pin, (feature, threshold) in enumerate(zip(features, pins.thresholds[table], strict=True)):
        if row >> pin & 1:
            low[feature] = max(low[feature], threshold)
        else:
            high[feature] = min(high[feature], threshold - 1)
    if (low[features] <= high[features]).all():
        return True
    low[features], high[features] = before
    return False
