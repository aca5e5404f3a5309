"""MNIST and Fashion-MNIST from folders and from Keras, the embedded digits, and digits of scikit-learn."""

import gzip
import importlib.util
import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from support.needs import needs

from qap.data import load
from qap.data.idx import write_idx
from qap.data.images import EMBEDDED, FASHION_CLASSES, read_folder
from qap.errors import DataError, ToolMissing

ROOT = Path(__file__).parents[2]
NAMES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


def toy(seed=0, side=3):
    """Training and test images of ten classes."""
    generator = np.random.default_rng(seed)
    return tuple(
        (generator.integers(0, 256, (n, side, side), np.uint8), np.arange(n, dtype=np.uint8) % 10) for n in (40, 20)
    )


def written(folder, parts=None, suffix="", style="-"):
    for part, (images, labels) in zip(("train", "t10k"), parts or toy(), strict=True):
        write_idx(folder / f"{part}-images{style}idx3-ubyte{suffix}", images)
        write_idx(folder / f"{part}-labels{style}idx1-ubyte{suffix}", labels)
    return folder


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("QAP_DATA_DIR", raising=False)


@pytest.fixture
def no_keras(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)


def mnist_folder():
    folder = Path(os.environ.get("QAP_DATA_DIR", ROOT.parent / "shared" / "data")) / "mnist"
    if not (folder / "train-images-idx3-ubyte.gz").exists():
        pytest.skip(f"the complete MNIST is not in {folder}")
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("style", ["-", "."])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_a_folder_of_idx_files(tmp_path, no_keras, suffix, style, name):
    (_, _), (x_test, y_test) = toy()
    data = load(name, data_dir=written(tmp_path, suffix=suffix, style=style))
    assert (data.name, data.image_shape, str(data.input_format)) == (name, (3, 3), "ap_ufixed<8,0>")
    assert data.class_names[0] == {"mnist": "0", "fashion-mnist": "T-shirt/top"}[name]
    assert (data.test.x == x_test.reshape(20, 9)).all()
    assert (data.test.y == y_test).all()
    assert (len(data.train), len(data.validation)) == (30, 10)


@pytest.mark.parametrize(
    ("name", "inner"), [("mnist", "mnist"), ("fashion-mnist", "fashion-mnist"), ("fashion-mnist", "fashion_mnist")]
)
def test_a_subfolder_of_that_name_goes_first(tmp_path, no_keras, name, inner):
    written(tmp_path, toy(seed=1))
    written(tmp_path / inner, toy(seed=2))
    assert load(name, data_dir=tmp_path).digest == load(name, data_dir=tmp_path / inner).digest
    other = {"mnist": "fashion-mnist", "fashion-mnist": "mnist"}[name]
    assert (load(other, data_dir=tmp_path).test.x != load(name, data_dir=tmp_path).test.x).any()


def test_the_environment_names_a_folder_and_data_dir_goes_first(tmp_path, no_keras, monkeypatch):
    first, second = written(tmp_path / "1", toy(1)), written(tmp_path / "2", toy(2))
    monkeypatch.setenv("QAP_DATA_DIR", str(first))
    assert load("mnist").digest == load("mnist", data_dir=first).digest
    assert load("mnist", data_dir=second).digest != load("mnist").digest


def refused(name, folder):
    with pytest.raises(DataError) as caught:
        load(name, data_dir=folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_folders_without_the_files(tmp_path, no_keras, monkeypatch):
    assert "does not exist" in refused("mnist", tmp_path / "none")
    assert "holds no fashion-mnist" in refused("fashion-mnist", tmp_path)
    assert "subfolder fashion-mnist or fashion_mnist" in refused("fashion-mnist", tmp_path)
    monkeypatch.setenv("QAP_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"holds no mnist.*\(named by QAP_DATA_DIR; unset it to let Keras download\)"):
        load("mnist")


@pytest.mark.parametrize("missing", NAMES)
def test_one_missing_file_is_named(tmp_path, no_keras, missing):
    written(tmp_path)
    (tmp_path / missing).unlink()
    assert f"{missing} does not exist, with or without .gz" in refused("mnist", tmp_path)


def test_images_and_labels_of_different_numbers(tmp_path, no_keras):
    written(tmp_path)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", np.zeros(19, np.uint8))
    assert "t10k-images-idx3-ubyte holds 20 images, but " in refused("mnist", tmp_path)


def test_a_damaged_file_is_named(tmp_path, no_keras):
    written(tmp_path, suffix=".gz")
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-3])
    assert f"{path} is truncated" in refused("mnist", tmp_path)


def test_a_label_beyond_the_classes(tmp_path, no_keras):
    train, (x_test, y_test) = toy()
    written(tmp_path, (train, (x_test, y_test + 1)))
    assert "a label is 10, but mnist has the classes 0 to 9" in refused("mnist", tmp_path)


def test_images_of_different_sizes(tmp_path, no_keras):
    written(tmp_path, (toy()[0], toy(side=4)[1]))
    assert "training images are (3, 3) pixels, test images (4, 4)" in refused("mnist", tmp_path)


@pytest.fixture
def fake_keras(monkeypatch):
    """A `keras` whose data sets are toys, and which prints its progress as Keras does."""

    def load_data():
        print("Downloading data")
        return toy()

    keras = types.ModuleType("keras")
    loader = types.SimpleNamespace(load_data=load_data)
    keras.datasets = types.SimpleNamespace(mnist=loader, fashion_mnist=loader)
    monkeypatch.setitem(sys.modules, "keras", keras)
    return loader


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_without_a_folder_keras_downloads_and_stdout_stays_clean(fake_keras, tmp_path, capsys, name):
    assert load(name).digest == load(name, data_dir=written(tmp_path)).digest
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Downloading data" in printed.err


