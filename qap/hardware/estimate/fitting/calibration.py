"""Rows of measured designs as descriptions, for fitting and scoring the estimator.

A calibration set is a folder with `networks.jsonl`, one design in a line, and `weights.npz` with their integer weights.
"""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qap.errors import DataError
from qap.fixed import FixedPoint, IntArray
from qap.hardware.estimate.description import UNCERTAINTY, LayerDescription, NetworkDescription, Tool
from qap.hardware.resources import AMOUNTS

_INTEGER = re.compile(r"ap_(u?)int<(\d+)>")
_GUESSED_INPUT = FixedPoint(True, 7, 4)
"""Of HGQ networks whose types are not published: 6 bits without the sign."""
_GUESSED_ACTIVATION = FixedPoint(False, 6, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A measured design.

    Args:
        name: unique in the set.
        source: whose it is; rows of one source are never split in a cross-validation.
        network: what HLS was given.
        csynth: amounts of the HLS report; what was not measured is missing.
        vivado: amounts of logic synthesis.
        layers: amounts of the HLS report for single layers, by position.
        flags: caveats.
    """

    name: str
    source: str
    network: NetworkDescription
    csynth: dict[str, float]
    vivado: dict[str, float]
    layers: dict[int, dict[str, float]]
    flags: frozenset[str]

    @property
    def multi_layer(self) -> bool:
        """Whether it has more than one layer."""
        return len(self.network.layers) > 1


def read_designs(folder: Path) -> list[Design]:
    """Read a calibration set.

    Raises:
        DataError: it is not there or not readable.
    """
    try:
        with np.load(folder / "weights.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name].astype(np.int64) for name in stored.files}
        lines = (folder / "networks.jsonl").read_text(encoding="utf-8").splitlines()
        return [_design(json.loads(line), arrays) for line in lines]
    except FileNotFoundError as error:
        raise DataError(f"no calibration set in {folder}: {Path(error.filename).name} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(f"the calibration set in {folder} is damaged: {error}") from error


def _design(row: dict[str, Any], arrays: dict[str, IntArray]) -> Design:
    tool = _tool(row["tool"])
    clock = float(row["clock_ns"])
    uncertainty = row["clock_uncertainty_ns"]
    uncertainty = UNCERTAINTY[tool] * clock if uncertainty is None else float(uncertainty)
    layers: list[LayerDescription] = []
    for layer in row["layers"]:
        layers.append(_layer(layer, arrays, layers[-1] if layers else None))
    network = NetworkDescription(
        tuple(layers), tool, row["part"], clock, uncertainty, stream=row["io_type"] == "io_stream"
    )
    names = [layer["name"] for layer in row["layers"]]
    return Design(
        name=row["id"],
        source=row["source"].split("@")[0],
        network=network,
        csynth=_amounts(row["csynth"]),
        vivado=_amounts(row["vivado"]),
        layers={names.index(each["layer"]): _amounts(each) for each in row["per_layer_csynth"] or []},
        flags=frozenset(row["flags"]),
    )


def _tool(text: str) -> Tool:
    if text.startswith("Vivado"):
        return "vivado_hls"
    return "vitis_2021" if text.split()[-1] < "2022" else "vitis"


def _amounts(block: dict[str, Any] | None) -> dict[str, float]:
    found = {name: (block or {}).get("ii" if name == "ii_cycles" else name) for name in AMOUNTS}
    return {name: float(amount) for name, amount in found.items() if amount is not None}


def _layer(row: dict[str, Any], arrays: dict[str, IntArray], before: LayerDescription | None) -> LayerDescription:
    weight = arrays[row["weight_key"]]
    weight_format = _parse(row["weight_type"]) or FixedPoint(True, 8, 1)
    source = _parse(row["input_type"]) or (_GUESSED_ACTIVATION if before else _GUESSED_INPUT)
    width = source.width + weight_format.width + int(weight.shape[0]).bit_length()
    exact = FixedPoint(True, width, width - source.fractional - weight_format.fractional)
    accum = _parse(row["accum_type"]) or exact
    result = _parse(row["result_type"]) or accum
    bias_format = _parse(row["bias_type"]) or weight_format
    bias = arrays[row["bias_key"]] if row["bias_key"] else np.ones(weight.shape[1], np.int64)
    zeros = row["n_zeros"] if row["n_zeros"] is not None else row["n_zero_codes"]
    linear = row["activation"] == "linear"
    return LayerDescription(
        name=row["name"],
        weight=weight,
        bias=bias,
        input_format=source,
        weight_format=weight_format,
        bias_format=bias_format,
        accum_format=accum,
        result_format=result,
        activation=row["activation"],
        activation_format=_parse(row["activation_type"]) or (result if linear else _GUESSED_ACTIVATION),
        reuse_factor=row["reuse_factor"],
        strategy=row["strategy"],
        declared_zeros=zeros or 0,
        multiplier=row["multiplier"],
        batchnorm=row["batchnorm"] is not None,
    )


def _parse(text: str | None) -> FixedPoint | None:
    """A format; `ap_int<W>` is `ap_fixed<W,W>`."""
    if text is None:
        return None
    whole = _INTEGER.fullmatch(text)
    if whole:
        return FixedPoint(not whole[1], int(whole[2]), int(whole[2]))
    return FixedPoint.parse(text)
