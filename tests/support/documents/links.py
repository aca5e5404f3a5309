"""Every relative link leads to a file, and every anchor to a heading."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from support.documents.page import Heading, Page

Slug = Callable[[str], str]
"""The text of a heading -> the name that a link calls it by."""
ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:", re.IGNORECASE)


def github_slug(title: str) -> str:
    """As GitHub names a heading: small letters, no punctuation, a hyphen for each blank."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def jupyter_slug(title: str) -> str:
    """As Jupyter names a heading: as it is written, a hyphen for each blank."""
    return title.replace(" ", "-")


def anchors(headings: list[Heading], slug: Slug) -> set[str]:
    """What links can call the headings of a page; the second of the same name gets -1 behind it, and so on."""
    found: set[str] = set()
    for heading in headings:
        name, count = slug(heading.text), 0
        while (anchor := f"{name}-{count}" if count else name) in found:
            count += 1
        found.add(anchor)
    return found


def link_problems(text: str, path: Path, slug: Slug = github_slug) -> list[str]:
    """The links of a page that lead nowhere, one line each; addresses elsewhere are not looked at.

    Args:
        text: the page.
        path: where it lies: links are relative to its folder.
        slug: how headings are named where the page is read.
    """
    page = Page(text)
    found = []
    for link in page.links:
        if ELSEWHERE.match(link.target):
            continue
        name, _, anchor = unquote(link.target).partition("#")
        target = path.parent / name if name else path
        if name and not target.exists():
            found.append(f"line {link.line}: {link.target}: there is no {name}")
        elif anchor and anchor not in anchors(_headings(page, target if name else None), slug):
            found.append(f"line {link.line}: {link.target}: there is no heading #{anchor}")
    return found


def _headings(page: Page, target: Path | None) -> list[Heading]:
    if target is None:
        return page.headings
    return Page(target.read_text(encoding="utf-8")).headings if target.suffix == ".md" else []
