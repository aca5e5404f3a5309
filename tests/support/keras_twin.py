"""The Keras model that freezes into a given integer network of linear layers and ReLUs, of tables and thresholds."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import qkeras

from qap.network import IntegerLayer, IntegerNetwork, TableLayer, ThresholdLayer
from qap.table_layers import Tables, Thresholds
from qap.training.quantization import FixedPointQuantizer


def keras_twin(network: IntegerNetwork, *, use_bias: bool = True) -> Any:
    """A Keras model of the same weights, tables and formats."""
    layers: list[Any] = []
    weights: list[tuple[Any, list[np.ndarray]]] = []
    source = network.input_format
    for layer in network.layers:
        if isinstance(layer, ThresholdLayer):
            layers.append(Thresholds(layer.features, source.to_float(layer.thresholds)))
        elif isinstance(layer, TableLayer):
            layers.append(Tables(layer.n_out, 2))
            weights.append((layers[-1], [np.where(layer.bits, 0.5, -0.5), layer.wires]))
        else:
            layers += dense_twin(layer, use_bias)
            arrays = [layer.weight_format.to_float(layer.weight), layer.bias_format.to_float(layer.bias)]
            weights.append((next(e for e in reversed(layers) if isinstance(e, qkeras.QDense)), arrays[: 1 + use_bias]))
        source = layer.result_format
    model = keras.Sequential([keras.Input((network.n_in,)), *layers])
    for each, arrays in weights:
        each.set_weights(arrays)
    return model


def dense_twin(layer: IntegerLayer, use_bias: bool) -> list[Any]:
    """A QDense of the same formats, and its activation."""
    kernel = FixedPointQuantizer(str(layer.weight_format))
    bias = FixedPointQuantizer(str(layer.bias_format)) if use_bias else None
    layers: list[Any] = [qkeras.QDense(layer.n_out, kernel_quantizer=kernel, bias_quantizer=bias, use_bias=use_bias)]
    if layer.activation == "relu" or layer.result_format != layer.accum_format:
        form = FixedPointQuantizer(str(layer.result_format), relu=layer.activation == "relu")
        layers.append(qkeras.QActivation(form))
    return layers
