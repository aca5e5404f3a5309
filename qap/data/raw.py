"""What a reader hands over, and how that becomes a `Dataset`: split, scaled, brought onto the grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.data.augmentation import Augmentation, Distortion
from qap.data.dataset import Dataset, Split
from qap.data.grid import onto, storage_dtype
from qap.data.labels import check_names
from qap.data.scaling import CODE_BITS, SampleScaling, Scaling
from qap.data.usage import usage_of
from qap.errors import DataError
from qap.fixed import FixedPoint, IntArray
from qap.sources import ScalingMethod

PIXELS = FixedPoint.parse("ap_ufixed<8,0>")
FEATURES = FixedPoint.parse("ap_fixed<8,3,AP_RND_CONV,AP_SAT>")
SHARES = FixedPoint.parse("ap_ufixed<8,0,AP_RND_CONV,AP_SAT>")
"""For numbers from 0 to 1."""
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
        feature_names: one for each feature, none where they have no names.
    """

    source: str
    train: Samples
    test: Samples | None
    class_names: tuple[str, ...]
    grid: FixedPoint | None
    image_shape: tuple[int, int] | None = None
    validation: Samples | None = None
    scaling: Scaling | None = None
    feature_names: tuple[str, ...] = ()


def assemble(
    name: str,
    raw: RawData,
    input_format: FixedPoint | None,
    validation: float,
    seed: int,
    distortion: Distortion | None = None,
    scaling: ScalingMethod | None = None,
) -> Dataset:
    """Split the samples and bring them onto the grid of the input format.

    Args:
        name: the data set's name.
        raw: what the reader found.
        input_format: None takes `raw.grid`, or that of the scaling for real-valued features.
        validation: the share of the training part that becomes validation, above 0 and below 1; not read when
            the data set has a validation part of its own.
        seed: which samples those are.
        distortion: of the copies that a training will make of the training part, if any.
        scaling: None takes "none" for what has a grid, "standard" for features.

    Raises:
        DataError: a class has too few samples, a feature cannot be scaled, or samples that are no images should be
            distorted.
    """
    check_names(raw.source, raw.class_names)
    _refuse_small_classes(raw)
    try:
        raw, fill = _filled(raw, _parts(raw, validation, seed)[0])
        features = _parts(raw, validation, seed)[0].x if raw.grid is None else None
        codes = _code_format(raw, input_format, scaling)
        if codes is not None:
            raw, scaling = _as_codes(raw, codes), scaling or "standard"
        parts = _parts(raw, validation, seed)
        form, applied = _scaling(raw, parts[0], input_format or codes, scaling)
        first, second, final = (_split(raw, part, form, applied) for part in parts)
        scaled = features if features is None or applied is None else applied.scaled(features)
    except DataError as error:
        raise DataError(f"{raw.source}: {error}") from error
    augmentation = _augmentation(name, raw, parts[0].chosen, distortion, applied) if distortion else None
    return Dataset(
        name,
        first,
        second,
        final,
        raw.class_names,
        form,
        raw.image_shape,
        applied,
        augmentation,
        feature_names=raw.feature_names,
        fill=fill,
        usage=()
        if features is None or scaled is None
        else usage_of(raw.feature_names, features, scaled, first.x, form),
    )


class _Part(NamedTuple):
    """Samples of which some are chosen, (m,)."""

    samples: Samples
    chosen: npt.NDArray[np.intp]

    @property
    def x(self) -> npt.NDArray[Any]:
        return self.samples.x[self.chosen]


def _parts(raw: RawData, validation: float, seed: int) -> tuple[_Part, _Part, _Part]:
    """Training, validation and test."""
    keep, test = split_off_test(raw)
    final = _Part(test, np.arange(len(test.y)))
    if raw.validation is not None:
        return _Part(raw.train, keep), _Part(raw.validation, np.arange(len(raw.validation.y))), final
    train, held_out = stratified(raw.train.y[keep], validation, seed)
    return _Part(raw.train, keep[train]), _Part(raw.train, keep[held_out]), final


def _filled(raw: RawData, train: _Part) -> tuple[RawData, tuple[float, ...]]:
    """The data with the median of the training part in the place of what is missing, whole where all numbers are.

    Returns:
        The data, and what was filled in for each feature; nothing where nothing is missing.
    """
    everything = [part.x for part in (raw.train, raw.validation, raw.test) if part is not None]
    if raw.grid is not None or not any(np.isnan(x).any() for x in everything):
        return raw, ()
    absent = np.isnan(train.x).all(axis=0)
    if absent.any():
        raise DataError(f"feature {int(absent.argmax())} is missing in every sample of the training part; drop it")
    fill = np.nanmedian(train.x, axis=0)
    if not any((np.nan_to_num(x) % 1).any() for x in everything):
        fill = np.rint(fill)

    def filled(samples: Samples) -> Samples:
        return Samples(np.where(np.isnan(samples.x), fill, samples.x), samples.y)

    return _with_samples(raw, filled), tuple(fill.tolist())


