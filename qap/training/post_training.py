"""Quantization after the training: a float student gets the formats that calibration finds for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import qkeras

from qap.errors import RecipeError
from qap.recipe import LayerRecipe, QuantizeRecipe, Recipe
from qap.recipe.quantizer import Quantizer
from qap.training.calibration import CALIBRATIONS, min_max, saturating
from qap.training.networks import dense_layers, scaled_inputs
from qap.training.quantization import ChannelQuantizer, FixedPointQuantizer, FloatScaleQuantizer

if TYPE_CHECKING:
    from qap.data.dataset import Dataset

DEFAULT_CALIBRATION = "mse"
DEFAULT_PERCENTILE = 99.9
DEFAULT_SAMPLES = 2048
INTEGER_BITS, INTEGER_BIAS_BITS = 8, 32

Array = npt.NDArray[Any]


class Trained(NamedTuple):
    """A layer of the float student.

    Args:
        name: of the layer.
        part: what the recipe says of it.
        kernel: (n_in, n_out).
        bias: (n_out,), None without.
        answers: (samples, n_out) behind the activation, for the calibration samples.
    """

    name: str
    part: LayerRecipe
    kernel: Array
    bias: Array | None
    answers: Array


def quantize(model: keras.Model, recipe: Recipe, dataset: Dataset) -> keras.Model:
    """What `quantize.method` makes of a trained float student.

    Args:
        model: a student as `untrained_student` builds it, trained.
        recipe: its `quantize` and the widths of its `student.layers` are read.
        dataset: `train` is looked at for the ranges of activations.

    Raises:
        RecipeError: the formats of a layer are none that calibration could choose a range for.
    """
    return QUANTIZERS[recipe.quantize.method](model, recipe, dataset)


def _as_it_is(model: keras.Model, recipe: Recipe, dataset: Dataset) -> keras.Model:
    return model


def _calibrated(model: keras.Model, recipe: Recipe, dataset: Dataset) -> keras.Model:
    """PTQ: weights, biases and activations at the widths of the recipe's layers."""
    inputs, x = scaled_inputs(dataset.n_in, dataset.network_scaling)
    for index, layer in enumerate(_layers(model, recipe, dataset)):
        where = f"student.layers.{index}"
        kernel = _kernel_quantizer(layer, recipe, _width(layer.part.weight, f"{where}.weight"))
        bias = None
        if layer.bias is not None and layer.part.bias != "none":
            bias = _plain(layer.bias, _width(layer.part.bias, f"{where}.bias"))
        x = _dense(layer, kernel, bias)(x)
        if layer.part.activation != "linear":
            x = _activation(layer, recipe, _width(layer.part.activation, f"{where}.activation"))(x)
    return _with_weights(keras.Model(inputs, x, name="student"), model)


def _full_integer(model: keras.Model, recipe: Recipe, dataset: Dataset) -> keras.Model:
    """FIQ: 8 bits for inputs, weights and activations, and biases of 32 bits at the scale of the accumulators."""
    if dataset.input_format.width > INTEGER_BITS:
        raise RecipeError(
            f'quantize.method = "full-integer" needs inputs of at most {INTEGER_BITS} bits, but data.input_format is '
            f"{dataset.input_format}"
        )
    inputs, x = scaled_inputs(dataset.n_in, dataset.network_scaling)
    fractional = dataset.input_format.fractional - _lowest_shift(dataset)
    for layer in _layers(model, recipe, dataset):
        kernel = _kernel_quantizer(layer, recipe, INTEGER_BITS)
        shifts = kernel.fractional + fractional
        bias = None if layer.bias is None else _bias_quantizer(shifts)
        x = _dense(layer, kernel, bias)(x)
        if layer.part.activation != "linear":
            activation = _activation(layer, recipe, INTEGER_BITS)
            fractional = activation.activation.format.fractional
            x = activation(x)
        else:
            fractional = int(np.max(shifts))
    return _with_weights(keras.Model(inputs, x, name="student"), model)


def _dynamic(model: keras.Model, recipe: Recipe, dataset: Dataset) -> keras.Model:
    """DQ: weights at the widths of the recipe with float scales; biases and activations stay float."""
    inputs, x = scaled_inputs(dataset.n_in, dataset.network_scaling)
    for index, layer in enumerate(_layers(model, recipe, dataset)):
        width = _width(layer.part.weight, f"student.layers.{index}.weight")
        x = _dense(layer, FloatScaleQuantizer(width, recipe.quantize.per_channel), None)(x)
        if layer.part.rectifies:
            x = keras.layers.ReLU(name=f"activation_{index}")(x)
    return _with_weights(keras.Model(inputs, x, name="student"), model)


