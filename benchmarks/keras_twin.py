"""The Keras model that freezes into a given integer network of linear layers and ReLUs."""

from __future__ import annotations

from typing import Any

import keras
import qkeras

from qap.network import IntegerNetwork
from qap.training.quantization import FixedPointQuantizer


def keras_twin(network: IntegerNetwork, *, use_bias: bool = True) -> Any:
    """A Keras model of the same weights and formats."""
    layers: list[Any] = []
    for layer in network.layers:
        kernel = FixedPointQuantizer(str(layer.weight_format))
        bias = FixedPointQuantizer(str(layer.bias_format)) if use_bias else None
        layers.append(qkeras.QDense(layer.n_out, kernel_quantizer=kernel, bias_quantizer=bias, use_bias=use_bias))
        if layer.activation == "relu" or layer.result_format != layer.accum_format:
            form = FixedPointQuantizer(str(layer.result_format), relu=layer.activation == "relu")
            layers.append(qkeras.QActivation(form))
    model = keras.Sequential([keras.Input((network.n_in,)), *layers])
    dense_layers = [layer for layer in model.layers if isinstance(layer, qkeras.QDense)]
    for each, layer in zip(dense_layers, network.layers, strict=True):
        arrays = [layer.weight_format.to_float(layer.weight), layer.bias_format.to_float(layer.bias)]
        each.set_weights(arrays if use_bias else arrays[:1])
    return model
