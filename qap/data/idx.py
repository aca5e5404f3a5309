"""IDX, the file format of MNIST: a magic number, big-endian sizes, then bytes; gzip or not.

The magic number is 0x00000800 (unsigned bytes) plus the number of dimensions: 3 for images, 1 for labels.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np
import numpy.typing as npt

from qap.errors import DataError
from qap.files import write_with

MAGIC = 0x00000800
GZIP_MAGIC = b"\x1f\x8b"
LARGEST = 2**31  # bytes; a header that claims more is damaged
CONTENT = {1: "labels", 3: "images"}


def read_idx(path: Path, dimensions: Literal[1, 3]) -> npt.NDArray[np.uint8]:
    """Read an IDX file of bytes, gzip or not (told apart by content, not by name).

    Args:
        path: the file.
        dimensions: 3 for images (n, height, width), 1 for labels (n,).

    Returns:
        uint8 with that many dimensions, read-only.

    Raises:
        DataError: the file is missing, truncated, oversized, damaged, or another kind of file.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if compressed else file
            return _read(stream, path, dimensions)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except EOFError:
        raise DataError(f"{path} is truncated: its gzip stream ends too early") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged: its gzip stream cannot be read ({error})") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _read(stream: BinaryIO, path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    length = 4 + 4 * dimensions
    header = stream.read(length)
    if not header:
        raise DataError(f"{path} is empty")
    magic = int.from_bytes(header[:4], "big")
    if len(header) >= 4 and magic != MAGIC + dimensions:
        found = CONTENT.get(magic - MAGIC)
        raise DataError(
            f"{path} is not an IDX file of {CONTENT[dimensions]}: it begins with 0x{magic:08x}"
            f"{f' ({found})' if found else ''}, but must begin with 0x{MAGIC + dimensions:08x}"
        )
    if len(header) < length:
        raise DataError(f"{path} is truncated: it has {len(header)} bytes, its header alone needs {length}")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    size = prod(shape)
    sizes = " x ".join(map(str, shape))
    if size == 0:
        raise DataError(f"{path} holds no {CONTENT[dimensions]}: its header says {sizes}")
    if size > LARGEST:
        raise DataError(f"{path} is damaged: its header says {sizes} bytes, at most {LARGEST} are possible")
    content = stream.read(size + 1)  # one more than promised; also reaches the checksum at the end of gzip
    if len(content) < size:
        raise DataError(f"{path} is truncated: its header says {sizes} = {size} bytes, but {len(content)} follow")
    if len(content) > size:
        raise DataError(f"{path} is oversized: more bytes follow than the {sizes} = {size} of its header")
    return np.frombuffer(content, np.uint8).reshape(shape)


def write_idx(path: Path, values: npt.NDArray[np.uint8]) -> None:
    """Write bytes as IDX, whole or not at all; gzip when the name ends in `.gz`. Equal bytes give equal files.

    Args:
        path: the file.
        values: uint8, images (n, height, width) or labels (n,).

    Raises:
        DataError: the file cannot be written.
    """
    content = struct.pack(f">{1 + values.ndim}I", MAGIC + values.ndim, *values.shape) + values.tobytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    write_with(path, lambda temporary: temporary.write_bytes(content))
