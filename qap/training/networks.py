"""The Keras models: a float teacher and a quantized student, both MLPs on logits."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import qkeras
from qkeras.utils import _add_supported_quantized_objects  # qkeras.utils itself is hidden by keras.utils

from qap.data import Scaling
from qap.errors import DataError, RecipeError, first_line
from qap.files import write_with
from qap.recipe import LayerRecipe, Recipe, StudentRecipe, TeacherRecipe
from qap.training.quantization import FixedPointQuantizer, keras_quantizer

CHANNELS = (16, 32, 48)
SMALLEST_SIDE = 4
"""Of an image that is still pooled."""


def scaled_inputs(n_in: int, scaling: Scaling | None = None) -> tuple[Any, Any]:
    """The inputs of a model, and what its first layer reads: the same, or what the network makes of them.

    Args:
        n_in: inputs.
        scaling: that the network computes, None without.
    """
    inputs = keras.Input((n_in,), name="inputs")
    if scaling is None:
        return inputs, inputs
    return inputs, keras.layers.Rescaling(*scaling.line, name="scaling")(inputs)


def build_teacher(
    recipe: TeacherRecipe,
    n_in: int,
    n_classes: int,
    image_shape: tuple[int, int] | None = None,
    *,
    seed: int = 0,
    scaling: Scaling | None = None,
) -> keras.Model:
    """A float MLP: Dense and ReLU, dropout after each hidden layer, logits; of kind "cnn" with convolutions before it.

    Args:
        recipe: hidden layers and dropout.
        n_in: inputs.
        n_classes: logits.
        image_shape: (height, width) of a sample, which convolutions need.
        seed: of the initial weights and of the dropout.
        scaling: that the network computes.
    """
    seeds = _seeds(seed)
    inputs, x = scaled_inputs(n_in, scaling)
    if recipe.kind == "cnn" and image_shape is not None:
        x = _convolved(x, recipe, image_shape, seeds)
    for index, units in enumerate(recipe.units):
        initializer = keras.initializers.HeNormal(next(seeds))
        x = keras.layers.Dense(units, "relu", kernel_initializer=initializer, name=f"dense_{index}")(x)
        if recipe.dropout:
            x = keras.layers.Dropout(recipe.dropout, seed=next(seeds), name=f"dropout_{index}")(x)
    initializer = keras.initializers.GlorotUniform(next(seeds))
    logits = keras.layers.Dense(n_classes, kernel_initializer=initializer, name="logits")(x)
    return keras.Model(inputs, logits, name="teacher")


def _convolved(x: Any, recipe: TeacherRecipe, image_shape: tuple[int, int], seeds: Iterator[int]) -> Any:
    """Convolutions of 3x3, each but the last pooled by 2 and normalized, and dropout behind them."""
    channels = recipe.channels or CHANNELS
    x = keras.layers.Reshape((*image_shape, 1), name="image")(x)
    for index, count in enumerate(channels):
        initializer = keras.initializers.HeNormal(next(seeds))
        x = keras.layers.Conv2D(
            count, 3, padding="same", activation="relu", kernel_initializer=initializer, name=f"conv_{index}"
        )(x)
        if index < len(channels) - 1:
            if min(x.shape[1:3]) >= SMALLEST_SIDE:
                x = keras.layers.MaxPooling2D(name=f"pool_{index}")(x)
            x = keras.layers.BatchNormalization(name=f"norm_{index}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.layers.Dropout(recipe.dropout, seed=next(seeds), name="dropout")(x) if recipe.dropout else x


def untrained_student(
    recipe: Recipe,
    n_in: int,
    n_classes: int,
    *,
    generation: int = 0,
    scaling: Scaling | None = None,
) -> keras.Model:
    """The student as its training begins: quantized, or float when it is quantized after the training.

    Args:
        recipe: its `student`, `quantize` and `seed` are read.
        n_in: inputs.
        n_classes: logits.
        generation: another one has other initial weights.
        scaling: that the network computes.
    """
    build = build_float_student if recipe.quantize.trains_float else build_student
    return build(recipe.student_to_train, n_in, n_classes, seed=recipe.seed + generation, scaling=scaling)


def build_float_student(
    recipe: StudentRecipe,
    n_in: int,
    n_classes: int,
    *,
    seed: int = 0,
    scaling: Scaling | None = None,
) -> keras.Model:
    """The student's architecture without its formats: Dense layers, with ReLU where an activation has one.

    Args:
        recipe: the layers; of an activation only matters whether negative numbers pass.
        n_in: inputs.
        n_classes: logits.
        seed: of the initial weights.
        scaling: that the network computes.

    Raises:
        RecipeError: the last layer has not one unit for each class.
    """
    _check_last(recipe, n_classes)
    seeds = _seeds(seed)
    inputs, x = scaled_inputs(n_in, scaling)
    for index, layer in enumerate(recipe.layers):
        x = keras.layers.Dense(
            layer.units,
            use_bias=layer.bias != "none",
            kernel_initializer=keras.initializers.HeNormal(next(seeds)),
            name=f"dense_{index}",
        )(x)
        if layer.rectifies:
            x = keras.layers.ReLU(name=f"activation_{index}")(x)
    return keras.Model(inputs, x, name="student")


def dense_layers(model: keras.Model) -> list[Any]:
    """The layers of a model that have a kernel, in order: Dense and QDense."""
    return [layer for layer in model.layers if hasattr(layer, "kernel")]


def without_dead_neurons(model: keras.Model, recipe: Recipe, n_in: int, scaling: Scaling | None = None) -> keras.Model:
    """The same answers from smaller layers: hidden neurons that nobody reads are gone.

    Args:
        model: a trained student of the recipe.
        recipe: its `student` and `quantize` are read.
        n_in: inputs.
        scaling: that the network computes.
    """
    layers = dense_layers(model)
    kernels = [np.asarray(layer.kernel) for layer in layers]
    alive = [np.flatnonzero(kernel.any(axis=1)) for kernel in kernels[1:]] + [np.arange(kernels[-1].shape[1])]
    units = tuple(
        part.model_copy(update={"units": int(kept.size)})
        for part, kept in zip(recipe.weighted_layers, alive, strict=True)
    )
    smaller = recipe.model_copy(update={"student": recipe.student_to_train.model_copy(update={"layers": units})})
    shrunk = untrained_student(smaller, n_in, units[-1].units, scaling=scaling)
    reads = [np.arange(n_in), *alive[:-1]]
    for layer, rows, columns in zip(layers, reads, alive, strict=True):
        kernel, *bias = layer.get_weights()
        shrunk.get_layer(layer.name).set_weights([kernel[np.ix_(rows, columns)], *(each[columns] for each in bias)])
    return shrunk


def mean_of(models: list[keras.Model], n_in: int) -> keras.Model:
    """A model whose logits are the mean of those of others; of a single one, itself."""
    if len(models) == 1:
        return models[0]
    inputs = keras.Input((n_in,), name="inputs")
    for index, model in enumerate(models):
        model.name = f"member_{index}"
    return keras.Model(inputs, keras.layers.Average(name="mean")([model(inputs) for model in models]), name="teacher")


def build_student(
    recipe: StudentRecipe,
    n_in: int,
    n_classes: int,
    *,
    seed: int = 0,
    scaling: Scaling | None = None,
) -> keras.Model:
    """A quantized MLP: QDense `dense_0`, QActivation `activation_0`, ..., logits.

    Args:
        recipe: the layers with their formats.
        n_in: inputs.
        n_classes: logits.
        seed: of the initial weights.
        scaling: that the network computes.

    Raises:
        RecipeError: the last layer has not one unit for each class.
    """
    _check_last(recipe, n_classes)
    seeds = _seeds(seed)
    inputs, x = scaled_inputs(n_in, scaling)
    for index, layer in enumerate(recipe.layers):
        x = _dense(layer, f"dense_{index}", next(seeds))(x)
        if layer.activation != "linear":
            x = qkeras.QActivation(keras_quantizer(layer.activation), name=f"activation_{index}")(x)
    return keras.Model(inputs, x, name="student")


def save_model(model: keras.Model, path: Path) -> None:
    """Write a model as a `.keras` file, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    write_with(path, model.save)


