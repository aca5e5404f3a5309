"""NPZ files from outside: what is too large or not what it says is refused before anything is unpacked."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from qap import archives
from qap.archives import open_npz
from qap.data import load
from qap.errors import DataError
from qap.network import load_network
from qap.report.records import read_kernels

GIGA = 1 << 30


def header(shape, descr="|u1", version=1):
    """The header of an array, without its numbers."""
    file = io.BytesIO()
    write = np.lib.format.write_array_header_1_0 if version == 1 else np.lib.format.write_array_header_2_0
    write(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def written(path: Path, **members: bytes) -> Path:
    """An archive of any bytes; a member is called as a keyword."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def claiming(path: Path, size: int) -> Path:
    """The archive with another unpacked size of its first member, in both places where it stands."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[0]
    for place in (info.header_offset + 22, content.index(b"PK\x01\x02") + 24):
        content[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    return path


@pytest.fixture
def nothing_unpacked(monkeypatch):
    """No array may be read, its header apart."""

    def read(*arguments, **keywords):
        raise AssertionError("an array was unpacked")

    monkeypatch.setattr(np.lib.format, "read_array", read)


def refused(path: Path, message: str) -> None:
    """Every reader refuses it, in one line."""
    for read in (lambda: load(f"npz:{path}"), lambda: load_network(path), lambda: read_kernels(path)):
        with pytest.raises(DataError) as caught:
            read()
        assert message in str(caught.value)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_arrays_are_read(tmp_path):
    path = tmp_path / "a.npz"
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array("text"), "c": np.zeros((0, 3))}
    np.savez_compressed(path, **arrays)
    with open_npz(path, "file") as stored:
        assert {name: (member.shape, member.dtype) for name, member in stored.members.items()} == {
            name: (array.shape, array.dtype) for name, array in arrays.items()
        }
        found = stored.read_all()
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())
    with open_npz(path, "file", ["b", "z"]) as stored:
        assert list(stored.read_all()) == ["b"]


def test_what_unpacks_to_more_than_is_allowed(tmp_path, monkeypatch, nothing_unpacked):
    monkeypatch.setattr(archives, "LARGEST", 10_000)
    x = header((120, 100)) + bytes(12_000)
    path = written(tmp_path / "bomb.npz", x=x, y=header((120,)) + bytes(120))
    refused(path, "unpacks to 12,120 bytes, at most 10,000 are read")
    many = {f"y_{part}": header((40, 100)) + bytes(4_000) for part in ("test", "validation")}
    path = written(tmp_path / "sum.npz", **many, x=header((40, 100)) + bytes(4_000))
    refused(path, "unpacks to 12,000 bytes, at most 10,000 are read")


@pytest.mark.parametrize("shape", [(2**40, 2**20), (2**62, 4), (2**31 + 1,), (10**30,)])
@pytest.mark.parametrize("version", [1, 2])
def test_a_header_that_asks_for_more_than_follows(tmp_path, nothing_unpacked, shape, version):
    path = written(tmp_path / "lie.npz", x=header(shape, version=version) + bytes(50))
    refused(path, "damaged: the array 'x' should be uint8")


def test_shapes_that_no_array_has(tmp_path, nothing_unpacked):
    refused(written(tmp_path / "a.npz", x=header((-5, -10)) + bytes(50)), "damaged")
    refused(written(tmp_path / "b.npz", x=header((10**12,), "<U0")), "unpacks to 1,000,000,000,000 bytes")
    refused(written(tmp_path / "c.npz", x=header((5,), "|O") + bytes(50)), "holds pickled objects")
    refused(written(tmp_path / "d.npz", x=b"\x93NUMPY\x03\x00" + header((50,))[8:] + bytes(50)), "only 1.0 and 2.0")
    refused(written(tmp_path / "e.npz", x=b"\x93NUMPY\x02\x00" + b"\xff" * 200_000), "damaged")
    refused(written(tmp_path / "f.npz", x=b"text"), "'x' is not a NumPy array")
    refused(written(tmp_path / "g.npz", x=b""), "'x' is not a NumPy array")


@pytest.mark.parametrize("size", [0, 100, 4 * GIGA - 1])
def test_an_archive_whose_sizes_lie(tmp_path, nothing_unpacked, size):
    path = claiming(written(tmp_path / "lie.npz", x=header((50,)) + bytes(50)), size)
    refused(path, str(path))


def test_more_members_than_anybody_writes(tmp_path, monkeypatch, nothing_unpacked):
    monkeypatch.setattr(archives, "MANY", 3)
    path = written(tmp_path / "many.npz", **{f"a{index}": header((1,)) + b"1" for index in range(4)})
    refused(path, "holds 4 arrays, at most 3 are read")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_is_there_twice(tmp_path, nothing_unpacked):
    path = written(tmp_path / "twice.npz", x=header((1,)) + b"1")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", header((1,)) + b"2")
    refused(path, "holds the array 'x' twice")


def test_labels_are_counted_before_anything_is_unpacked(tmp_path, nothing_unpacked):
    x, y = header((60, 10)) + bytes(600), header((5,)) + bytes(5)
    with pytest.raises(DataError, match=r"y must be one label a sample, \(60,\), but is \(5,\)"):
        load(f"npz:{written(tmp_path / 'a.npz', x=x, y=y)}")
    good = header((60,)) + bytes(60)
    path = written(tmp_path / "b.npz", x=x, y=good, x_test=x, y_test=y)
    with pytest.raises(DataError, match=r"y_test must be one label a sample, \(60,\), but is \(5,\)"):
        load(f"npz:{path}")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    refused(tmp_path / "pipe.npz", "it is not a file")


@pytest.mark.parametrize("array", [np.array(["text"]), np.zeros(3), np.zeros((2, 2), int), np.zeros((1, 1, 1))])
def test_kernels_are_matrices_of_numbers(tmp_path, array):
    np.savez(tmp_path / "weights.npz", trained_0=array)
    with pytest.raises(DataError, match="the array 'trained_0' must be numbers"):
        read_kernels(tmp_path / "weights.npz")
    np.save(tmp_path / "weights.npy", np.zeros((2, 2)))
    with pytest.raises(DataError, match="is truncated, or no NPZ file"):
        read_kernels(tmp_path / "weights.npy")
