"""Students of truth tables as they begin: which bits there are, who reads which of them, and what a vote is worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt

from qap.errors import RecipeError
from qap.fixed import IntArray
from qap.recipe import StudentRecipe
from qap.table_layers import PINS, ClassSums, Tables, Thresholds

if TYPE_CHECKING:
    from qap.data.dataset import Dataset

RARE = 0.006
"""Bits that differ from their usual value in a smaller share of the samples teach nothing and are not wired at all."""
SAMPLES = 8192
"""That show which bits vary."""


def build_tables(student: StudentRecipe, dataset: Dataset, *, seed: int = 0) -> keras.Model:
    """Thresholds, where the recipe has some, layers of tables, class sums; the wires are drawn among bits that vary.

    Args:
        student: of kind "tables".
        dataset: its training part decides the thresholds and which bits vary.
        seed: of wires and tables.

    Raises:
        RecipeError: the student does not fit to the data.
    """
    student.refuse(dataset.n_in, dataset.n_classes, dataset.input_format)
    rng = np.random.default_rng(seed)
    x = inputs = keras.Input((dataset.n_in,), name="inputs")
    if student.thresholds is not None:
        features, limits = quantiles(dataset.train.x[: dataset.train.originals], student.thresholds)
        x = Thresholds(features.tolist(), dataset.real(limits).tolist(), name="thresholds")(x)
    readable = varying(keras.Model(inputs, x), dataset)
    if readable.size < (student.fan_in or PINS):
        raise RecipeError(
            f"student.fan_in={student.fan_in or PINS} needs as many inputs that vary, but of the bits of "
            f"{dataset.name!r} only {readable.size} do; lower it, or set student.thresholds higher"
        )
    for index, units in enumerate(student.tables or ()):
        layer = Tables(units, student.fan_in or PINS, seed=int(rng.integers(2**31)), name=f"tables_{index}")
        x = layer(x)
        if index == 0:
            layer.draw(readable, rng)
    return keras.Model(inputs, ClassSums(dataset.n_classes, name="sums")(x), name="student")


def quantiles(x: npt.NDArray[np.integer[Any]], count: int) -> tuple[IntArray, IntArray]:
    """The different quantiles of each feature that split it, as (features, thresholds) of bits `x >= threshold`.

    Args:
        x: (n, n_in) training samples.
        count: quantiles, evenly spaced, of each feature; fewer where a feature has few different values.

    Returns:
        int64 (bits,) and int64 (bits,), in LSBs; features in order, thresholds rising.
    """
    shares = np.arange(1, count + 1) / (count + 1)
    found = np.quantile(x, shares, axis=0, method="higher").astype(np.int64)
    found = np.maximum(found, x.min(axis=0).astype(np.int64) + 1)  # what all samples reach splits nothing
    pairs = [
        (feature, limit)
        for feature, top in enumerate(x.max(axis=0).tolist())
        for limit in np.unique(found[:, feature]).tolist()
        if limit <= top
    ]
    features, limits = np.array(pairs, np.int64).reshape(-1, 2).T
    return features, limits


def varying(bits: keras.Model, dataset: Dataset) -> IntArray:
    """The bits that are neither nearly always 0 nor nearly always 1 on the training part, without its copies.

    Args:
        bits: real numbers -> bits.
        dataset: whose inputs they are.
    """
    x = dataset.train.x[: dataset.train.originals]
    share = (np.asarray(bits(dataset.real(x[:: max(1, len(x) // SAMPLES)]))) > 0).mean(axis=0)
    return np.flatnonzero((share > RARE) & (share < 1 - RARE))


def logit_scale(student: StudentRecipe, n_classes: int) -> float:
    """What the plain sums of votes are multiplied by in the loss; 1 for students that have weights to scale."""
    if not student.is_tables:
        return 1.0
    return student.logit_scale or 0.3 * math.sqrt(200 * n_classes / student.shape[-1])


def scaled(model: keras.Model, scale: float) -> keras.Model:
    """A model with the same variables whose logits are multiplied."""
    return keras.Model(model.input, keras.layers.Rescaling(scale, name="scale")(model.output), name=model.name)
