"""What a sweep can change: short names for what is set in several places, and every key of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from qap.errors import RecipeError
from qap.fixed import FixedPoint
from qap.recipe import Recipe
from qap.recipe.quantizer import Quantizer

Change = Callable[[Recipe, Any], list[str]]
"""A recipe and a value -> assignments for `Recipe.override`."""


def weight_bits(recipe: Recipe, bits: Any) -> list[str]:
    """The weights of all layers get so many bits, in the range that they have."""
    return [
        f"{where}={_with_width(layer.weight, bits, where)}"
        for index, layer in enumerate(recipe.weighted_layers)
        for where in [f"student.layers.{index}.weight"]
    ]


def activation_bits(recipe: Recipe, bits: Any) -> list[str]:
    """The activations of all layers that have a format get so many bits, in the range that they have."""
    return [
        f"{where}={_with_width(layer.activation, bits, where)}"
        for index, layer in enumerate(recipe.weighted_layers)
        if layer.activation != "linear"
        for where in [f"student.layers.{index}.activation"]
    ]


def input_bits(recipe: Recipe, bits: Any) -> list[str]:
    """The inputs get so many bits, in the range that they have."""
    if recipe.data.input_format is None:
        raise RecipeError("axes.input_bits needs the range of the inputs: set data.input_format in the recipe")
    return [f"data.input_format={_format(recipe.data.input_format, bits, 'axes.input_bits')}"]


def precision_width(recipe: Recipe, bits: Any) -> list[str]:
    """The float layers of an imported model get so many bits, W of their `ap_fixed<W,I>`."""
    form = _precision(recipe, "axes.precision_width")
    return [f"model.precision={_format(form, bits, 'axes.precision_width')}"]


def precision_integer(recipe: Recipe, bits: Any) -> list[str]:
    """The float layers of an imported model get so many integer bits, I of their `ap_fixed<W,I>`."""
    if isinstance(bits, bool) or not isinstance(bits, int):
        raise RecipeError(f"axes.precision_integer: integer bits are a whole number, but got {bits!r}")
    form = _precision(recipe, "axes.precision_integer")
    return [f"model.precision={replace(form, integer=bits)}"]


def distillation(recipe: Recipe, method: Any) -> list[str]:
    """The method of distillation, or none."""
    return ["distill="] if method == "none" else [f"distill.method={method}"]


def units(recipe: Recipe, hidden: Any) -> list[str]:
    """The neurons of the hidden layers."""
    count = len(recipe.weighted_layers) - 1
    if not isinstance(hidden, list | tuple) or len(hidden) != count:
        raise RecipeError(
            f"axes.units: a value is a list of {count} numbers, one for each hidden layer, but got {hidden!r}"
        )
    return [f"student.layers.{index}.units={n}" for index, n in enumerate(hidden)]


def _key(key: str) -> Change:
    return lambda recipe, value: [f"{key}={_toml(value)}"]


RESIZED: Mapping[str, Change] = {
    "weight_bits": weight_bits,
    "activation_bits": activation_bits,
    "input_bits": input_bits,
    "precision_integer": precision_integer,
    "precision_width": precision_width,
}
"""Short names that change formats as they find them, one after the other in this order."""
AXES: Mapping[str, Change] = {
    **RESIZED,
    "distillation": distillation,
    "units": units,
    "sparsity": _key("prune.sparsity"),
    "strategy": _key("target.strategy"),
    "reuse_factor": _key("target.reuse_factor"),
    "part": _key("target.part"),
    "clock_ns": _key("target.clock_ns"),
}
"""Short names; any other name is a dotted key of the recipe."""


def changed(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    """The recipe of a point.

    Args:
        recipe: where all points start.
        values: by axis; a table stands for several axes that change together.

    Raises:
        RecipeError: an axis or a value is not possible.
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= value if isinstance(value, Mapping) else {name: value}
    keys = [name for name in flat if name not in RESIZED]
    recipe = recipe.override(each for name in keys for each in AXES.get(name, _key(name))(recipe, flat[name]))
    for name in (each for each in RESIZED if each in flat):
        recipe = recipe.override(RESIZED[name](recipe, flat[name]))
    return recipe


def _precision(recipe: Recipe, where: str) -> FixedPoint:
    """The format of an imported model's float layers, that of hls4ml where the recipe has none."""
    if recipe.model is None:
        raise RecipeError(f"{where} is for float layers of an imported [model]; {recipe.name!r} has a [student]")
    return recipe.model.precision or FixedPoint(True, 16, 6)


def _with_width(quantizer: Quantizer, bits: Any, where: str) -> Quantizer:
    if not quantizer.has_range:
        raise RecipeError(f"{where}={quantizer} has no bits to set; write quantized_bits(N,...) or ap_fixed<>")
    width = {"format": _format(quantizer.format, bits, where)} if quantizer.name == "fixed_point" else {"bits": bits}
    return Quantizer(quantizer.name, {**quantizer.arguments, **width})


def _format(form: FixedPoint, bits: Any, where: str) -> FixedPoint:
    if isinstance(bits, bool) or not isinstance(bits, int) or bits < 1:
        raise RecipeError(f"{where}: bits are a whole number from 1 on, but got {bits!r}")
    return FixedPoint(form.signed, bits, form.integer, form.rounding, form.overflow)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)
