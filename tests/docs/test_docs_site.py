"""The site: its navigation, its links, and that it is built without a warning and loads nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support.documents import CHECKOUT
from support.documents.resources import remote_resources
from support.needs import needs

needs("mkdocs", "mkdocstrings")


def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_pages", CHECKOUT / "scripts" / "site_pages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOK = hook()


def on_site(markdown: str, source: str, uri: str) -> str:
    """A line of a file as the site has it."""
    return HOOK.LINK.sub(lambda link: HOOK.site_link(link, CHECKOUT / source, uri), markdown)


@pytest.mark.parametrize(
    ("markdown", "source", "uri", "expected"),
    [
        ("[a](docs/recipes.md#prune)", "README.md", "index.md", "[a](recipes.md#prune)"),
        ("![a](docs/pictures/report.png)", "README.md", "index.md", "![a](pictures/report.png)"),
        ("[a](LICENSE)", "README.md", "index.md", "a"),
        ("[a](../README.md)", "docs/recipes.md", "recipes.md", "[a](index.md)"),
        ("[a](../benchmarks/)", "docs/recipes.md", "recipes.md", "a"),
        ("[a](sweeps.md)", "docs/recipes.md", "recipes.md", "[a](sweeps.md)"),
        ("[a](../recipes.md)", "docs/decisions/one.md", "decisions/one.md", "[a](../recipes.md)"),
        ("[a](missing.md)", "docs/recipes.md", "recipes.md", "[a](missing.md)"),
        ("[a](#part)", "docs/recipes.md", "recipes.md", "[a](#part)"),
        ("[a](https://example.org/README.md)", "docs/recipes.md", "recipes.md", "[a](https://example.org/README.md)"),
    ],
)
def test_links_stay_on_the_site(markdown: str, source: str, uri: str, expected: str) -> None:
    assert on_site(markdown, source, uri) == expected


def test_the_navigation_has_what_exists() -> None:
    pages = ["api/data.md", "api/index.md", "index.md", "recipes.md", "sweeps.md"]
    nav = [
        "index.md",
        {"Use": ["recipes.md", "gone.md"]},
        {"Gone": "gone.md"},
        {"Sweeps": "sweeps.md"},
        {"API": "api/*.md"},
    ]
    assert list(HOOK.existing(nav, pages)) == [
        "index.md",
        {"Use": ["recipes.md"]},
        {"Sweeps": "sweeps.md"},
        {"API": ["api/data.md", "api/index.md"]},
    ]


def test_every_public_name_has_a_line() -> None:
    import qap

    face = HOOK.api_pages()["api/index.md"]
    rows = re.findall(r"^\| \[`qap\.(\w+)`\]\[([\w.]+)\] \| (.*) \|$", face, re.MULTILINE)
    assert {name for name, _, _ in rows} == set(qap.__all__) - {"__version__"}
    assert [name for name, _, said in rows if not said] == []


def test_what_is_loaded_from_elsewhere_is_seen() -> None:
    page = '<link rel="{}" href="https://fonts.example/a.css"><a href="https://example.org">a</a><script src="{}a.js">'
    assert remote_resources(page.format("stylesheet", "//cdn.example/")) == [
        "https://fonts.example/a.css",
        "//cdn.example/a.js",
    ]
    assert remote_resources(page.format("canonical", "../")) == []


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 10
    assert {str(path): found for path in pages if (found := remote_resources(path.read_text(encoding="utf-8")))} == {}
