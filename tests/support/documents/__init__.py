"""The checks of the documentation: each is a function from the text of a page to its problems, one line each."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
DOCS = CHECKOUT / "docs"
PAGES = sorted(
    [
        *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md") if (CHECKOUT / name).exists()),
        *DOCS.rglob("*.md"),
    ]
)
"""What people read about the project, without the notes beside other files."""


def read(path: Path) -> str:
    """The text of a page."""
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    """A page as a test names it."""
    return path.relative_to(CHECKOUT).as_posix()
