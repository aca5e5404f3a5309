"""Keras' own code, layer by layer in the order of the model's graph, in float32 or in float64."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import keras
import numpy as np
import qkeras

from qap.freezing.functions import FINAL
from qap.freezing.graph import graph_of, is_model
from qap.freezing.layers import NORMALIZATIONS, WITHOUT_EFFECT
from qap.freezing.view import View, told_by

Precision = Literal["float32", "float64"]
MANTISSA: dict[Precision, int] = {"float32": 24, "float64": 53}
IN_FLOAT32 = (qkeras.quantized_relu, qkeras.quantized_linear)
"""Activations that compute in float32 whatever they are given."""
AFFINE = (*NORMALIZATIONS, qkeras.QDense, qkeras.QDenseBatchnorm)


def walk(
    model: Any, x: Any, call: Callable[..., Any], seen: Callable[[Any], None] | None = None, without: Any = None
) -> Any:
    """Run a model by Keras' own order of its graph, each layer through `call(layer, *args, drop=..., **kwargs)`.

    Args:
        model: the model, or one inside of it.
        x: its input.
        call: what runs a layer, without its activation where `drop` is true.
        seen: is told the answer of every layer.
        without: the layer whose activation is to be left out.
    """

    def operation_of(layer: Any) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if is_model(layer):
                return walk(layer, args[0], call, seen, without)
            y = call(layer, *args, drop=layer is without, **kwargs)
            if seen is not None:
                seen(y)
            return y

        return run

    return graph_of(model)._run_through_graph([x], operation_fn=operation_of)


def final_layer(model: Any) -> Any:
    """The layer at the end of a model whose function only keeps the decision, None without one."""
    tensor = graph_of(model).outputs[0]
    last, index, _ = tensor._keras_history
    while type(last) in WITHOUT_EFFECT:
        last, index, _ = last._inbound_nodes[index].input_tensors[0]._keras_history
    if is_model(last):
        return final_layer(last)
    return last if any(final_function(last) is known for known, _ in FINAL) else None


def final_function(layer: Any) -> Any:
    """The function of a layer that activates, None of one that does not."""
    return keras.activations.softmax if type(layer) is keras.layers.Softmax else getattr(layer, "activation", None)


def caller(precision: Precision) -> Callable[..., Any]:
    """What runs a layer in this arithmetic."""
    return plain_call if precision == "float32" else float64_call


def plain_call(layer: Any, x: Any, *, drop: bool, **kwargs: Any) -> Any:
    """The layer itself; where its activation is left out, its own code without it."""
    if not drop:
        return layer(x, **kwargs)
    return x if _only_activates(layer) else View(layer, activation=None).call(x, **kwargs)


def float64_call(layer: Any, x: Any, *, drop: bool, **kwargs: Any) -> Any:
    """The layer on float64 numbers, with the weights that it has in the float32 that it was trained in."""
    activation = getattr(layer, "activation", None)
    if type(activation) in IN_FLOAT32:
        activation = _guarded(activation)
    if type(layer) in AFFINE:
        with floatx("float32"):
            kernel, offset = told_by(layer, int(x.shape[-1]))
        y = _float64(x @ _float64(kernel) if kernel.ndim == 2 else x * _float64(kernel)) + _float64(offset)
        return y if drop or activation is None or type(layer) in NORMALIZATIONS else _float64(activation(y))
    if drop:
        return x
    view = View(layer, activation=activation, compute_dtype="float64", dtype="float64")
    return _float64(view.call(x, **kwargs))


def _float64(values: Any) -> Any:
    return keras.ops.cast(keras.ops.convert_to_tensor(values), "float64")


def _only_activates(layer: Any) -> bool:
    return type(layer) in (keras.layers.Activation, keras.layers.Softmax, qkeras.QActivation)


def _guarded(quantizer: Any) -> Callable[[Any], Any]:
    """Bring float64 into the float32 of a quantizer without changing what it rounds to.

    Numbers beyond the range saturate either way. The rest is rounded to odd: a number that does not fit
    in 24 bits gets its last bit set, so that it stays on its side of every tie (S. Boldo, G. Melquiond,
    "When double rounding is odd", 2005).
    """

    def quantize(y: Any) -> Any:
        with floatx("float32"):
            limit = 4.0 * float(np.asarray(quantizer.max()))
            bits = np.clip(np.asarray(y, np.float64), -limit, limit).view(np.uint64)
            lost = np.uint64((1 << 29) - 1)
            odd = np.where(bits & lost, (bits & ~lost) | np.uint64(1 << 29), bits)
            return quantizer(keras.ops.convert_to_tensor(odd.view(np.float64).astype(np.float32)))

    return quantize


@contextlib.contextmanager
def floatx(precision: Precision) -> Iterator[None]:
    """Keras with this arithmetic as its default, inside of a `with`."""
    previous = keras.config.floatx()
    keras.config.set_floatx(precision)
    try:
        yield
    finally:
        keras.config.set_floatx(previous)
