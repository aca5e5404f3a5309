"""The reference projects in hls_projects/ are what the scripts write today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("hls4ml", reason="the hls extra is not installed")

from qap.network import load_network
from qap.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[1]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regenerate", ROOT / "scripts" / "regenerate_hls_projects.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def differences(a: Path, b: Path) -> list[str]:
    """Files that are not the same in two folders."""
    names = {str(path.relative_to(root)) for root in (a, b) for path in root.rglob("*") if path.is_file()}
    return sorted(
        name
        for name in names
        if not (a / name).exists() or not (b / name).exists() or (a / name).read_bytes() != (b / name).read_bytes()
    )


@pytest.mark.parametrize(("name", "recipe"), script().RECIPES.items())
def test_the_reference_project_is_up_to_date(tmp_path: Path, name: str, recipe: str) -> None:
    committed = ROOT / "hls_projects" / name
    network = load_network(committed / "network.npz")
    script().regenerate(tmp_path / name, load_recipe(recipe), network)
    assert differences(committed, tmp_path / name) == []


def test_one_changed_byte_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "same").write_text("1")
    (tmp_path / "b" / "same").write_text("1")
    assert differences(tmp_path / "a", tmp_path / "b") == []
    (tmp_path / "b" / "same").write_text("2")
    (tmp_path / "b" / "more").write_text("1")
    assert differences(tmp_path / "a", tmp_path / "b") == ["more", "same"]


def test_no_vendor_headers_and_no_logs() -> None:
    files = [path for path in (ROOT / "hls_projects").rglob("*") if path.is_file()]
    assert not [path for path in files if path.name.startswith("ap_") or path.suffix in (".log", ".so", ".o")]


def test_the_table_names_every_project() -> None:
    table = (ROOT / "hls_projects" / "README.md").read_text(encoding="utf-8")
    assert all(f"]({name}/)" in table for name in script().RECIPES)
