"""What a condensed data set is worth: the same model trained on it and on the full one, side by side.

Three risks are looked at: information that was lost (accuracy), models that only remember (the gap between
training and test), and classes that pay for it (recall and coverage, class by class).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

import numpy as np

from qap.data.dataset import FLOAT32_EXACT, Dataset, Split
from qap.data.grid import storage_dtype
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.recipe import TeacherRecipe
from qap.training.condensation.source import Condensed, Floats, nearest, squared_distances
from qap.training.fit import fit, predict_logits
from qap.training.networks import build_teacher

SEEDS = (0, 1, 2)
STEPS, EPOCHS = 600, 10  # at least so many of both: a condensed set is one batch, a full one hundreds
MODEL = TeacherRecipe(units=(64,), dropout=0.0, batch_size=128, learning_rate=3e-3, patience=STEPS)
PARTS = ("train", "validation", "test")
BLOCK = 4096  # samples whose distances are held at once


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trained model: the share of each part that it decides correctly, and the recall of each class on test."""

    train: float
    validation: float
    test: float
    recall: tuple[float | None, ...]


def train_and_judge(dataset: Dataset, seed: int) -> Outcome:
    """Train `MODEL` on a data set; its epoch is chosen on validation."""
    steps = math.ceil(len(dataset.train) / MODEL.batch_size)
    training = MODEL.model_copy(update={"epochs": max(EPOCHS, math.ceil(STEPS / steps))})
    model = build_teacher(training, dataset.n_in, dataset.n_classes, seed=seed, scaling=dataset.network_scaling)
    fit(model, dataset, training, seed=seed)
    parts: list[Split] = [getattr(dataset, part) for part in PARTS]
    logits = predict_logits(model, np.concatenate([part.x for part in parts]), dataset.input_format.lsb)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    train, validation, test = (
        answers == part.y for part, answers in zip(parts, np.split(logits.argmax(axis=1), ends), strict=True)
    )
    of_class = [test[dataset.test.y == index] for index in range(dataset.n_classes)]
    return Outcome(
        train=float(train.mean()),
        validation=float(validation.mean()),
        test=float(test.mean()),
        recall=tuple(float(each.mean()) if each.size else None for each in of_class),
    )


def trainings(condensed: Condensed) -> int:
    """How many models `evaluate` trains."""
    return len(SEEDS) * (3 if condensed.rounding_lsb else 2)


def evaluate(
    full: Dataset, small: Dataset, condensed: Condensed, tell: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Compare the full and the condensed data set; JSON-like, shares from 0 to 1.

    Args:
        full: the data set that was condensed.
        small: the same with the condensed training part.
        condensed: that part, with what the method gave before it was rounded.
        tell: called before every training with what is trained on.

    Raises:
        QapError: a training diverged.
    """

    def outcomes(dataset: Dataset, name: str) -> list[Outcome]:
        found = []
        for seed in SEEDS:
            tell(f"{name}, seed {seed}")
            found.append(train_and_judge(dataset, seed))
        return found

    whole, part = outcomes(full, "full"), outcomes(small, "condensed")
    before = outcomes(unrounded(small, condensed), "before rounding") if condensed.rounding_lsb else part
    return {
        "evaluation": {"units": list(MODEL.units), "seeds": list(SEEDS), "chosen_on": "validation"},
        "samples": {"full": len(full.train), "condensed": len(small.train)},
        "information": {
            "full": _accuracies(whole),
            "condensed": _accuracies(part),
            "lost": mean(one.test for one in whole) - mean(one.test for one in part),
        },
        "generalisation": {"full": _gap(whole), "condensed": _gap(part)},
        "bias": _bias(full, small, whole, part),
        "rounding": {
            "rms_lsb": condensed.rounding_lsb,
            "before": _accuracies(before),
            "lost": mean(one.test for one in before) - mean(one.test for one in part),
        },
    }


def unrounded(small: Dataset, condensed: Condensed) -> Dataset:
    """The condensed data set on the finest grid that float32 holds: as good as not rounded."""
    form = small.input_format
    finer = FLOAT32_EXACT.bit_length() - 1 - (form.width - form.signed)
    grid = FixedPoint(form.signed, form.width + finer, form.integer, Rounding.RND_CONV, Overflow.SAT)
    dtype = storage_dtype(grid)
    train = Split(nearest(condensed.real, grid).astype(dtype), small.train.y)
    validation, test = (Split(part.x.astype(dtype) << finer, part.y) for part in (small.validation, small.test))
    return replace(small, train=train, validation=validation, test=test, input_format=grid)


def distances(samples: Floats, condensed: Floats) -> Floats:
    """The Euclidean distance (n,) of each sample (n, n_in) to the nearest of some condensed ones (m, n_in)."""
    blocks = [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]
    nearest_of: Floats = np.sqrt(np.concatenate([squared_distances(b, condensed).min(axis=1) for b in blocks]))
    return nearest_of


def _accuracies(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    accuracy = [one.test for one in outcomes]
    return {
        "test": mean(accuracy),
        "spread": stdev(accuracy),
        "each": accuracy,
        "validation": mean(one.validation for one in outcomes),
    }


def _gap(outcomes: Sequence[Outcome]) -> dict[str, float]:
    train, test = mean(one.train for one in outcomes), mean(one.test for one in outcomes)
    return {"train": train, "test": test, "gap": train - test}


def _bias(full: Dataset, small: Dataset, whole: Sequence[Outcome], part: Sequence[Outcome]) -> dict[str, Any]:
    classes: list[dict[str, Any]] = []
    for index, name in enumerate(full.class_names):
        samples, kept = (data.real(data.train.x[data.train.y == index]).astype(np.float64) for data in (full, small))
        before, after = (_mean_recall(outcomes, index) for outcomes in (whole, part))
        classes.append(
            {
                "name": name,
                "recall_full": before,
                "recall_condensed": after,
                "change": None if before is None or after is None else after - before,
                "distance": float(distances(samples, kept).mean()),
                "distance_to_mean": float(distances(samples, samples.mean(axis=0, keepdims=True)).mean()),
            }
        )
    hurt = min((each for each in classes if each["change"] is not None), key=lambda each: float(each["change"]))
    return {"classes": classes, "hurt_most": hurt["name"] if hurt["change"] < 0 else None}


def _mean_recall(outcomes: Sequence[Outcome], index: int) -> float | None:
    """The mean recall of a class, None when the test part has no sample of it."""
    found = [recall for one in outcomes if (recall := one.recall[index]) is not None]
    return mean(found) if found else None
