"""Benchmarks and scripts run for minutes to hours, so nobody sees at once when a name that they take has moved."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.needs import needs

needs("tensorflow", "hls4ml", "da4ml")

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for folder in ("benchmarks", "scripts") for path in (ROOT / folder).rglob("*.py"))


def missing(source: str) -> Iterator[str]:
    """The names that a program takes from qap and that are not there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "qap":
            module = importlib.import_module(node.module or "")
            for name in (alias.name for alias in node.names):
                if not hasattr(module, name) and not is_module(f"{node.module}.{name}"):
                    yield f"{node.module}.{name}"


def is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_a_program_takes_from_the_package_is_there(path: Path) -> None:
    assert list(missing(path.read_text(encoding="utf-8"))) == []


def test_a_name_that_moved_is_missed() -> None:
    assert list(missing("from qap.hardware.rtl.engine import nowhere, RtlEngine")) == [
        "qap.hardware.rtl.engine.nowhere"
    ]
