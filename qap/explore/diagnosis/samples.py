"""The samples that a diagnosis runs on: real numbers, as the model takes them, whatever grid they lie on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qap.data import DATASETS, DESCRIPTIONS
from qap.data.raw import PIXELS, split_off_test
from qap.errors import DataError, did_you_mean
from qap.fixed import FixedPoint, IntArray, Overflow, Rounding

FINEST_BITS = 16
"""Fractional bits up to which inputs count as fixed-point; float32 holds no more exact products."""


class RealSamples(NamedTuple):
    """The test part of a data set: x (n, n_in) real numbers, y (n,) indices of so many classes."""

    x: npt.NDArray[np.float64]
    y: IntArray
    classes: int


class Grid(NamedTuple):
    """What fixed-point grid real numbers lie on.

    Args:
        format: the narrowest format that holds all of them; rounded to `FINEST_BITS` where they lie on none.
        exact: whether they lie on it.
    """

    format: FixedPoint
    exact: bool


def read_samples(source: str, data_dir: Path | None, divisor: int) -> RealSamples:
    """The test part of a data set as real numbers.

    Args:
        source: as in a recipe: `mnist-1v9`, `npz:FILE`, `csv:FILE?label=COLUMN`, ...
        data_dir: a folder of IDX files, for mnist.
        divisor: what pixels are divided by: 256, or 255 where the model was trained on that.

    Raises:
        DataError: there is no such data set, or it cannot be read.
    """
    kind, _, argument = source.partition(":")
    if kind not in DATASETS:
        raise DataError(
            f"--data {source}: no such data set{did_you_mean(kind, DATASETS, (d.name for d in DESCRIPTIONS))}"
        )
    raw = DATASETS[kind](argument, data_dir)
    test, classes = split_off_test(raw)[1], len(raw.class_names)
    if raw.grid is None:
        return RealSamples(np.asarray(test.x, np.float64), test.y, classes)
    if raw.grid == PIXELS:
        return RealSamples(test.x.astype(np.float64) / divisor, test.y, classes)
    return RealSamples(raw.grid.to_float(test.x), test.y, classes)


def grid_of(x: npt.NDArray[np.float64]) -> Grid:
    """The narrowest format that holds these numbers, of at most `FINEST_BITS` fractional bits."""
    for fractional in range(FINEST_BITS + 1):
        scaled = np.ldexp(x, fractional)
        if (scaled == np.rint(scaled)).all():
            return Grid(_narrowest(scaled, fractional), True)
    form = _narrowest(np.rint(np.ldexp(x, FINEST_BITS)), FINEST_BITS)
    return Grid(form.with_modes(Rounding.RND_CONV, Overflow.SAT), False)


def _narrowest(scaled: npt.NDArray[np.float64], fractional: int) -> FixedPoint:
    return FixedPoint.smallest(int(scaled.min()), int(scaled.max()), fractional)
