"""Tables and text as Markdown."""

from __future__ import annotations

import re

from qap.report.tables import Cell, Table

SPECIAL = re.compile(r"([\\`*\[\]<>|#]|(?<![^\W_])_|_(?![^\W_]))")
"""What has a meaning in Markdown; an underscore inside of a word has none."""


def markdown_table(content: Table) -> str:
    """A table with its caption above it."""
    head = f"| {' | '.join(escaped(column.title) for column in content.columns)} |"
    rule = f"|{'|'.join('---:' if column.numeric else '---' for column in content.columns)}|"
    rows = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in content.rows]
    return "\n".join([escaped(content.caption), "", head, rule, *rows])


def escaped(text: str) -> str:
    """Text that means itself, in one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _cell(cell: Cell) -> str:
    detail = f" ({escaped(cell.detail)})" if cell.detail else ""
    return escaped(cell.text) + detail
