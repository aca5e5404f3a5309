"""A layer of thresholds, which makes single bits of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import BoolArray, FixedPoint, IntArray
from qap.network.bits import BIT, bits_row, first_equal, marked, refuse_count, refuse_places
from qap.network.interval import Interval
from qap.network.steps import frozen_array
from qap.rows import Row


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdLayer:
    """Bits of numbers: result j is `x[features[j]] >= thresholds[j]`.

    Args:
        name: unique in the network.
        features: int64 (n_out,), which input each bit compares.
        thresholds: int64 (n_out,), in LSBs of the input.
        n_in: inputs.

    Raises:
        NotExact: shapes do not fit, or a feature is not there.
    """

    name: str
    features: IntArray
    thresholds: IntArray
    n_in: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", frozen_array(self.features))
        object.__setattr__(self, "thresholds", frozen_array(self.thresholds))
        if self.features.ndim != 1 or not self.features.size or self.features.shape != self.thresholds.shape:
            raise NotExact(
                self.name,
                f"each threshold needs a feature, but got features {self.features.shape} and thresholds "
                f"{self.thresholds.shape}",
            )
        refuse_places(self.name, "a threshold compares", self.features, self.n_in)

    @property
    def kind(self) -> str:
        """What it is made of, for people."""
        return "thresholds"

    @property
    def n_out(self) -> int:
        """Thresholds."""
        return int(self.features.size)

    @property
    def result_format(self) -> FixedPoint:
        """One bit."""
        return BIT

    @property
    def reads(self) -> BoolArray:
        """Which inputs a threshold compares, (n_in,)."""
        return marked(self.features, self.n_in)

    @property
    def firsts(self) -> IntArray:
        """For each threshold the first that is equal, (n_out,)."""
        return first_equal(np.stack([self.features, self.thresholds], axis=1))

    @property
    def stored_bits(self) -> int:
        """For each threshold the bits that hold all of them, and so many as tell the inputs apart."""
        return self.n_out * (self.threshold_format(0).width + (self.n_in - 1).bit_length())

    def threshold_format(self, fractional: int) -> FixedPoint:
        """The narrowest format that holds all thresholds, behind inputs with so many fractional bits."""
        return FixedPoint.smallest(int(self.thresholds.min()), int(self.thresholds.max()), fractional)

    @property
    def spec(self) -> ThresholdLayer:
        """Itself: there is nothing to prove."""
        return self

    def proven(self, source: FixedPoint, inputs: Interval) -> ThresholdLayer:
        """Itself, behind as many inputs.

        Raises:
            NotExact: there are not as many.
        """
        refuse_count(self.name, self.n_in, inputs)
        return self

    def forward(self, x_int: IntArray, input_fractional: int) -> IntArray:
        """The results (n, n_out), 0 or 1, of inputs (n, n_in)."""
        return self._compared(x_int)

    def _compared(self, x_int: IntArray) -> IntArray:
        """The results of inputs (..., n_in)."""
        return np.asarray(x_int[..., self.features] >= self.thresholds, np.int64)

    def intervals(self, inputs: Interval, input_fractional: int) -> tuple[Interval, Interval]:
        """The ranges of the results, twice."""
        results = Interval(self._compared(inputs.low), self._compared(inputs.high))
        return results, results

    def executor(self, inputs: Interval, input_fractional: int) -> Callable[[npt.NDArray[Any]], IntArray]:
        """`forward`."""
        return lambda x_int: self.forward(x_int, input_fractional)

    def float_bits(self, inputs: Interval, input_fractional: int) -> int:
        """Those of the inputs and thresholds that are compared."""
        low = min(int(inputs.low.min()), int(self.thresholds.min()))
        return FixedPoint.smallest(low, max(int(inputs.high.max()), int(self.thresholds.max())), 0).width

    def kept(self, rows: IntArray, columns: IntArray) -> ThresholdLayer:
        """The layer with these of its inputs and thresholds alone."""
        places = np.zeros(self.n_in, np.int64)
        places[rows] = np.arange(rows.size)
        return ThresholdLayer(self.name, places[self.features[columns]], self.thresholds[columns], rows.size)

    def folded(self, constant: BoolArray, values: IntArray, input_fractional: int) -> ThresholdLayer:
        """Itself: what compares a constant is a constant by its interval."""
        return self

    def redirected(self, places: IntArray) -> ThresholdLayer:
        """The same layer where input `places[i]` is read in the place of input i, which equals it; (n_in,)."""
        return replace(self, features=places[self.features])

    def behind(self, wires: IntArray, n_in: int) -> ThresholdLayer:
        """The layer without one before it that only hands on its inputs `wires`, one for each input, of `n_in`."""
        return replace(self, features=wires[self.features], n_in=n_in)

    def row(self) -> Row:
        """Its shape and format, for people."""
        return bits_row(self.name, self.n_in, self.n_out, "thresholds")

    def content(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The layer as a JSON-like header and named arrays."""
        return {"name": self.name, "kind": "thresholds", "n_in": self.n_in}, {
            "features": self.features,
            "thresholds": self.thresholds,
        }
