"""Which weights compete with each other: all, those of a layer, those of a neuron, or whole neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from qap.recipe import PruneRecipe, StudentRecipe

NEVER = float("-inf")
"""The score of what must go."""


class Ranking(Protocol):
    """A table whose rows are ranked one by one; a 1 of `live` (rows, n) is a weight or a neuron that stays."""

    @property
    def final(self) -> float:
        """The share of each row that is masked in the end."""

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, n)."""

    def table(self, scores: Sequence[Any]) -> Any:
        """The scores (rows, n) from those of a pruning method."""

    def masks(self, live: Any) -> dict[int, Any]:
        """For each kernel that is concerned, by its place, a mask that broadcasts to it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of some kernels, all together in one row."""

    members: tuple[int, ...]
    shapes: tuple[tuple[int, int], ...]
    final: float

    @property
    def shape(self) -> tuple[int, int]:
        """One row with every weight."""
        return 1, sum(n_in * n_out for n_in, n_out in self.shapes)

    def table(self, scores: Sequence[Any]) -> Any:
        """All scores in one row."""
        return tf.concat([tf.reshape(scores[place], [1, -1]) for place in self.members], 1)

    def masks(self, live: Any) -> dict[int, Any]:
        """The row in pieces."""
        parts = tf.split(live[0], [n_in * n_out for n_in, n_out in self.shapes])
        return {
            place: tf.reshape(part, shape) for place, part, shape in zip(self.members, parts, self.shapes, strict=True)
        }


@dataclass(frozen=True, slots=True)
class Inputs:
    """The weights of each neuron of a kernel, one row for each neuron."""

    member: int
    kernel: tuple[int, int]
    final: float

    @property
    def shape(self) -> tuple[int, int]:
        """(n_out, n_in)."""
        return self.kernel[1], self.kernel[0]

    def table(self, scores: Sequence[Any]) -> Any:
        """The kernel's scores, transposed."""
        return tf.transpose(scores[self.member])

    def masks(self, live: Any) -> dict[int, Any]:
        """The table, transposed back."""
        return {self.member: tf.transpose(live)}


@dataclass(frozen=True, slots=True)
class Neurons:
    """The neurons of some hidden layers, all together in one row; each layer keeps its best one."""

    members: tuple[int, ...]
    units: tuple[int, ...]
    final: float

    @property
    def shape(self) -> tuple[int, int]:
        """One row with every neuron."""
        return 1, sum(self.units)

    def table(self, scores: Sequence[Any]) -> Any:
        """The scores of neurons, or the sums of those of their in- and outgoing weights.

        Layers of different sizes become comparable by the mean of their scores (arXiv:1611.06440 normalizes too).
        """
        rows = [_protect_best(_normalized(self._of_layer(scores, place))) for place in self.members]
        return tf.concat(rows, 0)[None]

    def _of_layer(self, scores: Sequence[Any], place: int) -> Any:
        own = scores[place]
        if len(own.shape) == 1:
            return own
        return tf.reduce_sum(own, axis=0) + tf.reduce_sum(scores[place + 1], axis=1)

    def masks(self, live: Any) -> dict[int, Any]:
        """Columns of the neurons' own kernels and rows of the kernels that read them."""
        found: dict[int, Any] = {}
        for place, part in zip(self.members, tf.split(live[0], self.units), strict=True):
            found[place] = found.get(place, 1.0) * part[None, :]
            found[place + 1] = found.get(place + 1, 1.0) * part[:, None]
        return found


def rankings(prune: PruneRecipe, student: StudentRecipe, n_in: int) -> list[Ranking]:
    """What a recipe ranks; nothing when it prunes nothing.

    Args:
        prune: granularity, scope and sparsity.
        student: the layers, some with a sparsity or fan-in of their own.
        n_in: inputs of the first layer.
    """
    units = [layer.units for layer in student.layers]
    shapes = tuple(zip([n_in, *units], units, strict=False))
    shares = [prune.sparsity if layer.sparsity is None else layer.sparsity for layer in student.layers]
    places = tuple(range(len(units)))
    found: list[Ranking] = []
    if prune.granularity == "fan-in":
        kept = [layer.fan_in or prune.fan_in or n for layer, (n, _) in zip(student.layers, shapes, strict=True)]
        found = [Inputs(place, shapes[place], max(0.0, 1 - kept[place] / shapes[place][0])) for place in places]
    elif prune.granularity == "neuron" and prune.scope == "global":
        found = [Neurons(places[:-1], tuple(units[:-1]), prune.sparsity)]
    elif prune.granularity == "neuron":
        found = [Neurons((place,), (units[place],), shares[place]) for place in places[:-1]]
    elif prune.scope == "global":
        found = [Weights(places, shapes, prune.sparsity)]
    else:
        found = [Weights((place,), (shapes[place],), shares[place]) for place in places]
    return [ranking for ranking in found if ranking.final] and found


def mask_lowest(scores: Any, count: Any) -> Any:
    """1 for every score but the `count` lowest of each row, which are 0; the first of equal scores is the lowest.

    Args:
        scores: float (rows, n).
        count: int32 scalar, 0 to n.

    Returns:
        float32 (rows, n).
    """
    order = tf.argsort(scores, axis=1, stable=True)
    return tf.cast(tf.argsort(order, axis=1) >= count, tf.float32)


def _normalized(scores: Any) -> Any:
    return scores / tf.maximum(tf.reduce_mean(scores), 1e-30)


def _protect_best(scores: Any) -> Any:
    best = tf.one_hot(tf.argmax(scores), tf.size(scores), on_value=True, off_value=False, dtype=tf.bool)
    return tf.where(best, float("inf"), scores)
