"""What can go wrong, in words for the person who has to mend it.

Every error that a user can cause is a `QapError` with one line: what is wrong, where (file, key or
layer), and what is allowed. The command line prints that line and exits with 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

DISTRIBUTION = "qap-fpga"
"""What pip calls this package; `qap` on PyPI is another project."""


class QapError(Exception):
    """Anything wrong with the usage, the input or the tools; the message is one line for people."""


class RecipeError(QapError):
    """A recipe, or an override of it, is not possible."""


class DataError(QapError):
    """A data set or a file of the run cannot be read, or is not what it should be."""


class NotExact(QapError):
    """Something has no exact integer form, so it is refused instead of being approximated."""

    def __init__(self, layer: str, why: str) -> None:
        super().__init__(f"layer {layer!r} has no exact integer form: {why}")
        self.layer = layer
        self.why = why


class ToolMissing(QapError):
    """A program or a Python package that the command needs is not installed."""


class ToolFailed(QapError):
    """A program that was called did not do its work; the message ends with the tail of its log."""


class CheckFailed(QapError):
    """A design does not do what it must; the exit code is 1."""


class ReportError(QapError):
    """A tool's report is missing, cut short, or not of a known kind."""


def missing_extra(extra: str, error: ImportError) -> ToolMissing:
    """The error for a package of an optional extra that is not there.

    Args:
        extra: the extra that brings the package, as named in pyproject.toml.
        error: what Python's import said.
    """
    package = (error.name or str(error)).partition(".")[0]
    return ToolMissing(f"the package {package!r} is not installed: {install_extra(extra)}")


def install_extra(extra: str) -> str:
    """The command that installs an optional extra, as named in pyproject.toml."""
    return f"pip install '{DISTRIBUTION}[{extra}]'"


def one_line(error: BaseException, most: int | None = None) -> str:
    """What an error of another library says, as one line of at most so many letters; its type where it says nothing."""
    return " ".join(str(error).split())[:most] or type(error).__name__


def first_line(error: BaseException, most: int | None = None) -> str:
    """The first line of what an error says, of at most so many letters; its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:most]


def nearest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """The known words that are most like a word, the nearest first; none where nothing is near."""
    return difflib.get_close_matches(word, list(known), n=count, cutoff=0.5)


def did_you_mean(word: str, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """The nearest known word, or all of them, as the end of an error.

    Args:
        word: what is not known.
        known: the words that are.
        listed: how all of them are written, if not as they are.
    """
    known = list(known)
    near = nearest(word, known)
    return f", did you mean {near[0]!r}?" if near else f" (there are: {', '.join(listed or known)})"
