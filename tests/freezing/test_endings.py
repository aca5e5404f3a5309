"""Floats at the end of a model: dropped where they keep the class, else quantized and named, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras")

import keras
import qkeras
from keras import layers
from support.random_models import scatter
from support.random_networks import random_inputs

from qap.errors import NotExact, QapError
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.freezing.elements import Line
from qap.freezing.endings import Ending
from qap.network import IntegerNetwork, connect
from qap.verification import EmulatorEngine, verify

INPUT = FixedPoint.parse("ap_fixed<8,3>")


def dense(units: int) -> Any:
    return qkeras.QDense(
        units, kernel_quantizer="quantized_bits(4,0,alpha=1)", bias_quantizer="quantized_bits(6,2,alpha=1)"
    )


def model(*ending: Any, outputs: int = 3, seed: int = 0) -> Any:
    made = keras.Sequential([
        keras.Input((6,)), dense(5), qkeras.QActivation("quantized_relu(4,1)"), dense(outputs),
        *(type(layer).from_config(layer.get_config()) for layer in ending),
    ])  # fmt: skip
    scatter(np.random.default_rng(seed), made)
    return made


def classes(made: Any, network: IntegerNetwork, x: np.ndarray) -> np.ndarray:
    """What the plain call of the model decides on."""
    y = np.asarray(made(network.input_format.to_float(x).astype(np.float32)))
    return (y[:, 0] > 0).astype(int) if y.shape[1] == 1 else y.argmax(axis=1)


def common(made: Any) -> Any:
    made.layers[-1].set_weights([np.full(3, value) for value in (0.7, 0.1, 0.2, 1.3)])
    return made


KEPT = {
    "scale": lambda: model(layers.Rescaling(1 / 3)),
    "offset": lambda: model(layers.Rescaling(1 / 3, 0.1)),
    "two": lambda: model(layers.Rescaling(1 / 3, 0.1), layers.Rescaling(0.5)),
    "softmax": lambda: model(layers.Rescaling(1 / 3), layers.Dropout(0.1), layers.Softmax()),
    "quantizer": lambda: model(qkeras.QActivation("quantized_bits(5,2,alpha=1)"), layers.Rescaling(1 / 3)),
    "single": lambda: model(layers.Rescaling(1 / 3), outputs=1),
    "normalization": lambda: common(model(layers.BatchNormalization())),
}


@pytest.mark.parametrize("case", KEPT)
def test_a_common_scale_is_dropped_and_keeps_the_class(case: str) -> None:
    made = KEPT[case]()
    network = freeze(made, INPUT, output_bits=8)  # there is nothing to change
    x = random_inputs(network, 2000)
    assert len(network.layers) == 2
    assert np.array_equal(network.classify(x), classes(made, network, x))
    found = verify([KerasEngine(made), EmulatorEngine()], network, {"random": x})
    assert found.exact and "is dropped: the logits are those before it" in found.notes[-1]


@pytest.mark.parametrize(
    "made",
    [
        lambda: model(layers.Rescaling(-1 / 3)),
        lambda: model(layers.Rescaling([0.3, 0.2, 0.1])),
        lambda: model(layers.Rescaling(1.0, [0.3, 0.2, 0.1])),
        lambda: model(layers.Rescaling(1 / 3, 0.1), outputs=1),
        lambda: model(layers.BatchNormalization(), seed=1),
        lambda: model(qkeras.QActivation("quantized_bits(5,2,alpha=1)"), layers.BatchNormalization()),
    ],
)
def test_one_that_moves_the_class_is_quantized_and_named_or_refused(made: Any) -> None:
    with pytest.raises(NotExact, match="is not a short binary number; .*; or let output_bits quantize the scale"):
        freeze(made(), INPUT)
    changed = made()
    network = freeze(changed, INPUT, output_bits=12)
    x = random_inputs(network, 2000)
    assert len(network.layers) == 3
    found = verify([KerasEngine(changed), EmulatorEngine()], network, {"random": x})
    assert found.exact and "changed: the scale and offset of " in found.notes[-1]
    y = np.asarray(changed(INPUT.to_float(x).astype(np.float32)), np.float64)
    logits = network.output_format.to_float(network.forward(x))
    assert np.abs(logits - y).max() < 2.0**-10 * np.abs(y).max()
    assert (network.classify(x) == classes(changed, network, x)).mean() > 0.99


def test_output_bits_are_the_width_of_the_numbers_at_the_end() -> None:
    for bits in (2, 5, 16):
        last = freeze(model(layers.BatchNormalization(), seed=1), INPUT, output_bits=bits).layers[-1]
        assert last.weight_format.width <= bits and last.bias_format.width <= bits
    for bits in (1, 33):
        with pytest.raises(QapError, match=f"output_bits must be 2 to 32, but got {bits}"):
            freeze(model(), INPUT, output_bits=bits)


def test_what_is_no_line_is_refused() -> None:
    with pytest.raises(NotExact, match="is not a short binary number"):
        freeze(model(layers.BatchNormalization(), layers.ReLU()), INPUT, output_bits=8)


def test_sums_that_float32_cannot_tell_apart_are_refused() -> None:
    with pytest.raises(NotExact, match="'rescaling.*cannot tell two of them from one another"):
        freeze(model(layers.Rescaling(1 / 3, 1e5)), INPUT)


def test_answers_that_are_not_sums_are_seen() -> None:
    ending = Ending(("scale",), Line(np.array([0.3]), np.array([0.1])), 2, False, NotExact("scale", "it is float"))
    assert ending.undo(np.array([[0.3 * 1.25 + 0.1 + 1e-7]])).tolist() == [[5]]
    with pytest.raises(NotExact, match=r"'scale'.*without its scale the model answers 5\.3"):
        ending.undo(np.array([[0.3 * 1.325 + 0.1]]))


def test_a_wrong_scale_and_a_wrong_sum_are_seen() -> None:
    made = model(layers.Rescaling(1 / 3))
    network = freeze(made, INPUT)
    x = random_inputs(network, 500)
    specs = network.specs()
    specs[-1] = specs[-1]._replace(bias=specs[-1].bias + np.array([1, 0, 0]))
    other = connect(INPUT, specs, network.class_names)
    assert not verify([KerasEngine(made), EmulatorEngine()], other, {"random": x}).exact
    engine = KerasEngine(made)
    engine.run(network, x)
    made.layers[-1].scale = 0.4  # not what the engine has read
    with pytest.raises(NotExact, match="without its scale the model answers"):
        engine.run(network, x)
