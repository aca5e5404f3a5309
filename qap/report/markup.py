"""Markup of a page: its templates, filled and escaped, its pictures and its key figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from qap.report.figures import inline_svg
from qap.templates import fill


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the page.

    Args:
        svg: its markup.
        caption: what it shows.
    """

    svg: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number that a reader looks for first."""

    value: str
    meaning: str


def render(template: str, **content: Any) -> str:
    """Fill a template of this package; all text is escaped.

    Args:
        template: file name.
        content: what it needs.
    """
    return fill("qap.report", template, of_extra="report", escape=True, **content)


def picture(figure: Figure, prefix: str, caption: str) -> Picture:
    """A figure with its caption, ready for a page.

    Args:
        figure: from `qap.report.figures`.
        prefix: unique on the page.
        caption: what it shows.
    """
    return Picture(Markup(inline_svg(figure, prefix, caption)), caption)
