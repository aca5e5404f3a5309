"""Dynamic sparse training: the sparsity stays, the weights move to where they are needed."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from qap.training.pruning.evidence import Evidence
from qap.training.pruning.ranking import NEVER, mask_lowest

DEFAULT_DROP = 0.3


def by_gradient(evidence: Evidence) -> list[Any]:
    """RigL: weights come back where the loss asks for them most (arXiv:1911.11134)."""
    return [tf.abs(slope) for slope in evidence.gradients()]


def by_chance(evidence: Evidence) -> list[Any]:
    """SET: weights come back anywhere (arXiv:1707.04780)."""
    return evidence.noise(stream=1)


def dropped(drop: float, progress: Any) -> Any:
    """The share of live weights that moves at a progress from 0 to 1: a half cosine from `drop` to 0."""
    return drop * (1 + tf.cos(math.pi * progress)) / 2


def move(live: Any, scores: Any, growth: Any, masked: Any, share: Any) -> tuple[Any, Any]:
    """Drop the live weights with the lowest scores, and let as many masked ones back.

    Args:
        live: float32 (rows, n) of 1 and 0.
        scores: float32 (rows, n), what live weights are worth.
        growth: float32 (rows, n), how much masked weights are wanted; just dropped ones may return, from 0.
        masked: int32 scalar, the masked weights of each row, before and after.
        share: float64 scalar, the share of live weights that moves.

    Returns:
        What is kept, and what is live afterwards; both shaped as `live`.
    """
    size = tf.shape(live)[1]
    moving = tf.cast(tf.round(share * tf.cast(size - masked, tf.float64)), tf.int32)
    moving = tf.minimum(moving, masked)
    kept = mask_lowest(tf.where(live > 0, scores, NEVER), masked + moving)
    wanted = tf.where(kept > 0, NEVER, growth)
    return kept, kept + mask_lowest(wanted, size - moving)
