"""The file of a sweep: a recipe, what of it changes, and how every point is trained."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import Field

from qap.data.vectors import KIND as RANDOM_VECTORS
from qap.errors import RecipeError, did_you_mean
from qap.recipe import Recipe, load_recipe
from qap.recipe.reading import checked, read_toml
from qap.recipe.values import Part, Positive

BUILTIN = resources.files("qap.explore.sweep") / "builtin"


class DrawRecipe(Part):
    """A random part of the grid."""

    points: Positive
    seed: Annotated[int, Field(ge=0, lt=2**32, strict=True)] = 0


class Sweep(Part):
    """A grid over a recipe, or a random draw from it.

    Example:
        >>> load_sweep("bits-mnist-1v9").size
        77
    """

    name: Annotated[str, Field(min_length=1)]
    recipe: Annotated[str, Field(min_length=1)]
    """A built-in recipe, or a file beside that of the sweep."""
    set: tuple[str, ...] = ()
    """Changes of the recipe that hold for all points, `key=value`."""
    training: Literal["ptq", "qat"] = "ptq"
    """Quantize one trained float student anew for each point, or train each."""
    axes: Annotated[dict[str, tuple[Any, ...]], Field(min_length=1)]
    """What changes: short names (`weight_bits`), keys of the recipe (`prune.every`), any name with tables of both."""
    draw: DrawRecipe | None = None
    """None takes the whole grid."""
    estimator: str = "hls4ml"
    synth: bool = False
    """Whether every network is also synthesized by Yosys for the recipe's rtl.target."""

    def changes(self, before: Sweep) -> list[str]:
        """The keys by which this is another sweep than an earlier one; more values on an axis are none."""
        names = {"set", "training", "draw", "estimator", "synth", "name"}
        changed = [key for key in Sweep.model_fields if key in names and getattr(self, key) != getattr(before, key)]
        if Path(self.recipe).name != Path(before.recipe).name:  # its folder may have been moved
            changed.append("recipe")
        if self.axes.keys() != before.axes.keys():
            return [*changed, "axes"]
        lost = [name for name, values in before.axes.items() if any(each not in self.axes[name] for each in values)]
        return [*changed, *(f"axes.{name}" for name in lost)]

    @property
    def size(self) -> int:
        """Points."""
        grid = 1
        for values in self.axes.values():
            grid *= len(values)
        return grid if self.draw is None else min(grid, self.draw.points)

    def to_toml(self) -> str:
        """The sweep as TOML."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def builtin_sweeps() -> list[str]:
    """The names of the sweeps that come with the package."""
    return sorted(item.name.removesuffix(".toml") for item in BUILTIN.iterdir() if item.name.endswith(".toml"))


def load_sweep(name_or_path: str) -> Sweep:
    """Read a built-in sweep by name, or a TOML file; the recipe of a file is found beside it.

    Raises:
        RecipeError: there is no such sweep, or it is not possible.
    """
    if name_or_path in builtin_sweeps():
        return parse_sweep(tomllib.loads((BUILTIN / f"{name_or_path}.toml").read_text(encoding="utf-8")), name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise RecipeError(
            f"no sweep {name_or_path!r}{did_you_mean(name_or_path, builtin_sweeps())}; a file ends in .toml"
        )
    sweep = parse_sweep(read_toml(path, "sweep"), str(path))
    beside = path.parent.absolute() / sweep.recipe
    return sweep.model_copy(update={"recipe": str(beside)}) if beside.suffix == ".toml" and beside.exists() else sweep


def parse_sweep(content: Mapping[str, Any], source: str) -> Sweep:
    """Check the content of a sweep.

    Raises:
        RecipeError: one line that names the first key that is wrong and what is allowed.
    """
    sweep = checked(Sweep, content, source)
    empty = [name for name, values in sweep.axes.items() if not values]
    if empty:
        raise RecipeError(f"{source}: axes.{empty[0]} has no values, so the sweep has no points")
    return sweep


def base_recipe(sweep: Sweep) -> Recipe:
    """The recipe that all points start from.

    Raises:
        RecipeError: there is none, a change of it is not possible, or its data have no labels to judge by.
    """
    recipe = load_recipe(sweep.recipe).override(sweep.set)
    if recipe.data.name.startswith(f"{RANDOM_VECTORS}:"):
        raise RecipeError(
            f"{sweep.name}: a sweep judges by accuracy, but the data of {recipe.name!r}, {recipe.data.name}, have no "
            "labels; set data.name"
        )
    return recipe
