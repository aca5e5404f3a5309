"""What is compiled once is used only while it is what was built, and works."""

import os
from pathlib import Path

import pytest

from qap.errors import ToolFailed
from qap.hardware.builds import built


class Maker:
    """Builds a text and tells how often; a text that ends in a full stop works."""

    def __init__(self, text: str = "it works.") -> None:
        self.text, self.made = text, 0

    def make(self, folder: Path) -> None:
        self.made += 1
        (folder / "source").write_text("a leftover")
        (folder / "sources").mkdir()
        (folder / "thing").write_text(self.text)

    def try_it(self, file: Path) -> None:
        if not file.read_text().endswith("."):
            raise ToolFailed("it does not work")

    def built(self, cache: Path, *made_of: str) -> Path:
        return built("thing", made_of, self.make, self.try_it, cache)


def test_a_file_is_built_once_of_the_same_parts(tmp_path: Path) -> None:
    maker = Maker()
    first = maker.built(tmp_path, "a", "b")
    assert first == maker.built(tmp_path, "a", "b") and maker.made == 1
    assert sorted(path.name for path in first.parent.iterdir()) == ["sha256", "thing"]
    others = [maker.built(tmp_path, *parts) for parts in (("a",), ("ab",), ("b", "a"), ("a", "b", ""))]
    assert len({first, *others}) == 5


@pytest.mark.parametrize("damage", ["removed", "cut off", "another", "no checksum", "a folder", "of another user"])
def test_what_is_damaged_is_built_again(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker()
    file = maker.built(tmp_path, "a")
    if damage == "no checksum":
        (file.parent / "sha256").unlink()
    elif damage in ("removed", "a folder"):
        file.unlink()
    elif damage == "of another user":
        monkeypatch.setattr(os, "getuid", lambda: -1)
    else:
        file.write_text({"cut off": "it", "another": "this works as well."}[damage])
    if damage == "a folder":
        file.mkdir()
    assert maker.built(tmp_path, "a").read_text() == "it works." and maker.made == 2


def test_what_no_longer_works_is_built_again(tmp_path: Path) -> None:
    maker = Maker()
    file = maker.built(tmp_path, "a")
    tried = []

    def once_not(file: Path) -> None:
        tried.append(file)
        if len(tried) == 1:
            raise ToolFailed("a library that it needs is gone")

    assert built("thing", ["a"], maker.make, once_not, tmp_path) == file
    assert (maker.made, len(tried)) == (2, 2)


def test_what_does_not_work_is_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ToolFailed, match="it does not work"):
            Maker("it does").built(tmp_path, "a")
        with pytest.raises(ToolFailed, match="^thing was not built, though its compiler reported no error$"):
            built("thing", ["a"], lambda folder: None, lambda file: None, tmp_path)
    assert list((tmp_path / "builds").iterdir()) == []
    assert Maker().built(tmp_path, "a").read_text() == "it works."


def test_builds_are_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QAP_CACHE_DIR", str(tmp_path / "mine"))
    maker = Maker()
    assert built("thing", ["a"], maker.make, maker.try_it).is_relative_to(tmp_path / "mine")
