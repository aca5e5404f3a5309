"""New samples for a network that was trained: a table, an NPZ or an IDX file, without labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.archives import open_npz
from qap.data.dataset import Dataset
from qap.data.idx import read_idx
from qap.data.images import SIXTEENTHS
from qap.data.raw import PIXELS
from qap.data.scaling import SampleScaling, Scaling
from qap.data.tables import columns_of, read_table
from qap.errors import DataError, QapError
from qap.fixed import FixedPoint, IntArray

TABLES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")


def read_samples(path: Path, data: Dataset) -> IntArray:
    """Samples of a file as the network of a run reads them.

    A table has a header and the columns that the network was trained with, in any order; others are not read. An NPZ
    file holds `x` (or one array alone), bytes as pixels; an IDX file images.

    Args:
        path: the file.
        data: what the network was trained on.

    Returns:
        int64 (n, n_in), in LSBs of `data.input_format`.

    Raises:
        DataError: the file is missing or damaged, has other inputs, or a number that the format does not hold.
    """
    if path.name.lower().endswith(TABLES):
        return _on_grid(path, _table(path, data), data)
    if path.suffix.lower() == ".npz":
        x, grid = _npz(path, data)
    else:
        x, grid = read_idx(path, 3), _byte_grid(data)
    if not np.issubdtype(x.dtype, np.number) or x.ndim < 2 or not len(x):
        raise DataError(f"{path}: samples are numbers (n, {data.n_in}), but these are {x.dtype} {x.shape}")
    x = x.reshape(len(x), -1)
    if x.shape[1] != data.n_in:
        raise DataError(f"{path}: a sample has {x.shape[1]:,} numbers, but the network reads {data.n_in:,}")
    if grid is None:
        return _on_grid(path, x, data)
    if not np.issubdtype(x.dtype, np.integer):
        raise DataError(f"{path}: with an input_format samples are whole numbers, but these are {x.dtype}")
    return data.input_format.requantize(x, grid.fractional)


def _byte_grid(data: Dataset) -> FixedPoint | None:
    """The grid of bytes: those of pixels; None where they are features as any others."""
    kind = data.name.partition(":")[0]
    if (data.scaling is not None and data.network_scaling is None) or kind == "csv":
        return None
    return SIXTEENTHS if kind == "digits" else PIXELS


def _npz(path: Path, data: Dataset) -> tuple[npt.NDArray[Any], FixedPoint | None]:
    """The samples, and the grid that they are on, None for features."""
    with open_npz(path, "NPZ file; write one with numpy.savez(file, x=...)") as stored:
        names = list(stored.members)
        name = "x" if "x" in names else names[0] if len(names) == 1 else None
        if name is None:
            raise DataError(f"{path} has no array 'x' (found: {', '.join(names) or 'none'})")
        x = stored.read(name)
        if "input_format" in names:
            try:
                return x, FixedPoint.parse(str(stored.read("input_format")))
            except QapError as error:
                raise DataError(f"{path}: input_format: {error}") from None
    return x, _byte_grid(data) if x.dtype == np.uint8 else None


def on_grid(features: npt.NDArray[Any], scaling: Scaling | SampleScaling | None, form: FixedPoint) -> IntArray:
    """New features as the training samples came onto the grid: scaled, or taken as LSBs where nothing was scaled.

    Args:
        features: (n, n_in).
        scaling: of the data set.
        form: the grid.

    Returns:
        int64 (n, n_in), in LSBs of `form`.

    Raises:
        DataError: a number cannot be scaled, or is not one of the grid.
    """
    real = features.astype(np.float64)
    if scaling is not None:
        return scaling.apply(real)
    wrong = (real % 1 != 0) | (real < form.min_int) | (real > form.max_int)
    if wrong.any():
        sample, feature = np.argwhere(wrong)[0]
        raise DataError(
            f"feature {feature} of sample {sample} is {real[sample, feature]:g}, but the inputs of the network are "
            f"whole numbers from {form.min_int} to {form.max_int}, in LSBs of {form}"
        )
    return real.astype(np.int64)


def _on_grid(path: Path, features: npt.NDArray[Any], data: Dataset) -> IntArray:
    try:
        return on_grid(features, data.scaling, data.input_format)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _table(path: Path, data: Dataset) -> npt.NDArray[np.float64]:
    """The features (n, n_in) of a table, in the order of the columns that the network was trained with."""
    table = read_table(path, columns_of(data.name, data.feature_names))
    if len(table.names) != data.n_in:
        raise DataError(f"{path} has {len(table.names)} columns, but the network reads {data.n_in}")
    missing = np.isnan(table.features)
    if missing.any() and not data.fill:
        row, column = np.argwhere(missing)[0]
        raise DataError(
            f"{path}, line {table.lines[row]}, column {table.names[column]!r}: the value is missing, but none was when "
            "the network was trained, so nothing stands for it"
        )
    return np.where(missing, data.fill, table.features) if data.fill else table.features
