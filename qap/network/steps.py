"""An activation as a staircase of integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from qap.errors import QapError
from qap.fixed import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StepTable:
    """An activation as a monotone staircase: `y = values[number of thresholds <= accumulator]`.

    It holds every activation that rises in steps: binary, ternary, leaky ReLU; and, with thresholds of each neuron's
    own, whatever is float between an accumulator and its quantizer, as a normalization that was trained.

    Args:
        thresholds: accumulator values, in LSBs of the accumulator: int64 (k,) that rise, for all neurons alike; or
            (neurons, k), a row a neuron that never falls (a neuron that jumps over a value has two equal ones).
        values: outputs, int64 (k + 1,), in LSBs of the result format.
    """

    thresholds: IntArray
    values: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", frozen_array(self.thresholds))
        object.__setattr__(self, "values", frozen_array(self.values))
        rises = np.diff(self.thresholds) > (0 if self.thresholds.ndim == 1 else -1)
        if self.values.shape != (self.thresholds.shape[-1] + 1,) or not rises.all():
            raise QapError("a step table needs rising thresholds and one value more than thresholds")
        if (np.diff(self.values) < 0).any():
            raise QapError("the values of a step table must not fall")

    def __call__(self, accumulator: IntArray) -> IntArray:
        """The outputs for accumulators of any shape; its last axis is the neurons where each has its own thresholds."""
        if not self.is_per_neuron:
            return self.values[np.searchsorted(self.thresholds, accumulator, side="right")]
        counts = np.empty(accumulator.shape, np.int64)
        for neuron, thresholds in enumerate(self.thresholds):
            counts[..., neuron] = np.searchsorted(thresholds, accumulator[..., neuron], side="right")
        return self.values[counts]

    @property
    def is_per_neuron(self) -> bool:
        """Whether every neuron has thresholds of its own."""
        return self.thresholds.ndim == 2

    def of(self, neurons: IntArray) -> StepTable:
        """The staircase of these neurons, (m,) indices, in this order."""
        return StepTable(self.thresholds[neurons], self.values) if self.is_per_neuron else self

    def alone(self, neuron: int) -> StepTable:
        """The staircase of one neuron, for accumulators of any shape."""
        if not self.is_per_neuron:
            return self
        thresholds = self.thresholds[neuron]
        last = np.append(np.diff(thresholds) > 0, True)  # of equal thresholds only the last decides
        return StepTable(thresholds[last], np.concatenate([self.values[:1], self.values[1:][last]]))


Activation = Literal["linear", "relu"] | StepTable


def frozen_array(values: npt.NDArray[Any]) -> IntArray:
    """A copy of integers that nobody can change."""
    array = np.array(values, np.int64, order="C")
    array.flags.writeable = False
    return array
