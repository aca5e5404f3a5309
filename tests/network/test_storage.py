"""`network.npz`: what is saved is loaded, and a file that is not what it was is refused."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from qap.errors import DataError
from qap.fixed import FixedPoint
from qap.network import LayerSpec, StepTable, connect, load_network, save_network
from qap.network.storage import VERSION


def make(class_names=("one", 'ni"ne\n', "ü")):
    """A network with a ReLU, with steps, with a negative bias, and with names that need care."""
    form = FixedPoint.parse
    weight = np.array([[1, -2], [3, 0], [0, 1]])
    steps = StepTable(np.array([1, 5]), np.array([-1, 0, 1]))
    return connect(
        form("ap_ufixed<8,0>"),
        [
            LayerSpec("dense 'a'", weight, form("ap_fixed<4,2>"), np.array([1, -2]), form("ap_fixed<4,2>"), "relu",
                      form("ap_ufixed<4,2,AP_RND_CONV,AP_SAT>")),
            LayerSpec("ü\n", weight[:2], form("ap_fixed<4,2>"), np.array([0, 2]), form("ap_fixed<4,2>"), steps,
                      form("ap_fixed<2,2>")),
            LayerSpec("c", np.array([[1, 0, -1], [2, 1, 0]]), form("ap_fixed<3,3>"), np.array([0, -3, 1]),
                      form("ap_fixed<3,1>")),
        ],
        class_names,
    )  # fmt: skip


NETWORK = make()


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / 'a "b" ü.npz'
    save_network(NETWORK, path)
    return path


def refused(path, message="network|damaged"):
    with pytest.raises(DataError, match=message) as caught:
        load_network(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewritten(path, header=None, sign=True, **arrays):
    """The file with other content; `sign` makes its digest the one of what is loaded, as an attacker could."""
    with np.load(path, allow_pickle=False) as archive:
        content = {name: archive[name] for name in archive.files}
    top = json.loads(str(content.pop("header")))
    if header is not None:
        replaced = header(top)
        top = top if replaced is None else replaced
    content |= arrays
    content = {name: array for name, array in content.items() if array is not None}
    np.savez_compressed(path, header=np.array(json.dumps(top)), **content)
    if sign:
        with pytest.raises(DataError) as caught:
            load_network(path)
        assert "digest" not in str(caught.value), "the content itself must be refused, not only its digest"
    return path


def test_round_trip(saved):
    loaded = load_network(saved)
    assert loaded.digest == NETWORK.digest
    assert loaded.class_names == NETWORK.class_names
    assert [layer.name for layer in loaded.layers] == ["dense 'a'", "ü\n", "c"]
    assert [layer.accum_format for layer in loaded.layers] == [layer.accum_format for layer in NETWORK.layers]
    x = np.random.default_rng(0).integers(0, 256, (50, 3))
    assert (loaded.forward(x) == NETWORK.forward(x)).all()
    assert load_network(str(saved)).digest == NETWORK.digest
    again = saved.with_name("again.npz")
    save_network(loaded, again)
    assert load_network(again).digest == NETWORK.digest


def test_the_digest_is_that_of_the_content():
    assert make().digest == NETWORK.digest
    assert make(("one", "nine", "ü")).digest != NETWORK.digest


def test_every_flipped_byte_and_every_truncation(tmp_path):
    """Whatever is loaded from damaged bytes is the very same network; everything else is refused in one line."""
    path = tmp_path / "network.npz"
    form = FixedPoint.parse("ap_fixed<3,3>")
    network = connect(form, [LayerSpec("a", np.array([[1, -2]]), form, np.array([3, 0]), form)], ["x", "y"])
    save_network(network, path)
    raw = path.read_bytes()
    flipped = [raw[:index] + bytes([byte ^ (1 << index % 8)]) + raw[index + 1 :] for index, byte in enumerate(raw)]
    truncated = [raw[:length] for length in range(0, len(raw), 3)]
    same = 0
    for content in flipped + truncated:
        path.write_bytes(content)
        try:
            loaded = load_network(path)
        except DataError as error:
            assert "\n" not in str(error)
        else:
            assert loaded.digest == network.digest
            same += 1
    assert 0 < same < len(flipped) / 2  # time stamps and the like are not part of the network


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"not a network", b"\0" * 1000])
def test_files_of_another_kind(tmp_path, content):
    path = tmp_path / "network.npz"
    path.write_bytes(content)
    refused(path, "is truncated, or no integer network")


def test_a_single_array_and_an_archive_without_header(tmp_path):
    path = tmp_path / "network.npz"
    with path.open("wb") as file:
        np.save(file, np.arange(3))
    refused(path, "no integer network")
    np.savez(path, x=np.arange(3))
    refused(path, "it has no header")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header", '{"qap_network": 1}')
    refused(path)


@pytest.mark.parametrize("name", ["nothing.npz", ".", "a\0b", "n" * 300, "file/x.npz"])
def test_files_that_cannot_be_read(tmp_path, name):
    (tmp_path / "file").write_text("")
    refused(tmp_path / name, "does not exist|cannot read|damaged")


@pytest.mark.parametrize("name", ["a\0b", "file/x.npz", "n" * 300])
def test_files_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        save_network(NETWORK, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


class Trap:
    """Loading it is seen."""

    sprung = False

    def __reduce__(self):
        return setattr, (Trap, "sprung", True)


@pytest.mark.parametrize("name", ["header", "weight_0", "surplus"])
def test_pickled_objects_are_never_loaded(saved, name):
    objects = np.array([Trap()], object)
    with np.load(saved) as archive:
        content = {key: archive[key] for key in archive.files} | {name: objects}
    np.savez(saved, **content)
    refused(saved, "holds pickled objects")
    saved.write_bytes(pickle.dumps(Trap()))
    refused(saved)
    assert not Trap.sprung
    pickle.loads(pickle.dumps(Trap()))  # noqa: S301 (the trap works)
    assert Trap.sprung
    Trap.sprung = False


@pytest.mark.parametrize("version", [0, 3, "1", None, [1]])
def test_other_versions(saved, version):
    rewritten(saved, lambda header: header.update(qap_network=version), sign=False)
    message = refused(saved, "is of version")
    assert message == f"{saved} is of version {version!r}; this qap reads 1 to {VERSION}"


@pytest.mark.parametrize(
    "array",
    [
        np.ones((3, 2)), np.ones((3, 2), np.float32), np.ones((3, 2), np.int32), np.ones((3, 2), bool),
        np.array("text"), np.ones((3, 2), ">i8"), np.array(5), np.ones(6, np.int64), np.ones((3, 2, 1), np.int64),
        np.ones((3, 0), np.int64), np.ones((3, 3), np.int64), np.full((3, 2), 2**62),
        np.full((3, 2), -(2**63)),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)  # fmt: skip
def test_weights_of_a_wrong_kind(saved, array):
    refused(rewritten(saved, weight_0=array), "damaged")


@pytest.mark.parametrize("name", ["bias_1", "thresholds_1", "values_1"])
@pytest.mark.parametrize(
    "array", [np.ones(2), np.ones((2, 1), np.int64), np.ones(0, np.int64), np.array(1), np.array([2**62, -(2**62)])]
)
def test_other_arrays_of_a_wrong_kind(saved, name, array):
    refused(rewritten(saved, **{name: array}), "damaged")


@pytest.mark.parametrize("name", ["weight_0", "bias_0", "weight_2", "thresholds_1", "values_1"])
def test_missing_arrays_are_named(saved, name):
    refused(rewritten(saved, **{name: None}), f"is damaged: '{name}' is missing")


MISSING = object()
HOSTILE = [
    ((), []), ((), 5), ((), "text"),
    (("layers",), MISSING), (("layers",), []), (("layers",), {}), (("layers",), "abc"), (("layers",), [5]),
    (("layers",), None), (("layers", 0), MISSING), (("layers", 0), None),
    (("layers", 0, "activation"), MISSING), (("layers", 0, "activation"), "__import__('os')"),
    (("layers", 0, "activation"), "steps"), (("layers", 0, "activation"), ["relu"]),
    (("layers", 0, "name"), "c"), (("layers", 0, "name"), 5), (("layers", 0, "name"), None),
    (("layers", 0, "weight_format"), "ap_fixed<1,1>"), (("layers", 0, "weight_format"), 8),
    (("layers", 0, "bias_format"), "ap_fixed<99,1>"), (("layers", 0, "result_format"), None),
    (("layers", 0, "result_format"), "ap_fixed<" + "9" * 5000 + ",1>"),
    (("input_format",), MISSING), (("input_format",), "x\ny"), (("input_format",), "ap_ufixed<63,0>"),
    (("class_names",), MISSING), (("class_names",), []), (("class_names",), ["a"]), (("class_names",), "ab"),
    (("class_names",), [1, 2, 3]), (("class_names",), None), (("class_names",), {"a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value"), HOSTILE, ids=[f"{place} {value!r:.20}" for place, value in HOSTILE])
def test_hostile_headers(saved, place, value):
    def change(header):
        if not place:
            return value
        for part in place[:-1]:
            header = header[part]
        if value is MISSING:
            del header[place[-1]]
        else:
            header[place[-1]] = value
        return None

    refused(rewritten(saved, change), "damaged|version")


def test_a_header_that_is_nested_too_deep(saved):
    with np.load(saved) as archive:
        content = {name: archive[name] for name in archive.files}
    np.savez(saved, **content | {"header": np.array("[" * 100_000)})
    refused(saved, "damaged")


def test_a_digest_that_does_not_fit(saved):
    rewritten(saved, lambda header: header.update(digest="0" * 64), sign=False)
    refused(saved, "does not have the digest that it was written with")
    rewritten(saved, lambda header: header.update(digest=None), sign=False)
    refused(saved, "does not have the digest")


@pytest.mark.parametrize(
    "change",
    [
        {"weight_0": np.array([[1, -2], [3, 0], [0, 2]])},
        {"bias_1": np.array([0, 1])},
        {"thresholds_1": np.array([1, 6])},
    ],
)
def test_one_lsb_of_one_number_is_seen(saved, change):
    """The content is possible, so only the digest tells; the network that was saved is not affected."""
    rewritten(saved, sign=False, **change)
    refused(saved, "does not have the digest")


def test_an_array_header_that_claims_more_memory_than_there_is(saved):
    """A few bytes that ask for 2**60 of them."""
    lie = io.BytesIO()
    np.lib.format.write_array_header_1_0(lie, {"descr": "<i8", "fortran_order": False, "shape": (2**57, 1)})
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("weight_9.npy", lie.getvalue())
    refused(saved, "damaged")
