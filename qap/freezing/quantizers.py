"""Which quantizers give the same numbers whenever they are asked, and the weights as those give them."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import qkeras

from qap.errors import NotExact, one_line
from qap.freezing.exact import FloatArray, are_powers_of_two, refuse_infinite

_OF_QKERAS = (
    qkeras.quantized_bits, qkeras.quantized_linear, qkeras.quantized_relu, qkeras.quantized_po2,
    qkeras.quantized_relu_po2, qkeras.quantized_tanh, qkeras.quantized_sigmoid, qkeras.quantized_ulaw,
    qkeras.quantized_hswish, qkeras.binary, qkeras.ternary,
)  # fmt: skip
_OF_QAP = ("qap>FixedPointQuantizer", "qap>ChannelQuantizer", "qap>FloatScaleQuantizer", "qap>StepQuantizer")
MAX_CODE_BITS = 12
"""Wider whole numbers are not told from floats by their values."""
_RANDOM = (qkeras.bernoulli, qkeras.stochastic_ternary, qkeras.stochastic_binary)


def kind_of(quantizer: Any) -> str | None:
    """The name of a quantizer's class if it is QKeras' or our own, and exactly that."""
    kind = type(quantizer)
    if kind in _OF_QKERAS:
        return kind.__name__
    registered = keras.saving.get_registered_name(kind)
    return kind.__name__ if registered in _OF_QAP else None


def refuse_unknown(layer: str, what: str, quantizer: Any) -> None:
    """Refuse quantizers that are not known, draw random numbers or quantize only in part.

    Args:
        layer: the name of the layer, for the error.
        what: "kernel", "bias" or "activation", for the error.
        quantizer: any object.

    Raises:
        NotExact: it is one of them.
    """
    name = type(quantizer).__name__
    if type(quantizer) in _RANDOM or getattr(quantizer, "use_stochastic_rounding", False):
        raise NotExact(layer, f"{name} rounds at random")
    if kind_of(quantizer) is None:
        shown = getattr(quantizer, "__name__", name)
        shown = shown if isinstance(shown, str) else name
        raise NotExact(layer, f"its {what} {shown!r} is not known here; use one of QKeras' quantizers")
    if float(np.asarray(getattr(quantizer, "qnoise_factor", 1.0))) != 1.0:
        raise NotExact(layer, f"{name} quantizes only in part (its qnoise_factor is not 1)")


class Weights(NamedTuple):
    """A kernel or bias as its quantizer gives it.

    Args:
        values: any shape, numbers of float32.
        refused: the error where floats are none to have: it has no quantizer, or one with a float scale. None if exact.
        most: the largest whole number by which a float scale is multiplied.
    """

    values: FloatArray
    refused: NotExact | None = None
    most: int = 0


def weights_of(layer: str, what: str, quantizer: Any, variable: Any) -> Weights:
    """A kernel or bias as its quantizer gives it.

    Raises:
        NotExact: the quantizer is missing, not known, or draws random numbers.
    """
    if quantizer is None:
        raise NotExact(layer, f"its {what} has no quantizer, it is float")
    refuse_unknown(layer, f"{what}_quantizer", quantizer)
    try:
        values = np.asarray(quantizer(keras.ops.convert_to_tensor(variable)), np.float64)
    except Exception as error:  # a setting of it is not possible: QKeras raises whatever its parts raise
        raise NotExact(layer, f"its {what} quantizer does not compute: {one_line(error, 160)}") from error
    refuse_infinite(layer, what, values)
    reason = getattr(quantizer, "not_exact", None)
    alpha = getattr(quantizer, "alpha", None)
    if alpha is not None and (alpha != "auto_po2" if isinstance(alpha, str) else not are_powers_of_two(alpha)):
        reason = f"its {what} has a float scale (alpha={alpha!r}); use alpha='auto_po2' or a power of two"
    if reason is None:
        return Weights(values)
    bits = int(getattr(quantizer, "bits", getattr(quantizer, "width", 1)))
    return Weights(values, NotExact(layer, reason), 2 ** (min(MAX_CODE_BITS, bits) - 1))


def bias_of(layer: str, quantizer: Any, variable: Any) -> Weights:
    """A bias as its quantizer gives it, or as it is without one.

    Raises:
        NotExact: the quantizer is not known, or draws random numbers.
    """
    if quantizer is not None:
        return weights_of(layer, "bias", quantizer, variable)
    values = np.asarray(variable, np.float64)
    refuse_infinite(layer, "bias", values)
    return Weights(values, NotExact(layer, "its bias has no quantizer, it is float"))
