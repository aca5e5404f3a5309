"""`network.npz`: an integer network on disk. Nothing in it is unpickled, and every bit of it is checked."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qap.archives import open_npz
from qap.errors import DataError, QapError, one_line
from qap.files import write_with
from qap.fixed import FixedPoint, IntArray
from qap.network.layer import IntegerLayer, LayerSpec, StepTable
from qap.network.network import IntegerNetwork, Spec, connect
from qap.network.table_layer import TableLayer
from qap.network.threshold_layer import ThresholdLayer

VERSION = 2
"""Since 2 a layer may have tables or thresholds; a network of weights alone is written as version 1."""
MOST_INPUTS = 1 << 20
"""Inputs of a layer of tables or thresholds in a file."""


def save_network(network: IntegerNetwork, path: str | Path) -> None:
    """Write the network, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    header, arrays = network.content()
    version = 1 if all(isinstance(layer, IntegerLayer) for layer in network.layers) else VERSION
    header = {"qap_network": version, "digest": network.digest, **header}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, header=np.array(json.dumps(header)), **arrays)
    write_with(Path(path), lambda temporary: temporary.write_bytes(buffer.getvalue()))


def load_network(path: str | Path) -> IntegerNetwork:
    """Read a network and prove it again.

    Raises:
        DataError: the file is missing, damaged, of another version, or not what it says it is.
    """
    path = Path(path)
    header, arrays = _read(path)
    if header.get("qap_network") not in range(1, VERSION + 1):
        raise DataError(f"{path} is of version {header.get('qap_network')!r}; this qap reads 1 to {VERSION}")
    try:
        specs = [_spec(index, layer, arrays) for index, layer in enumerate(header["layers"])]
        class_names = [_text(name) for name in header["class_names"]]
        network = connect(FixedPoint.parse(header["input_format"]), specs, class_names)
    except KeyError as error:
        raise DataError(f"{path} is damaged: {error} is missing") from error
    except Exception as error:  # content that is not what it should be can go wrong everywhere
        raise DataError(f"{path} is damaged: {one_line(error)}") from error
    if network.digest != header.get("digest"):
        raise DataError(f"{path} is damaged: its content does not have the digest that it was written with")
    return network


def _read(path: Path) -> tuple[dict[str, Any], dict[str, IntArray]]:
    try:
        with open_npz(path, "integer network") as stored:
            if "header" not in stored.members:
                raise DataError(f"{path} is not an integer network: it has no header")
            arrays = stored.read_all()
        header = json.loads(str(arrays.pop("header")))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged, or no integer network: {one_line(error)}") from error
    if not isinstance(header, dict):
        raise DataError(f"{path} is damaged: its header is not a mapping")
    return header, arrays


def _spec(index: int, layer: dict[str, Any], arrays: dict[str, Any]) -> Spec:
    kind = layer.get("kind", "weights")
    if kind not in _READERS:
        raise QapError(f"unknown kind of layer {kind!r}")
    return _READERS[kind](index, layer, arrays)


def _tables(index: int, layer: dict[str, Any], arrays: dict[str, Any]) -> TableLayer:
    tables = arrays[f"tables_{index}"]
    if tables.dtype != np.uint64 or tables.ndim != 1:
        raise QapError(f"the tables are {tables.dtype} {tables.shape}, not uint64 of 1 dimension")
    return TableLayer(_text(layer["name"]), _integers(arrays[f"wires_{index}"], 2), tables, _count(layer["n_in"]))


def _thresholds(index: int, layer: dict[str, Any], arrays: dict[str, Any]) -> ThresholdLayer:
    return ThresholdLayer(
        _text(layer["name"]),
        _integers(arrays[f"features_{index}"], 1),
        _integers(arrays[f"thresholds_{index}"], 1),
        _count(layer["n_in"]),
    )


def _weights(index: int, layer: dict[str, Any], arrays: dict[str, Any]) -> LayerSpec:
    steps = layer["activation"] == "steps"
    activation = layer["activation"]
    if steps:
        thresholds = arrays[f"thresholds_{index}"]
        dimensions = 2 if thresholds.ndim == 2 else 1  # of each neuron, or of all
        activation = StepTable(_integers(thresholds, dimensions), _integers(arrays[f"values_{index}"], 1))
    elif activation not in ("linear", "relu"):
        raise QapError(f"unknown activation {activation!r}")
    return LayerSpec(
        name=_text(layer["name"]),
        weight=_integers(arrays[f"weight_{index}"], 2),
        weight_format=FixedPoint.parse(layer["weight_format"]),
        bias=_integers(arrays[f"bias_{index}"], 1),
        bias_format=FixedPoint.parse(layer["bias_format"]),
        activation=activation,
        result_format=FixedPoint.parse(layer["result_format"]),
    )


_READERS: dict[str, Callable[[int, dict[str, Any], dict[str, Any]], Spec]] = {
    "weights": _weights,
    "tables": _tables,
    "thresholds": _thresholds,
}


def _integers(array: Any, dimensions: int) -> IntArray:
    if array.dtype != np.int64 or array.ndim != dimensions:
        raise QapError(f"an array holds {array.dtype} {array.shape}, not int64 of {dimensions} dimensions")
    return np.asarray(array, np.int64)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise QapError(f"{value!r} is not a name")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MOST_INPUTS:
        raise QapError(f"n_in is {value!r}, not a number from 1 to {MOST_INPUTS}")
    return value
