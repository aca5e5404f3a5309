"""Projects as hls4ml itself writes them from a network, right in every type or wrong in a known one."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import FixedPoint
from qap.hardware.hls.project import hls_accumulator
from qap.network import IntegerNetwork, LayerSpec, connect

Precision = Mapping[str, Mapping[str, str]]
"""Layer -> role (`weight`, `bias`, `accum`, `result`) -> type."""


def small_network(seed: int = 0) -> IntegerNetwork:
    """16-8-5-3 with ReLUs that round half to even and saturate."""
    rng = np.random.default_rng(seed)
    act = FixedPoint.parse("ap_ufixed<5,2,AP_RND_CONV,AP_SAT>")
    weight, bias = FixedPoint.parse("ap_fixed<5,1>"), FixedPoint.parse("ap_fixed<6,2>")
    specs, n_in = [], 16
    for index, n_out in enumerate((8, 5, 3)):
        values = rng.integers(-16, 16, (n_in, n_out)), rng.integers(-32, 32, n_out)
        hidden = n_out != 3
        specs.append(
            LayerSpec(
                f"fc{index}",
                values[0],
                weight,
                values[1],
                bias,
                "relu" if hidden else "linear",
                act if hidden else None,
            )
        )
        n_in = n_out
    return connect(FixedPoint.parse("ap_ufixed<8,0>"), specs, ["a", "b", "c"])


def exact_precision(network: IntegerNetwork) -> dict[str, dict[str, str]]:
    """The types with which hls4ml computes what the network does; layers are `fc0`, `fc0_relu`, ..., inputs `x`."""
    found = {"x": {"result": str(network.input_format)}}
    for layer in network.layers:
        accumulator, relu = str(hls_accumulator(layer)), layer.activation == "relu"
        found[layer.name] = {
            "weight": str(layer.weight_format),
            "bias": str(layer.bias_format),
            "accum": accumulator,
            "result": accumulator if relu else str(layer.result_format),
        }
        if relu:
            found[f"{layer.name}_relu"] = {"result": str(layer.result_format)}
    return found


def write_project(
    network: IntegerNetwork, folder: Path, changes: Precision | None = None, *, softmax: str | None = None,
    backend: str = "Vitis", strategy: str = "latency", reuse_factor: int = 1, io_type: str = "io_parallel",
    namespace: str | None = None, kernels: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> Path:  # fmt: skip
    """A project of exact types but for the changes, as `hls4ml` writes it: with text weights.

    Args:
        network: linear layers and ReLUs.
        folder: where.
        changes: types that are other ones.
        softmax: the implementation of a softmax behind the logits; None for none.
        backend: Vivado or Vitis.
        strategy: latency or resource.
        reuse_factor: of every layer.
        io_type: io_parallel or io_stream.
        namespace: that everything stands in; None for none.
        kernels: other ones than the network's, by layer.
    """
    import hls4ml

    precision = exact_precision(network)
    for layer, roles in (changes or {}).items():
        precision[layer] = {**precision.get(layer, {}), **roles}
    settings: dict[str, Any] = {name: {"Precision": dict(roles)} for name, roles in precision.items()}
    layers = _layers(network, softmax, kernels or {})
    if softmax:
        settings["softmax"] = {"Implementation": softmax, **settings.get("softmax", {})}
    config = {
        "Backend": backend, "ProjectName": "myproject", "OutputDir": str(folder), "Part": "xcku115-flvb2104-2-i",
        "ClockPeriod": 5, "IOType": io_type,
        "HLSConfig": {
            "Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": reuse_factor, "Strategy": strategy},
            "LayerName": settings,
        },
        "WriterConfig": {"Namespace": namespace, "WriteWeightsTxt": True, "WriteTar": False, "TBOutputStream": "both"},
    }  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        hls4ml.model.ModelGraph.from_layer_list(config, layers).write()
    return folder


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Replace a text of a file in `firmware/`; it must be there."""
    path = folder / "firmware" / file
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def _layers(
    network: IntegerNetwork, softmax: str | None, kernels: Mapping[str, npt.NDArray[np.float64]]
) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "name": "x", "input_shape": [network.n_in], "data_format": "channels_last"}
    ]
    for layer in network.layers:
        layers.append(
            {
                "class_name": "Dense",
                "name": layer.name,
                "inputs": [layers[-1]["name"]],
                "n_in": layer.n_in,
                "n_out": layer.n_out,
                "weight_data": kernels.get(layer.name, layer.weight_format.to_float(layer.weight)),
                "bias_data": layer.bias_format.to_float(layer.bias),
                "use_bias": True,
            }
        )
        if layer.activation == "relu":
            layers.append(_activation(layer.name, "Activation", f"{layer.name}_relu", "relu", layer.n_out))
    if softmax:
        last = network.layers[-1]
        layers.append({**_activation(last.name, "Softmax", "softmax", "softmax", last.n_out), "axis": -1})
    return layers


def _activation(reads: str, kind: str, name: str, function: str, n_in: int) -> dict[str, Any]:
    return {"class_name": kind, "name": name, "activation": function, "inputs": [reads], "n_in": n_in}
