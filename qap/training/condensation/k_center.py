"""`k-center`: the samples that leave no other sample of their class far away."""

from __future__ import annotations

import numpy as np

from qap.fixed import IntArray
from qap.training.condensation.source import Floats, Source, select, squared_distances


def farthest_first(source: Source) -> Floats:
    """Farthest-first traversal from the sample nearest to the mean.

    The largest distance to a chosen sample is at most twice the least possible (T. Gonzalez, "Clustering to
    minimize the maximum intercluster distance", 1985). It finds outliers first.
    """
    return select(source, _pick)


def _pick(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
    chosen = np.empty(count, np.int64)
    chosen[0] = squared_distances(samples.mean(axis=0)[None], samples).argmin()
    nearest = squared_distances(samples[chosen[:1]], samples)[0]
    for index in range(1, count):
        nearest[chosen[:index]] = -1.0  # a duplicate of a chosen sample is better than the sample again
        chosen[index] = nearest.argmax()
        nearest = np.minimum(nearest, squared_distances(samples[chosen[index]][None], samples)[0])
    return chosen
