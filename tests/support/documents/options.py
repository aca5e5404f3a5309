"""Every command has its section, and every argument and option of it a row with a meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import typer
from support.documents.page import Page, Row
from typer.main import get_command

HELP = "--help"


def commands_of(app: typer.Typer) -> Mapping[str, Any]:
    """The commands of a program, by name."""
    return dict(get_command(app).commands)  # type: ignore[attr-defined]


def option_problems(text: str, commands: Mapping[str, Any]) -> list[str]:
    """What a page does not say about commands, one line each.

    Args:
        text: the page; a command's section has its name, `qap run`, as heading.
        commands: by name.
    """
    page = Page(text)
    headings = {heading.text for heading in page.headings}
    found = []
    for name, command in commands.items():
        title = f"qap {name}"
        if title not in headings:
            found.append(f"{title} has no section")
            continue
        rows = [row for table in page.tables if table.section == f"`{title}`" for row in table.rows]
        found += [f"{title}: {problem}" for each in command.params for problem in _problems_of(each, rows)]
    return found


def names_of(parameter: Any) -> list[str]:
    """What a user types for an option, or the word that stands for an argument."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper()).split("|")
    return [*parameter.opts, *parameter.secondary_opts]


def _problems_of(parameter: Any, rows: list[Row]) -> Iterator[str]:
    for name in names_of(parameter):
        row = next((row for row in rows if _holds(row.cells[0], name)), None)
        if name == HELP:
            continue
        if row is None:
            yield f"{name} has no row"
        elif not row.cells[-1].strip(" -.") or len(row.cells) < 3:
            yield f"{name} has no meaning"


def _holds(cell: str, name: str) -> bool:
    return any(span.split(" ")[0] == name for span in cell.split("`")[1::2])
