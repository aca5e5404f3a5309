"""What each layer computes, in the few words that the integer network knows.

Every layer that can be frozen is a row of affine maps, ReLUs and quantizers. Exact classes only: a subclass, or a class
that merely has the name, computes what its own code says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import qkeras

from qap import table_layers
from qap.errors import NotExact
from qap.freezing.activations import Rounded, curve_of
from qap.freezing.elements import (
    Affine,
    Comparison,
    Curve,
    Dense,
    Element,
    Final,
    Line,
    Lookup,
    Quantization,
    Rectifier,
)
from qap.freezing.exact import FloatArray, long
from qap.freezing.functions import FINAL, PIECEWISE, TURNING, Piece, slack_of
from qap.freezing.graph import Call
from qap.freezing.quantizers import bias_of, refuse_unknown, weights_of
from qap.freezing.scales import Codes, Sums, codes_of
from qap.freezing.view import told_by

WITHOUT_EFFECT = (
    keras.layers.Identity, keras.layers.Dropout, keras.layers.AlphaDropout, keras.layers.GaussianDropout,
    keras.layers.GaussianNoise, keras.layers.ActivityRegularization,
)  # fmt: skip
"""Layers that hand a trained model's numbers on as they are, whatever their settings."""
NORMALIZATIONS = (keras.layers.BatchNormalization, qkeras.QBatchNormalization)
SCALING = (*NORMALIZATIONS, keras.layers.Rescaling)
"""Layers whose numbers are folded away, so that the model passes other ones than the network does."""
MAX_REORDERED = 8192  # a permutation is folded as a matrix


def read(call: Call) -> list[Element]:
    """The elements of one call of a layer, none for a layer that does nothing to a trained model.

    Raises:
        NotExact: the layer, or a setting of it, has no exact integer form.
    """
    layer, kind = call.layer, type(call.layer)
    reader = _READERS.get(kind)
    if reader is None:
        raise NotExact(call.name, _unknown(kind))
    if layer.compute_dtype not in ("float32", "float64"):
        raise NotExact(call.name, f"it computes in {layer.compute_dtype}, which rounds; set its dtype to float32")
    return reader(call)


def as_curve(call: Call, elements: Sequence[Element], refused: NotExact) -> Curve | None:
    """A whole call that maps every number by itself and never turns back, to stand behind a `Curve`; None for others.

    Args:
        call: the call.
        elements: what it was read as.
        refused: the error where no quantizer follows.
    """
    if type(call.layer) not in (*SCALING, keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU):
        return None
    turns = float(getattr(call.layer, "negative_slope", 0) or 0) < 0
    if not elements or turns or not all(isinstance(element, Affine | Rectifier) for element in elements):
        return None
    line = None
    if type(call.layer) in SCALING and isinstance(elements[0], Affine):
        line = Line(np.diagonal(elements[0].matrix), elements[0].offset)
    return Curve(call.name, call.layer, refused, line)


def _unknown(kind: type) -> str:
    if kind is keras.layers.Dense:
        return "its kernel is float; make it a QDense with a kernel_quantizer"
    known = next((base for base in kind.__mro__[1:] if base in _READERS), None)
    if known is not None:
        own, of_library = kind.__name__, known.__name__
        return f"its class {own} may compute something else than {of_library}, which it derives from; use {of_library}"
    if kind.__module__.split(".")[0] not in ("keras", "qkeras"):
        return f"{kind.__name__} of {kind.__module__} is not a layer of Keras or QKeras; use one of theirs"
    return f"{kind.__name__} layers are not supported"


def _nothing(call: Call) -> list[Element]:
    return []


def _reorder(call: Call) -> list[Element]:
    """Flatten, Reshape and Permute move numbers: the layer itself shows where."""
    count = int(np.prod(call.shape))
    tensor = keras.ops.convert_to_tensor(np.arange(count, dtype=np.float32).reshape(1, *call.shape))
    order = np.asarray(type(call.layer).call(call.layer, tensor)).ravel().astype(np.int64)
    if np.array_equal(order, np.arange(count)):
        return []
    if count > MAX_REORDERED:
        raise NotExact(call.name, f"it reorders {count} numbers, at most {MAX_REORDERED} can be folded")
    matrix = np.zeros((count, count))
    matrix[order, np.arange(count)] = 1
    return [Affine(matrix, np.zeros(count))]


def _qdense(call: Call) -> list[Element]:
    layer = call.layer
    _refuse_rank(call)
    bias = layer.bias if layer.use_bias else None
    return _dense(call, layer.kernel, bias)


