"""Data sets by name, as integers on the grid that the hardware sees.

    load("mnist-1v9")                             embedded
    load("mnist", data_dir=Path("idx"))           a folder of IDX files, else keras.datasets
    load("csv:wine.csv?label=class")              the user's own table
    load("npz:events.npz", input_format="ap_fixed<6,3,AP_RND_CONV,AP_SAT>")

Pixels are exact: byte/256. Real-valued features are scaled by powers of two, fitted on the training part only, and
brought onto the grid; what lies outside of its range saturates, or is refused where the input format wraps. Whole
numbers in a format without a fraction, as the codes of an ADC, stay as they are, and the network scales them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qap.data.arrays import npz
from qap.data.augmentation import Distortion
from qap.data.class_weights import weighted
from qap.data.dataset import Dataset, Split
from qap.data.folds import Fold
from qap.data.images import cifar_10, digits, fashion_mnist, mnist, mnist_1v9
from qap.data.raw import RawData, assemble
from qap.data.samples import on_grid, read_samples
from qap.data.scaling import SampleScaling, Scaling
from qap.data.sklearn_tables import iris, wine
from qap.data.tables import table
from qap.data.vectors import KIND as RANDOM
from qap.data.vectors import random_vectors
from qap.errors import DataError, did_you_mean
from qap.fixed import FixedPoint
from qap.sources import ScalingMethod

__all__ = [
    "DATASETS", "DESCRIPTIONS", "Dataset", "Description", "Distortion", "Fold", "Reader", "SampleScaling", "Scaling",
    "Split", "load", "on_grid", "read_samples", "weighted",
]  # fmt: skip

Reader = Callable[[str, Path | None], RawData]
"""Takes what follows the colon of the name ("" when there is none) and the data folder, if one was named."""

DATASETS: dict[str, Reader] = {
    "mnist-1v9": mnist_1v9,
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar-10": cifar_10,
    "digits": digits,
    "iris": iris,
    "wine": wine,
    "csv": table,
    "npz": npz,
}
WITH_FILE = ("csv", "npz")
WITH_CLASSES = ("mnist", "fashion-mnist", "cifar-10", "digits", "iris", "wine")
"""Behind their name classes may be named: `mnist:6,9`."""


@dataclass(frozen=True, slots=True)
class Description:
    """A line of `qap datasets`.

    Args:
        name: how it is asked for.
        what: what the samples and classes are.
        origin: where the data come from.
        size: samples of the training part (validation included) and of the test part, and inputs.
    """

    name: str
    what: str
    origin: str
    size: str


DESCRIPTIONS: tuple[Description, ...] = (
    Description(
        "mnist-1v9",
        "handwritten digits 1 and 9, 28x28 pixels",
        "embedded in the package, from MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0)",
        "12,691 + 2,144 images, 784 inputs, 2 classes",
    ),
    Description(
        "mnist",
        "handwritten digits 0 to 9, 28x28 pixels",
        "IDX files in --data-dir or QAP_DATA_DIR, else downloaded by keras.datasets",
        "60,000 + 10,000 images, 784 inputs, 10 classes",
    ),
    Description(
        "fashion-mnist",
        "articles of clothing, 28x28 pixels",
        "IDX files in --data-dir or QAP_DATA_DIR, else downloaded by keras.datasets",
        "60,000 + 10,000 images, 784 inputs, 10 classes",
    ),
    Description(
        "cifar-10",
        "small photographs of ten kinds, 32x32 pixels, in gray",
        "IDX files in --data-dir or QAP_DATA_DIR, else downloaded by keras.datasets",
        "50,000 + 10,000 images, 1,024 inputs, 10 classes",
    ),
    Description(
        "digits",
        "handwritten digits 0 to 9, 8x8 pixels of 17 levels",
        "scikit-learn",
        "1,438 + 359 images, 64 inputs, 10 classes",
    ),
    Description(
        "iris",
        "three species of iris by four lengths in centimetres",
        "scikit-learn",
        "120 + 30 flowers, 4 inputs, 3 classes",
    ),
    Description(
        "wine",
        "three cultivars of wine by thirteen chemical measurements",
        "scikit-learn",
        "142 + 36 wines, 13 inputs, 3 classes",
    ),
    Description(
        "csv:FILE?label=COLUMN",
        "a table of your own: a header, numeric features, labels of any text; &test=FILE2 for a test table, &drop=A,B "
        "or &columns=A,B, &missing=MARK, &separator=tab",
        "your file",
        "any; without a test table a fixed 20 % of each class is the test part",
    ),
    Description(
        "npz:FILE",
        "arrays of your own: x, y and, if you have them, x_test, y_test (and x_validation, y_validation, class_names, "
        "input_format, as qap condense writes them), or Keras' x_train, y_train; x of uint8 are pixels",
        "your file",
        "any; without x_test a fixed 20 % of each class is the test part",
    ),
)


def load(
    name: str,
    *,
    input_format: str | FixedPoint | None = None,
    validation: float = 0.1,
    seed: int = 0,
    data_dir: Path | None = None,
    distortion: Distortion | None = None,
    fold: Fold | None = None,
    scaling: ScalingMethod | None = None,
) -> Dataset:
    """Load a data set in three parts, on the grid that the hardware sees.

    Args:
        name: one of `DATASETS`; `csv` and `npz` are followed by a colon and a file, data sets of images and those of
            scikit-learn by some of their classes if not all are wanted (`mnist:6,9`). `random:16` are vectors of 16
            inputs without labels.
        input_format: the grid; None takes that of the data set (pixels `ap_ufixed<8,0>`, digits `ap_ufixed<5,1>`,
            features `ap_fixed<8,3,AP_RND_CONV,AP_SAT>`). Another format brings the values onto it by its
            rounding and overflow: `ap_ufixed<1,0>` is one threshold bit a pixel, at 128.
        validation: the share of the training part that becomes validation, above 0 and below 1; an NPZ with a
            validation part of its own keeps that.
        seed: which samples those are. The test part never depends on it.
        data_dir: a folder with IDX files for `mnist` and `fashion-mnist`.
        distortion: of the copies that a training will make of the training images (`Dataset.augmented`); None trains
            on the images alone.
        fold: of a cross-validation, whose held-out samples then stand in the place of the test part.
        scaling: how features are scaled (docs/recipes.md): "standard", "min-max", "robust", "per-sample" or "none".
            None takes "standard" for features, "none" for pixels.

    Raises:
        DataError: there is no such data set, or its files are missing, damaged or not possible.
        ToolMissing: the data set needs a package that is not installed.
        QapError: `input_format` is not a format.

    Example:
        >>> data = load("mnist-1v9", seed=1)
        >>> data.train.x.shape, data.test.x.dtype
        ((11422, 784), dtype('uint8'))
    """
    kind, colon, argument = name.partition(":")
    if kind not in (*DATASETS, RANDOM):
        raise DataError(f"no data set {name!r}{did_you_mean(kind, DATASETS, (d.name for d in DESCRIPTIONS))}")
    if colon and not argument and kind in WITH_CLASSES:
        raise DataError(f"no data set {name!r}: name classes after the colon, as in mnist:6,9, or leave it out")
    if colon and kind not in (*WITH_FILE, *WITH_CLASSES, RANDOM):
        raise DataError(f"no data set {name!r}: {kind!r} takes nothing after its name")
    if not 0 < validation < 1:
        raise DataError(f"0 < validation < 1 must hold, but got validation={validation}")
    if seed < 0:
        raise DataError(f"seed >= 0 must hold, but got seed={seed}")
    form = FixedPoint.parse(input_format) if isinstance(input_format, str) else input_format
    if kind == RANDOM:
        if fold is not None:
            raise DataError(f"{name} are vectors without labels, of which there are no folds")
        return random_vectors(argument, form, seed)
    raw = DATASETS[kind](argument, Path(data_dir) if data_dir else None)
    raw = raw if fold is None else fold.hold_out(raw)
    return assemble(name, raw, form, validation, seed, distortion, scaling)
