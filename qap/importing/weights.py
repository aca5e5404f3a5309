"""Weights in HDF5, as `model.save`, `model.save_weights` and `.keras` files have them, read as arrays by h5py alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from qap.archives import LARGEST
from qap.errors import DataError, one_line
from qap.importing.keras_config import LayerConfig, Numbers

FOLDERS = ("layers", "_layer_checkpoint_dependencies")
"""Where a model keeps its layers in a `.keras` file, by version."""
ORDER = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
DAMAGE = (OSError, KeyError, RuntimeError)


@contextmanager
def open_hdf5(source: Path | BinaryIO, shown: str) -> Iterator[h5py.File]:
    """Open an HDF5 file; what is wrong with it inside of the block becomes one line.

    Args:
        source: the file.
        shown: how the error names it.

    Raises:
        DataError: it is missing, damaged or truncated.
    """
    try:
        with h5py.File(source, "r") as file:
            yield file
    except FileNotFoundError:
        raise DataError(f"{shown} does not exist") from None
    except DAMAGE as error:
        raise DataError(f"{shown} is not an HDF5 file, or damaged: {one_line(error, 160)}") from error


class Weights:
    """The weights of a model in an open file.

    Args:
        file: the file; what lies outside of it is never followed.
        shown: how errors name it.
        dtype: of the model.
    """

    def __init__(self, file: h5py.File, shown: str, dtype: str) -> None:
        self._shown = shown
        self._dtype = np.dtype(dtype)
        root = file.get("model_weights", file)
        self._by_key = not any(name in root.attrs for name in ("layer_names", "layer_names0")) and any(
            name in root for name in FOLDERS
        )
        self._root = root

    def take(self, layer: LayerConfig, name: str, wanted: Sequence[str]) -> Numbers:
        """One weight of a layer.

        Args:
            layer: the layer.
            name: of the weight: `kernel`, `batchnorm.gamma`.
            wanted: the names of all its weights of that kind, in their order in Keras.

        Raises:
            DataError: it is not there, there is more than one, or it is not an array of finite numbers of the model.
        """
        found = self._numbered(layer, name, wanted) if self._by_key else self._named(layer, name)
        if found is None:
            raise layer.error(f"{self._shown} holds no {name} of it; are these the weights of this model?")
        return self._array(layer, name, found)

    def _named(self, layer: LayerConfig, name: str) -> Any:
        """By the last part of its name, in the group of its layer: `fc1/fc1/kernel:0`."""
        group = _member(self._root, layer.scope[0])
        if not isinstance(group, h5py.Group):
            return None
        last = name.rpartition(".")[2]
        matching = [
            dataset
            for path, dataset in _datasets(group)
            if path[-1].partition(":")[0] == last and set(layer.scope[1:]) <= set(path)
        ]
        if len(matching) > 1:
            raise layer.error(f"{self._shown} holds {len(matching)} weights that could be its {name}")
        return matching[0] if matching else None

    def _numbered(self, layer: LayerConfig, name: str, wanted: Sequence[str]) -> Any:
        """By its place among the variables of its layer: `layers/dense_1/vars/0`."""
        inner, _, last = name.rpartition(".")
        place = [each for each in ORDER if each in wanted].index(last)
        for folder in FOLDERS:
            path = [folder if part == "layers" else part for part in layer.key]
            found = self._root
            for part in [*path, *([inner] if inner else []), "vars", str(place)]:
                found = _member(found, part)
            if found is not None:
                return found
        return None

    def _array(self, layer: LayerConfig, name: str, dataset: Any) -> Numbers:
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind != "f":
            raise layer.error(f"its {name} in {self._shown} is not an array of floating point numbers")
        if dataset.external or dataset.is_virtual:
            raise layer.error(f"its {name} in {self._shown} lies in another file, which is never followed")
        if dataset.size * 4 > LARGEST:
            raise layer.error(f"its {name} in {self._shown} has {dataset.size:,} numbers, more than are read")
        stored = np.asarray(dataset[()])
        array = stored.astype(self._dtype)
        if not np.isfinite(array).all():
            raise layer.error(f"its {name} in {self._shown} holds a number that is not finite")
        if (array != stored).any():
            own = f"its {name} in {self._shown} is {stored.dtype}"
            raise layer.error(f"{own}, and {self._dtype} does not hold its numbers")
        return array


def _datasets(group: h5py.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], h5py.Dataset]]:
    for name in group:
        found = _member(group, name)
        if isinstance(found, h5py.Group):
            yield from _datasets(found, (*path, name))
        elif isinstance(found, h5py.Dataset):
            yield (*path, name), found


def _member(group: Any, name: str) -> Any:
    """A member of a group by one or several names; links are not followed, neither out of the file nor in circles."""
    found = group
    for part in name.split("/"):
        if not isinstance(found, h5py.Group) or not isinstance(found.get(part, getlink=True), h5py.HardLink):
            return None
        found = found[part]
    return found
