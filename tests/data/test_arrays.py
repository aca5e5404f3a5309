"""npz:FILE: what is read, what is refused, and that nothing is ever unpickled."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qap.data import load
from qap.data.arrays import read_npz
from qap.errors import DataError


def features(n=20, k=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, k))


def labels(n=20):
    return np.arange(n) % 2


GRID = "ap_fixed<4,2,AP_RND_CONV,AP_SAT>"
SCALED = {"scaling_offset": np.array([0.5, 1.0, -2.0]), "scaling_shift": np.array([1, 0, -3])}


def integers(n=20, k=3, seed=0):
    return np.random.default_rng(seed).integers(-8, 8, (n, k))


def saved(tmp_path, **arrays):
    path = tmp_path / "d.npz"
    np.savez_compressed(path, **arrays)
    return path


def refused(path):
    with pytest.raises(DataError) as caught:
        load(f"npz:{path}")
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, ">f8", np.int16, np.int64, bool])
def test_numbers_are_features(tmp_path, dtype):
    x = (features() * 4).astype(dtype)
    data = load(f"npz:{saved(tmp_path, x=x, y=labels())}")
    assert data.class_names == ("0", "1")
    assert data.image_shape is None
    whole = np.concatenate([part.x for part in (data.train, data.validation, data.test)])
    expected = data.scaling.apply(x)
    assert sorted(map(tuple, whole.tolist())) == sorted(map(tuple, expected.tolist()))


@pytest.mark.parametrize(
    ("shape", "image_shape"), [((20, 3, 5), (3, 5)), ((20, 16), (4, 4)), ((20, 15), None), ((20, 1), None)]
)
def test_bytes_are_pixels(tmp_path, shape, image_shape):
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    data = load(f"npz:{saved(tmp_path, x=x, y=labels())}")
    assert (str(data.input_format), data.scaling, data.image_shape) == ("ap_ufixed<8,0>", None, image_shape)
    whole = np.concatenate([part.x for part in (data.train, data.validation, data.test)])
    assert sorted(map(tuple, whole.tolist())) == sorted(map(tuple, x.reshape(20, -1).tolist()))


def test_arrays_of_a_test_part_are_taken_as_they_are(tmp_path):
    x_test = features(5, seed=1)
    path = saved(tmp_path, x=features(), y=labels(), x_test=x_test, y_test=np.array([1, 1, 0, 1, 1]))
    data = load(f"npz:{path}")
    assert data.test.y.tolist() == [1, 1, 0, 1, 1]
    assert (data.test.x == data.scaling.apply(x_test)).all()
    assert len(data.train) + len(data.validation) == 20


def test_a_validation_part_is_taken_as_it_is(tmp_path):
    x_validation = features(5, seed=1)
    path = saved(tmp_path, x=features(), y=labels(), x_validation=x_validation, y_validation=np.array([1, 1, 0, 1, 1]))
    data, other = load(f"npz:{path}"), load(f"npz:{path}", seed=1, validation=0.5)
    assert data.digest == other.digest
    assert data.validation.y.tolist() == [1, 1, 0, 1, 1]
    assert (data.validation.x == data.scaling.apply(x_validation)).all()
    assert (len(data.train), len(data.test)) == (16, 4)


def test_the_order_of_the_classes_may_be_given(tmp_path):
    text = np.where(labels() == 1, "dog", "cat")
    parts = {"x": features(), "y": text, "x_test": features(3), "y_test": np.array(["cat", "dog", "dog"])}
    data = load(f"npz:{saved(tmp_path, **parts, class_names=np.array(['dog', 'cat']))}")
    assert (data.class_names, data.test.y.tolist()) == (("dog", "cat"), [1, 0, 0])
    data = load(f"npz:{saved(tmp_path, **parts)}")
    assert (data.class_names, data.test.y.tolist()) == (("cat", "dog"), [0, 1, 1])


def test_whole_numbers_on_a_grid_of_their_own(tmp_path):
    x, x_test, plain = integers(), integers(5, seed=1), {"y": labels(), "y_test": labels(5)}
    path = saved(tmp_path, x=x, x_test=x_test, input_format=GRID, **SCALED, **plain)
    data = load(f"npz:{path}")
    assert (str(data.input_format), data.image_shape, data.train.x.dtype) == (GRID, None, np.int8)
    assert (data.test.x == x_test).all()
    assert sorted(map(tuple, np.concatenate([data.train.x, data.validation.x]).tolist())) == sorted(
        map(tuple, x.tolist())
    )
    assert data.scaling.offset.tolist() == [0.5, 1.0, -2.0]
    with pytest.raises(DataError, match=r"stored on the grid ap_fixed<4,2.*cannot be brought onto ap_fixed<3,2>"):
        load(f"npz:{path}", input_format="ap_fixed<3,2>")
    free = saved(tmp_path, x=x, x_test=x_test, input_format=GRID, **plain)
    assert (load(f"npz:{free}", input_format="ap_fixed<3,2>").test.x == x_test >> 1).all()
    pictures = saved(tmp_path, x=x.reshape(20, 1, 3), x_test=x_test.reshape(5, 1, 3), input_format=GRID, **plain)
    assert load(f"npz:{pictures}").image_shape == (1, 3)
    flat = saved(
        tmp_path, x=(x[:, :1] + 8).astype(np.uint8).repeat(4, axis=1), y=labels(), input_format="ap_ufixed<5,1>"
    )
    assert load(f"npz:{flat}").image_shape is None


def test_labels_may_be_text_or_any_whole_numbers(tmp_path):
    text = np.where(labels() == 1, "dog", "cat")
    assert load(f"npz:{saved(tmp_path, x=features(), y=text)}").class_names == ("cat", "dog")
    assert load(f"npz:{saved(tmp_path, x=features(), y=labels() * 13 - 3)}").class_names == ("-3", "10")


def test_other_arrays_of_the_file_are_not_even_read(tmp_path):
    path = saved(tmp_path, x=features(), y=labels(), notes=np.array([{"a": 1}], object))
    assert load(f"npz:{path}").n_in == 3


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_pickled_objects_are_never_loaded(tmp_path):
    sprung = tmp_path / "sprung"
    trap = np.array([Trap(sprung)] * 20, object)
    assert "array 'y' holds pickled objects, which are never loaded" in refused(saved(tmp_path, x=features(), y=trap))
    assert "array 'x' holds pickled objects" in refused(saved(tmp_path, x=trap, y=labels()))
    path = tmp_path / "plain.npz"
    path.write_bytes(pickle.dumps(Trap(sprung)))
    assert "no NPZ file" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", pickle.dumps(Trap(sprung)))
        archive.writestr("y.npy", pickle.dumps(Trap(sprung)))
    refused(path)
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung)))  # noqa: S301 - the trap does work
    assert sprung.exists()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": labels()}, "has no array 'x' or 'x_train' (x and y are needed, x_test and y_test allowed; found: y)"),
        ({"x": features()}, "has no array 'y'"),
        ({"data": features()}, "has no array 'x'"),
        ({"x": features(), "y": labels(), "x_test": features()}, "has one of x_test and y_test, but needs both"),
        ({"x": features(), "y": labels(), "y_test": labels()}, "has one of x_test and y_test, but needs both"),
        ({"x": features()[0], "y": labels(3)}, "x must be (n, features)"),
        ({"x": features().reshape(20, 3, 1), "y": labels()}, "x must be (n, features)"),
        ({"x": np.zeros((20, 2, 2, 2), np.uint8), "y": labels()}, "x must be (n, features)"),
        ({"x": np.float64(3), "y": labels()}, "x must be (n, features)"),
        ({"x": features().astype(complex), "y": labels()}, "x must hold numbers, but holds complex128"),
        ({"x": features().astype(str), "y": labels()}, "x must hold numbers"),
        ({"x": np.where(np.arange(60).reshape(20, 3) == 7, np.nan, 1.0), "y": labels()}, "x[2, 1] is nan"),
        ({"x": np.where(np.arange(60).reshape(20, 3) == 7, np.inf, 1.0), "y": labels()}, "x[2, 1] is inf"),
        ({"x": np.zeros((0, 3)), "y": np.zeros(0, int)}, "array 'x' is empty: its shape is (0, 3)"),
        ({"x": np.zeros((20, 0)), "y": labels()}, "array 'x' is empty"),
        ({"x": features(), "y": labels(19)}, "y must be one label a sample, (20,), but is (19,)"),
        ({"x": features(), "y": 2 * np.eye(20)}, "y must be one label a sample, (n,) or (n, 1)"),
        ({"x": features(), "y": labels() * 1.5}, "y must hold whole numbers or text, but holds float64"),
        ({"x": features(), "y": labels() * 0}, "holds one class only"),
        ({"x": features(), "y": np.arange(20)}, "class '0' has 1 of the 20 samples"),
        ({"x": features(), "y": labels(), "x_test": features(5, 2), "y_test": labels(5)}, "but x_test is (5, 2)"),
        (
            {"x": features(), "y": labels(), "x_test": np.zeros((5, 3), np.uint8), "y_test": labels(5)},
            "x is float64, but x_test is uint8",
        ),
        (
            {"x": features(), "y": labels(), "x_test": features(5), "y_test": np.array([0, 1, 0, 1, 7])},
            "y_test has the class '7', which y has not",
        ),
        ({"x": features(), "y": labels(), "x_validation": features()}, "has one of x_validation and y_validation"),
        (
            {"x": features(), "y": labels(), "x_validation": features(5, 2), "y_validation": labels(5)},
            "x is (20, 3), but x_validation is (5, 2)",
        ),
        (
            {"x": features(), "y": labels(), "x_validation": features(5), "y_validation": labels(5) + 1},
            "y_validation has the class '2', which y has not",
        ),
        ({"x": features(), "y": labels(), "class_names": np.arange(3)}, "class '2' has no training sample"),
        ({"x": features(), "y": labels(), "class_names": np.array(["0"])}, "y has the class '1', which class_names"),
        ({"x": features(), "y": labels(), "class_names": np.array(["0", "1", "0"])}, "class_names has '0' twice"),
        ({"x": features(), "y": labels(), "class_names": np.eye(2)}, "class_names must be whole numbers or text (n,)"),
        ({"x": integers(), "y": labels(), "input_format": "int8"}, "input_format: 'int8' is not a fixed-point format"),
        ({"x": features(), "y": labels(), "input_format": GRID}, "with an input_format x must be whole numbers"),
        (
            {"x": integers() * 3, "y": labels(), "input_format": GRID},
            "x must be -8 to 7, the range of its input_format",
        ),
        ({"x": integers(), "y": labels(), **SCALED}, "scaling_offset and scaling_shift, which need an input_format"),
        (
            {"x": integers(), "y": labels(), "input_format": GRID, "scaling_shift": np.arange(3)},
            "has one of scaling_offset and scaling_shift",
        ),
        (
            {"x": integers(k=4), "y": labels(), "input_format": GRID, **SCALED},
            "x is (20, 4), but scaling_offset is (3,)",
        ),
        (
            {"x": integers(), "y": labels(), "input_format": GRID, **SCALED, "scaling_shift": np.ones(3)},
            "scaling_offset, scaling_shift: this is not a scaling",
        ),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, arrays, message):
    assert message in refused(saved(tmp_path, **arrays))


def test_files_that_are_no_npz(tmp_path):
    assert "does not exist" in refused(tmp_path / "none.npz")
    assert "cannot read" in refused(tmp_path) or "damaged" in refused(tmp_path)
    for content in (b"", b"hello", b"PK\x03\x04"):
        (tmp_path / "a.npz").write_bytes(content)
        assert "truncated, or no NPZ file" in refused(tmp_path / "a.npz")
    np.save(tmp_path / "b.npy", features())
    assert "no NPZ file" in refused(tmp_path / "b.npy")
    with pytest.raises(DataError, match="npz:FILE"):
        load("npz:")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = saved(tmp_path_factory.mktemp("npz"), x=features(), y=labels())
    return path, path.read_bytes(), read_npz(path)


@given(st.data())
def test_any_truncation_is_refused(whole, data):
    path, content, _ = whole
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    refused(path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bits_never_give_other_values(whole, data):
    path, content, good = whole
    damaged = bytearray(content)
    damaged[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged)
    try:
        found = read_npz(path)
        assert (found.train.x == good.train.x).all()
        assert (found.train.y == good.train.y).all()
    except DataError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)


def test_an_array_with_a_damaged_header_of_absurd_size(tmp_path):
    path = tmp_path / "huge.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue())
    assert "damaged" in refused(path)


@pytest.mark.parametrize("shift", [2**63, 2**40, -(2**40), -(2**63), 2201])
def test_shifts_that_no_number_can_have(tmp_path, shift):
    scaled = {**SCALED, "scaling_shift": np.array([0, shift, 0], np.uint64 if shift > 0 else np.int64)}
    path = saved(tmp_path, x=integers(), y=labels(), input_format=GRID, **scaled)
    assert "scaling_offset, scaling_shift: this is not a scaling" in refused(path)
    assert "shifts must be" in refused(path)  # a number that int64 cannot hold is not a whole one for NumPy


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "\x1b[31m", "a\nb", "\x7f"])
@pytest.mark.parametrize("key", ["y", "class_names"])
def test_class_names_that_are_no_text(tmp_path, name, key):
    names = np.array(["good", name])
    arrays = {"y": names[labels()]} if key == "y" else {"y": names[labels()], "class_names": names}
    error = refused(saved(tmp_path, x=features(), **arrays))
    assert f"the name of class {name!a} holds" in error
    error.encode()  # the line itself can be printed


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y[:, None],
        lambda y: y.astype(float),
        lambda y: y[:, None].astype(np.float32),
        lambda y: np.eye(3)[y],
        lambda y: np.eye(3, dtype=bool)[y],
    ],
)
def test_ways_to_write_the_same_labels(tmp_path, change):
    x, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 3
    expected = load(f"npz:{saved(tmp_path, x=x, y=y)}").digest
    assert load(f"npz:{saved(tmp_path, x=x, y=change(y))}").digest == expected


def test_names_and_pictures_as_keras_has_them(tmp_path):
    x, y = np.random.default_rng(0).integers(0, 256, (30, 4, 5)).astype(np.uint8), np.arange(30) % 2
    expected = load(f"npz:{saved(tmp_path, x=x, y=y, x_test=x[:9], y_test=y[:9])}").digest
    keras = {"x_train": x[..., None], "y_train": y[:, None], "x_test": x[:9, ..., None], "y_test": y[:9]}
    data = load(f"npz:{saved(tmp_path, **keras)}")
    assert (data.digest, data.image_shape) == (expected, (4, 5))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": 1, "Y": 2}, r"no array 'x' or 'x_train' \(x and y are needed.*; found: X, Y\)"),
        ({"x": 1, "x_train": 1, "y": 1}, "both x and x_train"),
        ({"x": np.ones((4, 2)), "y": np.ones((4, 3))}, r"y must be one label a sample, .* but is int64 \(4, 3\)"),
        ({"x": np.ones((4, 2)), "y": np.full((4, 1), 0.5)}, "y must hold whole numbers or text, but holds float64"),
    ],
)
def test_what_is_found_is_said(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        load(f"npz:{saved(tmp_path, **{name: np.asarray(value) for name, value in arrays.items()})}")
