"""Every key of a schema has a row in the table of its section, with its default and a meaning."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from support.documents.page import Page, Row

REQUIRED = "required"
NONE = "none"
HEAD = ("key", "default", "meaning")


@dataclass(frozen=True)
class Key:
    """A key of a schema.

    Args:
        section: as TOML writes it, `[prune]` or `[[student.layers]]`; empty for the keys in front of all sections.
        name: dotted, as it is set; `N` stands for the number of a table of an array.
        default: as its cell must say it: `required`, `none`, the section that holds it, or a value of TOML.
        value: the default, as JSON has it, where it is a value.
        choices: the words that it can be, where it is one of some.
    """

    section: str
    name: str
    default: str
    value: Any = None
    choices: tuple[str, ...] = ()


def keys_of(model: type[BaseModel]) -> Iterator[Key]:
    """All keys of a schema, those of the sections inside of it too."""
    yield from _keys(model, "", "")


def key_problems(text: str, keys: Iterable[Key]) -> list[str]:
    """What a page does not say about keys, or says wrong, one line each.

    Args:
        text: the page.
        keys: what it should describe.
    """
    page = Page(text)
    wanted = list(keys)
    rows = {section: _rows(page, section) for section in {key.section for key in wanted}}
    found = [problem for key in wanted for problem in _problems_of(key, rows[key.section])]
    spans = {span.text.strip('"') for span in page.spans}
    found += [
        f"{key.name} can be {each!r}, which stands nowhere"
        for key in wanted
        for each in key.choices
        if each not in spans
    ]
    known = {(key.section, key.name) for key in wanted}
    return found + [
        f"line {row.line}: {section or 'the table'} has no key {name}"
        for section, named in sorted(rows.items())
        for name, row in named.items()
        if (section, name) not in known
    ]


def _keys(model: type[BaseModel], section: str, prefix: str) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        dotted = f"{prefix}{name}"
        yield _key(model, name, section, dotted)
        inner, many = _model_in(field.annotation)
        if inner is not None and many:
            yield from _keys(inner, f"[[{dotted}]]", f"{dotted}.N.")
        elif inner is not None:
            yield from _keys(inner, f"[{dotted}]", f"{dotted}.")


def _key(model: type[BaseModel], name: str, section: str, dotted: str) -> Key:
    field = model.model_fields[name]
    choices = tuple(_choices(field.annotation))
    if field.is_required():
        return Key(section, dotted, REQUIRED, None, choices)
    default = field.get_default(call_default_factory=True)
    if default is None:
        return Key(section, dotted, NONE, None, choices)
    if isinstance(default, BaseModel):
        return Key(section, dotted, f"`[{dotted}]`")
    written = model.model_construct(**{name: default}).model_dump(mode="json", include={name})
    value = written.get(name, default)  # a default that is not written is a word
    return Key(section, dotted, f"a value: {value!r}", value, choices)


def _choices(annotation: Any) -> Iterator[str]:
    """The words of `Literal["x", "y"]`, also inside of `| None`."""
    if get_origin(annotation) is Literal:
        yield from (each for each in get_args(annotation) if isinstance(each, str))
        return
    for inner in get_args(annotation):
        yield from _choices(inner)


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The schema inside of `X`, `X | None` or `tuple[X, ...]`, and whether there are many."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in get_args(annotation):
        model, _ = _model_in(inner)
        if model is not None:
            return model, Ellipsis in get_args(annotation)
    return None, False


def _rows(page: Page, section: str) -> dict[str, Row]:
    """The rows of the tables of keys in a section, by key; the heading of the first keys names no section."""
    return {
        row.cells[0].strip("`"): row
        for table in page.tables
        if table.head.cells == HEAD and (f"`{section}`" in table.section if section else "`[" not in table.section)
        for row in table.rows
    }


def _problems_of(key: Key, rows: dict[str, Row]) -> Iterator[str]:
    row = rows.get(key.name)
    if row is None:
        yield f"{key.name} has no row in {key.section or 'the table of the keys in front of all sections'}"
        return
    _, default, meaning = (*row.cells, "", "")[:3]
    if not _says(default, key):
        yield f"line {row.line}: the default of {key.name} is {default!r}, but the schema has {key.default}"
    if not meaning.strip(" -."):
        yield f"line {row.line}: {key.name} has no meaning"


def _says(cell: str, key: Key) -> bool:
    if key.value is None:
        return cell == key.default
    try:
        said = tomllib.loads(f"value = {cell.strip('`')}")["value"]
    except tomllib.TOMLDecodeError:
        return False
    return bool(said == key.value) and isinstance(said, bool) == isinstance(key.value, bool)


def name_problems(text: str, head: tuple[str, ...], names: Iterable[str]) -> list[str]:
    """The names that have no row, or no meaning, in the tables with a head, and rows that name nothing.

    Args:
        text: the page.
        head: of the tables, the name first and its meaning last.
        names: what each row is for.
    """
    rows = {
        row.cells[0].strip("`"): row for table in Page(text).tables if table.head.cells == head for row in table.rows
    }
    wanted = list(names)
    found = [f"{name} has no row" for name in wanted if name not in rows]
    found += [f"line {row.line}: {name} is not known" for name, row in rows.items() if name not in wanted]
    return found + [
        f"line {row.line}: {name} has no meaning" for name, row in rows.items() if not row.cells[-1].strip(" -.")
    ]
