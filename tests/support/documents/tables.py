"""Every row of a table has as many cells as its head; what is missing or too much is silently lost on the page."""

from __future__ import annotations

from support.documents.page import Page


def table_problems(text: str) -> list[str]:
    """The rows that have other cells than their head, one line each.

    Args:
        text: a page.
    """
    return [
        f"line {row.line}: {len(row.cells)} cells, but the head of the table has {len(table.head.cells)}"
        for table in Page(text).tables
        for row in table.rows
        if len(row.cells) != len(table.head.cells)
    ]
