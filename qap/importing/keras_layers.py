"""Layers of a configuration, built anew in Keras 3 from a table of the classes that are known."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import qkeras

from qap.errors import QapError, first_line
from qap.fixed import FixedPoint
from qap.importing.keras_config import LayerConfig, Numbers
from qap.importing.old_layers import binary_kernel, scale_of, ternary_kernel
from qap.importing.quantizers import activation_of, quantizer_of
from qap.training.quantization import FixedPointQuantizer

Take = Callable[[str], Numbers]
"""Reads one weight of the layer from the file, by its name in Keras."""
NORMALIZATION = ("gamma", "beta", "moving_mean", "moving_variance")
CONVOLUTIONS = ("Conv", "Pool", "Padding", "UpSampling")
SUPPORTED = ("Dense, QDense, QDenseBatchnorm, BatchNormalization, QBatchNormalization, activations and quantizers, "
             "Flatten, Reshape, Permute, Rescaling, Dropout")  # fmt: skip


class Part(NamedTuple):
    """A layer of Keras, and what its variables hold, by the path of their attributes."""

    layer: Any
    weights: Mapping[str, Numbers]


def build(layer: LayerConfig, take: Take) -> Iterator[Part]:
    """The Keras layers that compute what a configured layer computes, in order.

    Args:
        layer: the configuration.
        take: reads its weights.

    Raises:
        DataError: the class or a setting is not supported, or a weight is missing.
    """
    builder = BUILDERS.get(layer.class_name)
    if builder is None:
        raise layer.error(_unknown(layer))
    try:
        yield from builder(layer, take)
    except QapError:
        raise
    except Exception as error:  # a setting that is not possible: Keras and QKeras raise whatever their parts raise
        raise layer.error(f"its settings are not possible: {first_line(error, 160)}") from error


def called(layer: LayerConfig, part: Part, x: Any) -> Any:
    """A layer called on a tensor, and its variables filled.

    Raises:
        DataError: the layer cannot read the tensor, or its weights have other shapes than the file's.
    """
    try:
        y = part.layer(x)
    except Exception as error:  # as above
        raise layer.error(f"it cannot read {tuple(x.shape)}: {first_line(error, 160)}") from error
    for name, array in part.weights.items():
        variable = operator.attrgetter(name)(part.layer)
        if tuple(variable.shape) != array.shape:
            raise layer.error(f"its {name} in the file is {array.shape}, but the model needs {tuple(variable.shape)}")
        variable.assign(array)
    return y


def _unknown(layer: LayerConfig) -> str:
    kind = layer.class_name
    if "Lambda" in kind:
        return "a Lambda holds Python code, which is never executed; use a layer of Keras instead"
    if any(word in kind for word in CONVOLUTIONS):
        return f"convolutional layers are not supported; dense networks are, of {SUPPORTED}"
    return f"this layer is not supported; there are {SUPPORTED}"


def _dense(layer: LayerConfig, take: Take) -> Iterator[Part]:
    yield Part(
        keras.layers.Dense(_units(layer), use_bias=_bias(layer), name=_safe(layer)), _kernel_and_bias(layer, take)
    )
    yield from _follow(layer)


def _qdense(layer: LayerConfig, take: Take) -> Iterator[Part]:
    dense = qkeras.QDense(
        _units(layer), use_bias=_bias(layer), name=_safe(layer), **_quantizers(layer, "kernel", "bias")
    )
    yield Part(dense, _kernel_and_bias(layer, take))
    yield from _follow(layer)


def _qdense_batchnorm(layer: LayerConfig, take: Take) -> Iterator[Part]:
    """A QDense of the weights that the normalization is folded into, which QKeras then quantizes; as it tells them."""
    settings, quantizers = layer.settings, _quantizers(layer, "kernel", "bias")
    folding = qkeras.QDenseBatchnorm(
        _units(layer),
        use_bias=_bias(layer),
        epsilon=_number(layer, "epsilon", 1e-3),
        center=bool(settings.get("center", True)),
        scale=bool(settings.get("scale", True)),
        **quantizers,
    )
    weights = {
        **_kernel_and_bias(layer, take),
        **{f"batchnorm.{name}": take(f"batchnorm.{name}") for name in _normalized(layer)},
    }
    called(layer, Part(folding, weights), keras.Input(weights["kernel"].shape[:1]))
    kernel, bias = (np.asarray(each) for each in folding.get_folded_weights())
    yield Part(qkeras.QDense(_units(layer), name=_safe(layer), **quantizers), {"kernel": kernel, "bias": bias})
    yield from _follow(layer)


def _old_dense(layer: LayerConfig, take: Take) -> Iterator[Part]:
    ternary = layer.class_name == "TernaryDense"
    kernel = take("kernel")
    scale = scale_of(layer, kernel)
    if kernel.dtype == np.float64:
        quantizer = _grid_of(layer, float(scale))
    else:
        quantizer = qkeras.ternary(alpha=float(scale), threshold=0.5) if ternary else qkeras.binary(alpha=float(scale))
    dense = qkeras.QDense(_units(layer), kernel_quantizer=quantizer, use_bias=_bias(layer), name=_safe(layer))
    values = (ternary_kernel if ternary else binary_kernel)(kernel, scale)
    yield Part(dense, {**_kernel_and_bias(layer, take), "kernel": values})
    yield from _follow(layer)


def _grid_of(layer: LayerConfig, scale: float) -> FixedPointQuantizer:
    """The quantizer of -1, 0 and 1 times a scale in float64, in which those of QKeras do not compute."""
    mantissa, exponent = np.frexp(scale)
    if mantissa != 0.5:
        raise layer.error(f"its H is {scale:g}; in float64 powers of two are supported")
    return FixedPointQuantizer(FixedPoint(True, 2, 1 + int(exponent)))


def _batch_normalization(layer: LayerConfig, take: Take) -> Iterator[Part]:
    settings = layer.settings
    axis = settings.get("axis", -1)
    kind, quantizers = keras.layers.BatchNormalization, dict[str, Any]()
    if layer.class_name == "QBatchNormalization":
        kind, quantizers = (
            qkeras.QBatchNormalization,
            _quantizers(layer, "beta", "gamma", "mean", "variance", "inverse"),
        )
    normalization = kind(
        axis=axis[0] if isinstance(axis, list) and len(axis) == 1 else axis,
        epsilon=_number(layer, "epsilon", 1e-3),
        center=bool(settings.get("center", True)),
        scale=bool(settings.get("scale", True)),
        name=_safe(layer),
        **quantizers,
    )
    yield Part(normalization, {name: take(name) for name in _normalized(layer)})


def _activation(layer: LayerConfig, take: Take) -> Iterator[Part]:
    yield from _follow(layer, own_name=True)


def _relu(layer: LayerConfig, take: Take) -> Iterator[Part]:
    high = layer.settings.get("max_value")
    yield Part(
        keras.layers.ReLU(
            max_value=None if high is None else _number(layer, "max_value", 0),
            negative_slope=_number(layer, "negative_slope", 0),
            threshold=_number(layer, "threshold", 0),
            name=_safe(layer),
        ),
        {},
    )


def _leaky_relu(layer: LayerConfig, take: Take) -> Iterator[Part]:
    key = "alpha" if "alpha" in layer.settings else "negative_slope"
    yield Part(keras.layers.LeakyReLU(negative_slope=_number(layer, key, 0.3), name=_safe(layer)), {})


def _softmax(layer: LayerConfig, take: Take) -> Iterator[Part]:
    yield Part(keras.layers.Softmax(axis=layer.settings.get("axis", -1), name=_safe(layer)), {})


def _flatten(layer: LayerConfig, take: Take) -> Iterator[Part]:
    yield Part(keras.layers.Flatten(name=_safe(layer)), {})


def _reshape(layer: LayerConfig, take: Take) -> Iterator[Part]:
    yield Part(keras.layers.Reshape(tuple(layer.settings["target_shape"]), name=_safe(layer)), {})


def _permute(layer: LayerConfig, take: Take) -> Iterator[Part]:
    yield Part(keras.layers.Permute(tuple(layer.settings["dims"]), name=_safe(layer)), {})


def _rescaling(layer: LayerConfig, take: Take) -> Iterator[Part]:
    scale, offset = layer.settings.get("scale", 1.0), layer.settings.get("offset", 0.0)
    yield Part(keras.layers.Rescaling(scale, offset, name=_safe(layer)), {})


def _nothing(layer: LayerConfig, take: Take) -> Iterator[Part]:
    """Noise and dropout draw in training only."""
    yield from ()


def _follow(layer: LayerConfig, own_name: bool = False) -> Iterator[Part]:
    """The activation of a layer as a layer of its own, or as several."""
    name = _safe(layer) if own_name else f"{_safe(layer)}_activation"
    activation = layer.settings.get("activation")
    if activation in ("relu1", "hard_sigmoid") and layer.version < 3 and not layer.class_name.startswith("Q"):
        if activation == "hard_sigmoid":  # of Keras 2; that of Keras 3 has another slope, that of QKeras, too
            yield Part(keras.layers.Rescaling(0.2, 0.5, name=f"{name}_line"), {})
        yield Part(keras.layers.ReLU(max_value=1.0, name=name), {})
        return
    function = activation_of(layer, activation)
    if function is None:
        return
    if isinstance(function, type(keras.activations.relu)) and hasattr(keras.activations, function.__name__):
        yield Part(keras.layers.Activation(function, name=name), {})
    else:
        yield Part(qkeras.QActivation(function, name=name), {})


def _kernel_and_bias(layer: LayerConfig, take: Take) -> dict[str, Numbers]:
    return {name: take(name) for name in ("kernel", "bias")[: 1 + _bias(layer)]}


def _quantizers(layer: LayerConfig, *roles: str) -> dict[str, Any]:
    keys = [f"{role}_quantizer" for role in roles]
    return {key: quantizer_of(layer, key, layer.settings.get(key)) for key in keys}


def _normalized(layer: LayerConfig) -> list[str]:
    absent = {name for name, key in (("gamma", "scale"), ("beta", "center")) if not layer.settings.get(key, True)}
    return [name for name in NORMALIZATION if name not in absent]


def _units(layer: LayerConfig) -> int:
    units = layer.settings.get("units")
    if not isinstance(units, int) or isinstance(units, bool) or not 0 < units < 1 << 24:
        raise layer.error(f"its units are {units!r}; a layer of Keras 2 or 3 has a whole number of them")
    return units


def _bias(layer: LayerConfig) -> bool:
    return bool(layer.settings.get("use_bias", True))


def _number(layer: LayerConfig, key: str, default: float) -> float:
    value = layer.settings.get(key, default)
    if isinstance(value, Mapping):  # a NumPy number, as Keras 2 writes it
        value = value.get("value")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise layer.error(f"its {key} is {value!r}, not a number")
    return float(value)


def _safe(layer: LayerConfig) -> str:
    return layer.name.replace("/", "_")


BUILDERS: Mapping[str, Callable[[LayerConfig, Take], Iterator[Part]]] = {
    "Dense": _dense,
    "QDense": _qdense,
    "QDenseBatchnorm": _qdense_batchnorm,
    "BinaryDense": _old_dense,
    "TernaryDense": _old_dense,
    "BatchNormalization": _batch_normalization,
    "QBatchNormalization": _batch_normalization,
    "Activation": _activation,
    "QActivation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "Softmax": _softmax,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Rescaling": _rescaling,
    **dict.fromkeys(
        ("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization", "Identity",
         "DropoutNoScale", "DropoutNoScaleForBinary", "DropoutNoScaleForTernary"),
        _nothing,
    ),
}  # fmt: skip
"""Class name -> what builds it."""
