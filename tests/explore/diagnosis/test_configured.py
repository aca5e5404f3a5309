"""The layers of a Keras model as hls4ml takes them."""

from __future__ import annotations

import numpy as np
from support.needs import needs

needs("tensorflow", "qkeras")

import keras
import qkeras

from qap.explore.diagnosis.configured import layers_of


def test_layers_and_their_quantized_weights() -> None:
    model = keras.Sequential(
        [
            keras.Input((3,), name="x"),
            qkeras.QDense(
                2,
                kernel_quantizer="quantized_bits(4,0,alpha=1)",
                bias_quantizer="quantized_bits(4,0,alpha=1)",
                name="fc",
            ),
            qkeras.QActivation("quantized_relu(3)", name="act"),
            keras.layers.Dense(2, name="out"),
            keras.layers.Activation("softmax", name="soft"),
        ]
    )
    model.get_layer("fc").set_weights([np.full((3, 2), 0.3), np.array([0.26, -0.5])])
    layers = list(layers_of(model))
    assert [(each["class_name"], each["name"], each.get("activation")) for each in layers] == [
        ("InputLayer", "x", None),
        ("Dense", "fc", None),
        ("Activation", "act", "relu"),
        ("Dense", "out", None),
        ("Softmax", "soft", "softmax"),
    ]
    assert [each["inputs"] for each in layers[1:]] == [["x"], ["fc"], ["act"], ["out"]]
    np.testing.assert_array_equal(layers[1]["weight_data"], np.full((3, 2), 0.25))
    np.testing.assert_array_equal(layers[1]["bias_data"], [0.25, -0.5])
