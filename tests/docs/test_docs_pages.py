"""Tables are whole and links lead somewhere, on every page that people read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.documents import CHECKOUT, PAGES, name_of, read
from support.documents.links import github_slug, jupyter_slug, link_problems
from support.documents.page import Page, cells
from support.documents.tables import table_problems

NOTES = [*PAGES, CHECKOUT / "hls_projects" / "README.md"]
NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))


def markdown_of(notebook: Path) -> str:
    """The text between the code of a notebook."""
    content = json.loads(read(notebook))
    return "\n\n".join("".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "markdown")


def test_there_are_pages() -> None:
    assert {"README.md", "docs/recipes.md", "docs/sweeps.md", "docs/commands.md"} <= {name_of(path) for path in PAGES}


@pytest.mark.parametrize("path", NOTES, ids=name_of)
def test_every_row_has_the_cells_of_its_head(path: Path) -> None:
    assert table_problems(read(path)) == []


@pytest.mark.parametrize("path", NOTES, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert link_problems(read(path), path) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_every_link_of_a_notebook_leads_somewhere(path: Path) -> None:
    text = markdown_of(path)
    assert Page(text).links
    assert link_problems(text, path, jupyter_slug) == []
    assert table_problems(text) == []


@pytest.mark.parametrize("path", [path for path in NOTES if Page(read(path)).tables], ids=name_of)
def test_a_cell_that_is_taken_out_is_missed(path: Path) -> None:
    rows = [row for table in Page(read(path)).tables for row in table.rows]
    lines = read(path).splitlines()
    for row in rows:
        lines[row.line - 1] = "| " + " | ".join(row.cells[1:]) + " |"
    found = [int(problem.split(":")[0].removeprefix("line ")) for problem in table_problems("\n".join(lines))]
    assert found == [row.line for row in rows]


def test_a_bar_in_code_separates_cells_too() -> None:
    text = "| key | default |\n|---|---|\n| `a|b` | 1 |\n| `a\\|b` | 1 |\n"
    assert table_problems(text) == ["line 3: 3 cells, but the head of the table has 2"]
    assert cells("| `.sparsity` | `.fan_in` | `prune.fan_in` | weights |") == (
        "`.sparsity`",
        "`.fan_in`",
        "`prune.fan_in`",
        "weights",
    )


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("[a](missing.md)", "there is no missing.md"),
        ("![a](missing.png)", "there is no missing.png"),
        ("[a](#missing)", "there is no heading #missing"),
        ("[a](other.md#missing)", "there is no heading #missing"),
        ("[a](picture.png#part)", "there is no heading #part"),
        ("[a](other.md#the-other)", None),
        ("[a](#this-one-its-name-1)", None),
        ("[a](picture.png)", None),
        ("[a](https://example.org/missing.md#missing)", None),
        ("`[a](missing.md)`", None),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(link: str, problem: str | None, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# The *other*\n")
    (tmp_path / "picture.png").touch()
    text = f"# This one: `its` name\n\n## This one, its name\n\n{link}\n"
    found = link_problems(text, tmp_path / "this.md")
    assert [each.split(": ", 2)[2] for each in found] == ([problem] if problem else [])


def test_headings_are_named_as_their_reader_names_them() -> None:
    assert github_slug("`[prune]`, and more: what?") == "prune-and-more-what"
    assert jupyter_slug("What it takes") == "What-it-takes"
