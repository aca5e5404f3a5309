"""What a reader hands over, and how that becomes a `Dataset`: split, scaled, brought onto the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.data.augmentation import Augmentation, Distortion
from qap.data.dataset import Dataset, Scaling, Split
from qap.data.grid import storage_dtype
from qap.data.labels import check_names
from qap.errors import DataError
from qap.fixed import FixedPoint, IntArray

PIXELS = FixedPoint.parse("ap_ufixed<8,0>")
FEATURES = FixedPoint.parse("ap_fixed<8,3,AP_RND_CONV,AP_SAT>")
TEST_SHARE = 0.2
TEST_SEED = 0  # not the recipe's: the test part is the same for everybody
BLOCK = 4096  # samples at once, so that index arrays (8 bytes a pixel) stay small


class Samples(NamedTuple):
    """Inputs (n, n_in), integers or float64, and class indices (n,)."""

    x: npt.NDArray[Any]
    y: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RawData:
    """A data set as it was found.

    Args:
        source: the file or folder, for errors.
        train: what may be learned from; validation is taken out of it.
        test: None takes a fixed, stratified 20 % of `train`.
        class_names: one for each class index.
        grid: the format whose LSBs the inputs already are; None when they are real-valued features.
        image_shape: (height, width) when a sample is a picture.
        validation: None takes a share of `train`.
        scaling: how features came onto `grid` before they were stored, None for what never was a feature.
    """

    source: str
    train: Samples
    test: Samples | None
    class_names: tuple[str, ...]
    grid: FixedPoint | None
    image_shape: tuple[int, int] | None = None
    validation: Samples | None = None
    scaling: Scaling | None = None


def assemble(
    name: str,
    raw: RawData,
    input_format: FixedPoint | None,
    validation: float,
    seed: int,
    distortion: Distortion | None = None,
) -> Dataset:
    """Split the samples and bring them onto the grid of the input format.

    Args:
        name: the data set's name.
        raw: what the reader found.
        input_format: None takes `raw.grid`, or `FEATURES` for real-valued features.
        validation: the share of the training part that becomes validation, above 0 and below 1; not read when
            the data set has a validation part of its own.
        seed: which samples those are.
        distortion: of the copies that a training will make of the training part, if any.

    Raises:
        DataError: a class has too few samples, a feature cannot be scaled, or samples that are no images should be
            distorted.
    """
    check_names(raw.source, raw.class_names)
    _refuse_small_classes(raw)
    keep, test = split_off_test(raw)
    if raw.validation is None:
        train_part, validation_part = stratified(raw.train.y[keep], validation, seed)
        train_part, held_out = keep[train_part], (raw.train, keep[validation_part])
    else:
        train_part, held_out = keep, (raw.validation, np.arange(len(raw.validation.y)))
    parts = [(raw.train, train_part), held_out, (test, np.arange(len(test.y)))]
    scaling = raw.scaling
    try:
        if raw.grid is not None:
            form = input_format or raw.grid
            if scaling is not None and form != raw.grid:
                raise DataError(f"its features are stored on the grid {raw.grid} and cannot be brought onto {form}")
            splits = [_requantized(samples, chosen, raw.grid, form) for samples, chosen in parts]
        else:
            form = input_format or FEATURES
            scaling = Scaling.fit(raw.train.x[train_part], form)
            splits = [
                Split(scaling.apply(samples.x[chosen]).astype(storage_dtype(form)), samples.y[chosen])
                for samples, chosen in parts
            ]
    except DataError as error:
        raise DataError(f"{raw.source}: {error}") from error
    first, second, final = splits
    augmentation = _augmentation(name, raw, train_part, distortion) if distortion else None
    return Dataset(name, first, second, final, raw.class_names, form, raw.image_shape, scaling, augmentation)


def _augmentation(name: str, raw: RawData, chosen: npt.NDArray[np.intp], distortion: Distortion) -> Augmentation:
    """The training images as they were found, to be distorted on their own grid."""
    if raw.image_shape is None or raw.grid is None:
        raise DataError(f"data.augment distorts images, but the samples of {name!r} are none; leave it out")
    return Augmentation(raw.train.x[chosen], raw.grid, raw.image_shape, distortion)


def split_off_test(raw: RawData) -> tuple[npt.NDArray[np.intp], Samples]:
    """Indices of the samples that stay training samples, and the test part: its own, or a fixed share of them."""
    if raw.test is not None:
        return np.arange(len(raw.train.y)), raw.test
    keep, held = stratified(raw.train.y, TEST_SHARE, TEST_SEED)
    return keep, Samples(raw.train.x[held], raw.train.y[held])


def stratified(y: IntArray, share: float, seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of two parts with the same mix of classes, each in rising order; both get some of every class.

    Args:
        y: (n,) class indices, at least two of each.
        share: how much goes into the second part.
        seed: which samples those are.
    """
    generator = np.random.default_rng(seed)
    classes, counts = np.unique(y, return_counts=True)
    held = np.zeros(len(y), bool)
    for index, count in zip(classes, _apportion(counts, share), strict=True):
        held[generator.permutation(np.flatnonzero(y == index))[:count]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _apportion(counts: IntArray, share: float) -> IntArray:
    """A share of each count in whole numbers that add up: rounded down, the rest goes to the largest remainders."""
    exact = share * counts
    whole = np.floor(exact).astype(np.int64)
    rest = round(share * int(counts.sum())) - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    clipped: IntArray = np.clip(whole, 1, counts - 1)
    return clipped


def _refuse_small_classes(raw: RawData) -> None:
    counts = np.bincount(raw.train.y, minlength=len(raw.class_names))
    if np.count_nonzero(counts) < 2:
        only = raw.class_names[int(counts.argmax())]
        raise DataError(f"{raw.source} holds one class only ({only!r}); a classifier needs at least two")
    parts = ["training"]
    parts += ["validation"] if raw.validation is None else []
    parts += ["test"] if raw.test is None else []
    small = int(counts.argmin())
    if not counts[small]:
        raise DataError(
            f"{raw.source}: class {raw.class_names[small]!r} has no training sample; "
            f"each of the {len(raw.class_names)} classes needs at least {len(parts)}"
        )
    if counts[small] < len(parts):
        raise DataError(
            f"{raw.source}: class {raw.class_names[small]!r} has {counts[small]} of the {len(raw.train.y)} samples, "
            f"but {' and '.join(', '.join(parts).rsplit(', ', 1))} need at least {len(parts)} of each class"
        )


def _requantized(samples: Samples, chosen: npt.NDArray[np.intp], grid: FixedPoint, form: FixedPoint) -> Split:
    """Chosen samples with their integers brought from one grid to another."""
    dtype = storage_dtype(form)
    if form.with_modes(*grid.modes) == grid and form.min_int == grid.min_int:
        return Split(samples.x[chosen].astype(dtype, copy=False), samples.y[chosen])
    x = np.empty((len(chosen), samples.x.shape[1]), dtype)
    for start in range(0, len(chosen), BLOCK):
        x[start : start + BLOCK] = form.requantize(samples.x[chosen[start : start + BLOCK]], grid.fractional)
    return Split(x, samples.y[chosen])
