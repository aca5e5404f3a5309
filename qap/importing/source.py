"""What kind of model a file holds, told by its content, and the way to its reader."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any, Literal

import keras
import numpy.typing as npt

from qap.errors import DataError
from qap.fixed import FixedPoint
from qap.importing.post_training import Formats, quantize_floats
from qap.recipe import ModelRecipe, QuantizeRecipe
from qap.recipe.reading import checked

Kind = Literal["keras", "h5", "json", "onnx", "network"]
KINDS = "a .keras or .h5 file of Keras or QKeras, its JSON with --weights, an .onnx file, or network.npz"
_HDF5, _PICKLE = b"\x89HDF\r\n\x1a\n", b"\x80"
_TORCH = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".bin")


def read_model(path: Path, weights: Path | None = None) -> keras.Model:
    """Read a model as a Keras model of the layers that `qap.freezing` knows, quantized or float.

    Args:
        path: a `.keras` or `.h5` file of Keras 2, Keras 3 or QKeras, the JSON of `model.to_json()`, or ONNX.
        weights: the HDF5 file of `model.save_weights()` that belongs to a JSON.

    Raises:
        DataError: it is no such model, is damaged, or has layers that are not supported; the message names them.
        ToolMissing: the extra that reads it is not installed.
    """
    kind = kind_of_model(path)
    if kind == "network":
        raise DataError(f"{path} is an integer network already, not a model that is read into one")
    if weights is not None and kind != "json":
        raise DataError(f"{path} holds its own weights; --weights {weights} belongs to the JSON of a Keras model")
    if kind == "onnx":
        from qap.importing.onnx_graph import read_onnx

        return read_onnx(path)
    from qap.importing.keras_files import read_h5, read_json, read_keras

    if kind == "json":
        return read_json(path, weights)
    return read_keras(path) if kind == "keras" else read_h5(path)


def import_model(
    model: str | Path | Any,
    weights: str | Path | None = None,
    *,
    precision: str | FixedPoint | None = None,
    bits: int | None = None,
    samples: npt.NDArray[Any] | None = None,
) -> keras.Model:
    """A model from elsewhere as a quantized Keras model, for `qap.freeze`.

    Args:
        model: a file as `read_model` takes it, or a Keras model.
        weights: the HDF5 file that belongs to a JSON.
        precision: the format of weights and activations of float layers, as `ap_fixed<16,6>`.
        bits: their width instead; their ranges are chosen by `samples`. 8 where neither is given.
        samples: (n, n_in) real inputs.

    Raises:
        DataError: as `read_model`.
        QapError: the model has float layers, and nothing says what becomes of them.
        NotExact: the model is not a chain of layers.

    Example:
        >>> model = qap.import_model("model.h5", precision="ap_fixed<16,6>")
        >>> network = qap.freeze(model, FixedPoint.parse("ap_fixed<8,1>"))
    """
    twin = (
        read_model(Path(model), Path(weights) if weights else None) if isinstance(model, str | Path) else _saved(model)
    )
    content = {"file": twin.name, "precision": precision, "bits": bits}
    recipe = checked(ModelRecipe, {key: value for key, value in content.items() if value is not None}, "import_model")
    formats = Formats(recipe, QuantizeRecipe())
    return quantize_floats(twin, formats, samples) if formats.are_needed(twin) else twin


def _saved(model: Any) -> keras.Model:
    """A Keras model object by way of a file, so that its layers are told apart as those of a file are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("model.keras" if isinstance(model, keras.Model) else "model.h5")
        try:
            model.save(path)
        except Exception as error:  # whatever the object is
            raise DataError(f"{type(model).__name__} is not a Keras model that can be saved: {error}") from error
        return read_model(path)


def kind_of_model(path: Path) -> Kind:
    """What a file holds, by its content; the name only tells ONNX, which has no mark of its own.

    Raises:
        DataError: it cannot be read, or is none of the models that are.
    """
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder, as SavedModel is; save the model with model.save('model.keras')")
        with path.open("rb") as file:
            head = file.read(64)
        if zipfile.is_zipfile(path):
            return _kind_of_archive(path)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if head.startswith(_HDF5):
        return "h5"
    if head.startswith(_PICKLE) or path.suffix.lower() in _TORCH:
        raise _pickled(path)
    if path.suffix.lower() == ".onnx":
        return "onnx"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[", b'"'):
        return "json"
    raise DataError(f"{path} is not a model, or is truncated; a model is {KINDS}")


def _kind_of_archive(path: Path) -> Kind:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if "config.json" in names:
        return "keras"
    if any(name.endswith(("data.pkl", ".pickle")) for name in names):
        raise _pickled(path)
    if any(name.endswith(".npy") for name in names):
        return "network"
    raise DataError(f"{path} is an archive, but no model; a model is {KINDS}")


def _pickled(path: Path) -> DataError:
    return DataError(
        f"{path} is a pickle of PyTorch or Python, which runs code when it is loaded, so it is not; "
        "export the model with torch.onnx.export, or brevitas.export.export_qonnx, and import the .onnx"
    )
