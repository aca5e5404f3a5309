"""`network.npz`: an integer network on disk. Nothing in it is unpickled, and every bit of it is checked."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from qap.errors import DataError, QapError
from qap.files import write_with
from qap.fixed import FixedPoint, IntArray
from qap.network import IntegerNetwork, LayerSpec, StepTable, connect

VERSION = 1


def save_network(network: IntegerNetwork, path: str | Path) -> None:
    """Write the network, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    header, arrays = network.content()
    header = {"qap_network": VERSION, "digest": network.digest, **header}
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
    if header.get("qap_network") != VERSION:
        raise DataError(f"{path} is of version {header.get('qap_network')!r}; this qap reads version {VERSION}")
    try:
        specs = [_spec(index, layer, arrays) for index, layer in enumerate(header["layers"])]
        network = connect(FixedPoint.parse(header["input_format"]), specs, header["class_names"])
    except (KeyError, TypeError, ValueError, AttributeError, QapError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    if network.digest != header.get("digest"):
        raise DataError(f"{path} is damaged: its content does not have the digest that it was written with")
    return network


def _read(path: Path) -> tuple[dict[str, Any], dict[str, IntArray]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if "header" not in archive:
                raise DataError(f"{path} is no integer network: it has no header")
            header = json.loads(str(archive["header"]))
            arrays = {name: archive[name] for name in archive.files if name != "header"}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged, or no integer network: {error}") from error
    if not isinstance(header, dict):
        raise DataError(f"{path} is damaged: its header is no mapping")
    return header, arrays


def _spec(index: int, layer: dict[str, Any], arrays: dict[str, IntArray]) -> LayerSpec:
    steps = layer["activation"] == "steps"
    activation = StepTable(arrays[f"thresholds_{index}"], arrays[f"values_{index}"]) if steps else layer["activation"]
    if not steps and activation not in ("linear", "relu"):
        raise QapError(f"unknown activation {activation!r}")
    return LayerSpec(
        name=layer["name"],
        weight=_integers(arrays[f"weight_{index}"]),
        weight_format=FixedPoint.parse(layer["weight_format"]),
        bias=_integers(arrays[f"bias_{index}"]),
        bias_format=FixedPoint.parse(layer["bias_format"]),
        activation=activation,
        result_format=FixedPoint.parse(layer["result_format"]),
    )


def _integers(array: Any) -> IntArray:
    if array.dtype != np.int64:
        raise QapError(f"an array holds {array.dtype}, not int64")
    return np.asarray(array, np.int64)