def load_model(path: Path) -> keras.Model:
    """Read a `.keras` file in Keras' safe mode: no code in it is run.

    Raises:
        DataError: it cannot be read, or is not a model that is known here.
    """
    if path.exists() and not zipfile.is_zipfile(path):
        raise DataError(f"cannot load the model {path}: it is damaged, or no .keras file")
    try:
        return keras.saving.load_model(path, custom_objects=_custom_objects(), compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise: ValueError, TypeError, KeyError, OSError...
        raise DataError(f"cannot load the model {path}: {first_line(error)}") from error


def _check_last(recipe: StudentRecipe, n_classes: int) -> None:
    last = len(recipe.layers) - 1
    if recipe.layers[last].units != n_classes:
        raise RecipeError(
            f"student.layers.{last}.units is {recipe.layers[last].units}, but the data has {n_classes} classes; "
            "the last layer needs one unit for each"
        )


def _dense(layer: LayerRecipe, name: str, seed: int) -> Any:
    kernel = keras_quantizer(layer.weight)
    bias = None if layer.bias == "none" else keras_quantizer(layer.bias)
    return qkeras.QDense(
        layer.units,
        kernel_quantizer=kernel,
        bias_quantizer=bias,
        use_bias=bias is not None,
        kernel_initializer=keras.initializers.HeNormal(seed),
        kernel_constraint=_within_range(kernel),
        bias_constraint=_within_range(bias),
        name=name,
    )


def _within_range(quantizer: Any) -> Any:
    """Where saturation stops the gradient a parameter outside of the range could never come back."""
    if not isinstance(quantizer, FixedPointQuantizer):
        return None  # QKeras' own constraint
    return qkeras.Clip(quantizer.min(), quantizer.max())


def _seeds(seed: int) -> Iterator[int]:
    """A stream of seeds, so that no two layers start from the same numbers."""
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31))


def _custom_objects() -> dict[str, Any]:
    known: dict[str, Any] = {}
    _add_supported_quantized_objects(known)
    return known
