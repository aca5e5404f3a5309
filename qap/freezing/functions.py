"""The activation functions of Keras and QKeras that are known, each by its identity and not by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from qkeras import quantizers

from qap.freezing.exact import FloatArray


class Piece(NamedTuple):
    """`y = gain * x + shift`, times `slope` where that is negative, held between `low` and `high`; None is no limit."""

    gain: float = 1.0
    shift: float = 0.0
    slope: float = 1.0
    low: float | None = None
    high: float | None = None


PIECEWISE: list[tuple[Any, Piece]] = [
    (keras.activations.relu, Piece(slope=0.0)),
    (keras.activations.relu6, Piece(slope=0.0, high=6.0)),
    (keras.activations.hard_tanh, Piece(low=-1.0, high=1.0)),
    (quantizers.hard_tanh, Piece(low=-1.0, high=1.0)),
    (quantizers.hard_sigmoid, Piece(gain=0.5, shift=0.5, slope=0.0, high=1.0)),
    (quantizers.smooth_sigmoid, Piece(gain=0.1875, shift=0.5, slope=0.0, high=1.0)),
]
"""Functions of straight pieces, which have an exact form anywhere."""

FINAL: list[tuple[Any, str]] = [
    (keras.activations.softmax, "softmax"),
    (keras.activations.log_softmax, "log_softmax"),
    (keras.activations.sigmoid, "sigmoid"),
    (keras.activations.tanh, "tanh"),
    (keras.activations.softsign, "softsign"),
    (keras.activations.hard_sigmoid, "hard_sigmoid"),
]
"""Functions that keep the decision at the end of a model, where they are left out."""
SATURATING = ("hard_sigmoid",)
"""Those that answer the same for many logits: with several outputs they could make ties that the logits do not have."""
RELATIVE, ABSOLUTE = 17 * 2.0**-24, 2.0**-21
"""What two codes of a curve may differ by, as a share of the result, and where numbers cancel: TensorFlow's are each
within 8.3 * 2**-24 of the real number, and within 2.5 * 2**-24 where 1 is subtracted."""


def _of_result(results: FloatArray) -> FloatArray:
    off: FloatArray = RELATIVE * np.abs(results)
    return off


def _below_zero(results: FloatArray) -> FloatArray:
    """An exponential less 1 below 0, and the number itself above."""
    return np.where(results < 0, RELATIVE * np.abs(results) + ABSOLUTE, 0.0)


def _around_zero(results: FloatArray) -> FloatArray:
    """An exponential less 1 below 0, a product above."""
    return _of_result(results) + np.where(results < 0, ABSOLUTE, 0.0)


CURVES: list[tuple[Any, Callable[[FloatArray], FloatArray]]] = [
    (keras.activations.tanh, _of_result),
    (keras.activations.sigmoid, _of_result),
    (keras.activations.softplus, _of_result),
    (keras.activations.elu, _below_zero),
    (keras.activations.selu, _around_zero),
]
"""Curves that rise all the way, and how far their results, (n, neurons), may be off in float32."""
TURNING = [keras.activations.gelu, keras.activations.silu, keras.activations.mish, keras.activations.hard_silu]
"""Functions that fall and rise, so that no staircase of rising values holds them."""
OVER_CLASSES = ("softmax", "log_softmax")
"""Those that read all outputs, and answer a constant when there is one."""


def slack_of(function: Any) -> Callable[[FloatArray], FloatArray] | None:
    """How far results of a curve may be off in float32; None for other functions, which compute the same everywhere."""
    return next((slack for known, slack in CURVES if known is function), None)
