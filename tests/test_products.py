"""Folders know which of their files qap wrote: those it may replace, all others stay."""

import json
import os

import pytest

from qap.errors import DataError
from qap.products import MANIFEST, foreign_files, is_intact, made_folder, written_files


def make(path, **files):
    with made_folder(path) as folder:
        for name, text in files.items():
            target = folder / name.replace("__", "/").replace("_", ".")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


def texts(path):
    files = (file for file in path.rglob("*") if file.is_file() and file.name != MANIFEST)
    return {str(file.relative_to(path)): file.read_text() for file in files}


@pytest.fixture
def path(tmp_path):
    make(tmp_path / "hls", a="1", firmware__b="2")
    return tmp_path / "hls"


def test_a_folder_knows_what_was_written_into_it(path):
    assert written_files(path) == ["a", "firmware/b", MANIFEST]
    (path / "solution").mkdir()
    (path / "solution" / "report").write_text("of a vendor's tool")
    assert foreign_files(path) == ["solution/report"]
    assert is_intact(path)


@pytest.mark.parametrize("damage", ["changed", "missing", "no list", "no JSON", "a list of something else"])
def test_damage_is_seen(path, damage):
    if damage == "changed":
        (path / "a").write_text("2")
    elif damage == "missing":
        (path / "firmware" / "b").unlink()
    elif damage == "no list":
        (path / MANIFEST).unlink()
    else:
        (path / MANIFEST).write_text("{" if damage == "no JSON" else '{"a": 1}')
    assert not is_intact(path)


@pytest.mark.parametrize("name", ["/etc/hostname", "../other", "firmware/../../other"])
def test_a_list_that_leads_outside_of_its_folder_is_none(path, name):
    (path / MANIFEST).write_text(json.dumps({name: "0" * 64}))
    assert not is_intact(path)
    assert "a" in written_files(path) and name not in written_files(path)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(path):
    (path / "a").unlink()
    os.mkfifo(path / "a")
    assert not is_intact(path)


def test_files_of_others_stay_and_qaps_own_go(path):
    (path / "firmware" / "log").write_text("of a vendor's tool")
    (path / "solution" / "syn").mkdir(parents=True)
    (path / "solution" / "syn" / "report").write_text("measured")
    (path / "latest").symlink_to("solution")
    (path / "nowhere").symlink_to("/does/not/exist")
    (path / "firmware" / "b").write_text("changed by hand")
    before = (path / "solution" / "syn" / "report").stat().st_mtime_ns
    for _ in range(2):
        make(path, a="3", c="4")
        found = texts(path)
        assert found.pop("latest/syn/report", "measured") == "measured"
        assert found == {"a": "3", "c": "4", "firmware/log": "of a vendor's tool", "solution/syn/report": "measured"}
        assert [str((path / name).readlink()) for name in ("latest", "nowhere")] == ["solution", "/does/not/exist"]
        assert (path / "solution" / "syn" / "report").stat().st_mtime_ns == before
        assert foreign_files(path) == ["firmware/log", "latest", "nowhere", "solution/syn/report"]


def test_without_hard_links_they_are_copied(path, monkeypatch):
    def refused(*arguments, **keywords):
        raise OSError("no hard links here")

    (path / "mine").write_text("mine")
    monkeypatch.setattr("qap.products.os.link", refused)
    make(path, a="3")
    assert texts(path) == {"a": "3", "mine": "mine"}


def test_without_a_list_only_what_is_written_again_is_taken_for_qaps(path):
    (path / MANIFEST).unlink()
    make(path, a="3", c="4")
    assert texts(path) == {"a": "3", "c": "4", "firmware/b": "2"}


def test_a_file_of_somebody_else_is_not_replaced(path):
    (path / "c").write_text("mine")
    with pytest.raises(DataError, match=r"hls/c is not qap's, but qap would write a file of that name; move it away$"):
        make(path, a="3", c="4")
    assert texts(path) == {"a": "1", "firmware/b": "2", "c": "mine"}
    assert [item.name for item in path.parent.iterdir()] == ["hls"]


def test_a_failure_leaves_everything(path):
    (path / "mine").write_text("mine")
    with pytest.raises(KeyboardInterrupt), made_folder(path) as folder:
        (folder / "a").write_text("half")
        raise KeyboardInterrupt
    assert texts(path) == {"a": "1", "firmware/b": "2", "mine": "mine"}
