"""When how much is pruned, and what may happen to masked weights later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from qap.errors import RecipeError
from qap.recipe import PruneRecipe
from qap.training.pruning.dynamic import by_chance, by_gradient
from qap.training.pruning.evidence import Evidence

DEFAULT_END = 0.6
"""The share of all steps after which the final sparsity is reached, if the recipe does not say."""
ONE_SHOT = 0.25
"""The share of all steps after which "one-shot" prunes, if the recipe does not say: what is pruned must have learnt."""
DEFAULT_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class PruningSchedule:
    """How masks change over the steps.

    Args:
        sparsity: (progress, final sparsity, rounds) -> the sparsity now; progress is a float64 scalar from 0 to 1.
        returns: whether masked weights compete again at each renewal, with what one step made of them.
        rewinds: whether the weights go back to earlier ones after each round.
        regrow: scores of masked weights, the highest come back while as many live ones are dropped; None: they stay.
    """

    sparsity: Callable[[Any, float, int], Any]
    returns: bool = False
    rewinds: bool = False
    regrow: Callable[[Evidence], list[Any]] | None = None


def at_once(progress: Any, final: float, rounds: int) -> Any:
    """The final sparsity from the first renewal on."""
    return final * tf.ones_like(progress)


def cubic(progress: Any, final: float, rounds: int) -> Any:
    """Fast at first, slower towards the end: final * (1 - (1 - t)^3), after Zhu and Gupta 2017 (arXiv:1710.01878)."""
    return final * (1 - (1 - progress) ** 3)


def in_rounds(progress: Any, final: float, rounds: int) -> Any:
    """The same share of what is left in each round, with training before and between (arXiv:1803.03635)."""
    done = tf.floor(progress * rounds)
    return tf.where(done >= rounds, tf.constant(final, progress.dtype), 1 - (1 - final) ** (done / rounds))


SCHEDULES: Mapping[str, PruningSchedule] = {
    "one-shot": PruningSchedule(at_once),
    "constant": PruningSchedule(at_once, returns=True),
    "polynomial": PruningSchedule(cubic),
    "iterative": PruningSchedule(in_rounds),
    "lottery-ticket": PruningSchedule(in_rounds, rewinds=True),
    "rigl": PruningSchedule(at_once, regrow=by_gradient),
    "set": PruningSchedule(at_once, regrow=by_chance),
}
"""`prune.schedule` -> how masks change."""


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
        begin = prune.begin_step or 0
        if prune.schedule == "one-shot":
            begin = round(ONE_SHOT * total_steps) if prune.begin_step is None else prune.begin_step
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

    def due(self, steps_done: Any) -> Any:
        """Whether masks are renewed after so many steps."""
        since = steps_done - self.begin
        within = (since >= 0) & (steps_done <= self.end)
        return within & ((since % self.every == 0) | (steps_done == self.end))

    def progress(self, steps_done: Any) -> Any:
        """The share of the period that is over, a float64 scalar from 0 to 1."""
        return tf.cast(steps_done - self.begin, tf.float64) / max(1, self.end - self.begin)
