"""Quantizers and activation functions as configurations write them: text, a class with its settings, or a name.

QKeras looks such texts up among everything that its module holds, and Keras what a class name says; here both are
parsed against a table.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import qkeras

from qap.errors import QapError, did_you_mean
from qap.importing.keras_config import LayerConfig
from qap.recipe.quantizer import arguments_of, called
from qap.training.quantization import ChannelQuantizer, FixedPointQuantizer, StepQuantizer

QUANTIZERS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        qkeras.quantized_bits, qkeras.quantized_linear, qkeras.quantized_relu, qkeras.quantized_po2,
        qkeras.quantized_relu_po2, qkeras.quantized_tanh, qkeras.quantized_sigmoid, qkeras.quantized_ulaw,
        qkeras.quantized_hswish, qkeras.binary, qkeras.ternary, FixedPointQuantizer, ChannelQuantizer, StepQuantizer,
    )
}  # fmt: skip
FUNCTIONS = ("linear", "relu", "relu6", "softmax", "log_softmax", "sigmoid", "tanh", "softsign", "softplus", "elu",
             "selu", "hard_sigmoid", "hard_tanh")  # fmt: skip
"""Functions of Keras by their names in both versions."""
OF_QKERAS = ("hard_sigmoid", "hard_tanh", "smooth_sigmoid")
"""Functions of QKeras: in a QActivation its names come first."""


def _just_above(number: float, dtype: type[np.floating[Any]]) -> float:
    """The next number: a step below which the number itself stays."""
    return float(np.nextafter(dtype(number), dtype(np.inf)))


STEPS: Mapping[str, Callable[[type[np.floating[Any]]], StepQuantizer]] = {
    # 2 round((x + 1) / 2) - 1, half to even (M. Courbariaux et al., arXiv:1602.02830), where 1 swallows what is
    # smaller than half of the distance to its next number; and the steps of ternary weights behind a clip to -1..1:
    # what lies on a step belongs below it
    "binary_tanh": lambda kind: StepQuantizer([_just_above(float(np.finfo(kind).epsneg), kind)], [-1.0, 1.0]),
    "ternary_tanh": lambda kind: StepQuantizer([_just_above(-0.5, kind), _just_above(0.5, kind)], [-1.0, 0.0, 1.0]),
}


def quantizer_of(layer: LayerConfig, what: str, value: Any) -> Any:
    """The quantizer of weights that a setting means, None without one.

    Args:
        layer: whose setting it is.
        what: its key, for the error.
        value: text, a mapping with `class_name` and `config`, or None.

    Raises:
        DataError: it is not one of `QUANTIZERS`, or a setting of it is not known.
    """
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return _from_text(value)
        return _from_settings(value)
    except (QapError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise layer.error(f"its {what} cannot be read: {str(error)[:200]}") from error


def activation_of(layer: LayerConfig, value: Any) -> Any:
    """What an activation is: a quantizer, a function of Keras or QKeras, or None for the linear one.

    Args:
        layer: whose `activation` it is.
        value: text, or a mapping with `class_name` and `config`.

    Raises:
        DataError: it is not known.
    """
    name = value if isinstance(value, str) else None
    if isinstance(value, Mapping) and isinstance(value.get("config"), str):  # a function, as Keras 3 writes it
        name = value["config"]
    if name is None and value is not None:
        return quantizer_of(layer, "activation", value)
    if name in (None, "linear"):
        return None
    if name in STEPS:
        return STEPS[name](np.dtype(keras.config.dtype_policy().compute_dtype).type)
    if name in OF_QKERAS and layer.class_name in ("QActivation", "QDense", "QDenseBatchnorm"):
        return getattr(qkeras.quantizers, name)
    if name in FUNCTIONS:
        return getattr(keras.activations, name)
    if "(" in name or name in QUANTIZERS:
        return quantizer_of(layer, "activation", name)
    known = [*FUNCTIONS, *STEPS, *QUANTIZERS]
    raise layer.error(
        f"the activation {name[:80]!r} is not known, so nothing says what it computes{did_you_mean(name, known)}"
    )


def _from_text(text: str) -> Any:
    call = called(text)
    kind = QUANTIZERS.get(call.name)
    if kind is None:
        raise QapError(f"no quantizer {call.name!r}{did_you_mean(call.name, QUANTIZERS)}")
    return kind(**arguments_of(text, call, _parameters(kind)))


def _from_settings(value: Mapping[str, Any]) -> Any:
    name = str(value["class_name"]).rpartition(">")[2]
    kind = QUANTIZERS.get(name)
    if kind is None:
        raise QapError(f"no quantizer {name!r}{did_you_mean(name, QUANTIZERS)}")
    settings, known = value["config"], _parameters(kind)
    for key, setting in settings.items():
        if not _is_plain(setting):
            raise QapError(f"{key} of {name} is not a plain value")
        if key not in known and setting not in (None, False, 0):
            raise QapError(f"{name} has no setting {key!r}")
    return kind(**{key: setting for key, setting in settings.items() if key in known})


def _parameters(kind: type) -> list[str]:
    return list(inspect.signature(kind).parameters)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, bool | int | float | str)
