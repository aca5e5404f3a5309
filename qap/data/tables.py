"""`csv:FILE?label=COLUMN`: the user's own table, one sample a row, every column but the label a numeric feature.

UTF-8 with a header row, gzip or not; the separator is found (comma, semicolon, tab, bar) or named by `&separator=`.
Quoted fields, a byte-order mark and any line ending are fine; behind semicolons, tabs and bars numbers may have a
decimal comma. `&test=FILE2` names a second table with the same columns for the test part, `&drop=A,B` columns that are
no features, `&columns=A,B` those that are, `&missing=-999` marks of what was not measured.
"""

from __future__ import annotations

import difflib
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qap.data.labels import class_order, encode
from qap.data.raw import RawData, Samples
from qap.data.separated import Rows, open_rows
from qap.errors import DataError
from qap.files import user_path
from qap.sources import SEPARATORS, USAGE, names_of, read_table_source

SHOWN = 8  # names of columns in an error
SHOWN_CHARACTERS = 40  # of a wrong field


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are read, and how.

    Args:
        label: the column of the class; None reads no classes.
        drop: columns that are no features.
        keep: the features; empty takes all others.
        missing: marks of what was not measured, beside empty fields; empty allows neither.
        separator: between fields; None finds it.
    """

    label: str | None
    drop: Sequence[str] = ()
    keep: Sequence[str] = ()
    missing: Sequence[str] = ()
    separator: str | None = None


class Table(NamedTuple):
    """A table that was read.

    Features float64 (n, k) with their names, NaN where they are missing, a label for each row if labels were asked for,
    and the line that each row begins at.
    """

    path: Path
    names: list[str]
    features: npt.NDArray[np.float64]
    labels: list[str]
    lines: array[int]


def table(argument: str, data_dir: Path | None) -> RawData:
    """The tables of `csv:FILE?label=COLUMN&test=FILE2`, with the options of the module."""
    file, options = read_table_source(argument)
    path, columns = user_path(file), _columns(argument, options)
    train = read_table(path, columns)
    names = class_order(train.labels)
    test = None
    if "test" in options:
        second = read_table(user_path(options["test"]), columns)
        order, known = _column_order(train, second), set(names)
        for label, line in zip(second.labels, second.lines, strict=True):
            if label not in known:
                raise DataError(f"{second.path}, line {line}: the class {label!r} is not in {path}")
        test = Samples(second.features[:, order], encode(second.labels, names))
    return RawData(
        str(path),
        Samples(train.features, encode(train.labels, names)),
        test,
        names,
        None,
        feature_names=tuple(train.names),
    )


def _columns(argument: str, options: dict[str, str]) -> Columns:
    separator = options.get("separator")
    if separator is not None:
        separator = SEPARATORS.get(separator, separator)
        if separator not in SEPARATORS.values():
            known = ", ".join(f"{name} ({each!r})" for name, each in SEPARATORS.items())
            raise DataError(f"csv:{argument}: separator must be one of {known}, but got {separator!r}; {USAGE}")
    if "drop" in options and "columns" in options:
        raise DataError(f"csv:{argument}: drop and columns exclude each other; {USAGE}")
    drop, keep, missing = (names_of(options, key) for key in ("drop", "columns", "missing"))
    return Columns(options["label"], drop, keep, missing, separator)


def columns_of(name: str, feature_names: Sequence[str]) -> Columns:
    """How new samples are read for a network that was trained on a data set: its features and its marks, no classes.

    Args:
        name: of the data set.
        feature_names: of its features, none where they had no names: all columns are features then.
    """
    kind, _, argument = name.partition(":")
    marks = names_of(read_table_source(argument)[1], "missing") if kind == "csv" else ()
    return Columns(None, keep=feature_names, missing=marks)


def read_table(path: Path, columns: Columns | str) -> Table:
    """Read a table.

    Args:
        path: the file.
        columns: which columns are read; a text is the name of the column that holds the class, and all others are.

    Raises:
        DataError: the file is missing or no such table; names the line and the column.
    """
    columns = Columns(columns) if isinstance(columns, str) else columns
    wanted = next((name for name in (columns.label, *columns.keep) if name), None)
    with open_rows(path, wanted, columns.separator) as found:
        return _read(path, found, columns)


def _read(path: Path, found: Rows, columns: Columns) -> Table:
    try:
        _, header = next(found.rows)
    except StopIteration:
        raise DataError(f"{path} is empty; a header row and samples are needed") from None
    header, ends = _without_end(header)
    places = _places(path, header, columns)
    names, position = [header[place] for place in places], header.index(columns.label) if columns.label else None
    pick = itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
    values, lines, labels = _Numbers(path, names, columns.missing, found.separator), array("q"), list[str]()
    for line, row in found.rows:
        if len(row) != len(header) + ends or (ends and row[-1].strip()):
            raise DataError(f"{path}, line {line}: {len(row)} fields, but the header has {len(header)}")
        if position is not None:
            labels.append(row[position].strip())
            if not labels[-1]:
                raise DataError(f"{path}, line {line}, column {columns.label!r}: the label is empty")
        values.add(line, pick(row))
        lines.append(line)
    if not lines:
        raise DataError(f"{path} holds no samples, only a header")
    for mark in columns.missing:
        if mark in labels:
            raise DataError(
                f"{path}: the mark {mark!r} of what is missing is the class of {labels.count(mark):,} samples, first "
                f"at line {lines[labels.index(mark)]}; take another mark, or leave those samples out"
            )
    return Table(path, names, values.features(lines), labels, lines)


class _Numbers:
    """The features of a table, row by row.

    Args:
        path: of the table, for errors.
        names: of the features.
        missing: marks; none allows no missing number.
        separator: between fields; behind a comma no comma is decimal.
    """

    def __init__(self, path: Path, names: list[str], missing: Collection[str], separator: str) -> None:
        self._path, self._names, self._marks = path, names, {*missing, ""} if missing else set()
        self._numbers = [float(mark) for mark in self._marks if _is_number(mark)]
        self._values, self._missing = array("d"), list[int]()
        self._may_be_decimal = separator != ","
        self._decimal = ""
        """The decimal mark of all numbers; empty as long as none was seen."""

    def add(self, line: int, row: Sequence[str]) -> None:
        """Take the fields of a row."""
        text = "".join(row)
        if self._may_be_decimal and ("," in text or "." in text):
            row = self._with_points(line, row, text)
        if self._marks:
            row = self._without_marks(row)
        try:
            self._values.extend(map(float, row))
            if "_" in text:
                raise ValueError
        except ValueError:
            raise _no_number(self._path, line, self._names, row) from None

    def _with_points(self, line: int, row: Sequence[str], text: str) -> Sequence[str]:
        """The fields with points in the place of decimal commas."""
        mark = "," if "," in text else "."
        if self._decimal not in ("", mark) or (mark == "," and "." in text):
            raise DataError(
                f"{self._path}, line {line}: numbers with a decimal comma and with a point are mixed; write one kind"
            )
        self._decimal = mark
        return row if mark == "." else [cell.replace(",", ".") for cell in row]

    def _without_marks(self, row: Sequence[str]) -> list[str]:
        start = len(self._values)
        missing = [index for index, cell in enumerate(row) if cell.strip() in self._marks]
        self._missing += [start + index for index in missing]
        kept = list(row)
        for index in missing:
            kept[index] = "0"
        return kept

    def features(self, lines: array[int]) -> npt.NDArray[np.float64]:
        """All of them, (n, k), NaN where they are missing.

        Args:
            lines: of the rows, for the error.
        """
        flat = np.array(self._values)
        _refuse_infinite(self._path, self._names, flat.reshape(len(lines), -1), lines)
        flat[self._missing] = np.nan
        flat[np.isin(flat, self._numbers)] = np.nan
        features = flat.reshape(len(lines), -1)
        absent = np.isnan(features).all(axis=0)
        if absent.any():
            raise DataError(
                f"{self._path}: every value of the column {self._names[absent.argmax()]!r} is missing; drop it"
            )
        return features


def _without_end(header: list[str]) -> tuple[list[str], int]:
    """The names of a header, and whether (1 or 0) a separator behind the last one ends every line."""
    names = [name.strip() for name in header]
    return (names[:-1], 1) if len(names) > 2 and not names[-1] else (names, 0)


def _places(path: Path, names: list[str], columns: Columns) -> list[int]:
    """Which columns are features."""
    for name in (columns.label, *columns.drop, *columns.keep):
        if name is not None and name not in names:
            raise _no_column(path, names, name, " for the label" if name == columns.label else "")
    for name in (*columns.drop, *columns.keep):
        if name == columns.label:
            raise DataError(f"{path}: the column {name!r} is the label, so it is no feature and cannot be dropped")
    wanted = columns.keep or [name for name in names if name != columns.label and name not in columns.drop]
    for position, name in enumerate(names):
        if not name and not columns.keep:
            raise DataError(
                f"{path}: column {position + 1} has no name in the header (is it a row number? remove it, or name the "
                "features with &columns=)"
            )
    read = {columns.label, *wanted}
    for first, second in pairwise(sorted(name for name in names if name in read)):
        if first == second:
            raise DataError(f"{path}: the column {first!r} is twice in the header")
    if not wanted:
        raise DataError(
            f"{path} has no column beside the label {columns.label!r}; columns are separated by "
            f"{', '.join(SEPARATORS)}, or by what &separator= names"
        )
    return [names.index(name) for name in wanted]


def _no_column(path: Path, names: list[str], wanted: str, what: str) -> DataError:
    nearest = sorted(names, key=lambda name: -_likeness(name, wanted))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    hint = "; in names write %26 for & and %25 for %" if any(set("&%") & set(name) for name in names) else ""
    return DataError(
        f"{path} has no column {wanted!r}{what} (there are: {', '.join(map(repr, nearest[:SHOWN]))}{more}){hint}"
    )


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a.lower(), b.lower()).ratio()


def _no_number(path: Path, line: int, names: list[str], row: Sequence[str]) -> DataError:
    name, cell = next((name, cell) for name, cell in zip(names, row, strict=True) if not _is_number(cell))
    place = f"{path}, line {line}, column {name!r}"
    if not cell.strip():
        return DataError(f"{place}: the value is missing; every feature must be a number, or &missing= names its mark")
    shown = cell if len(cell) <= SHOWN_CHARACTERS else cell[:SHOWN_CHARACTERS] + "..."
    return DataError(f"{place}: {shown!r} is not a number; every column but the label must be numeric")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000 as a number; in a table it is text


def _refuse_infinite(path: Path, names: list[str], features: npt.NDArray[np.float64], lines: array[int]) -> None:
    finite = np.isfinite(features)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise DataError(
            f"{path}, line {lines[row]}, column {names[column]!r}: {features[row, column]} is not finite; every "
            "feature must be a finite number"
        )


def _column_order(train: Table, test: Table) -> list[int]:
    for name in train.names:
        if name not in test.names:
            raise DataError(f"{test.path} has no column {name!r}, but {train.path} has")
    for name in test.names:
        if name not in train.names:
            raise DataError(f"{test.path} has a column {name!r}, but {train.path} has not")
    return [test.names.index(name) for name in train.names]
