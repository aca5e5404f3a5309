"""`k-means`: the real samples nearest to the k-means centres of each class."""

from __future__ import annotations

import warnings

import numpy as np

from qap.errors import missing_extra
from qap.fixed import IntArray
from qap.training.condensation.source import Floats, Source, select, squared_distances

try:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
except ImportError as error:
    raise missing_extra("train", error) from error

STARTS = 3


def medoids(source: Source) -> Floats:
    """The medoids of k-means clusters (S. Lloyd, 1982; started by k-means++, the best of three starts)."""
    return select(source, _pick)


def _pick(samples: Floats, count: int, rng: np.random.Generator) -> IntArray:
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
