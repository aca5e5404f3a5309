"""The points of a sweep, and which of them share a network."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qap import __version__
from qap.errors import RecipeError
from qap.explore.sweep.axes import changed
from qap.explore.sweep.spec import Sweep, base_recipe
from qap.recipe import Recipe, parse_recipe

MANY = 100_000
FREE_WIDTHS = {"weight": "quantized_bits(8,0,alpha=1)", "bias": "quantized_bits(8,2,alpha=1)"}


@dataclass(frozen=True, slots=True)
class Point:
    """One point.

    Args:
        index: its place in the sweep, from 0 on.
        values: by axis, as the file of the sweep has them.
        recipe: everything that decides it.
        key: a digest of that, of the estimator and of the version; equal keys are equal results.
    """

    index: int
    values: dict[str, Any]
    recipe: Recipe
    key: str

    @property
    def network_key(self) -> str:
        """A digest of what decides the network; points that differ in the target alone share it."""
        return _digest(self.recipe.model_dump(mode="json", exclude={"name", "target", "rtl", "accuracy_floor"}))


def points_of(sweep: Sweep) -> list[Point]:
    """All points, checked.

    Raises:
        RecipeError: a point has no possible recipe; the message names its values.
    """
    base = base_recipe(sweep)
    if base.student is not None and sweep.training == "ptq" and base.quantize.method not in ("ptq", "full-integer"):
        base = base.override(["quantize.method=ptq"])
    return [_point(sweep, base, index, values) for index, values in enumerate(_values(sweep))]


def float_recipe(recipe: Recipe) -> Recipe:
    """The recipe of the float student that PTQ starts from; the same for all points that only quantize differently."""
    content = recipe.model_dump(mode="json", exclude_none=True, exclude={"target", "rtl", "accuracy_floor", "quantize"})
    for layer, part in zip(content["student"]["layers"], recipe.weighted_layers, strict=True):
        layer["weight"] = FREE_WIDTHS["weight"]
        layer["bias"] = "none" if part.bias == "none" else FREE_WIDTHS["bias"]
        layer["activation"] = "quantized_relu(8,3)" if part.rectifies else "linear"
    return parse_recipe({**content, "quantize": {"method": "none"}}, recipe.name)


def teacher_recipe(recipe: Recipe) -> Recipe:
    """The recipe of a run that is made for its teacher; the same for all points whose teacher is the same."""
    bare = recipe.model_dump(mode="json", exclude_none=True, include={"name", "seed", "data", "teacher", "student"})
    student = recipe.student_to_train
    last = student.shape[-1]
    if student.is_tables:
        bare["student"] = {"kind": "tables", "tables": [last], "fan_in": 2, "thresholds": 1}
    else:
        bare["student"] = {"layers": [{"units": last, "weight": FREE_WIDTHS["weight"]}]}
    return parse_recipe(bare, recipe.name)


def recipe_key(recipe: Recipe) -> str:
    """A digest of a whole recipe, short enough for a folder's name."""
    return _digest(recipe.model_dump(mode="json"))[:16]


def _values(sweep: Sweep) -> Iterator[dict[str, Any]]:
    names, lists = list(sweep.axes), list(sweep.axes.values())
    if sweep.draw is None:
        for values in itertools.product(*lists):
            yield dict(zip(names, values, strict=True))
        return
    grid = 1
    for values in lists:
        grid *= len(values)
    places = random.Random(sweep.draw.seed).sample(range(grid), sweep.size)
    for place in places:
        drawn: dict[str, Any] = {}
        for name, choices in zip(reversed(names), reversed(lists), strict=True):
            place, which = divmod(place, len(choices))
            drawn[name] = choices[which]
        yield {name: drawn[name] for name in names}


def _point(sweep: Sweep, base: Recipe, index: int, values: dict[str, Any]) -> Point:
    try:
        recipe = changed(base, values).in_folder(Path())  # a worker may be in another folder
    except RecipeError as error:
        shown = ", ".join(f"{name}={value}" for name, value in values.items())
        raise RecipeError(f"{sweep.name}, the point {shown}: {str(error).removeprefix('--set: ')}") from None
    key = _digest([recipe.model_dump(mode="json"), sweep.training, sweep.estimator, sweep.synth])
    return Point(index, values, recipe, key[:16])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps([__version__, content], sort_keys=True).encode()).hexdigest()
