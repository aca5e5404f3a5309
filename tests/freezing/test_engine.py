"""The Keras engine at its borders: the last bit of float32, ties that float32 would make, numbers off the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras")

import keras
import qkeras

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.freezing.exact import refuse_long, to_integers
from qap.network import IntegerNetwork


def neuron(weights: list[float], kernel: str, activation: str | None = None) -> Any:
    """A Keras model of one neuron without a bias."""
    dense = qkeras.QDense(1, kernel_quantizer=kernel, use_bias=False, activation=activation)
    model = keras.Sequential([keras.Input((len(weights),)), dense])
    dense.set_weights([np.array(weights, np.float32)[:, None]])
    return model


def frozen(weights: list[float], inputs: str, kernel: str, activation: str | None = None) -> tuple[Any, IntegerNetwork]:
    model = neuron(weights, kernel, activation)
    return model, freeze(model, FixedPoint.parse(inputs))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("inputs", "weights", "bits"),
    [
        ("ufixed<12,12>", [4097, 0], 24),  # 4095 * 4097 = 2**24 - 1
        ("ufixed<12,12>", [4097, 1], 25),
        ("fixed<13,13>", [4096, 0], 25),  # signed inputs reach further below 0: 4096 * 4096 = 2**24
        ("fixed<13,13>", [4095, 4095], 25),
        ("fixed<13,13>", [4095, 0], 24),
        ("fixed<13,13>", [4096, 1], 25),
    ],
)
def test_float32_is_taken_up_to_its_last_bit_and_not_beyond(
    inputs: str, weights: list[int], bits: int, sign: int
) -> None:
    """Every extreme input, in the arithmetic that the engine takes."""
    model, network = frozen([sign * w for w in weights], inputs, "quantized_bits(14,13,alpha=1)")
    assert network.float_bits() == [bits]
    engine = KerasEngine(model)
    assert engine.precision(network) == ("float32" if bits <= 24 else "float64")
    assert bool(engine.notes(network)) == (bits > 24)
    low, high = network.input_format.min_int, network.input_format.max_int
    x = np.array([[a, b] for a in (low, low + 1, 0, high - 1, high) for b in (low, -1, 0, 1, high) if b >= low])
    expected = (x @ [sign * w for w in weights])[:, None] >> (-network.output_format.fractional)
    assert engine.run(network, x).tolist() == network.forward(x).tolist() == expected.tolist()


@pytest.mark.parametrize("activation", ["quantized_relu(4,4)", "quantized_linear(5,4,alpha=1)"])
@pytest.mark.parametrize(("half", "expected"), [(0.5, (1, 0)), (1.5, (2, 1)), (2.5, (3, 2))])
def test_beside_a_tie_is_no_tie(activation: str, half: float, expected: tuple[int, int]) -> None:
    """An accumulator that differs from a half by less than float32 sees is rounded to its own side."""
    model, network = frozen([half, 2.0**-26], "fixed<2,2>", "quantized_bits(30,3,alpha=1)", activation)
    x = np.array([[1, 1], [1, -1]])
    assert KerasEngine(model).precision(network) == "float64"
    assert tuple(network.forward(x)[:, 0]) == expected
    assert tuple(KerasEngine(model).run(network, x)[:, 0]) == expected


def test_a_model_off_the_grid_of_the_network_is_refused() -> None:
    """A network that was frozen from a coarser model: half an LSB is not rounded away."""
    _, network = frozen([1.0, 1.0], "ufixed<2,2>", "quantized_bits(6,3,alpha=1)")
    finer = neuron([1.5, 1.0], "quantized_bits(6,3,alpha=1)")
    with pytest.raises(NotExact, match=r"'q_dense.*' .*Keras gave 1\.5, which is not on the grid of ap_ufixed<3,3>"):
        KerasEngine(finer).run(network, np.array([[1, 0]]))


def test_parameters_have_at_most_32_bits() -> None:
    integers, form = to_integers("layer", "kernel", np.array([1.0, 2.0**32 - 1]))
    assert (integers.tolist(), form.width) == ([1, 2**32 - 1], 32)
    with pytest.raises(NotExact, match=r"its kernel needs 34 bits, at most 32 are allowed"):
        to_integers("layer", "kernel", np.array([1.0, 2.0**32]))


def test_a_scale_has_at_most_16_significant_bits() -> None:
    refuse_long("layer", "scale", np.array([1 + 2.0**-15, 0.0, -3 * 2.0**40]), "take another")
    with pytest.raises(NotExact, match=r"its scale 1\.00002 is not a short binary number; take another"):
        refuse_long("layer", "scale", np.array([1 + 2.0**-16]), "take another")
