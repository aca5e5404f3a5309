"""`npz:FILE`: the user's own NumPy arrays. Nothing in it is ever unpickled.

The file holds x and y, and x_test and y_test if it has a test part of its own. x of uint8 are pixels
(x/256), (n, n_in) or pictures (n, height, width); any other numbers are features (n, n_in). y holds
whole numbers or text, one label a sample.
"""

from __future__ import annotations

import lzma
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data.labels import class_order, encode
from qap.data.raw import PIXELS, RawData, Samples
from qap.errors import DataError
from qap.files import user_path

Array = npt.NDArray[Any]
ARRAYS = ("x", "y", "x_test", "y_test")
DAMAGE = (OSError, ValueError, EOFError, RuntimeError, SyntaxError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def npz(argument: str, data_dir: Path | None) -> RawData:
    """The arrays of `npz:FILE`."""
    if not argument:
        raise DataError("npz needs a file: npz:FILE")
    return read_npz(user_path(argument))


def read_npz(path: Path) -> RawData:
    """Read x, y and, if there are, x_test and y_test.

    Raises:
        DataError: the file is missing or damaged, an array is missing, pickled, or of the wrong shape or type.
    """
    arrays = _load(path)
    for name in ("x", "y"):
        if name not in arrays:
            found = ", ".join(arrays) or "none"
            raise DataError(
                f"{path} has no array {name!r} (x and y are needed, x_test and y_test allowed; found: {found})"
            )
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise DataError(f"{path} has one of x_test and y_test, but needs both or none")
    x, labels = _inputs(path, arrays, "x"), _labels(path, arrays, "y")
    names = class_order(labels)
    train = Samples(x, encode(labels, names))
    test = _test_part(path, arrays, names) if "x_test" in arrays else None
    grid = PIXELS if arrays["x"].dtype == np.uint8 else None
    return RawData(str(path), train, test, names, grid, _image_shape(arrays["x"]))


def _test_part(path: Path, arrays: dict[str, Array], names: tuple[str, ...]) -> Samples:
    x, x_test = arrays["x"], arrays["x_test"]
    if x.shape[1:] != x_test.shape[1:]:
        raise DataError(f"{path}: x is {x.shape}, but x_test is {x_test.shape}")
    if (x.dtype == np.uint8) != (x_test.dtype == np.uint8):
        raise DataError(f"{path}: x is {x.dtype}, but x_test is {x_test.dtype}")
    labels = _labels(path, arrays, "y_test")
    unknown = sorted(set(labels) - set(names))
    if unknown:
        raise DataError(f"{path}: y_test has the class {unknown[0]!r}, which y has not")
    return Samples(_inputs(path, arrays, "x_test"), encode(labels, names))


def _load(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):  # numpy would take it for a pickle
                raise DataError(f"{path} is truncated, or no NPZ file; write one with numpy.savez(file, x=..., y=...)")
        with np.load(path, allow_pickle=False) as archive:
            return {name: _array(archive, name, path) for name in archive.files if name in ARRAYS}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except MemoryError:
        raise DataError(f"{path}: an array does not fit into the memory, or its header is damaged") from None
    except DAMAGE as error:
        raise DataError(f"{path} is damaged: {' '.join(str(error).split()) or type(error).__name__}") from error


def _array(archive: Any, name: str, path: Path) -> Array:
    try:
        array: Array = archive[name]
    except ValueError as error:
        if "Object arrays" in str(error):
            raise DataError(f"{path}: the array {name!r} holds pickled objects, which are never loaded") from None
        raise
    if not isinstance(array, np.ndarray):  # numpy hands over the bytes of what is no array
        raise DataError(f"{path}: {name!r} is no NumPy array")
    if array.size == 0:
        raise DataError(f"{path}: the array {name!r} is empty: its shape is {array.shape}")
    return array


def _inputs(path: Path, arrays: dict[str, Array], name: str) -> Array:
    """(n, n_in) uint8 pixels, or finite float64 features."""
    x = arrays[name]
    if x.dtype == np.uint8 and x.ndim in (2, 3):
        return x.reshape(len(x), -1)
    if x.ndim != 2:
        raise DataError(
            f"{path}: {name} must be (n, features), or uint8 pictures (n, height, width), but is {x.dtype} {x.shape}"
        )
    if x.dtype.kind not in "biuf":
        raise DataError(f"{path}: {name} must hold numbers, but holds {x.dtype}")
    finite = np.isfinite(x)
    if not finite.all():
        sample, feature = np.argwhere(~finite)[0]
        raise DataError(
            f"{path}: {name}[{sample}, {feature}] is {x[sample, feature]}; only finite numbers are possible"
        )
    return x.astype(np.float64)


def _labels(path: Path, arrays: dict[str, Array], name: str) -> list[str]:
    y, x_name = arrays[name], name.replace("y", "x")
    if y.ndim != 1 or len(y) != len(arrays[x_name]):
        raise DataError(f"{path}: {name} must be one label a sample, ({len(arrays[x_name])},), but is {y.shape}")
    if y.dtype.kind not in "biuU":
        raise DataError(f"{path}: {name} must hold whole numbers or text, but holds {y.dtype}")
    return [str(label) for label in y.tolist()]


def _image_shape(x: Array) -> tuple[int, int] | None:
    """Pictures say their shape; flat pixels are taken for a square picture when their number is a square."""
    if x.dtype != np.uint8:
        return None
    if x.ndim == 3:
        return int(x.shape[1]), int(x.shape[2])
    side = math.isqrt(x.shape[1])
    return (side, side) if side * side == x.shape[1] and side > 1 else None
