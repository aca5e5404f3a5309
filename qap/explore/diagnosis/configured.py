"""The layers of a Keras model as hls4ml takes them, so that a configuration alone can be diagnosed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from qap.errors import DataError, NotExact
from qap.explore.diagnosis.model import UserModel
from qap.hardware.hls.configured import read_configuration, write_configured

QUANTIZED = {
    "quantized_relu": "relu", "quantized_bits": "linear", "quantized_linear": "linear", "binary": "binary_tanh",
    "ternary": "ternary_tanh", "quantized_tanh": "tanh", "quantized_sigmoid": "sigmoid",
}  # fmt: skip
"""Class of a QKeras quantizer of activations -> hls4ml's function."""
LEFT_OUT = ("Dropout", "Flatten", "Reshape", "Identity", "InputLayer", "GaussianNoise")


def write_of_configuration(model: UserModel, configuration: Path, folder: Path) -> None:
    """Write the project that hls4ml makes of a Keras model and a configuration.

    Args:
        model: a Keras model.
        configuration: hls4ml's YAML.
        folder: of the project; it is made.

    Raises:
        DataError: the configuration cannot be read, or the model has a layer that is not known here.
        ToolFailed: hls4ml refuses the configuration.
    """
    if model.keras is None:
        raise DataError(f"{model.path} is an integer network; --config needs the Keras model, whose layers it names")
    content = read_configuration(configuration)
    try:
        layers = list(layers_of(model.keras))
    except NotExact as error:
        raise DataError(f"no project can be made of the model: {error}") from error
    write_configured(content, layers, folder, str(configuration))


def layers_of(model: Any) -> Iterator[dict[str, Any]]:
    """The layers in order, each with what it reads.

    Raises:
        DataError: a layer is not known here.
        NotExact: the model is not one chain, or a quantizer is not known.
    """
    from qap.freezing.graph import calls_of

    width = int(np.prod(model.input_shape[1:]))
    reads = str(model.inputs[0].name)
    yield {"class_name": "InputLayer", "name": reads, "input_shape": [width], "data_format": "channels_last"}
    for call in calls_of(model):
        for layer in _layers(call.name, call.layer, width):
            layer["inputs"] = [reads]
            reads, width = layer["name"], layer.get("n_out", width)
            yield layer


def _layers(name: str, layer: Any, width: int) -> Iterator[dict[str, Any]]:
    kind = type(layer).__name__
    if kind in ("Dense", "QDense"):
        yield _dense(name, layer)
        function = _function(layer.activation)
        if function != "linear":
            yield _activation(f"{name}_{function}", function, layer.units)
    elif kind == "BatchNormalization":
        yield _normalization(name, layer, width)
    elif kind == "QActivation":
        yield _activation(name, _function(layer.activation), width)
    elif kind in ("Activation", "ReLU", "Softmax"):
        yield _activation(
            name, _function(getattr(layer, "activation", None)) if kind == "Activation" else kind.lower(), width
        )
    elif kind not in LEFT_OUT:
        raise DataError(
            f"layer {name!r}: no hls4ml layer is made of {kind}; write the project yourself and use --project"
        )


def _dense(name: str, layer: Any) -> dict[str, Any]:
    from qap.freezing.quantizers import weights_of

    kernel, bias = np.asarray(layer.kernel, np.float64), np.zeros(layer.units)
    if hasattr(layer, "kernel_quantizer_internal"):
        kernel = weights_of(name, "kernel", layer.kernel_quantizer_internal, layer.kernel).values
    if layer.use_bias:
        bias = np.asarray(layer.bias, np.float64)
        quantizer = getattr(layer, "bias_quantizer_internal", None)
        if quantizer is not None:
            bias = weights_of(name, "bias", quantizer, layer.bias).values
    return {
        "class_name": "Dense", "name": name, "n_in": kernel.shape[0], "n_out": kernel.shape[1], "weight_data": kernel,
        "bias_data": bias, "use_bias": True,
    }  # fmt: skip


def _normalization(name: str, layer: Any, width: int) -> dict[str, Any]:
    ones, zeros = np.ones(width), np.zeros(width)
    return {
        "class_name": "BatchNormalization", "name": name, "n_in": width, "n_filt": -1, "use_gamma": True,
        "use_beta": True, "epsilon": float(layer.epsilon),
        "gamma_data": np.asarray(layer.gamma) if layer.scale else ones,
        "beta_data": np.asarray(layer.beta) if layer.center else zeros,
        "mean_data": np.asarray(layer.moving_mean), "variance_data": np.asarray(layer.moving_variance),
    }  # fmt: skip


def _activation(name: str, function: str, width: int) -> dict[str, Any]:
    kind = "Softmax" if function == "softmax" else "Activation"
    axis = {"axis": -1} if function == "softmax" else {}
    return {"class_name": kind, "name": name, "activation": function, "n_in": width, **axis}


def _function(activation: Any) -> str:
    """hls4ml's name of an activation: a Keras function, or a quantizer of QKeras."""
    kind = type(activation).__name__
    if kind in QUANTIZED:
        return QUANTIZED[kind]
    return "linear" if activation is None else str(getattr(activation, "__name__", kind))
