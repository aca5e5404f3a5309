"""`csv:FILE?label=COLUMN`: the user's own table, one sample a row, every column but the label a numeric feature.

Comma-separated UTF-8 with a header row; quoted fields, a byte-order mark and any line ending are fine.
`&test=FILE2` names a second table with the same columns for the test part. In what follows the `?`,
`%26` stands for `&`, `%3F` for `?` and `%25` for `%`.
"""

from __future__ import annotations

import csv
import difflib
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import numpy.typing as npt

from qap.data.labels import class_order, encode
from qap.data.raw import RawData, Samples
from qap.errors import DataError
from qap.files import user_path
from qap.sources import read_table_source

SHOWN = 8  # names of columns in an error
SHOWN_CHARACTERS = 40  # of a wrong field


class Table(NamedTuple):
    """A table that was read.

    Features float64 (n, k) with their names, a label for each row, and the line that each row begins at.
    """

    path: Path
    names: list[str]
    features: npt.NDArray[np.float64]
    labels: list[str]
    lines: array[int]


def table(argument: str, data_dir: Path | None) -> RawData:
    """The tables of `csv:FILE?label=COLUMN&test=FILE2`."""
    file, options = read_table_source(argument)
    path = user_path(file)
    train = read_table(path, options["label"])
    names = class_order(train.labels)
    test = None
    if "test" in options:
        second = read_table(user_path(options["test"]), options["label"])
        order, known = _column_order(train, second), set(names)
        for label, line in zip(second.labels, second.lines, strict=True):
            if label not in known:
                raise DataError(f"{second.path}, line {line}: the class {label!r} is not in {path}")
        test = Samples(second.features[:, order], encode(second.labels, names))
    return RawData(str(path), Samples(train.features, encode(train.labels, names)), test, names, None)


def read_table(path: Path, label: str) -> Table:
    """Read a table.

    Args:
        path: the file.
        label: the name of the column that holds the class.

    Raises:
        DataError: the file is missing or no such table; names the line and the column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(path, file, label)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _read(path: Path, file: TextIO, label: str) -> Table:
    rows = _rows(path, file)
    try:
        _, header = next(rows)
    except StopIteration:
        raise DataError(f"{path} is empty; a header row and samples are needed") from None
    names = _checked_header(path, header, label)
    position = names.index(label)
    values, lines = array("d"), array("q")
    labels: list[str] = []
    for line, row in rows:
        if len(row) != len(names):
            raise DataError(f"{path}, line {line}: {len(row)} fields, but the header has {len(names)}")
        name = row.pop(position).strip()
        if not name:
            raise DataError(f"{path}, line {line}, column {label!r}: the label is empty")
        try:
            values.extend(map(float, row))
            if "_" in "".join(row):
                raise ValueError
        except ValueError:
            raise _no_number(path, line, names[:position] + names[position + 1 :], row) from None
        labels.append(name)
        lines.append(line)
    if not labels:
        raise DataError(f"{path} holds no samples, only a header")
    del names[position]
    found = Table(path, names, np.frombuffer(values).reshape(len(labels), len(names)), labels, lines)
    _refuse_infinite(found)
    return found


def _rows(path: Path, file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line it begins at."""
    reader = csv.reader(file, strict=True, skipinitialspace=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: {error}") from None


def _checked_header(path: Path, header: list[str], label: str) -> list[str]:
    names = [name.strip() for name in header]
    for position, name in enumerate(names):
        if not name:
            raise DataError(f"{path}: column {position + 1} has no name in the header (is it a row number? remove it)")
    for first, second in pairwise(sorted(names)):
        if first == second:
            raise DataError(f"{path}: the column {first!r} is twice in the header")
    if label not in names:
        nearest = sorted(names, key=lambda name: -_likeness(name, label))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        raise DataError(
            f"{path} has no column {label!r} for the label (there are: {', '.join(map(repr, nearest[:SHOWN]))}{more})"
        )
    if len(names) == 1:
        raise DataError(f"{path} has no column beside the label {label!r}; columns are separated by commas")
    return names


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a.lower(), b.lower()).ratio()


def _no_number(path: Path, line: int, names: list[str], row: list[str]) -> DataError:
    name, cell = next((name, cell) for name, cell in zip(names, row, strict=True) if not _is_number(cell))
    place = f"{path}, line {line}, column {name!r}"
    if not cell.strip():
        return DataError(f"{place}: the value is missing; every feature must be a number")
    shown = cell if len(cell) <= SHOWN_CHARACTERS else cell[:SHOWN_CHARACTERS] + "..."
    return DataError(f"{place}: {shown!r} is not a number; every column but the label must be numeric")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000 as a number; in a table it is text


def _refuse_infinite(found: Table) -> None:
    finite = np.isfinite(found.features)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise DataError(
            f"{found.path}, line {found.lines[row]}, column {found.names[column]!r}: "
            f"{found.features[row, column]} is not finite; every feature must be a finite number"
        )


def _column_order(train: Table, test: Table) -> list[int]:
    for name in train.names:
        if name not in test.names:
            raise DataError(f"{test.path} has no column {name!r}, but {train.path} has")
    for name in test.names:
        if name not in train.names:
            raise DataError(f"{test.path} has a column {name!r}, but {train.path} has not")
    return [test.names.index(name) for name in train.names]
