"""A Markdown page as the checks read it: its headings, tables, links and code blocks, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = ""
"""The section in front of the first heading."""


@dataclass(frozen=True)
class Heading:
    """A heading: its line, from 1 on, its level, its source and what a reader sees of it."""

    line: int
    level: int
    source: str
    text: str


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table and the source of the heading that it stands under; the rule below the head is none of its rows."""

    section: str
    head: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Block:
    """A block of code; an indented one has no language."""

    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Link:
    """A link or a picture, and where it leads."""

    line: int
    target: str


class Page:
    """A page, parsed once.

    Args:
        text: the Markdown.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines()
        self._tokens = MarkdownIt("commonmark").enable("table").parse(text)

    @cached_property
    def headings(self) -> list[Heading]:
        """All headings, in order."""
        return [
            Heading(_line(start), int(start.tag[1:]), inline.content, _seen(inline))
            for start, inline in zip(self._tokens, self._tokens[1:], strict=False)
            if start.type == "heading_open"
        ]

    @cached_property
    def tables(self) -> list[Table]:
        """All tables, in order."""
        return [self._table(token) for token in self._tokens if token.type == "table_open"]

    @cached_property
    def blocks(self) -> list[Block]:
        """All blocks of code, in order."""
        return [
            Block(_line(token), token.info.strip(), token.content)
            for token in self._tokens
            if token.type in ("fence", "code_block")
        ]

    @cached_property
    def links(self) -> list[Link]:
        """All links and pictures, in order."""
        return [
            Link(_line(parent), str(child.attrs["href" if child.type == "link_open" else "src"]))
            for parent, child in self._inline()
            if child.type in ("link_open", "image")
        ]

    @cached_property
    def spans(self) -> list[Block]:
        """All code inside of lines, in order."""
        return [
            Block(_line(parent), "", child.content) for parent, child in self._inline() if child.type == "code_inline"
        ]

    def section_at(self, line: int) -> str:
        """The source of the heading that a line stands under."""
        return next((each.source for each in reversed(self.headings) if each.line <= line), ROOT)

    def _inline(self) -> Iterator[tuple[Token, Token]]:
        for parent in self._tokens:
            for child in parent.children or []:
                yield parent, child

    def _table(self, token: Token) -> Table:
        first, last = token.map or [0, 0]
        head, _, *rows = (Row(index + 1, cells(self._lines[index])) for index in range(first, last))
        return Table(self.section_at(first + 1), head, tuple(rows))


def cells(line: str) -> tuple[str, ...]:
    """The cells of a table's line: a bar separates them, inside of code too, unless a backslash stands before it."""
    inner = re.sub(r"^\s*\|", "", line)
    inner = re.sub(r"(?<!\\)\|\s*$", "", inner)
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", inner))


def _line(token: Token) -> int:
    return (token.map or [0])[0] + 1


def _seen(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))
