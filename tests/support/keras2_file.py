"""Files as Keras 2 and QKeras 0.9 write them, made by h5py: a configuration in an attribute, weights in groups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Weights = Mapping[str, Mapping[str, Any]]


def layer(class_name: str, name: str, **settings: Any) -> dict[str, Any]:
    """A layer of a configuration."""
    return {"class_name": class_name, "config": {"name": name, **settings}}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a Sequential model."""
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers)}}


def functional(*layers: dict[str, Any], reads: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
    """The configuration of a Functional model whose layers read one another.

    Args:
        layers: in order.
        reads: the names that a layer reads instead of the one before it.
    """
    names, listed = [each["config"]["name"] for each in layers], []
    for before, each in zip([None, *names], layers, strict=False):
        name = each["config"]["name"]
        inputs = (reads or {}).get(name, [before] if before else [])
        nodes = [[[read, 0, 0, {}] for read in inputs]] if inputs else []
        listed.append({**each, "name": name, "inbound_nodes": nodes})
    ends = {"input_layers": [[names[0], 0, 0]], "output_layers": [[names[-1], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "model", "layers": listed, **ends}}


def write_h5(path: Path, config: Any, weights: Weights) -> Path:
    """A file of `model.save`.

    Args:
        path: the file.
        config: of the model; None writes the file of `model.save_weights`.
        weights: by layer, by name.
    """
    with h5py.File(path, "w") as file:
        root = file
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
            root = file.create_group("model_weights")
        file.attrs["keras_version"] = "2.12.0"
        root.attrs["layer_names"] = np.array(list(weights), "S")
        for name, arrays in weights.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}/{each}:0" for each in arrays], "S")
            for each, array in arrays.items():
                group[f"{name}/{each}:0"] = np.asarray(array, np.float32)
    return path
