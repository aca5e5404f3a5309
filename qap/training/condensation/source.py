"""What every method of condensation is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qap.data.dataset import Dataset, Split
from qap.data.grid import storage_dtype
from qap.fixed import FixedPoint, IntArray

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The training part of a data set, class by class.

    Args:
        classes: float64 (n_c, n_in) for each class, the real numbers of its samples; n_c differs between classes.
        per_class: how many samples of each class are wanted, 1 to the smallest n_c.
        seed: of everything that is left to chance.
    """

    classes: tuple[Floats, ...]
    per_class: int
    seed: int

    @classmethod
    def of(cls, dataset: Dataset, per_class: int, seed: int) -> Source:
        """The training part of `dataset`; validation and test are not looked at."""
        train = dataset.train
        real = [dataset.real(train.x[train.y == index]).astype(np.float64) for index in range(dataset.n_classes)]
        return cls(tuple(real), per_class, seed)


Condenser = Callable[[Source], Floats]
"""Gives samples float64 (n_classes, per_class, n_in) within the range of the data; they may lie between its grid."""


@dataclass(frozen=True, slots=True, eq=False)
class Condensed:
    """A condensed training part.

    Args:
        train: the samples on the grid of the data set, class after class, the same number of each.
        real: float64 (n, n_in), the same samples as the method gave them, before they were rounded.
        rounding_lsb: root mean square of what rounding changed, in LSBs; 0 for samples that were chosen.
    """

    train: Split
    real: Floats
    rounding_lsb: float

    @classmethod
    def of(cls, samples: Floats, dataset: Dataset) -> Condensed:
        """Bring samples (n_classes, per_class, n_in) onto the grid of `dataset`, each number to the nearest."""
        real = samples.reshape(-1, dataset.n_in)
        x = nearest(real, dataset.input_format)
        change = real / dataset.input_format.lsb - x
        train = Split(
            x.astype(storage_dtype(dataset.input_format)), np.repeat(np.arange(len(samples)), len(samples[0]))
        )
        return cls(train, real, float(np.sqrt((change**2).mean())))


def nearest(real: Floats, form: FixedPoint) -> IntArray:
    """The nearest integers in LSBs of a format, saturated; its own rounding and overflow are for the hardware."""
    return np.clip(np.rint(real / form.lsb), form.min_int, form.max_int).astype(np.int64)


def select(source: Source, pick: Callable[[Floats, int, np.random.Generator], IntArray]) -> Floats:
    """Choose among the samples of each class.

    Args:
        source: the classes.
        pick: samples (n, n_in) of one class, how many are wanted, a generator -> their different indices.

    Returns:
        float64 (n_classes, per_class, n_in), samples of the data set themselves.
    """
    rng = np.random.default_rng(source.seed)
    return np.stack([samples[pick(samples, source.per_class, rng)] for samples in source.classes])


def squared_distances(a: Floats, b: Floats) -> Floats:
    """The squared Euclidean distances (n, m) of points (n, n_in) to points (m, n_in)."""
    squares = (a * a).sum(axis=1)[:, None] - 2 * (a @ b.T) + (b * b).sum(axis=1)
    distances: Floats = np.maximum(squares, 0.0)  # rounding can bring equal points below
    return distances
