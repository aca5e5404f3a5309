"""Tables as values, and numbers as people read them; the templates turn them into HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NOT_MEASURED = "not measured"


class Column(NamedTuple):
    """A column: its head, and whether it holds numbers, which are set flush right."""

    title: str
    numeric: bool = False


def texts(*titles: str) -> list[Column]:
    """Columns of text."""
    return [Column(title) for title in titles]


def numbers(*titles: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(title, numeric=True) for title in titles]


class Cell(NamedTuple):
    """A cell that is more than its text.

    Args:
        text: what it says.
        detail: a second line in smaller type.
        kind: "code", "good", "bad", "faint" or nothing; never the only carrier of what is meant.
        shade: how dark its ground is, 0 to 1.
    """

    text: str
    detail: str = ""
    kind: str = ""
    shade: float = 0.0


Content = Cell | str
Rows = list[Sequence[Content]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of each row is its head.

    Args:
        caption: what it shows.
        columns: one for each cell of a row.
        rows: the cells.
        totals: the last so many rows are sums.
        corner: a word for what the heads of the columns are, shown above them all but the first.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: int = 0
    corner: str = ""


def table(
    caption: str,
    columns: Iterable[Column],
    rows: Iterable[Iterable[Content]],
    *,
    totals: int = 0,
    corner: str = "",
) -> Table:
    """A table whose cells may be given as plain text; arguments as in `Table`."""
    return Table(
        caption,
        tuple(columns),
        tuple(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in row) for row in rows),
        totals,
        corner,
    )


def count(number: int | None) -> str:
    """A whole number with commas between the thousands."""
    return NOT_MEASURED if number is None else f"{number:,}"


def percent(share: float | None, digits: int = 2) -> str:
    """A share, 0 to 1, in percent; only what is exactly none or all reads as 0 or 100."""
    if share is None:
        return NOT_MEASURED
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    text = f"{100 * share:.{digits}f}"
    while float(text) in (0, 100) and digits < 12:
        digits += 1
        text = f"{100 * share:.{digits}f}"
    return f"{text} %"


def decimal(number: float | None) -> str:
    """A number from 0 to 1 with four digits."""
    return NOT_MEASURED if number is None else f"{number:.4f}"


def seconds(number: float | None) -> str:
    """A time, to a tenth of a second."""
    return NOT_MEASURED if number is None else f"{number:.1f} s"
