"""MNIST, Fashion-MNIST, CIFAR-10 in gray and the embedded digits 1 and 9."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qap.data.arrays import read_npz
from qap.data.idx import read_idx
from qap.data.raw import PIXELS, RawData, Samples
from qap.data.subsets import of_classes
from qap.errors import DataError
from qap.extras import extra
from qap.files import user_path
from qap.fixed import FixedPoint

EMBEDDED = Path(__file__).parent / "embedded"
MNIST_CLASSES = tuple("0123456789")
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
CIFAR_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
SIXTEENTHS = FixedPoint.parse("ap_ufixed<5,1>")
KERAS_MODULES = {"mnist": "mnist", "fashion-mnist": "fashion_mnist", "cifar-10": "cifar10"}
PARTS = ("train", "t10k")

Images = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
"""Images (n, height, width) and labels (n,)."""


def mnist_1v9(argument: str, data_dir: Path | None) -> RawData:
    """The digits 1 and 9 of MNIST, in MNIST's own order, from inside of the package."""
    raw = read_npz(EMBEDDED / "mnist_1v9.npz")
    return RawData(raw.source, raw.train, raw.test, ("1", "9"), PIXELS, (28, 28))


def mnist(argument: str, data_dir: Path | None) -> RawData:
    """The ten digits of MNIST."""
    return of_classes(_images("mnist", MNIST_CLASSES, data_dir), argument)


def fashion_mnist(argument: str, data_dir: Path | None) -> RawData:
    """The ten articles of clothing of Fashion-MNIST."""
    return of_classes(_images("fashion-mnist", FASHION_CLASSES, data_dir), argument)


def cifar_10(argument: str, data_dir: Path | None) -> RawData:
    """The ten kinds of small photographs of CIFAR-10, in gray."""
    return of_classes(_images("cifar-10", CIFAR_CLASSES, data_dir), argument)


def gray(x: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The brightness (n, height, width) of colours (n, height, width, 3), by the weights of ITU-R BT.601 in 256ths."""
    red, green, blue = np.moveaxis(x.astype(np.uint16), -1, 0)
    return np.asarray((77 * red + 150 * green + 29 * blue) >> 8, np.uint8)


def digits(argument: str, data_dir: Path | None) -> RawData:
    """The 8x8 digits that come with scikit-learn; pixels are 0..16 sixteenths."""
    with extra("train"):
        from sklearn.datasets import load_digits
    content = load_digits()
    samples = Samples(content.data.astype(np.uint8), content.target.astype(np.int64))
    return of_classes(RawData("digits", samples, None, MNIST_CLASSES, SIXTEENTHS, (8, 8)), argument)


def read_folder(folder: Path) -> tuple[Images, Images]:
    """Training and test images of a folder that holds the four IDX files.

    Raises:
        DataError: a file is missing or damaged, or images and labels do not fit together.
    """
    train, test = (_read_part(folder, part) for part in PARTS)
    if train[0].shape[1:] != test[0].shape[1:]:
        raise DataError(f"{folder}: training images are {train[0].shape[1:]} pixels, test images {test[0].shape[1:]}")
    return train, test


def download(name: str) -> tuple[Images, Images]:
    """Training and test images through `keras.datasets`, which downloads them once.

    Args:
        name: one of `KERAS_MODULES`.

    Raises:
        ToolMissing: Keras is not installed.
        DataError: the download failed.
    """
    with extra("train"):
        from keras import datasets
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras prints its progress; stdout is for results
            train, test = getattr(datasets, KERAS_MODULES[name]).load_data()
    except Exception as error:  # Keras raises plain Exception when a download fails
        reason = " ".join(str(error).split())
        raise DataError(
            f"{name} cannot be downloaded through keras.datasets ({reason}); "
            f"put its four IDX files into a folder and name it with --data-dir or QAP_DATA_DIR"
        ) from error
    colours = train[0].ndim == 4
    first, second = ((gray(x) if colours else x, y.reshape(-1)) for x, y in (train, test))
    return first, second


def _images(name: str, class_names: tuple[str, ...], data_dir: Path | None) -> RawData:
    folder = _folder(name, data_dir)
    train, test = read_folder(folder) if folder else download(name)
    source = str(folder) if folder else f"keras.datasets.{KERAS_MODULES[name]}"
    for _, labels in (train, test):
        if labels.max() >= len(class_names):
            raise DataError(
                f"{source}: a label is {labels.max()}, but {name} has the classes 0 to {len(class_names) - 1}"
            )
    height, width = train[0].shape[1:]
    samples = [Samples(x.reshape(len(x), -1), y.astype(np.int64)) for x, y in (train, test)]
    return RawData(source, samples[0], samples[1], class_names, PIXELS, (height, width))


def _folder(name: str, data_dir: Path | None) -> Path | None:
    """The folder with the IDX files; None when nobody named one."""
    asked = data_dir or os.environ.get("QAP_DATA_DIR")
    if not asked:
        return None
    parent = user_path(asked)
    by_environment = "" if data_dir else " (named by QAP_DATA_DIR; unset it to let Keras download)"
    if not parent.is_dir():
        raise DataError(f"the data folder {parent} does not exist{by_environment}")
    inner = [parent / name] + ([parent / name.replace("-", "_")] if "-" in name else [])
    for folder in (*inner, parent):
        if any(_find(folder, part, kind) for part in PARTS for kind in ("images-idx3", "labels-idx1")):
            return folder
    places = " or ".join(folder.name for folder in inner)
    raise DataError(
        f"{parent} holds no {name}: the four IDX files (train-images-idx3-ubyte, with or without .gz, and so on) "
        f"are neither in it nor in a subfolder {places}{by_environment}"
    )


def _read_part(folder: Path, part: str) -> Images:
    images_path, labels_path = (_find(folder, part, kind) for kind in ("images-idx3", "labels-idx1"))
    if images_path is None or labels_path is None:
        missing = "images-idx3" if images_path is None else "labels-idx1"
        raise DataError(f"{folder / f'{part}-{missing}-ubyte'} does not exist, with or without .gz")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise DataError(f"{images_path} holds {len(images)} images, but {labels_path} {len(labels)} labels")
    return images, labels


def _find(folder: Path, part: str, kind: str) -> Path | None:
    """The file under one of the names in use: `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, gzip or not."""
    for stem in (f"{part}-{kind}-ubyte", f"{part}-{kind.replace('-', '.')}-ubyte"):
        for suffix in ("", ".gz"):
            path = folder / (stem + suffix)
            if path.is_file():
                return path
    return None
