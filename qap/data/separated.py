"""Text of rows and fields: gzip or not, which separator, and the rows with the lines that they begin at."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TextIO

from qap.errors import DataError
from qap.sources import SEPARATORS

GZIP = b"\x1f\x8b"


class Rows(NamedTuple):
    """What a file holds.

    Args:
        separator: between fields.
        rows: each row that is not blank, with the line it begins at; the header is the first.
    """

    separator: str
    rows: Iterator[tuple[int, list[str]]]


@contextmanager
def open_rows(path: Path, wanted: str | None, separator: str | None = None) -> Iterator[Rows]:
    """Open a table; its rows are read inside of the block.

    Args:
        path: the file, UTF-8, compressed by gzip or not.
        wanted: a name that the header has; it shows which separator is meant. None if none is known.
        separator: one of `SEPARATORS`; None finds it: what Excel's `sep=` says, else that under which `wanted` is a
            column, else the most frequent one.

    Raises:
        DataError: the file is missing, damaged, not text, or a quoted field does not end.
    """
    try:
        with path.open("rb") as file, _text(file) as text:
            yield _found(path, text, wanted, separator)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} is compressed by gzip, and damaged: {error}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _text(file: io.BufferedReader) -> TextIO:
    stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == GZIP else file
    return io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")


def _found(path: Path, text: TextIO, wanted: str | None, separator: str | None) -> Rows:
    first, skipped = text.readline(), 0
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=") + 1:
        separator, first, skipped = separator or first.strip()[-1], text.readline(), 1
    while first and not first.strip():
        first, skipped = text.readline(), skipped + 1
    separator = separator or _separator(first, wanted)
    return Rows(separator, _rows(path, chain([first], text), separator, skipped))


def _separator(header: str, wanted: str | None) -> str:
    fields = {each: _fields(header, each) for each in SEPARATORS.values()}
    named = [each for each, names in fields.items() if wanted in names and len(names) > 1]
    return named[0] if named else max(fields, key=lambda each: len(fields[each]))


def _fields(header: str, separator: str) -> list[str]:
    row = next(csv.reader([header], delimiter=separator, skipinitialspace=True), [])
    return [name.strip() for name in row]


def _rows(path: Path, lines: Iterator[str], separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    line = 1 + skipped
    try:
        for row in reader:
            if "".join(row).strip():
                yield line, row
            line = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: {error}") from None
