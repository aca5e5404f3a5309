"""Condensation by choice: real samples of each class that stand for the others.

Each method is a `pick_...` of indices within one class, as `select` takes it.
"""

from __future__ import annotations

import warnings

import numpy as np

from qap.extras import extra
from qap.fixed import IntArray
from qap.training.condensation.source import Floats, Source, select, squared_distances

STARTS = 3
"""Of k-means; the best counts."""


def stratified_random(source: Source) -> Floats:
    """`random`: samples drawn without replacement, class by class; what every other method must beat."""
    return select(source, pick_random)


def medoids(source: Source) -> Floats:
    """`k-means`: the real samples nearest to the k-means centres of each class (S. Lloyd, 1982; k-means++)."""
    return select(source, pick_medoids)


def farthest_first(source: Source) -> Floats:
    """`k-center`: farthest-first traversal from the sample nearest to the mean; no other sample is left far away.

    The largest distance to a chosen sample is at most twice the least possible (T. Gonzalez, "Clustering to
    minimize the maximum intercluster distance", 1985). It finds outliers first.
    """
    return select(source, pick_farthest)


def herd(source: Source) -> Floats:
    """`herding`: samples whose running mean stays at the mean of their class.

    x_t maximizes <w, x>, then w becomes w + mean - x_t (M. Welling, "Herding dynamical weights to learn", 2009).
    """
    return select(source, pick_herd)


def pick_random(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
    """Random indices."""
    return rng.choice(len(samples), count, replace=False)


def pick_medoids(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
    """The indices of the medoids."""
    with extra("train"):
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning
    clusters = KMeans(count, n_init=STARTS, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different samples than clusters: the rest is equal
        centres = clusters.fit(samples.astype(np.float32)).cluster_centers_  # half the time of float64
    distances = squared_distances(centres.astype(np.float64), samples)
    chosen = np.empty(count, np.int64)
    for index in range(count):
        chosen[index] = distances[index].argmin()
        distances[:, chosen[index]] = np.inf  # no sample twice, not even for two centres that fell together
    return chosen


def pick_farthest(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
    """The indices in the order of the traversal."""
    chosen = np.empty(count, np.int64)
    chosen[0] = squared_distances(samples.mean(axis=0)[None], samples).argmin()
    nearest = squared_distances(samples[chosen[:1]], samples)[0]
    for index in range(1, count):
        nearest[chosen[:index]] = -1.0  # a duplicate of a chosen sample is better than the sample again
        chosen[index] = nearest.argmax()
        nearest = np.minimum(nearest, squared_distances(samples[chosen[index]][None], samples)[0])
    return chosen


def pick_herd(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
    """The indices in the order of herding."""
    mean = samples.mean(axis=0)
    weight, free = mean.copy(), np.ones(len(samples), bool)
    chosen = np.empty(count, np.int64)
    for index in range(count):
        chosen[index] = np.where(free, samples @ weight, -np.inf).argmax()
        free[chosen[index]] = False
        weight += mean - samples[chosen[index]]
    return chosen
