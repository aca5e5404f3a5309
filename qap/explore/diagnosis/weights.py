"""The weights of an hls4ml project: headers for synthesis, text files for simulation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qap.errors import DataError
from qap.explore.diagnosis.source import HlsSource

ARRAY = re.compile(r"(?P<type>[\w:<>, ]+?)\s+(?P<name>\w+)\s*\[(?P<size>\d+)\]\s*=\s*\{(?P<values>[^}]*)\}")
VALUES = re.compile(r"^#define\s+(\w+)\s+(.*)$", re.M)
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """One array of weights.

    Args:
        name: of the C++ variable.
        header: what the header holds, which is synthesized; None where it holds no plain numbers.
        text: what the text file holds; None where the simulation reads the header.
        file: the text file, or the header.
    """

    name: str
    header: FloatArray | None
    text: FloatArray | None
    file: Path

    @property
    def simulated(self) -> FloatArray | None:
        """What the C simulation computes with, before it is brought into the weights' type."""
        return self.header if self.text is None else self.text

    @property
    def differing(self) -> int:
        """Numbers of the text file that are not those of the header."""
        if self.header is None or self.text is None:
            return 0
        if self.header.shape != self.text.shape:
            return max(self.header.size, self.text.size)
        return int((self.header != self.text).sum())


def read_weights(source: HlsSource) -> dict[str, Weights]:
    """The arrays that the calls of a project name.

    Raises:
        DataError: a text file that the simulation reads is missing or holds no numbers.
    """
    folder = source.firmware / "weights"
    names = dict.fromkeys(name for call in source.calls for name in call.arguments[2:])
    found = {}
    for name in names:
        header = folder / f"{name}.h"
        text = folder / source.texts[name] if name in source.texts else None
        if not header.is_file() and text is None:
            continue  # an argument that is not an array, or one that is defined elsewhere
        found[name] = Weights(name, _header(header, name), _text(text) if text else None, text or header)
    return found


def _header(path: Path, name: str) -> FloatArray | None:
    if not path.is_file():
        return None
    content = path.read_text(encoding="utf-8", errors="replace")
    macros = dict(VALUES.findall(content))
    for array in ARRAY.finditer(content):
        values = array["values"].strip()
        if array["name"] == name:
            return _numbers(macros.get(values, values), path, optional=True)
    return None


def _text(path: Path) -> FloatArray:
    try:
        line = path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read, though the C simulation reads its weights there: {error}") from error
    numbers = _numbers(line, path, optional=False)
    assert numbers is not None
    return numbers


def _numbers(text: str, path: Path, *, optional: bool) -> FloatArray | None:
    try:
        return np.array([float(part) for part in text.split(",") if part.strip()], np.float64)
    except ValueError as error:
        if optional:
            return None
        raise DataError(f"{path}: {error}; it must hold numbers with commas between them") from error
