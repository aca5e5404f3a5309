"""Records: whole lines or none, and what a damaged file says."""

from __future__ import annotations

import errno
import os

import pytest

from qap.errors import DataError
from qap.explore.sweep import Records

RECORD = {"key": "abc", "point": 0, "values": {"weight_bits": 3}, "error": None}


def begun(tmp_path) -> Records:
    records = Records(tmp_path)
    records.begin()
    records.append(RECORD)
    return records


def test_what_is_appended_is_read(tmp_path):
    records = begun(tmp_path)
    records.begin()
    records.append({**RECORD, "key": "ü", "accuracy": {"test": 0.1}})
    assert records.read() == [RECORD, {**RECORD, "key": "ü", "accuracy": {"test": 0.1}}]


def test_numbers_that_json_cannot_hold_leave_no_trace(tmp_path):
    records = begun(tmp_path)
    with pytest.raises(ValueError):
        records.append({**RECORD, "accuracy": float("nan")})
    assert records.read() == [RECORD]


@pytest.mark.parametrize("fits", [0, 5])
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch, fits):
    records = begun(tmp_path)
    write = os.write

    def full(handle, data):
        if fits == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data[:fits])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DataError, match="No space left"):
        records.append(RECORD)
    monkeypatch.undo()
    assert records.read() == [RECORD]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"qap_records": 1}\n{"key": "a', "line 2 is cut short"),
        ('{"qap_records": 1}\n{"key": "a\n', "line 2 is not a record"),
        ('{"qap_records": 1}\n[1]\n', "line 2 is not a record"),
        ('{"qap_records": 1}\n{"key": "a"}\n', "line 2 is not a record"),
        ('{"qap_records": 2}\n', "holds no records of version 1"),
        ('{"some": "thing"}\n', "holds no records of version 1"),
        ("", "is cut short"),
        ("[" * 100_000 + "\n", "line 1 is not a record"),
    ],
)
def test_a_damaged_file_is_one_clear_line(tmp_path, text, message):
    records = Records(tmp_path)
    records.path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        records.read()
    assert "\n" not in str(caught.value)


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(DataError, match=r"has no records\.jsonl yet; qap sweep makes it"):
        Records(tmp_path).read()
    Records(tmp_path).path.write_bytes(b"\xff\n")
    with pytest.raises(DataError, match="cannot read"):
        Records(tmp_path).read()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", 0),
        ('{"qap_rec', 0),
        ('{"qap_records": 1}', 0),
        ('{"qap_records": 1}\n', 0),
        ('{"qap_records": 1}\n{"key": "a', 0),
        ('{"qap_records": 1}\n{"key": "a", "point": 0, "values": {}}\n{"key": "b"', 1),
        ('{"qap_records": 1}\n{"key": "a", "point": 0, "values": {}}\n{"key": "b", "point": 1, "values": {}}', 1),
    ],
)
def test_a_file_that_was_cut_short_goes_on(tmp_path, text, kept):
    records = Records(tmp_path)
    records.path.write_text(text)
    records.begin()
    assert len(records.read()) == kept
    records.append(RECORD)
    assert records.read()[kept:] == [RECORD]


@pytest.mark.parametrize("text", ["mine", "my notes\nand more", '{"some": "thing"}\n{"cut'])
def test_what_is_no_file_of_records_is_left_alone(tmp_path, text):
    records = Records(tmp_path)
    records.path.write_text(text)
    records.begin()
    assert records.path.read_text() == text
