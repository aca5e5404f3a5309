"""A layer with some of its attributes replaced, for one call of its own code; the layer itself stays untouched."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import qkeras

from qap.freezing.exact import FloatArray


class View:
    """Reads as the layer does, except for what is replaced.

    Args:
        layer: the layer.
        replaced: attributes by name.
    """

    def __init__(self, layer: Any, **replaced: Any) -> None:
        self.__dict__.update(replaced)
        self.__dict__["_seen"] = layer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_seen"], name)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer's own `call` gives, with the replaced attributes."""
        return type(self.__dict__["_seen"]).call(self, *args, **kwargs)


def told_by(layer: Any, count: int) -> tuple[FloatArray, FloatArray]:
    """What a dense layer or a normalization multiplies by and adds, in the float32 that it computes with.

    The layer tells it itself: what it adds is its answer to 0; what it multiplies by are its answers to unit vectors,
    or to 1, with nothing added.

    Args:
        layer: a QDense, QDenseBatchnorm, BatchNormalization or QBatchNormalization.
        count: its inputs.

    Returns:
        The kernel (count, n_out) of a dense layer or the scale (count,) of a normalization, and the offset (n_out,).
    """
    zeros = keras.ops.zeros((1, count), "float32")
    offset = np.asarray(View(layer, activation=None).call(zeros), np.float64)[0]
    if isinstance(layer, qkeras.QDense):
        bare = View(layer, activation=None, bias_quantizer=True, bias_quantizer_internal=keras.ops.zeros_like)
        return np.asarray(bare.call(keras.ops.eye(count, dtype="float32")), np.float64), offset
    nothing = {"moving_mean": zeros[0], "mean_quantizer": None, "beta_quantizer": None}
    bare = View(layer, **nothing, **({"beta": zeros[0]} if layer.center else {}))
    return np.asarray(bare.call(zeros + 1), np.float64)[0], offset
