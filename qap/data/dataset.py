"""What a data set is once it is loaded: integers on the grid that the hardware sees, in three parts."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data.augmentation import Augmentation
from qap.data.grid import read_only, storage_dtype
from qap.data.scaling import SampleScaling, Scaling
from qap.data.usage import FeatureUse
from qap.errors import DataError
from qap.fixed import FixedPoint, IntArray
from qap.rows import Row, Tabular

FLOAT32_EXACT = 2**24  # float32 holds every integer up to here


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Split:
    """One part of a data set. The arrays cannot be written to.

    Args:
        x: (n, n_in), the smallest integer type that holds the data set's `input_format`, in its LSBs, C-contiguous.
        y: (n,) class indices, int64.
        copies: how many distorted copies of every sample follow the samples, copy by copy; 0 where there are none.
    """

    x: npt.NDArray[np.integer[Any]]
    y: IntArray
    copies: int = 0

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or not np.issubdtype(self.x.dtype, np.integer) or self.y.shape != self.x.shape[:1]:
            raise DataError(
                f"a part of a data set needs integers x (n, n_in) and y (n,), "
                f"but got x {self.x.dtype} {self.x.shape} and y {self.y.shape}"
            )
        object.__setattr__(self, "x", read_only(np.ascontiguousarray(self.x)))
        object.__setattr__(self, "y", read_only(np.ascontiguousarray(self.y, np.int64)))

    def __len__(self) -> int:
        return len(self.y)

    @property
    def originals(self) -> int:
        """Samples that are not copies, the first ones."""
        return len(self) // (self.copies + 1)

    def epoch(self, order: np.random.Generator) -> IntArray:
        """The rows of an epoch, shuffled: each original once, as it is or as one of its copies.

        Args:
            order: decides the order and the copies.

        Returns:
            int64 (originals,).
        """
        rows = order.permutation(self.originals)
        return rows + self.originals * order.integers(0, self.copies + 1, len(rows)) if self.copies else rows

    def __repr__(self) -> str:
        return f"Split({len(self):,} samples, {self.x.shape[1]:,} inputs, {self.x.dtype})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dataset(Tabular):
    """A data set on the grid of the hardware's input.

    Args:
        name: as it was asked for.
        train: for fitting.
        validation: for choosing.
        test: for the final numbers, and for nothing else.
        class_names: one for each class index; none where there are no labels, and every `y` is 0 then.
        input_format: the format of every input; at most 24 bits beside the sign, so that float32 holds it exactly.
        image_shape: (height, width) when a sample is a picture.
        scaling: how raw features came onto the grid, or what the network makes of them; None for neither.
        augmentation: what distorted copies of the training part are made of; None where nobody asked for any.
        class_weights: how much a sample of each class counts in training; None where all count the same.
        feature_names: one for each input, none where they have no names.
        fill: the raw number that stands for a missing one of each feature; none where none is missing.
        usage: how much of the input format each feature uses; none for pixels.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    input_format: FixedPoint
    image_shape: tuple[int, int] | None
    scaling: Scaling | SampleScaling | None
    augmentation: Augmentation | None = None
    class_weights: tuple[float, ...] | None = None
    feature_names: tuple[str, ...] = ()
    fill: tuple[float, ...] = ()
    usage: tuple[FeatureUse, ...] = ()

    def __post_init__(self) -> None:
        form = self.input_format
        if max(form.max_int, -form.min_int) > FLOAT32_EXACT:
            raise DataError(f"an input has at most 24 bits beside the sign (float32 holds no more), but got {form}")
        for part in ("train", "validation", "test"):
            split: Split = getattr(self, part)
            if len(split) == 0 or split.x.shape[1] != self.n_in or split.x.dtype != storage_dtype(form):
                raise DataError(
                    f"{self.name}: the {part} part must hold {storage_dtype(form)} (n, {self.n_in}), "
                    f"but is {split.x.dtype} {split.x.shape}"
                )
            if not form.holds(split.x):
                raise DataError(f"{self.name}: the {part} part holds numbers outside of {form}")
            if split.y.min() < 0 or split.y.max() >= max(1, self.n_classes):
                raise DataError(f"{self.name}: the {part} part has a class outside of 0..{self.n_classes - 1}")
        counts = np.bincount(self.train.y, minlength=self.n_classes)
        if self.has_labels and not counts.all():
            missing = self.class_names[int(counts.argmin())]
            raise DataError(f"{self.name}: the training part has no sample of the class {missing!r}")
        if self.image_shape is not None and self.image_shape[0] * self.image_shape[1] != self.n_in:
            raise DataError(f"{self.name}: {self.n_in} inputs are no {self.image_shape} picture")

    @property
    def network_scaling(self) -> Scaling | None:
        """The scaling that the network computes; None where it takes its inputs as they are."""
        return self.scaling if isinstance(self.scaling, Scaling) and self.scaling.in_network else None

    @property
    def n_in(self) -> int:
        """Inputs of one sample."""
        return int(self.train.x.shape[1])

    @property
    def has_labels(self) -> bool:
        """Whether it is known which class a sample is of."""
        return bool(self.class_names)

    @property
    def n_classes(self) -> int:
        """Classes."""
        return len(self.class_names)

    @property
    def digest(self) -> str:
        """SHA-256 of everything but the name, in hexadecimal: equal data have equal digests wherever they lie."""
        header: dict[str, Any] = {
            "class_names": self.class_names,
            "input_format": str(self.input_format),
            "image_shape": self.image_shape,
            "scaling": self.scaling.to_dict() if self.scaling else None,
        }
        arrays = [array for split in (self.train, self.validation, self.test) for array in (split.x, split.y)]
        if self.augmentation is not None:
            header["augmentation"] = self.augmentation.to_dict()
            arrays.append(self.augmentation.images)
        if self.class_weights is not None:
            header["class_weights"] = self.class_weights
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        for array in arrays:
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).data)
        return digest.hexdigest()

    def augmented(self) -> Dataset:
        """The same with the distorted copies in the training part; itself where nobody asked for any.

        The copies are made anew, the same ones: nobody but a training needs them in memory.
        """
        if self.augmentation is None:
            return self
        copies = self.augmentation.distortion.copies
        x = np.concatenate([self.train.x, self.augmentation.copies(self.input_format)])
        train = Split(x, np.tile(self.train.y, copies + 1), copies)
        return replace(self, train=train, augmentation=None)

    def __repr__(self) -> str:
        sizes = " + ".join(f"{len(split):,}" for split in (self.train, self.validation, self.test))
        shape = f"{self.n_in:,} inputs {self.input_format}, {self.n_classes} classes"
        return f"Dataset({self.name}: {sizes} samples, {shape})"

    def _rows(self) -> list[Row]:
        """Samples of every class in every part, a row a part."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        counts = {name: np.bincount(split.y, minlength=self.n_classes) for name, split in parts.items()}
        return [
            {"part": name, "samples": len(split)}
            | {f"of them {class_name!r}": int(n) for class_name, n in zip(self.class_names, counts[name], strict=True)}
            for name, split in parts.items()
        ]

    def real(self, x: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
        """The real numbers of integers in LSBs of `input_format`: what the Keras model sees, exactly.

        Args:
            x: integers, any shape.

        Returns:
            float32, same shape.
        """
        exact: npt.NDArray[np.float32] = np.multiply(x, np.float32(self.input_format.lsb), dtype=np.float32)
        return exact
