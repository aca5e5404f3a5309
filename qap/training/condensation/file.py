"""A condensed data set as an NPZ file that the recipe's `data.name = "npz:FILE"` reads."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap import __version__
from qap.data import Dataset, Scaling, Split
from qap.files import write_with
from qap.training.condensation.source import Condensed

VERSION = 1


def save_condensed(path: Path, dataset: Dataset, condensed: Condensed, method: str, seed: int) -> dict[str, Any]:
    """Write the condensed training part with the untouched validation and test parts, whole or not at all.

    Args:
        path: the file.
        dataset: what was condensed.
        condensed: what became of its training part.
        method: how; recorded in the file with the seed and the digest of `dataset`.
        seed: of the method.

    Returns:
        What was recorded.

    Raises:
        DataError: the file cannot be written.
    """
    record = {
        "qap_condensed": VERSION,
        "qap": __version__,
        "method": method,
        "seed": seed,
        "per_class": len(condensed.train) // dataset.n_classes,
        "source": dataset.name,
        "source_digest": dataset.digest,
    }
    arrays = {
        **_arrays("", condensed.train, dataset),
        **_arrays("_validation", dataset.validation, dataset),
        **_arrays("_test", dataset.test, dataset),
        "class_names": np.array(dataset.class_names),
        "input_format": np.array(str(dataset.input_format)),
        "condensation": np.array(json.dumps(record)),
    }
    if isinstance(dataset.scaling, Scaling) and dataset.network_scaling is None:
        arrays |= {"scaling_offset": dataset.scaling.offset, "scaling_shift": dataset.scaling.shift}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_with(path, lambda temporary: temporary.write_bytes(buffer.getvalue()))
    return record


def _arrays(suffix: str, split: Split, dataset: Dataset) -> dict[str, npt.NDArray[Any]]:
    """`x` and `y` of one part: pictures if they are some, and the names of the classes as labels."""
    x = split.x if dataset.image_shape is None else split.x.reshape(-1, *dataset.image_shape)
    return {f"x{suffix}": x, f"y{suffix}": np.array(dataset.class_names)[split.y]}
