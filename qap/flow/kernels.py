"""What of a trained model is kept for the report."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.files import write_with
from qap.run import WEIGHTS, RunDirectory


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
