"""Rows of a table, as a person or a notebook takes them: text, HTML, or a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from qap.errors import ToolMissing

Row = Mapping[str, Any]
"""Heads of the columns and what stands below them; the same heads in every row."""


class Tabular:
    """An object that shows itself as a line, `repr`, and as a table below it."""

    __slots__ = ()

    def _rows(self) -> Sequence[Row]:
        """The rows of the table, at least one."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return html_of(repr(self), self._rows())

    def summary(self) -> str:
        """The object in a line, and its table as text."""
        return f"{self!r}\n{text_of(self._rows())}"

    def to_dataframe(self) -> Any:
        """The table as a `pandas.DataFrame`.

        Raises:
            ToolMissing: pandas is not installed.
        """
        return data_frame_of(self._rows())


def text_of(rows: Sequence[Row]) -> str:
    """The rows as lines, columns aligned: text on the left, numbers on the right."""
    cells = _cells(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    right = [all(isinstance(value, int | float | None) for value in column) for column in _columns(rows)]
    lines = (
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        )
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def html_of(title: str, rows: Sequence[Row]) -> str:
    """The rows as an HTML table below a title; every text is escaped."""
    head, *body = _cells(rows)
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in body)
    return f"<table><caption>{escape(title)}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def data_frame_of(rows: Sequence[Row]) -> Any:
    """The rows as a `pandas.DataFrame`.

    Raises:
        ToolMissing: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        missing = "the package 'pandas', which is not installed: pip install pandas"
        raise ToolMissing(f"to_dataframe needs {missing}") from error
    return pandas.DataFrame([dict(row) for row in rows])


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    return [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [[row[head] for row in rows] for head in rows[0]]


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return str(value)
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.4g}"
    return str(value)
