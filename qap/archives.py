"""NPZ files from outside: sizes are read from the headers first, nothing is unpickled, what is wrong is one line."""

from __future__ import annotations

import io
import lzma
import math
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import DataError, one_line

LARGEST = 2**31
"""Bytes that the arrays of one file may have together, unpacked."""
MANY = 10_000  # members; a network has some per layer
HEADER_BYTES = 1 << 16
DAMAGE = (
    ValueError, EOFError, RuntimeError, SyntaxError, NotImplementedError, OverflowError, zipfile.BadZipFile, zlib.error,
    lzma.LZMAError,
)  # fmt: skip


class Member(NamedTuple):
    """What the header of an array says."""

    info: zipfile.ZipInfo
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Arrays:
    """The arrays of an open file.

    Args:
        archive: the file.
        members: by name, what their headers say.
    """

    def __init__(self, archive: zipfile.ZipFile, members: Mapping[str, Member]) -> None:
        self._archive = archive
        self.members = members

    @property
    def names(self) -> list[str]:
        """Of everything in the file, also of what is not looked at."""
        return [info.filename.removesuffix(".npy") for info in self._archive.infolist()]

    def read(self, name: str) -> npt.NDArray[Any]:
        """One array."""
        with self._archive.open(self.members[name].info) as file:
            array: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
            return array

    def read_all(self) -> dict[str, npt.NDArray[Any]]:
        """Every array, by name."""
        return {name: self.read(name) for name in self.members}


@contextmanager
def open_npz(path: Path, what: str, wanted: Collection[str] | None = None) -> Iterator[Arrays]:
    """Open an NPZ file; its arrays are read inside of the block.

    Args:
        path: the file.
        what: what it should be, for the error.
        wanted: names of arrays; others are not looked at. None takes all.

    Raises:
        DataError: the file is missing or damaged, an array holds pickled objects or is not what its header says, or
            all of them are larger than `LARGEST`.
    """
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"cannot read {path}: it is not a file")
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise DataError(f"{path} is truncated, or no {what}")
            with zipfile.ZipFile(file) as archive:
                yield Arrays(archive, _members(path, archive, wanted))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except MemoryError:
        raise DataError(f"{path}: an array does not fit into the memory") from None
    except DAMAGE as error:
        raise DataError(f"{path} is damaged: {one_line(error)}") from error


def _members(path: Path, archive: zipfile.ZipFile, wanted: Collection[str] | None) -> dict[str, Member]:
    infos = archive.infolist()
    if len(infos) > MANY:
        raise DataError(f"{path} holds {len(infos):,} arrays, at most {MANY:,} are read")
    members: dict[str, Member] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if wanted is not None and name not in wanted:
            continue
        if name in members:
            raise DataError(f"{path} is damaged: it holds the array {name!r} twice")
        members[name] = _member(path, archive, info, name)
    total = sum(_size(member) for member in members.values())
    if total > LARGEST:
        raise DataError(f"{path} unpacks to {total:,} bytes, at most {LARGEST:,} are read")
    return members


def _member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Member:
    with archive.open(info) as file:
        begin = io.BytesIO(file.read(HEADER_BYTES))
    try:
        version = np.lib.format.read_magic(begin)
    except ValueError:
        raise DataError(f"{path}: {name!r} is not a NumPy array") from None
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{path}: the array {name!r} is of version {version}, but only 1.0 and 2.0 are read")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(begin)
    if dtype.hasobject:
        raise DataError(f"{path}: the array {name!r} holds pickled objects, which are never loaded")
    member, follow = Member(info, shape, dtype), info.file_size - begin.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != follow:
        raise DataError(
            f"{path} is damaged: the array {name!r} should be {dtype} {shape}, but {follow:,} bytes follow its header"
        )
    return member


def _size(member: Member) -> int:
    """Bytes, and at least one for each number: text of no length takes none, but its numbers are counted."""
    return math.prod(member.shape) * max(1, member.dtype.itemsize)
