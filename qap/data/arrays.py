"""`npz:FILE`: the user's own NumPy arrays. Nothing in it is ever unpickled.

The file holds x and y, and x_test and y_test if it has a test part of its own. x of uint8 are pixels
(x/256), (n, n_in) or pictures (n, height, width); any other numbers are features (n, n_in). y holds
whole numbers or text, one label a sample, (n,) or (n, 1), or one-hot rows. Keras' names x_train and y_train, and
pictures (n, height, width, 1), are read, too.

What else it may hold: x_validation and y_validation, which are then not taken out of x; class_names, the
labels in their order; input_format, text, which says that all x are whole numbers in LSBs of that format, and
with it scaling_offset and scaling_shift, by which features once came onto that grid.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.archives import open_npz
from qap.data.grid import storage_dtype
from qap.data.labels import class_order, encode
from qap.data.raw import PIXELS, RawData, Samples
from qap.data.scaling import Scaling
from qap.errors import DataError, QapError
from qap.files import user_path
from qap.fixed import FixedPoint

Array = npt.NDArray[Any]
ARRAYS = (
    "x", "y", "x_validation", "y_validation", "x_test", "y_test",
    "class_names", "input_format", "scaling_offset", "scaling_shift",
)  # fmt: skip
KERAS_NAMES = {"x_train": "x", "y_train": "y"}
"""As `keras.datasets` calls them."""
SHOWN = 20  # names of arrays in an error


def npz(argument: str, data_dir: Path | None) -> RawData:
    """The arrays of `npz:FILE`."""
    if not argument:
        raise DataError("npz needs a file: npz:FILE")
    return read_npz(user_path(argument))


def read_npz(path: Path) -> RawData:
    """Read x, y and whatever else of `ARRAYS` there is.

    Raises:
        DataError: the file is missing or damaged, an array is missing, pickled, or of the wrong shape or type.
    """
    arrays = {name: _without_channel(name, array) for name, array in _load(path).items()}
    for first, second in (("x_test", "y_test"), ("x_validation", "y_validation"), ("scaling_offset", "scaling_shift")):
        if (first in arrays) != (second in arrays):
            raise DataError(f"{path} has one of {first} and {second}, but needs both or none")
    form = _input_format(path, arrays)
    x, labels = _inputs(path, arrays, "x", form), _labels(path, arrays, "y")
    names = _class_names(path, arrays, labels)
    return RawData(
        source=str(path),
        train=Samples(x, encode(labels, names)),
        test=_part(path, arrays, "test", names, form),
        class_names=names,
        grid=PIXELS if form is None and arrays["x"].dtype == np.uint8 else form,
        image_shape=_image_shape(arrays["x"], form),
        validation=_part(path, arrays, "validation", names, form),
        scaling=_scaling(path, arrays, form),
    )


def _without_channel(name: str, array: Array) -> Array:
    """Pictures of one channel, (n, height, width, 1), as (n, height, width)."""
    return array[..., 0] if name.startswith("x") and array.ndim == 4 and array.shape[3] == 1 else array


def _part(
    path: Path, arrays: dict[str, Array], part: str, names: tuple[str, ...], form: FixedPoint | None
) -> Samples | None:
    """The samples of the test or the validation part, None when the file has no such part."""
    x_name, y_name = f"x_{part}", f"y_{part}"
    if x_name not in arrays:
        return None
    x, other = arrays["x"], arrays[x_name]
    if x.shape[1:] != other.shape[1:]:
        raise DataError(f"{path}: x is {x.shape}, but {x_name} is {other.shape}")
    if (x.dtype == np.uint8) != (other.dtype == np.uint8):
        raise DataError(f"{path}: x is {x.dtype}, but {x_name} is {other.dtype}")
    labels = _labels(path, arrays, y_name)
    unknown = sorted(set(labels) - set(names))
    if unknown:
        raise DataError(f"{path}: {y_name} has the class {unknown[0]!r}, which y has not")
    return Samples(_inputs(path, arrays, x_name, form), encode(labels, names))


def _class_names(path: Path, arrays: dict[str, Array], labels: list[str]) -> tuple[str, ...]:
    """The classes in the order of the file, or else sorted; a class that y has no sample of is found later."""
    if "class_names" not in arrays:
        return class_order(labels)
    stored = arrays["class_names"]
    if stored.ndim != 1 or stored.dtype.kind not in "biuU":
        raise DataError(f"{path}: class_names must be whole numbers or text (n,), but is {stored.dtype} {stored.shape}")
    names = tuple(str(name) for name in stored.tolist())
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path}: class_names has {name!r} twice")
    unknown = sorted(set(labels) - set(names))
    if unknown:
        raise DataError(f"{path}: y has the class {unknown[0]!r}, which class_names has not")
    return names


def _input_format(path: Path, arrays: dict[str, Array]) -> FixedPoint | None:
    if "input_format" not in arrays:
        return None
    try:
        return FixedPoint.parse(str(arrays["input_format"]))
    except QapError as error:
        raise DataError(f"{path}: input_format: {error}") from None


def _scaling(path: Path, arrays: dict[str, Array], form: FixedPoint | None) -> Scaling | None:
    if "scaling_offset" not in arrays:
        return None
    if form is None:
        raise DataError(f"{path} has scaling_offset and scaling_shift, which need an input_format")
    content = {name: arrays[f"scaling_{name}"].tolist() for name in ("offset", "shift")}
    try:
        scaling = Scaling.from_dict({**content, "input_format": str(form)})
    except DataError as error:
        raise DataError(f"{path}: scaling_offset, scaling_shift: {error}") from None
    if scaling.offset.shape != arrays["x"].shape[1:]:
        raise DataError(f"{path}: x is {arrays['x'].shape}, but scaling_offset is {scaling.offset.shape}")
    return scaling


def _load(path: Path) -> dict[str, Array]:
    what = "NPZ file; write one with numpy.savez(file, x=..., y=...)"
    with open_npz(path, what, (*ARRAYS, *KERAS_NAMES)) as stored:
        members = {KERAS_NAMES.get(name, name): member for name, member in stored.members.items()}
        if len(members) < len(stored.members):
            raise DataError(f"{path} has both x and x_train, or y and y_train; leave one of them out")
        for name in ("x", "y"):
            if name not in members:
                found = stored.names[:SHOWN] + ["..."] * (len(stored.names) > SHOWN)
                raise DataError(
                    f"{path} has no array '{name}' or '{name}_train' (x and y are needed, x_test and y_test allowed; "
                    f"found: {', '.join(found) or 'none'})"
                )
        for name, member in members.items():
            if 0 in member.shape:
                raise DataError(f"{path}: the array {name!r} is empty: its shape is {member.shape}")
            samples = members.get("x" + name.removeprefix("y"))
            # before anything is unpacked, for x can be large
            wrong = samples and samples.shape and (samples.shape[:1] != member.shape[:1] or len(member.shape) > 2)
            if name.startswith("y") and samples and wrong:
                raise DataError(
                    f"{path}: {name} must be one label a sample, {samples.shape[:1]}, but is {member.shape}"
                )
        return {KERAS_NAMES.get(name, name): array for name, array in stored.read_all().items()}


def _inputs(path: Path, arrays: dict[str, Array], name: str, form: FixedPoint | None) -> Array:
    """(n, n_in) uint8 pixels, finite float64 features, or integers in LSBs of the file's own format."""
    x = arrays[name]
    if form is not None:
        return _integers(path, x, name, form)
    if x.dtype == np.uint8 and x.ndim in (2, 3):
        return x.reshape(len(x), -1)
    if x.ndim != 2:
        raise DataError(
            f"{path}: {name} must be (n, features), or uint8 pictures (n, height, width), but is {x.dtype} {x.shape}"
        )
    if x.dtype.kind not in "biuf":
        raise DataError(f"{path}: {name} must hold numbers, but holds {x.dtype}")
    finite = np.isfinite(x)
    if not finite.all():
        sample, feature = np.argwhere(~finite)[0]
        raise DataError(
            f"{path}: {name}[{sample}, {feature}] is {x[sample, feature]}; only finite numbers are possible"
        )
    return x.astype(np.float64)


