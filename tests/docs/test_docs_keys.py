"""docs/recipes.md and docs/sweeps.md say every key, with the default that the schema has."""

from __future__ import annotations

import pytest
from support.documents import DOCS, read
from support.documents.keys import Key, key_problems, keys_of, name_problems

from qap.explore.sweep.axes import AXES
from qap.explore.sweep.spec import Sweep
from qap.recipe import Recipe

PAGES = {"recipes.md": Recipe, "sweeps.md": Sweep}
AXIS_HEAD = ("axis", "what it changes")
EVERY_KEY = [(page, key) for page, model in PAGES.items() for key in keys_of(model)]


def row_of(text: str, key: Key) -> str:
    """The line of a page that describes a key."""
    rows = [line for line in text.splitlines() if line.startswith(f"| `{key.name}` |") and line.count(" | ") == 2]
    assert len(rows) == 1, rows
    return rows[0]


def with_row(text: str, key: Key, *, default: str | None = None, meaning: str | None = None) -> str:
    """The page with other cells in the row of a key."""
    row = row_of(text, key)
    name, old, said = row.strip("| ").split(" | ")
    return text.replace(
        row, f"| {name} | {old if default is None else default} | {said if meaning is None else meaning} |"
    )


@pytest.mark.parametrize(("page", "model"), PAGES.items())
def test_every_key_is_described(page: str, model: type[Recipe | Sweep]) -> None:
    assert key_problems(read(DOCS / page), keys_of(model)) == []


def test_every_axis_is_described() -> None:
    text = read(DOCS / "sweeps.md")
    assert name_problems(text, AXIS_HEAD, AXES) == []
    assert name_problems(text, AXIS_HEAD, [*AXES, "depth"]) == ["depth has no row"]
    assert name_problems(text.replace("| `part` |", "| `parts` |"), AXIS_HEAD, AXES)[0] == "part has no row"
    assert "part has no meaning" in name_problems(text.replace("| `target.part` |", "| |"), AXIS_HEAD, AXES)[0]


@pytest.mark.parametrize(("page", "key"), EVERY_KEY, ids=lambda each: each.name if isinstance(each, Key) else each)
def test_a_key_that_is_taken_out_is_missed(page: str, key: Key) -> None:
    text, keys = read(DOCS / page), list(keys_of(PAGES[page]))
    missing = text.replace(row_of(text, key) + "\n", "")
    assert any(problem.startswith(f"{key.name} has no row in ") for problem in key_problems(missing, keys))
    problem = key_problems(with_row(text, key, default="`17.5`"), keys)[0]
    assert f"the default of {key.name} is '`17.5`'" in problem
    problem = key_problems(with_row(text, key, meaning="-"), keys)[0]
    assert problem.endswith(f"{key.name} has no meaning")


def test_a_row_in_another_section_does_not_count() -> None:
    text = read(DOCS / "recipes.md")
    key = next(key for key in keys_of(Recipe) if key.name == "distill.alpha")
    row = row_of(text, key) + "\n"
    moved = text.replace(row, "").replace("| `target.backend` |", row + "| `target.backend` |")
    found = key_problems(moved, keys_of(Recipe))
    assert found[0] == "distill.alpha has no row in [distill]"
    assert found[1].endswith("[target] has no key distill.alpha")


def test_true_is_not_1() -> None:
    text = read(DOCS / "recipes.md")
    assert key_problems(text.replace("| `rtl.enabled` | `true` |", "| `rtl.enabled` | `1` |"), keys_of(Recipe))
    assert not key_problems(text.replace("| `seed` | `0` |", "| `seed` | `0x0` |"), keys_of(Recipe))


def test_a_choice_that_stands_nowhere_is_missed() -> None:
    text = read(DOCS / "recipes.md").replace("lottery-ticket", "winning-ticket")
    assert "prune.schedule can be 'lottery-ticket', which stands nowhere" in key_problems(text, keys_of(Recipe))


def test_the_keys_of_all_sections_are_found() -> None:
    names = {key.name for key in keys_of(Recipe)}
    assert {"name", "teacher", "teacher.patience", "student.layers.N.fan_in", "rtl.any_size"} <= names
    sections = {key.name: key.section for key in keys_of(Recipe)}
    assert sections["student.layers.N.units"] == "[[student.layers]]"
    assert sections["student.layers"] == "[student]"
