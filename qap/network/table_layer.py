"""A layer of truth tables, which compute with single bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import BoolArray, FixedPoint, IntArray
from qap.network.bits import BIT, bits_row, first_equal, marked, refuse_count, refuse_places
from qap.network.emulator import TableLookup
from qap.network.interval import Interval
from qap.network.steps import frozen_array
from qap.network.truth_tables import (
    ADDRESSES,
    PINS,
    ROWS,
    Words,
    bits_of,
    ignored,
    normal_form,
    without_constants,
    words_of,
)
from qap.rows import Row


@dataclass(frozen=True, slots=True, eq=False)
class TableLayer:
    """Truth tables of up to six one-bit inputs.

    Bit p of the address of neuron j is the bit at `wires[j, p]`; its result is bit `address` of `tables[j]`. Of fewer
    inputs the unused pins repeat the wire of pin 0, and the table ignores them.

    Args:
        name: unique in the network.
        wires: int64 (n_out, 6), which input each pin reads.
        tables: uint64 (n_out,).
        n_in: inputs, each 0 or 1 in LSBs of their format, whatever its LSB is worth.

    Raises:
        NotExact: shapes do not fit, or a wire reads an input that is not there.
    """

    name: str
    wires: IntArray
    tables: Words
    n_in: int

    def __post_init__(self) -> None:
        tables = np.array(self.tables, np.uint64)
        tables.flags.writeable = False
        object.__setattr__(self, "wires", frozen_array(self.wires))
        object.__setattr__(self, "tables", tables)
        if tables.ndim != 1 or not tables.size or self.wires.shape != (tables.size, PINS):
            raise NotExact(
                self.name, f"each table needs {PINS} wires, but got wires {self.wires.shape} and tables {tables.shape}"
            )
        refuse_places(self.name, "a wire reads", self.wires, self.n_in)

    @property
    def kind(self) -> str:
        """What it is made of, for people."""
        return "truth tables"

    @property
    def n_out(self) -> int:
        """Tables."""
        return int(self.tables.size)

    @property
    def result_format(self) -> FixedPoint:
        """One bit."""
        return BIT

    @property
    def bits(self) -> BoolArray:
        """The answers at every address, (n_out, 64)."""
        return bits_of(self.tables)

    @property
    def reads(self) -> BoolArray:
        """Which inputs change a result, (n_in,)."""
        return marked(self.wires[~ignored(self.bits)], self.n_in)

    @property
    def firsts(self) -> IntArray:
        """For each table the first that computes the same, (n_out,)."""
        wires, bits = normal_form(self.wires, self.bits)
        return first_equal(np.hstack([wires, bits]))

    @property
    def stored_bits(self) -> int:
        """64 bits a table, and for each of its wires so many as tell the inputs apart."""
        return self.tables.size * ROWS + self.wires.size * (self.n_in - 1).bit_length()

    @property
    def spec(self) -> TableLayer:
        """Itself: there is nothing to prove."""
        return self

    def proven(self, source: FixedPoint, inputs: Interval) -> TableLayer:
        """Itself, behind inputs of one bit.

        Raises:
            NotExact: an input has more than one bit, or there are not as many.
        """
        if (source.min_int, source.max_int) != (0, 1):
            raise NotExact(
                self.name, f"its tables read single bits, but its inputs are {source}; put thresholds before it"
            )
        refuse_count(self.name, self.n_in, inputs)
        return self

    def forward(self, x_int: IntArray, input_fractional: int) -> IntArray:
        """The results (n, n_out), 0 or 1, of inputs (n, n_in) of 0 and 1."""
        return self.bits[np.arange(self.n_out), self.addresses(x_int)].astype(np.int64)

    def addresses(self, x_int: IntArray) -> npt.NDArray[np.uint8]:
        """Where each table is read, (n, n_out), for inputs (n, n_in) of 0 and 1."""
        bits, address = x_int.astype(np.uint8), np.zeros((len(x_int), self.n_out), np.uint8)
        for pin in range(PINS):
            address |= bits[:, self.wires[:, pin]] << np.uint8(pin)
        return address

    def intervals(self, inputs: Interval, input_fractional: int) -> tuple[Interval, Interval]:
        """The ranges of the results, twice: constants where inputs that are constant, or the table, make them so."""
        constant = inputs.low == inputs.high
        bits = without_constants(self.wires, self.bits, constant, inputs.low)
        _, bits = normal_form(self.wires, bits)  # an input at two pins is one input
        results = Interval(np.asarray(bits.all(axis=1), np.int64), np.asarray(bits.any(axis=1), np.int64))
        return results, results

    def executor(self, inputs: Interval, input_fractional: int) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
        """A fast `forward`: 64 samples at once; its results are integers of any type."""
        return TableLookup(self.wires, self.bits)

    def float_bits(self, inputs: Interval, input_fractional: int) -> int:
        """One: there is no sum."""
        return 1

    def kept(self, rows: IntArray, columns: IntArray) -> TableLayer:
        """The layer with these of its inputs and tables alone; a pin that is ignored may lose its input."""
        places = np.zeros(self.n_in, np.int64)
        places[rows] = np.arange(rows.size)
        return replace(self, wires=places[self.wires[columns]], tables=self.tables[columns], n_in=rows.size)

    def folded(self, constant: BoolArray, values: IntArray, input_fractional: int) -> TableLayer:
        """The same layer in normal form, with tables that ignore constant inputs; arguments as of `LayerSpec`."""
        wires, bits = normal_form(self.wires, without_constants(self.wires, self.bits, constant, values))
        return replace(self, wires=wires, tables=words_of(bits))

    def redirected(self, places: IntArray) -> TableLayer:
        """The same layer where input `places[i]` is read in the place of input i, which equals it; (n_in,)."""
        return replace(self, wires=places[self.wires])

    def behind(self, wires: IntArray, n_in: int) -> TableLayer:
        """The layer without one before it that only hands on its inputs `wires`, one for each input, of `n_in`."""
        return replace(self, wires=wires[self.wires], n_in=n_in)

    @property
    def handed_on(self) -> BoolArray:
        """Which tables in normal form are nothing but the wire of their first pin, (n_out,)."""
        return np.asarray((self.bits == (ADDRESSES & 1).astype(bool)).all(axis=1), bool)

    def row(self) -> Row:
        """Its shape and format, for people."""
        return bits_row(self.name, self.n_in, self.n_out, "tables")

    def content(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The layer as a JSON-like header and named arrays."""
        return {"name": self.name, "kind": "tables", "n_in": self.n_in}, {
            "wires": self.wires,
            "tables": self.tables,
        }
