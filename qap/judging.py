"""What classifications are worth: scikit-learn's scores of a model's logits, and of deciding nothing at all.

The score of a class, for curves and areas, is its log odds: the logit against the logarithm of the summed exponentials
of the others. Between two classes that is the difference of the logits, so nothing saturates and ties stay ties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data import Dataset, Split
from qap.fixed import IntArray

FloatArray = npt.NDArray[np.float64]

PARTS = ("train", "validation", "test")
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class RocCurve:
    """How a class is told from the others at every threshold of its score.

    Args:
        name: of the class.
        false_alarms: share of the other samples above the threshold, rising.
        found: share of its own samples above the threshold, rising.
        area: below the curve: the chance that a sample of the class scores above one of another class.
    """

    name: str
    false_alarms: FloatArray
    found: FloatArray
    area: float


def judged(logits: Callable[[Split], npt.NDArray[Any]], data: Dataset, lsb: float = 1.0) -> dict[str, Any]:
    """What a model decides of labelled data, and what that is worth; nothing without labels.

    Args:
        logits: of the samples of a part, (n, classes), or (n, 1) above 0 for the second class.
        data: with labels or without.
        lsb: of the logits, where they are integers.

    Returns:
        `accuracy` on every part, `confusion` (true class, decided class) on test, and the other `scores` on test.
    """
    if not data.has_labels:
        return {}
    from sklearn.metrics import confusion_matrix

    found = {part: logits(getattr(data, part)) for part in PARTS}
    right = {part: decisions(each) == getattr(data, part).y for part, each in found.items()}
    matrix = confusion_matrix(data.test.y, decisions(found["test"]), labels=range(data.n_classes))
    return {
        "accuracy": {part: float(each.mean()) for part, each in right.items()},
        "confusion": matrix.tolist(),
        "scores": {
            "interval": {part: list(wilson_interval(int(each.sum()), len(each))) for part, each in right.items()},
            **scores(found["test"], data.test.y, data.class_names, lsb),
        },
    }


def decisions(logits: npt.NDArray[Any]) -> IntArray:
    """Class indices (n,) of logits (n, classes): the largest, the lowest index wins ties; one output: above 0."""
    return (logits[:, 0] > 0).astype(np.int64) if logits.shape[1] == 1 else logits.argmax(axis=1)


def wilson_interval(right: int, samples: int) -> tuple[float, float]:
    """Wilson's interval of a share, which holds the true one with a confidence of 95 %.

    Args:
        right: how many were decided right.
        samples: of so many, at least one.
    """
    from scipy.stats import binomtest

    interval = binomtest(right, samples).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def scores(logits: npt.NDArray[Any], y: IntArray, class_names: tuple[str, ...], lsb: float = 1.0) -> dict[str, Any]:
    """Balanced accuracy, F1 and AUC of logits, and precision, recall, F1 and AUC of every class.

    Balanced accuracy is the mean recall of the classes that occur, F1 their mean F1. The AUC is the mean of all
    classes, each against the rest, which is that of either one where there are two; None where it does not exist.

    Args:
        logits: (n, classes), or (n, 1).
        y: (n,) class indices.
        class_names: one for each class.
        lsb: of the logits, where they are integers.
    """
    from sklearn.metrics import precision_recall_fscore_support

    table = precision_recall_fscore_support(y, decisions(logits), labels=range(len(class_names)), zero_division=0.0)
    occur = table[3] > 0
    areas = [_area(each, y == index) for index, each in enumerate(class_scores(logits, lsb))]
    known = [area for area in areas if area is not None]
    rows = zip(class_names, *(column.tolist() for column in table), areas, strict=True)
    return {
        "balanced_accuracy": float(table[1][occur].mean()),
        "f1": float(table[2][occur].mean()),
        "auc": float(np.mean(known)) if known else None,
        "classes": [
            dict(zip(("class", "precision", "recall", "f1", "samples", "auc"), row, strict=True)) for row in rows
        ],
    }


def class_scores(logits: npt.NDArray[Any], lsb: float = 1.0) -> list[FloatArray]:
    """The log odds (n,) of every class, the higher the likelier.

    Args:
        logits: (n, classes), or (n, 1) of the second of two classes.
        lsb: of the logits, where they are integers.
    """
    from scipy.special import logsumexp

    values = logits.astype(np.float64) * lsb
    if values.shape[1] == 1:
        return [-values[:, 0], values[:, 0]]
    others = [np.delete(values, index, axis=1) for index in range(values.shape[1])]
    return [values[:, index] - logsumexp(rest, axis=1) for index, rest in enumerate(others)]


def _area(score: FloatArray, is_class: npt.NDArray[np.bool_]) -> float | None:
    from sklearn.metrics import roc_auc_score

    if is_class.all() or not is_class.any() or not np.isfinite(score).all():
        return None
    return float(roc_auc_score(is_class, score))


def roc_curves(logits: npt.NDArray[Any], y: IntArray, class_names: tuple[str, ...], lsb: float = 1.0) -> list[RocCurve]:
    """The curve of the second of two classes, or of every class against the rest; none of a class that has no curve.

    Args:
        logits: (n, classes), or (n, 1).
        y: (n,) class indices.
        class_names: one for each class.
        lsb: of the logits, where they are integers.
    """
    from sklearn.metrics import roc_curve

    curves = []
    for index, score in enumerate(class_scores(logits, lsb)):
        area = _area(score, y == index)
        if area is not None and (len(class_names) > 2 or index == 1):
            false_alarms, found, _ = roc_curve(y == index, score)
            curves.append(RocCurve(class_names[index], false_alarms, found, area))
    return curves


def majority(data: Dataset) -> dict[str, Any]:
    """The class that is most frequent in training, and the accuracy of always deciding it; nothing without labels."""
    if not data.has_labels:
        return {}
    from sklearn.dummy import DummyClassifier

    baseline = DummyClassifier(strategy="most_frequent").fit(data.train.x, data.train.y)
    name = data.class_names[int(baseline.predict(data.test.x[:1])[0])]
    accuracy = {part: float(baseline.score(getattr(data, part).x, getattr(data, part).y)) for part in PARTS}
    return {"majority": {"class": name, "accuracy": accuracy}}