def _integers(path: Path, x: Array, name: str, form: FixedPoint) -> Array:
    if x.dtype.kind not in "iu" or x.ndim not in (2, 3):
        raise DataError(
            f"{path}: with an input_format {name} must be whole numbers (n, inputs) or (n, height, width), "
            f"but is {x.dtype} {x.shape}"
        )
    if not form.holds(x):
        raise DataError(
            f"{path}: {name} must be {form.min_int} to {form.max_int}, the range of its input_format {form}, "
            f"but goes from {x.min()} to {x.max()}"
        )
    return x.reshape(len(x), -1).astype(storage_dtype(form))


def _labels(path: Path, arrays: dict[str, Array], name: str) -> list[str]:
    """A label of each sample: whole numbers or text, (n,) or (n, 1); of one-hot rows the place of the 1."""
    y = arrays[name]
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "f" and (y == np.rint(y)).all():
        y = y.astype(np.int64)
    if y.ndim == 2 and y.dtype.kind in "biu" and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all():
        y = y.argmax(axis=1)
    if y.ndim != 1:
        raise DataError(
            f"{path}: {name} must be one label a sample, (n,) or (n, 1), or one-hot rows (n, classes), but is "
            f"{y.dtype} {y.shape}"
        )
    if y.dtype.kind not in "biuU":
        raise DataError(f"{path}: {name} must hold whole numbers or text, but holds {y.dtype}")
    return [str(label) for label in y.tolist()]


def _image_shape(x: Array, form: FixedPoint | None) -> tuple[int, int] | None:
    """Pictures say their shape; flat bytes are taken for a square picture when their number is a square."""
    if x.ndim == 3:
        return int(x.shape[1]), int(x.shape[2])
    if x.dtype != np.uint8 or form is not None:
        return None
    side = math.isqrt(x.shape[1])
    return (side, side) if side * side == x.shape[1] and side > 1 else None
