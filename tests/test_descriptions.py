"""Descriptions from disk: what is right is read, everything else is one line that names the file and the key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from qap.descriptions import MAX_BYTES, Description, read_description
from qap.errors import DataError


class Part(Description):
    width: Annotated[int, Field(ge=1, le=64)]


class Whole(Description):
    name: str
    kept: tuple[int, ...]
    clock_ns: float
    signed: bool
    part: Part | None = None


GOOD = '{"name": "a", "kept": [1, 2], "clock_ns": 5, "signed": true, "part": {"width": 3}}'


def read(path: Path) -> Whole:
    return read_description(path, Whole, missing=f"there is no project in {path.parent}", remedy="; make it again")


def test_what_is_right_is_read(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    path.write_text(GOOD)
    assert read(path) == Whole(name="a", kept=(1, 2), clock_ns=5.0, signed=True, part=Part(width=3))


@pytest.mark.parametrize(
    "text, key",
    [
        ("", ""),
        ("null", ""),
        ("[]", ""),
        ("[" * 100_000, ""),
        ('{"part":' * 100_000, ""),
        (GOOD[:30], ""),
        (GOOD.replace('"name": "a", ', ""), "'name' is missing"),
        (GOOD.replace('"part"', '"patr"'), "unknown key 'patr', did you mean 'part'?"),
        (GOOD.replace('"a"', "null"), "name: "),
        (GOOD.replace('"a"', '"\\ud800"'), ""),
        (GOOD.replace("[1, 2]", "7"), "kept: "),
        (GOOD.replace("[1, 2]", '[1, "2"]'), "kept.1: "),
        (GOOD.replace("[1, 2]", "[1, 2.0]"), "kept.1: "),
        (GOOD.replace("[1, 2]", "[1, true]"), "kept.1: "),
        (GOOD.replace("[1, 2]", "[NaN]"), "kept.0: "),
        (GOOD.replace("5", "NaN"), "clock_ns: "),
        (GOOD.replace("5", "1e999"), "clock_ns: "),
        (GOOD.replace("true", "1"), "signed: "),
        (GOOD.replace("3", "100000"), "part.width: "),
        (GOOD.replace("3", "9" * 5000), ""),
        (GOOD.replace("3", "-1"), "part.width: "),
    ],
)
def test_everything_else_is_one_line_with_file_key_and_remedy(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "project.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"{path} is damaged: ") and said.endswith("; make it again")
    assert key in said and "\n" not in said and len(said) < len(str(path)) + 400


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    path.write_bytes(GOOD.encode().replace(b'"a"', b'"\xff"'))
    with pytest.raises(DataError, match="is damaged: "):
        read(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(DataError, match=r"is damaged: it has 67,108,865 bytes, at most 67,108,864 are read"):
        read(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"there is no project in {tmp_path}"):
        read(tmp_path / "project.json")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for name in ("folder", "pipe"):
        with pytest.raises(DataError, match=f"cannot read .*{name}: it is not a file"):
            read(tmp_path / name)
