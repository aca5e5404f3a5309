"""How much a sample counts in training, by its class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from qap.data.dataset import Dataset
from qap.errors import DataError, did_you_mean


def weighted(data: Dataset, wanted: Literal["balanced"] | Mapping[str, float] | None) -> Dataset:
    """The same data with a weight for each class.

    Args:
        data: with labels.
        wanted: weights by class name, 1 for a class that is not named; "balanced" gives every class the same sum of
            weights over the training part, and the samples a mean weight of 1; None leaves the data as they are.

    Raises:
        DataError: the data have no labels, or no such class.
    """
    if wanted is None:
        return data
    if not data.has_labels:
        raise DataError(f"data.class_weights weighs classes, but {data.name!r} has no labels")
    if wanted == "balanced":
        from sklearn.utils.class_weight import compute_class_weight

        weights = compute_class_weight("balanced", classes=np.arange(data.n_classes), y=data.train.y).tolist()
        return replace(data, class_weights=tuple(weights))
    assert isinstance(wanted, Mapping)
    for name in wanted:
        if name not in data.class_names:
            raise DataError(
                f"data.class_weights: {data.name!r} has no class {name!r}" + did_you_mean(name, data.class_names)
            )
    return replace(data, class_weights=tuple(float(wanted.get(name, 1)) for name in data.class_names))
