"""IDX files: what is written comes back; anything that is not whole is refused with one line."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from qap.data.idx import read_idx, write_idx
from qap.errors import DataError

images = arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=5))
labels = arrays(np.uint8, array_shapes(min_dims=1, max_dims=1, max_side=20))
suffixes = st.sampled_from(["", ".gz"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


def refused(path, dimensions=3):
    with pytest.raises(DataError) as caught:
        read_idx(path, dimensions)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@given(st.one_of(images, labels), suffixes)
def test_what_is_written_comes_back(folder, values, suffix):
    path = folder / f"round{suffix}"
    write_idx(path, values)
    read = read_idx(path, values.ndim)
    assert read.dtype == np.uint8
    assert read.shape == values.shape
    assert (read == values).all()


@given(images, suffixes, st.data())
def test_any_truncation_is_refused(folder, values, suffix, data):
    path = folder / f"cut{suffix}"
    write_idx(path, values)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    assert any(word in refused(path) for word in ("truncated", "empty", "damaged"))


@given(images, st.booleans(), st.binary(min_size=1, max_size=50))
def test_any_byte_too_much_is_refused(folder, values, compressed, more):
    path = folder / "long"
    write_idx(path, values)
    content = path.read_bytes() + more
    path.write_bytes(gzip.compress(content) if compressed else content)
    assert "oversized" in refused(path)


@given(images, st.integers(0, 31), st.booleans())
def test_any_other_magic_number_is_refused(folder, values, bit, compressed):
    path = folder / "magic"
    write_idx(path, values)
    content = (int.from_bytes(path.read_bytes()[:4], "big") ^ 1 << bit).to_bytes(4, "big") + path.read_bytes()[4:]
    path.write_bytes(gzip.compress(content) if compressed else content)
    refused(path)


@settings(max_examples=300)
@given(st.data())
def test_flipped_bits_of_a_gzip_file_never_give_other_values(folder, data):
    values = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    path = folder / "flip.gz"
    write_idx(path, values)
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    try:
        assert (read_idx(path, 3) == values).all()  # a bit of gzip's own header, such as its date
    except DataError as error:
        assert str(path) in str(error)


def test_gzip_is_told_by_content_not_by_name(tmp_path):
    values = np.arange(4, dtype=np.uint8)
    write_idx(tmp_path / "a.gz", values)
    write_idx(tmp_path / "b", values)
    (tmp_path / "a.gz").rename(tmp_path / "a")
    (tmp_path / "b").rename(tmp_path / "b.gz")
    assert read_idx(tmp_path / "a", 1).tolist() == read_idx(tmp_path / "b.gz", 1).tolist() == [0, 1, 2, 3]


def test_equal_values_give_equal_gzip_files(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, np.arange(9, dtype=np.uint8))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_labels_in_the_place_of_images_are_named(tmp_path):
    write_idx(tmp_path / "labels", np.arange(4, dtype=np.uint8))
    assert "begins with 0x00000801 (labels), but must begin with 0x00000803" in refused(tmp_path / "labels")


def test_an_empty_file_a_folder_and_no_file(tmp_path):
    (tmp_path / "empty").touch()
    assert "is empty" in refused(tmp_path / "empty")
    assert "cannot read" in refused(tmp_path)
    assert "does not exist" in refused(tmp_path / "nothing")


def test_a_file_of_no_images_is_refused(tmp_path):
    (tmp_path / "none").write_bytes(struct.pack(">4I", 0x803, 0, 28, 28))
    assert "holds no images: its header says 0 x 28 x 28" in refused(tmp_path / "none")


def test_a_header_that_claims_absurd_sizes_is_refused_at_once(tmp_path):
    (tmp_path / "huge").write_bytes(struct.pack(">4I", 0x803, 2**32 - 1, 2**32 - 1, 28))
    assert "is damaged: its header says" in refused(tmp_path / "huge")


def test_the_error_counts_the_bytes(tmp_path):
    write_idx(tmp_path / "cut", np.zeros((2, 3, 4), np.uint8))
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:-1])
    assert "its header says 2 x 3 x 4 = 24 bytes, but 23 follow" in refused(tmp_path / "cut")
