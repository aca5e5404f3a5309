"""The activation functions of Keras and QKeras that are known, each by its identity and not by its name."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from qkeras import quantizers


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
OVER_CLASSES = ("softmax", "log_softmax")
"""Those that read all outputs, and answer a constant when there is one."""