def test_a_download_that_fails_says_what_to_do(fake_keras):
    def fail():
        raise Exception("URL fetch failure on somewhere:\n no route")

    fake_keras.load_data = fail
    with pytest.raises(
        DataError, match=r"cannot be downloaded .*\(URL fetch failure on somewhere: no route\).*--data-dir"
    ):
        load("mnist")


def test_without_keras_the_extra_is_named(no_keras):
    with pytest.raises(ToolMissing, match=r"pip install 'qap-fpga\[train\]'"):
        load("mnist")


def test_the_embedded_digits():
    data = load("mnist-1v9")
    assert data.class_names == ("1", "9")
    assert (data.n_in, data.image_shape, data.train.x.dtype, data.scaling) == (784, (28, 28), np.uint8, None)
    assert (len(data.train), len(data.validation), len(data.test)) == (11_422, 1_269, 2_144)
    whole = [np.bincount(data.train.y) + np.bincount(data.validation.y), np.bincount(data.test.y)]
    assert [counts.tolist() for counts in whole] == [[6742, 5949], [1135, 1009]]
    ones, nines = (data.test.x[data.test.y == index].mean(axis=0).reshape(28, 28) for index in (0, 1))
    assert nines[9:12, 9].min() > 10 * ones[9:12, 9].max()  # the left of a nine's loop
    assert (EMBEDDED / "mnist_1v9.npz").stat().st_size < 3_000_000
    assert "CC BY-SA 3.0" in (EMBEDDED / "LICENSE-MNIST.md").read_text(encoding="utf-8")


def test_the_embedded_digits_are_those_of_mnist_in_its_order():
    folder = mnist_folder()
    with np.load(EMBEDDED / "mnist_1v9.npz", allow_pickle=False) as embedded:
        for suffix, (images, labels) in zip(("", "_test"), read_folder(folder), strict=True):
            chosen = (labels == 1) | (labels == 9)
            assert (embedded[f"x{suffix}"] == images[chosen].reshape(-1, 784)).all()
            assert (embedded[f"y{suffix}"] == (labels[chosen] == 9)).all()


def test_the_complete_mnist():
    data = load("mnist", data_dir=mnist_folder().parent)
    assert (len(data.train), len(data.validation), len(data.test)) == (54_000, 6_000, 10_000)
    assert data.test.y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    bits = load("mnist", data_dir=mnist_folder(), input_format="ap_ufixed<1,0>")
    assert (bits.test.x == data.test.x >> 7).all()


def test_digits_are_exact_sixteenths():
    needs("sklearn")
    from sklearn.datasets import load_digits

    content = load_digits()
    data, other = load("digits"), load("digits", seed=7, validation=0.2)
    assert (str(data.input_format), data.image_shape, data.n_classes) == ("ap_ufixed<5,1>", (8, 8), 10)
    assert (len(data.train) + len(data.validation), len(data.test)) == (1438, 359)
    assert (data.test.x == other.test.x).all()
    assert (data.train.x.shape, other.train.x.shape) == ((1294, 64), (1150, 64))
    whole = np.concatenate([part.x for part in (data.train, data.validation, data.test)])
    assert sorted(map(tuple, whole.tolist())) == sorted(map(tuple, content.data.astype(int).tolist()))
    assert data.real(whole).max() == 1.0


def test_digits_without_scikit_learn_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ToolMissing, match=r"pip install 'qap-fpga\[train\]'"):
        load("digits")


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_fetch_data_writes_what_load_reads(fake_keras, tmp_path, capsys):
    assert script("fetch_data").main([str(tmp_path / "my data")]) == 0
    for name in ("mnist", "fashion-mnist"):
        assert load(name, data_dir=tmp_path / "my data").digest == load(name).digest
        for file in NAMES:
            assert gzip.decompress((tmp_path / "my data" / name / f"{file}.gz").read_bytes())


def test_fetch_data_says_what_is_wrong(no_keras, tmp_path, capsys):
    fetch = script("fetch_data")
    assert fetch.main([str(tmp_path)]) == fetch.main([]) == fetch.main([str(tmp_path), "cifar"]) == 2
    assert "pip install 'qap-fpga[train]'" in capsys.readouterr().err
    assert list(tmp_path.rglob("*-ubyte*")) == []


def test_embed_mnist_takes_the_two_digits_and_equal_files_give_equal_bytes(tmp_path, capsys):
    embed = script("embed_mnist")
    folder = written(tmp_path / "idx")
    outputs = [tmp_path / "a.npz", tmp_path / "b.npz"]
    assert [embed.main([str(folder), str(output)]) for output in outputs] == [0, 0]
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    (images, labels), (_, _) = toy()
    with np.load(outputs[0], allow_pickle=False) as content:
        assert content["y"].tolist() == [0, 1] * 4
        assert (content["x"] == images[(labels == 1) | (labels == 9)].reshape(8, 9)).all()
        assert content["x_test"].shape == (4, 9)
    assert embed.main([str(tmp_path)]) == embed.main([]) == 2
    assert "train-images-idx3-ubyte" in capsys.readouterr().err


def test_fashion_has_ten_classes():
    assert len(FASHION_CLASSES) == len(set(FASHION_CLASSES)) == 10
