"""Pruning by masks inside of the compiled train step.

`PRUNERS` says which weights go, `SCHEDULES` says how many at a time, and `Pruning` holds the masks. The
number of masked weights is exact: weights are ranked, never compared with a threshold that ties could cross.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qap.errors import RecipeError, missing_extra
from qap.recipe import PruneRecipe, StudentRecipe

try:
    import tensorflow as tf
except ImportError as error:
    raise missing_extra("train", error) from error

DEFAULT_END = 0.6
"""The share of all steps after which the final sparsity is reached, if the recipe does not say."""


def magnitude(kernel: Any) -> Any:
    """The absolute value of each weight: small weights go first."""
    return tf.abs(kernel)


PRUNERS: Mapping[str, Callable[[Any], Any]] = {"magnitude": magnitude}
"""Scores of a kernel's weights, same shape; the lowest are pruned."""


def one_shot(progress: Any) -> Any:
    """All at once, at the first update."""
    return tf.ones_like(progress)


def polynomial(progress: Any) -> Any:
    """Fast at first, slower towards the end: 1 - (1 - t)^3, after Zhu and Gupta 2017 (arXiv:1710.01878)."""
    return 1 - (1 - progress) ** 3


SCHEDULES: Mapping[str, Callable[[Any], Any]] = {"one-shot": one_shot, "polynomial": polynomial}
"""The share of the final sparsity at a progress from 0 to 1 between `begin_step` and `end_step`; 1 at its end."""


@dataclass(frozen=True, slots=True)
class Period:
    """When masks are renewed, in optimizer steps that are done.

    Args:
        begin: the first renewal.
        end: the last one; the final sparsity is reached there.
        every: steps from one to the next.
    """

    begin: int
    end: int
    every: int

    @classmethod
    def of(cls, prune: PruneRecipe, total_steps: int) -> Period:
        """The period of a recipe in a training of so many steps.

        Raises:
            RecipeError: it does not end before the training does.
        """
        begin = prune.begin_step
        if prune.schedule == "one-shot":
            if begin >= total_steps:
                raise RecipeError(f"prune.begin_step={begin} is not below the {total_steps} steps of the training")
            return cls(begin, begin, 1)
        end = prune.end_step or max(begin + 1, round(DEFAULT_END * total_steps))
        if end > total_steps:
            what = f"prune.end_step={prune.end_step}" if prune.end_step else f"prune.begin_step={begin}"
            raise RecipeError(
                f"{what} is beyond the {total_steps} steps of the training; train more epochs or prune earlier"
            )
        return cls(begin, end, prune.every)


class Pruning:
    """The masks of a model's kernels and when they change; biases are never pruned.

    Args:
        kernels: the Keras variables of the layers, in order.
        sparsities: the final share of masked weights of each kernel, or one share for all of them together.
        prune: method and schedule.
        total_steps: optimizer steps of the whole training.

    Raises:
        RecipeError: the schedule does not fit into the training.
    """

    def __init__(
        self, kernels: Sequence[Any], sparsities: Sequence[float] | float, prune: PruneRecipe, total_steps: int
    ) -> None:
        self.period = Period.of(prune, total_steps)
        self._score = PRUNERS[prune.method]
        self._schedule = SCHEDULES[prune.schedule]
        self._kernels = list(kernels)
        self._masks = [tf.Variable(tf.ones_like(tf.convert_to_tensor(kernel)), trainable=False) for kernel in kernels]
        everything = list(range(len(self._kernels)))
        if isinstance(sparsities, (int, float)):
            self._groups = [(everything, float(sparsities))]
        else:
            self._groups = [([index], share) for index, share in zip(everything, sparsities, strict=True)]

    @property
    def masks(self) -> list[Any]:
        """float32 arrays of 0 and 1, shaped as the kernels."""
        return [mask.numpy() for mask in self._masks]

    @property
    def sparsity(self) -> float:
        """The share of masked weights now."""
        masks = self.masks
        return float(sum((mask == 0).sum() for mask in masks) / sum(mask.size for mask in masks))

    def update(self, steps_done: Any) -> None:
        """Hold the masked weights at 0, and renew the masks when it is time; part of the graph of the train step.

        Args:
            steps_done: int64 scalar tensor, optimizer steps done so far; 0 before the first.
        """
        self._hold()
        since = steps_done - self.period.begin
        within = (since >= 0) & (steps_done <= self.period.end)
        due = within & ((since % self.period.every == 0) | (steps_done == self.period.end))
        if due:
            self._renew(steps_done)
            self._hold()

    def _hold(self) -> None:
        for kernel, mask in zip(self._kernels, self._masks, strict=True):
            kernel.assign(kernel * mask)

    def _renew(self, steps_done: Any) -> None:
        """New masks from the scores of the weights as they are."""
        length = max(1, self.period.end - self.period.begin)
        progress = tf.cast(steps_done - self.period.begin, tf.float64) / length
        share = self._schedule(progress)
        for members, final in self._groups:
            scores = [tf.reshape(self._score(self._kernels[index]), [-1]) for index in members]
            sizes = [int(self._masks[index].shape.num_elements()) for index in members]
            masked = tf.cast(tf.round(final * share * sum(sizes)), tf.int32)
            flat = tf.split(mask_lowest(tf.concat(scores, 0), masked), sizes)
            for index, part in zip(members, flat, strict=True):
                self._masks[index].assign(tf.reshape(part, self._masks[index].shape))


def mask_lowest(scores: Any, count: Any) -> Any:
    """1 for every score but the `count` lowest, which are 0; the first of equal scores counts as the lowest.

    Args:
        scores: float (n,).
        count: int32 scalar, 0 to n.

    Returns:
        float32 (n,).
    """
    order = tf.argsort(scores, stable=True)
    size = tf.size(scores)
    return tf.scatter_nd(order[:, None], tf.cast(tf.range(size) >= count, tf.float32), [size])


def final_sparsities(prune: PruneRecipe, student: StudentRecipe) -> list[float] | float:
    """What `Pruning` wants: a share for each layer, or one for all together."""
    if prune.scope == "global":
        return prune.sparsity
    return [prune.sparsity if layer.sparsity is None else layer.sparsity for layer in student.layers]
