"""Files of Keras and QKeras: a configuration and weights, in one archive, in one HDF5 file, or as JSON and HDF5."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from qap.archives import DAMAGE, LARGEST
from qap.descriptions import MAX_BYTES
from qap.errors import DataError, one_line
from qap.freezing.graph import unique
from qap.importing.keras_config import Chain, LayerConfig, chain_of
from qap.importing.keras_layers import build, called
from qap.importing.weights import Weights, open_hdf5

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
OLDEST = 2  # a file without a version is from before Keras wrote one


def read_keras(path: Path) -> keras.Model:
    """Read a `.keras` file, without Keras' own loader: nothing but its configuration and its arrays is looked at."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = _parsed(path, _member(path, archive, CONFIG, MAX_BYTES))
            about = _parsed(path, _member(path, archive, METADATA, MAX_BYTES))
            weights = io.BytesIO(_member(path, archive, WEIGHTS, LARGEST))
    except DAMAGE as error:
        raise DataError(f"{path} is damaged: {one_line(error)}") from error
    chain = _chain(path, config, about.get("keras_version") if isinstance(about, dict) else None)
    with open_hdf5(weights, f"{WEIGHTS} of {path}") as file:
        return _built(path, chain, Weights(file, str(path), chain.dtype))


def read_h5(path: Path) -> keras.Model:
    """Read an `.h5` file that `model.save` wrote."""
    with open_hdf5(path, str(path)) as file:
        config = file.attrs.get("model_config")
        if config is None:
            raise DataError(
                f"{path} holds weights but no model_config; import the JSON of model.to_json() with --weights {path}"
            )
        chain = _chain(path, _parsed(path, config), file.attrs.get("keras_version"))
        return _built(path, chain, Weights(file, str(path), chain.dtype))


def read_json(path: Path, weights: Path | None) -> keras.Model:
    """Read the JSON of `model.to_json()` and the HDF5 file of `model.save_weights()`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path} has {path.stat().st_size:,} bytes, at most {MAX_BYTES:,} are read")
        config = _parsed(path, path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    if not isinstance(config, dict) or "config" not in config or "class_name" not in config:
        raise DataError(f"{path} is JSON, but not of a Keras model: it has no class_name and config")
    if weights is None:
        raise DataError(f"{path} is a model without weights; give their HDF5 file with --weights W.h5")
    chain = _chain(path, config, config.get("keras_version"))
    with open_hdf5(weights, str(weights)) as file:
        return _built(path, chain, Weights(file, str(weights), chain.dtype))


def _member(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        about = archive.getinfo(name)
    except KeyError:
        raise DataError(f"{path} is damaged: it holds no {name}") from None
    if about.file_size > limit:
        raise DataError(f"{path}: {name} has {about.file_size:,} bytes, at most {limit:,} are read")
    return archive.read(about)


def _parsed(path: Path, text: bytes | str) -> Any:
    """JSON, which may stand in a JSON text once more."""
    try:
        content = json.loads(text)
        return json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged: its JSON cannot be read ({str(error)[:80]})") from error


def _chain(path: Path, config: Any, version: Any) -> Chain:
    if isinstance(version, bytes):
        version = version.decode("ascii", "replace")
    major = str(version or OLDEST).partition(".")[0]
    with _in_file(path):
        return chain_of(config, int(major) if major.isdecimal() else OLDEST)


def _built(path: Path, chain: Chain, weights: Weights) -> keras.Model:
    """The Keras model of a chain, with its weights; a layer that is called twice is one layer in it, too."""
    with _in_file(path), _computing_in(chain.dtype):
        parts = {layer.key: list(build(layer, _taker(layer, weights))) for layer in chain.layers}
        kernels = [part.weights["kernel"] for each in parts.values() for part in each if "kernel" in part.weights]
        if not kernels:
            raise DataError("the model has no dense layer")
        taken: set[str] = set()
        x = inputs = keras.Input(
            chain.input_shape or kernels[0].shape[:1], dtype=chain.dtype, name=unique("inputs", taken)
        )
        for part in (part for each in parts.values() for part in each):
            part.layer.name = unique(part.layer.name, taken)  # models inside of the model may repeat its names
        for layer in chain.layers:
            for part in parts[layer.key]:
                x = called(layer, part, x)
        return keras.Model(inputs, x, name=chain.name.replace("/", "_"))


def _taker(layer: LayerConfig, weights: Weights) -> Callable[[str], Any]:
    settings = layer.settings
    wanted = ["kernel", "moving_mean", "moving_variance"]
    for name, key in (("bias", "use_bias"), ("gamma", "scale"), ("beta", "center")):
        wanted += [name] if settings.get(key, True) else []

    def take(name: str) -> Any:
        inner = name.partition(".")[2] or name
        group = (
            ("kernel", "bias") if inner in ("kernel", "bias") else ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return weights.take(layer, name, [each for each in wanted if each in group])

    return take


@contextmanager
def _computing_in(dtype: str) -> Iterator[None]:
    """Layers that the block makes compute with these numbers."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def _in_file(path: Path) -> Iterator[None]:
    """Errors of the block name the file."""
    try:
        yield
    except DataError as error:
        text = str(error)
        raise error if str(path) in text else DataError(f"{path}: {text}") from None
