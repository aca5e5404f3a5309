"""`random`: as many samples of each class, drawn at random; what every other method must beat."""

from __future__ import annotations

import numpy as np

from qap.fixed import IntArray
from qap.training.condensation.source import Floats, Source, select


def stratified_random(source: Source) -> Floats:
    """Samples drawn without replacement, class by class."""
    return select(source, _pick)


def _pick(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
    return rng.choice(len(samples), count, replace=False)