QUANTIZERS: Mapping[str, Callable[[keras.Model, Recipe, Dataset], keras.Model]] = {
    "qat": _as_it_is,
    "none": _as_it_is,
    "ptq": _calibrated,
    "full-integer": _full_integer,
    "dynamic": _dynamic,
}
"""`quantize.method` -> what happens to a student after its training."""


def _layers(model: keras.Model, recipe: Recipe, dataset: Dataset) -> list[Trained]:
    """The dense layers of a float student, with what they answer on training samples."""
    dense = dense_layers(model)
    behind = [*(layer.input for layer in dense[1:]), model.output]
    samples = recipe.quantize.samples or DEFAULT_SAMPLES
    rows = np.unique(np.linspace(0, len(dataset.train) - 1, samples).astype(np.int64))
    answers = keras.Model(model.input, behind)(dataset.real(dataset.train.x[rows]), training=False)
    answers = answers if isinstance(answers, list | tuple) else [answers]
    return [
        Trained(layer.name, part, np.asarray(layer.kernel), _bias(layer), np.asarray(answer))
        for layer, part, answer in zip(dense, recipe.weighted_layers, answers, strict=True)
    ]


def _lowest_shift(dataset: Dataset) -> int:
    """By how much the network shifts the inputs of the finest LSB; 0 where it does not scale them."""
    return int(dataset.network_scaling.shift.min()) if dataset.network_scaling else 0


def _bias(layer: Any) -> Array | None:
    return np.asarray(layer.bias) if layer.use_bias else None


def _width(quantizer: Quantizer, where: str) -> int:
    """The bits of a quantizer whose range calibration chooses.

    Raises:
        RecipeError: it has no range to choose.
    """
    if quantizer.has_range:
        return quantizer.width
    raise RecipeError(
        f"{where}={quantizer} has no range that calibration could choose; after the training take quantized_bits, "
        'quantized_relu or ap_fixed, or train it with quantize.method = "qat"'
    )


def fractional_bits_of(values: Array, quantize: QuantizeRecipe, signed: bool, width: int) -> int:
    """The fractional bits that calibration chooses for numbers.

    Args:
        values: what the format will hold, any shape.
        quantize: its `calibration` and `percentile` are read.
        signed: whether the format goes below 0.
        width: bits of the format.
    """
    choose = CALIBRATIONS[quantize.calibration or DEFAULT_CALIBRATION]
    return choose(values, signed, width, quantize.percentile or DEFAULT_PERCENTILE)


def _kernel_quantizer(layer: Trained, recipe: Recipe, width: int) -> ChannelQuantizer:
    columns = list(layer.kernel.T) if recipe.quantize.per_channel else [layer.kernel]
    return ChannelQuantizer(
        True, width, [fractional_bits_of(column, recipe.quantize, True, width) for column in columns]
    )


def _plain(values: Array, width: int) -> FixedPointQuantizer:
    """Biases are few, none of them saturates."""
    return FixedPointQuantizer(saturating(True, width, min_max(values, True, width, 100)))


def _bias_quantizer(shifts: npt.NDArray[np.int64]) -> ChannelQuantizer:
    return ChannelQuantizer(True, INTEGER_BIAS_BITS, [int(shift) for shift in np.atleast_1d(shifts)])


def _activation(layer: Trained, recipe: Recipe, width: int) -> Any:
    relu = layer.part.rectifies
    form = saturating(not relu, width, fractional_bits_of(layer.answers, recipe.quantize, not relu, width))
    return qkeras.QActivation(FixedPointQuantizer(form, relu), name=layer.name.replace("dense", "activation"))


def _dense(layer: Trained, kernel: Any, bias: Any) -> Any:
    return qkeras.QDense(
        layer.kernel.shape[1],
        kernel_quantizer=kernel,
        bias_quantizer=bias,
        use_bias=layer.bias is not None,
        kernel_initializer="zeros",
        name=layer.name,
    )


def _with_weights(quantized: keras.Model, model: keras.Model) -> keras.Model:
    for layer in dense_layers(quantized):
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return quantized
