"""Rewinding: after a round of pruning the weights that are left start again from earlier values (arXiv:1803.03635)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class Rewinding:
    """Values of variables to which they can go back; the optimizer's moments and its learning rate go on.

    Args:
        variables: kernels and biases.
        step: after how many optimizer steps their values are remembered.
    """

    def __init__(self, variables: Sequence[Any], step: int) -> None:
        self._variables = list(variables)
        self._step = step
        self._values = [tf.Variable(tf.convert_to_tensor(variable), trainable=False) for variable in variables]

    def remember(self, steps_done: Any) -> None:
        """Keep the values when it is time; part of the graph."""
        if steps_done == self._step:
            for value, variable in zip(self._values, self._variables, strict=True):
                value.assign(variable)

    def rewind(self) -> None:
        """Go back to them; part of the graph."""
        for value, variable in zip(self._values, self._variables, strict=True):
            variable.assign(value)
