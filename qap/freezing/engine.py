"""Keras as an engine: what the trained model answers, as integers, without a rounding of its own.

Keras computes in float32. Where the bound on the accumulators says that 24 bits hold every number on
the way, the model's own layers are called. Elsewhere the same weights and the same quantizers are
evaluated in float64. Where even that could round, the engine refuses.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import FixedPoint, IntArray
from qap.freezing.freezing import DenseGroup, dense_groups, quantized_parameters
from qap.network import IntegerNetwork

Precision = Literal["float32", "float64"]
RELU_BITS = 22
"""`quantized_relu` casts to float32 itself: 24 bits less two guard bits are left for its result."""


class KerasEngine:
    """A quantized Keras model.

    Args:
        model: the model that was frozen.
    """

    name = "keras"

    def __init__(self, model: keras.Model) -> None:
        self._groups = dense_groups(model)

    def available(self) -> str | None:
        """None: there is a model, so there is Keras."""
        return None

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits (n, n_out) of integer inputs (n, n_in), in LSBs of the network's output format.

        Raises:
            NotExact: floating point could round on the way.
        """
        return self.trace(network, x_int)[-1]

    def trace(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The results of every layer, (n, neurons) each, in LSBs."""
        precision = self.precision(network)
        y = keras.ops.convert_to_tensor(network.input_format.to_float(network.checked_input(x_int)), dtype=precision)
        results = []
        with _floatx(precision):
            for group, layer in zip(self._groups, network.layers, strict=True):
                y = _float32_layer(group, y) if precision == "float32" else _float64_layer(group, y)
                results.append(_integers(layer.name, np.asarray(y, np.float64), layer.result_format))
        return results

    def precision(self, network: IntegerNetwork) -> Precision:
        """The arithmetic in which the model computes this network exactly.

        Raises:
            NotExact: not even float64 does.
        """
        bits = network.float_bits()
        if max(bits) > 53:
            layer = network.layers[bits.index(max(bits))].name
            raise NotExact(layer, f"Keras would need {max(bits)} bits of mantissa, float64 has 53")
        return "float32" if max(bits) <= 24 else "float64"

    def notes(self, network: IntegerNetwork) -> tuple[str, ...]:
        """What a reader of the verification should know."""
        bits = max(network.float_bits())
        if bits <= 24:
            return ()
        return (f"keras was evaluated in float64: an accumulator needs {bits} bits, float32 has 24",)


def _float32_layer(group: DenseGroup, y: Any) -> Any:
    """The model's own layer and what follows it; a softmax inside of it is not part of the logits."""
    dense = group.dense
    own = dense.activation is not None and any(dense.activation is act for _, act in group.activations)
    linear = dense.activation is None or getattr(dense.activation, "__name__", "") == "linear"
    if own or linear:
        y = dense(y)
    else:
        kernel, bias = quantized_parameters(dense)
        y = keras.ops.matmul(y, kernel.astype(np.float32)) + bias.astype(np.float32)
    for _, activation in group.activations[1 if own else 0 :]:
        y = activation(y)
    return y


def _float64_layer(group: DenseGroup, y: Any) -> Any:
    with _floatx("float32"):  # weights are quantized in the arithmetic that they were trained in
        kernel, bias = quantized_parameters(group.dense)
    y = keras.ops.matmul(y, keras.ops.convert_to_tensor(kernel)) + keras.ops.convert_to_tensor(bias)
    for name, activation in group.activations:
        if type(activation).__name__ == "quantized_relu":
            y = keras.ops.cast(activation(_guarded(name, activation, np.asarray(y))), "float64")
        else:
            y = activation(y)
    return y


def _guarded(layer: str, relu: Any, y: npt.NDArray[np.float64]) -> Any:
    """Bring float64 into the float32 of `quantized_relu` without changing what it rounds to.

    Numbers beyond the range saturate either way. The rest is rounded to odd: a number that does not fit
    in 24 bits gets its last bit set, so that it stays on its side of every tie (S. Boldo, G. Melquiond,
    "When double rounding is odd", 2005).
    """
    if int(relu.bits) > RELU_BITS:
        raise NotExact(layer, f"quantized_relu computes in float32, at most {RELU_BITS} bits are exact behind it")
    limit = 2.0 ** (int(relu.integer) + 1)
    bits = np.clip(y, -limit, limit).view(np.uint64)
    lost = np.uint64((1 << 29) - 1)
    odd = np.where(bits & lost, (bits & ~lost) | np.uint64(1 << 29), bits)
    return keras.ops.convert_to_tensor(odd.view(np.float64).astype(np.float32))


def _integers(layer: str, y: npt.NDArray[np.float64], form: FixedPoint) -> IntArray:
    scaled = np.ldexp(y, form.fractional)
    integers = scaled.astype(np.int64)
    if (integers != scaled).any():
        raise NotExact(layer, f"Keras gave {y[integers != scaled][0]!r}, which is not on the grid of {form}")
    return integers


@contextlib.contextmanager
def _floatx(precision: Precision) -> Iterator[None]:
    previous = keras.config.floatx()
    keras.config.set_floatx(precision)
    try:
        yield
    finally:
        keras.config.set_floatx(previous)
