"""Data set distillation: a few samples of each class, chosen or made, that a model can be trained on instead.

Each method is a function from a `Source` to samples, in selection.py or synthesis.py, and a line of `CONDENSERS`.
"""

from __future__ import annotations

import numpy as np

from qap.data.dataset import Dataset
from qap.errors import QapError, did_you_mean
from qap.training.condensation.selection import farthest_first, herd, medoids, stratified_random
from qap.training.condensation.source import Condensed, Condenser, Source
from qap.training.condensation.synthesis import match_distributions, match_gradients

__all__ = ["CONDENSERS", "Condensed", "Condenser", "Source", "condense"]

CONDENSERS: dict[str, Condenser] = {
    "random": stratified_random,
    "k-means": medoids,
    "k-center": farthest_first,
    "herding": herd,
    "distribution-matching": match_distributions,
    "gradient-matching": match_gradients,
}


def condense(dataset: Dataset, per_class: int, method: str, seed: int = 0) -> Condensed:
    """Condense the training part of a data set; validation and test are not looked at.

    Args:
        dataset: what is condensed.
        per_class: how many samples of each class are wanted, 1 to the size of the smallest class.
        method: one of `CONDENSERS`.
        seed: of everything that is left to chance.

    Raises:
        QapError: there is no such method, or a class has fewer samples.

    Example:
        >>> condense(load("digits"), 10, "herding").train.x.shape
        (100, 64)
    """
    if method not in CONDENSERS:
        raise QapError(f"method: no method {method!r}{did_you_mean(method, CONDENSERS)}")
    counts = np.bincount(dataset.train.y, minlength=dataset.n_classes)
    smallest = int(counts.argmin())
    if not 1 <= per_class <= counts[smallest]:
        raise QapError(
            f"per-class: 1 <= per-class <= {counts[smallest]} must hold, the training part of {dataset.name} "
            f"has {counts[smallest]} samples of class {dataset.class_names[smallest]!r}; but got {per_class}"
        )
    samples = CONDENSERS[method](Source.of(dataset, per_class, seed))
    return Condensed.of(samples, dataset)