def _qdense_batchnorm(call: Call) -> list[Element]:
    """QKeras quantizes the kernel and the bias after it folded the normalization into them."""
    layer = call.layer
    _refuse_rank(call)
    if not (layer.batchnorm.center and layer.batchnorm.scale):
        raise NotExact(call.name, "QKeras computes a QDenseBatchnorm only with center and scale")
    return _dense(call, *layer.get_folded_weights())


def _dense(call: Call, kernel_variable: Any, bias_variable: Any) -> list[Element]:
    """Products, sums, a bias and an activation; what is float in them follows the sums."""
    layer = call.layer
    kernel = weights_of(call.name, "kernel", layer.kernel_quantizer_internal, kernel_variable)
    offset, refused = np.zeros(kernel.values.shape[1]), kernel.refused
    if bias_variable is not None and (layer.bias_quantizer_internal is not None or np.any(np.asarray(bias_variable))):
        bias = bias_of(call.name, layer.bias_quantizer_internal, bias_variable)
        offset, refused = bias.values, refused or bias.refused
    tensor = keras.ops.convert_to_tensor(kernel.values, "float32")
    sums = Sums(lambda x: keras.ops.dot(x, tensor), kernel.values)
    if refused is None:
        return [Dense(kernel.values, offset, sums), *_activation(call)]
    codes = Codes(kernel.values, np.ones(offset.size))
    if kernel.refused is not None:
        codes = codes_of(call.name, kernel.values, kernel.most)
    floats: list[Element] = [Dense(codes.codes, np.zeros(offset.size), sums, codes.scale, refused)]
    if offset.any():
        added = keras.ops.convert_to_tensor(offset, "float32")
        floats.append(Curve(call.name, lambda x: x + added, refused, Line(np.ones(offset.size), offset)))
    behind = _activation(call)
    if behind and all(isinstance(element, Affine | Rectifier) for element in behind):
        behind = [Curve(call.name, layer.activation, refused)]
    return [*floats, *behind]


def _thresholds(call: Call) -> list[Element]:
    limits = np.array(call.layer.thresholds, np.float32).astype(np.float64)  # as the layer compares them
    return [Comparison(np.array(call.layer.features, np.int64), limits)]


def _tables(call: Call) -> list[Element]:
    table = np.asarray(call.layer.table)
    return [Lookup(np.asarray(call.layer.wires).astype(np.int64), table > 0)]


