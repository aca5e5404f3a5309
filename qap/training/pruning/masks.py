"""The masks of a model's kernels, and how they change in the train step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from qap.recipe import PruneRecipe
from qap.training.pruning.dynamic import DEFAULT_DROP, dropped, move
from qap.training.pruning.evidence import Evidence
from qap.training.pruning.ranking import NEVER, Ranking, mask_lowest
from qap.training.pruning.rewinding import Rewinding
from qap.training.pruning.schedules import DEFAULT_ROUNDS, SCHEDULES, Period
from qap.training.pruning.scores import PRUNERS


class Pruning:
    """The masks of a model's kernels and when they change; biases are never pruned.

    Args:
        evidence: the kernels, and what methods look at.
        rankings: which weights compete, and how many of them go in the end.
        prune: method and schedule.
        total_steps: optimizer steps of the whole training.
        variables: everything that is trained, for a schedule that rewinds.

    Raises:
        RecipeError: the schedule does not fit into the training.
    """

    def __init__(
        self,
        evidence: Evidence,
        rankings: Sequence[Ranking],
        prune: PruneRecipe,
        total_steps: int,
        variables: Sequence[Any] = (),
    ) -> None:
        self.period = Period.of(prune, total_steps)
        self._evidence = evidence
        self._rankings = list(rankings)
        self._score = PRUNERS[prune.method]
        self._schedule = SCHEDULES[prune.schedule]
        self._rounds = prune.rounds or DEFAULT_ROUNDS
        self._drop = DEFAULT_DROP if prune.drop is None else prune.drop
        self._live = [tf.Variable(tf.ones(ranking.shape), trainable=False) for ranking in rankings]
        self._masks = [tf.Variable(tf.ones(kernel.shape), trainable=False) for kernel in evidence.kernels]
        self._rewinding = Rewinding(variables, prune.rewind_step or 0) if self._schedule.rewinds else None

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
        if self._rewinding is not None:
            self._rewinding.remember(steps_done)
        if not self._schedule.returns:
            self._hold()
        if self.period.due(steps_done):
            self._renew(steps_done)
            self._hold()
        elif self._schedule.returns:
            self._hold()

    def _hold(self) -> None:
        for kernel, mask in zip(self._evidence.kernels, self._masks, strict=True):
            kernel.assign(kernel * mask)

    def _renew(self, steps_done: Any) -> None:
        """New masks from the state of the network as it is."""
        evidence = replace(self._evidence, step=steps_done)
        progress = self.period.progress(steps_done)
        if self._schedule.regrow is not None:
            self._move(evidence, progress, self._schedule.regrow)
        else:
            self._mask_more(evidence, progress)

    def _mask_more(self, evidence: Evidence, progress: Any) -> None:
        scores = self._score(evidence)
        before = [tf.reduce_sum(live) for live in self._live]
        for ranking, live in zip(self._rankings, self._live, strict=True):
            table = ranking.table(scores)
            if not self._schedule.returns:
                table = tf.where(live > 0, table, NEVER)
            live.assign(mask_lowest(table, self._count(ranking, progress)))
        self._spread()
        if self._rewinding is not None:
            grown = [tf.reduce_sum(live) < was for live, was in zip(self._live, before, strict=True)]
            if tf.reduce_any(tf.stack(grown)):
                self._rewinding.rewind()

    def _move(self, evidence: Evidence, progress: Any, regrow: Callable[[Evidence], list[Any]]) -> None:
        """The first masks by chance, then weights that move; those that come back start from 0."""
        first = evidence.step == self.period.begin
        scores, growth, noise = self._score(evidence), regrow(evidence), evidence.noise(stream=2)
        share = tf.where(first, tf.zeros_like(progress), dropped(self._drop, progress))
        after = []
        for ranking, live in zip(self._rankings, self._live, strict=True):
            masked = self._count(ranking, progress)
            start = mask_lowest(ranking.table(noise), masked)
            kept, moved = move(live, ranking.table(scores), ranking.table(growth), masked, share)
            live.assign(tf.where(first, start, kept))
            after.append(tf.where(first, start, moved))
        self._spread()
        self._hold()
        for live, new in zip(self._live, after, strict=True):
            live.assign(new)
        self._spread()

    def _count(self, ranking: Ranking, progress: Any) -> Any:
        """How many of each row are masked now."""
        sparsity = self._schedule.sparsity(progress, ranking.final, self._rounds)
        return tf.cast(tf.round(sparsity * ranking.shape[1]), tf.int32)

    def _spread(self) -> None:
        """The kernels' masks from what is live."""
        found: dict[int, Any] = {}
        for ranking, live in zip(self._rankings, self._live, strict=True):
            for place, mask in ranking.masks(live).items():
                found[place] = found.get(place, 1.0) * mask
        for place, mask in found.items():
            self._masks[place].assign(tf.broadcast_to(mask, self._masks[place].shape))
