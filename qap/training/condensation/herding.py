"""`herding`: samples whose running mean stays at the mean of their class."""

from __future__ import annotations

import numpy as np

from qap.fixed import IntArray
from qap.training.condensation.source import Floats, Source, select


def herd(source: Source) -> Floats:
    """x_t maximizes <w, x>, then w becomes w + mean - x_t (M. Welling, "Herding dynamical weights to learn", 2009)."""
    return select(source, _pick)


def _pick(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
    features = samples
    mean = features.mean(axis=0)
    weight, free = mean.copy(), np.ones(len(samples), bool)
    chosen = np.empty(count, np.int64)
    for index in range(count):
        chosen[index] = np.where(free, features @ weight, -np.inf).argmax()
        free[chosen[index]] = False
        weight += mean - features[chosen[index]]
    return chosen