def _class_sums(call: Call) -> list[Element]:
    classes = call.layer.classes
    matrix = np.repeat(np.eye(classes), call.shape[0] // classes, axis=0)
    return [Dense(matrix, np.zeros(classes), Sums(call.layer, matrix))]


def _batch_normalization(call: Call) -> list[Element]:
    layer = call.layer
    if len(call.shape) != 1 or layer.axis not in (-1, 1, [-1], [1]):
        raise NotExact(call.name, f"it normalizes axis {layer.axis} of {(None, *call.shape)}; only (None, n) is folded")
    scale, offset = told_by(layer, call.shape[0])
    advice = "quantize its results, or use a QDenseBatchnorm, which quantizes the folded weights"
    refusals = [long(call.name, what, numbers, advice) for what, numbers in (("scale", scale), ("offset", offset))]
    if refused := refusals[0] or refusals[1]:
        return [Curve(call.name, layer, refused, Line(scale, offset))]
    return [Affine(np.diag(scale), offset)]


def _rescaling(call: Call) -> list[Element]:
    layer, count = call.layer, int(np.prod(call.shape))
    numbers, refusals = [], []
    for what, value in (("scale", layer.scale), ("offset", layer.offset)):
        number = np.asarray(value, np.float32).astype(np.float64).ravel()
        if number.size not in (1, count):
            raise NotExact(
                call.name, f"its {what} holds {number.size} numbers for {count} inputs; give it one or {count}"
            )
        refusals.append(long(call.name, what, number, "a scale of 1/256 instead of 1/255 is one"))
        numbers.append(np.broadcast_to(number, count))
    line = Line(*numbers)
    if refused := refusals[0] or refusals[1]:
        return [Curve(call.name, layer, refused, line)]
    return [Affine(np.diag(line.scale), line.offset)]


def _activation(call: Call) -> list[Element]:
    return _function(call, call.layer.activation)


def _function(call: Call, function: Any) -> list[Element]:
    """A Keras function by its identity, or a quantizer by its class."""
    if function is None or function is keras.activations.linear:
        return []
    if (piece := _find(PIECEWISE, function)) is not None:
        return _pieces(call, piece, function)
    if (name := _find(FINAL, function)) is not None:
        return [Final(function, name)]
    if slack := slack_of(function):
        refused = NotExact(call.name, f"a {function.__name__} that no quantizer follows")
        return [Curve(call.name, function, refused, slack=slack)]
    if any(known is function for known in TURNING):
        raise NotExact(call.name, f"{function.__name__} falls and rises, so it has no steps; use tanh or a ReLU")
    refuse_unknown(call.name, "activation", function)
    if curve := curve_of(call.name, function):
        refused = NotExact(call.name, f"{type(function).__name__} with a curve of floats")
        return [Curve(call.name, curve, refused, slack=slack_of(curve)), Quantization(Rounded(function))]
    return [Quantization(function)]


def _find(table: list[tuple[Any, Any]], function: Any) -> Any:
    return next((meaning for known, meaning in table if known is function), None)


def _relu(call: Call) -> list[Element]:
    layer = call.layer
    if layer.threshold:
        raise NotExact(call.name, f"a ReLU with the threshold {float(layer.threshold)}; only 0 has an exact form")
    high = None if layer.max_value is None else float(layer.max_value)
    return _pieces(call, Piece(slope=float(layer.negative_slope or 0), high=high), layer)


def _elu(call: Call) -> list[Element]:
    if float(call.layer.alpha) < 0:
        raise NotExact(call.name, f"an ELU with alpha {call.layer.alpha} falls and rises, so it has no steps")
    refused = NotExact(call.name, "an ELU that no quantizer follows")
    return [Curve(call.name, call.layer, refused, slack=slack_of(keras.activations.elu))]


def _leaky_relu(call: Call) -> list[Element]:
    return _pieces(call, Piece(slope=float(call.layer.negative_slope)), call.layer)


def _pieces(call: Call, piece: Piece, function: Any) -> list[Element]:
    """A function of straight pieces as ReLUs between affine maps.

    A slope below 0 reads both halves, `max(x, 0)` and `max(-x, 0)`; a limit h is `h - max(h - x, 0)`.
    """
    count = _width(call)
    numbers = np.array([value for value in (piece.gain, piece.shift, piece.slope, piece.low, piece.high) if value])
    if refused := long(call.name, "slope or limit", numbers, "powers of two are, as 0.25"):
        if piece.slope < 0:
            raise refused
        return [Curve(call.name, function, refused)]
    eye, elements = np.eye(count), list[Element]()
    if piece.gain != 1 or piece.shift:
        elements.append(Affine(eye * piece.gain, np.full(count, piece.shift)))
    if piece.slope == 0:
        elements.append(Rectifier())
    elif piece.slope != 1:
        elements += [
            Affine(np.hstack([eye, -eye]), np.zeros(2 * count)),
            Rectifier(),
            Affine(np.vstack([eye, -eye * piece.slope]), np.zeros(count)),
        ]
    if piece.low is not None:
        elements += _limit(eye, piece.low, 1)
    if piece.high is not None:
        elements += _limit(eye, piece.high, -1)
    return elements


def _limit(eye: FloatArray, limit: float, sign: int) -> list[Element]:
    """At least the limit (sign 1) or at most (sign -1)."""
    count = len(eye)
    away = Affine(eye * sign, np.full(count, -sign * limit))
    return [away, Rectifier(), Affine(eye * sign, np.full(count, limit))]


def _softmax(call: Call) -> list[Element]:
    if len(call.shape) != 1 or call.layer.axis not in (-1, 1):
        raise NotExact(
            call.name, f"a softmax over axis {call.layer.axis} of {(None, *call.shape)}; only -1 is possible"
        )
    return [Final(keras.activations.softmax, "softmax")]


def _refuse_rank(call: Call) -> None:
    if len(call.shape) != 1:
        raise NotExact(call.name, f"its input has the shape {(None, *call.shape)}; put a Flatten before it")


def _width(call: Call) -> int:
    """Numbers that an activation works on: the units of a dense layer, else the inputs."""
    return int(getattr(call.layer, "units", np.prod(call.shape)))


_READERS: Mapping[type, Callable[[Call], list[Element]]] = {
    qkeras.QDense: _qdense,
    qkeras.QDenseBatchnorm: _qdense_batchnorm,
    qkeras.QActivation: _activation,
    qkeras.QBatchNormalization: _batch_normalization,
    keras.layers.BatchNormalization: _batch_normalization,
    keras.layers.Rescaling: _rescaling,
    keras.layers.Activation: _activation,
    keras.layers.ReLU: _relu,
    keras.layers.LeakyReLU: _leaky_relu,
    keras.layers.ELU: _elu,
    keras.layers.Softmax: _softmax,
    keras.layers.Flatten: _reorder,
    keras.layers.Reshape: _reorder,
    keras.layers.Permute: _reorder,
    table_layers.Thresholds: _thresholds,
    table_layers.Tables: _tables,
    table_layers.ClassSums: _class_sums,
    **dict.fromkeys(WITHOUT_EFFECT, _nothing),
}
