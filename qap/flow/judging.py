"""What a model of a run is worth, and what of it is kept for the report."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data import Dataset, Split
from qap.files import write_with
from qap.run import WEIGHTS, RunDirectory


def judged(decide: Callable[[Split], npt.NDArray[Any]], data: Dataset) -> dict[str, Any]:
    """Accuracy on every part, and the confusion matrix (true class, decided class) on test; nothing without labels."""
    if not data.has_labels:
        return {}
    decided = {part: decide(getattr(data, part)) for part in ("train", "validation", "test")}
    accuracy = {part: float((classes == getattr(data, part).y).mean()) for part, classes in decided.items()}
    confusion = np.zeros((data.n_classes, data.n_classes), np.int64)
    np.add.at(confusion, (data.test.y, decided["test"]), 1)
    return {"accuracy": accuracy, "confusion": confusion.tolist()}


def save_kernels(run: RunDirectory, **models: Any) -> None:
    """Keep the float kernels of models as `NAME_INDEX`, for the report."""
    from qap.training.networks import dense_layers

    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, model in models.items():
        kernels = [np.asarray(layer.kernel) for layer in dense_layers(model)]
        arrays |= {f"{name}_{index}": kernel for index, kernel in enumerate(kernels)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_with(run.file(WEIGHTS), lambda path: path.write_bytes(buffer.getvalue()))