def _with_samples(raw: RawData, change: Callable[[Samples], Samples]) -> RawData:
    """The data with other inputs in every part."""
    validation, test = (part and change(part) for part in (raw.validation, raw.test))
    return replace(raw, train=change(raw.train), validation=validation, test=test)


def _code_format(raw: RawData, asked: FixedPoint | None, scaling: ScalingMethod | None) -> FixedPoint | None:
    """The format of features that are whole numbers and go into the network as they are; None for others.

    Raises:
        DataError: they should be scaled sample by sample, which no network can.
    """
    if raw.grid is not None or (asked is None and scaling in (None, "per-sample")) or (asked and asked.fractional):
        return None
    parts = [part.x for part in (raw.train, raw.validation, raw.test) if part is not None]
    if any((part % 1).any() for part in parts):
        return None
    if scaling == "per-sample":
        raise DataError(
            f'data.scaling = "per-sample" divides each sample by its own range, which weights cannot take in, so codes '
            f"of {asked} cannot go into the network as they are: the FPGA would have to compute (x - min) / (max - "
            'min) of each sample before it; leave data.input_format out for that, or take "min-max", which is folded'
        )
    if asked is not None:
        return asked
    low, high = (int(end) for end in (min(part.min() for part in parts), max(part.max() for part in parts)))
    form = FixedPoint.smallest(low, high, 0) if max(high, -low) < 1 << CODE_BITS else None
    return form if form and form.width <= CODE_BITS else None


def _as_codes(raw: RawData, form: FixedPoint) -> RawData:
    """Features that are whole numbers as what is on the grid already."""

    def codes(samples: Samples) -> Samples:
        return Samples(onto(form, samples.x).astype(storage_dtype(form)), samples.y)

    return replace(_with_samples(raw, codes), grid=form)


def _scaling(
    raw: RawData, train: _Part, asked: FixedPoint | None, method: ScalingMethod | None
) -> tuple[FixedPoint, Scaling | SampleScaling | None]:
    """The input format, and what is scaled before or in the network; fitted on the training part."""
    if raw.scaling is not None:
        if method is not None:
            raise DataError(f'its features are scaled already; leave data.scaling = "{method}" out')
        if asked not in (None, raw.grid):
            raise DataError(f"its features are stored on the grid {raw.grid} and cannot be brought onto {asked}")
        return raw.scaling.input_format, raw.scaling
    if method == "per-sample":
        form = asked or SHARES
        return form, SampleScaling(form)
    if raw.grid is None:
        if method == "none":
            if asked is None:
                raise DataError('data.scaling = "none" takes features as they are; name their data.input_format')
            return asked, None
        form = asked or (SHARES if method == "min-max" else FEATURES)
        return form, Scaling.fit(train.x, form, method or "standard")
    form = asked or raw.grid
    if method in (None, "none"):
        return form, None
    real = form.to_float(form.requantize(train.x, raw.grid.fractional))
    return form, Scaling.fit(real, form, method, in_network=True)


def _split(raw: RawData, part: _Part, form: FixedPoint, scaling: Scaling | SampleScaling | None) -> Split:
    """The chosen samples on the grid of the input."""
    if raw.grid is not None and not isinstance(scaling, SampleScaling):
        return _requantized(part.samples, part.chosen, raw.grid, form)
    real = part.x if raw.grid is None else raw.grid.to_float(part.x)
    x = onto(form, real) if scaling is None else scaling.apply(real)
    return Split(x.astype(storage_dtype(form)), part.samples.y[part.chosen])


def _augmentation(
    name: str,
    raw: RawData,
    chosen: npt.NDArray[np.intp],
    distortion: Distortion,
    scaling: Scaling | SampleScaling | None,
) -> Augmentation:
    """The training images as they were found, to be distorted on their own grid."""
    if raw.image_shape is None or raw.grid is None:
        raise DataError(f"data.augment distorts images, but the samples of {name!r} are none; leave it out")
    if isinstance(scaling, SampleScaling):
        raise DataError('data.augment distorts images as they are, so data.scaling = "per-sample" cannot scale them')
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
