"""A suggestion: fewer weights and fewer bits in each layer, for an accuracy budget.

Among all combinations of the measured changes whose drops add up to no more than the budget, the one
whose network takes the fewest adders is found exactly (dynamic programming over wrong decisions). Drops
of several layers need not add up, so the combination is measured, and tightened until it holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from qap.data import Split
from qap.errors import QapError, RecipeError
from qap.explore.sensitivity.measure import (
    AS_TRAINED,
    Change,
    Measured,
    Sensitivity,
    changed,
    changed_weight,
    count_correct,
    narrowed,
    signed_format,
)
from qap.network import IntegerNetwork
from qap.network.csd import adders, layer_adders
from qap.recipe import Recipe
from qap.recipe.quantizer import Quantizer

PLACES = 4
"""Decimals of a sparsity that is written into a recipe."""
STEPS = 32
"""Into so many parts the budget is cut while a combination is tightened."""


class Option(NamedTuple):
    """A change of one layer.

    Args:
        change: what is done.
        lost: more wrong decisions than as trained, by the sum of what pruning and rounding each lost; at least 0.
        adders: of the layer afterwards.
    """

    change: Change
    lost: int
    adders: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What each layer could do without.

    Args:
        budget_points: the percentage points of validation accuracy that may be lost.
        changes: one for each layer.
        summed_points: the drops of the single changes, added up.
        measured_points: the drop of the network with all of the changes; negative when accuracy is won.
        accuracy: of that network on the validation split, 0 to 1.
        adders: of that network.
        adders_as_trained: of the network as it was.
        nonzeros: weights and biases of that network that are not 0.
        nonzeros_as_trained: of the network as it was.
    """

    budget_points: float
    changes: tuple[Change, ...]
    summed_points: float
    measured_points: float
    accuracy: float
    adders: int
    adders_as_trained: int
    nonzeros: int
    nonzeros_as_trained: int


def checked_budget(points: float) -> float:
    """The same budget, in percentage points.

    Raises:
        QapError: it is not a number from 0 to 100.
    """
    if not 0 <= points <= 100:  # also refuses what is not a number
        raise QapError(f"the budget must be from 0 to 100 percentage points of accuracy, but got {points:g}")
    return points


def suggest(
    network: IntegerNetwork, found: Sensitivity, split: Split, budget_points: float, *, recipe: Recipe | None = None
) -> Suggestion:
    """Find what to leave out for a budget, and measure all of it together.

    Args:
        network: as it was frozen.
        found: its sensitivity on the same split.
        split: the validation split.
        budget_points: percentage points of accuracy that may be lost.
        recipe: of the network; weights whose quantizer has no zero are not pruned.

    Raises:
        QapError: the budget is not a number from 0 to 100.
    """
    allowed = math.floor(checked_budget(budget_points) * len(split) / 100 + 1e-9)
    prunable = [_has_zero(recipe, index) for index in range(len(found.layers))]
    options = [_options(network, found, index, allowed, can) for index, can in enumerate(prunable)]
    choice: list[Option] = []
    smaller, correct = network, found.correct
    for choice in _from_wide_to_tight(options, allowed):
        smaller = changed(network, {index: option.change for index, option in enumerate(choice)})
        correct = count_correct(smaller, split)
        if found.correct - correct <= allowed:
            break
    return Suggestion(
        budget_points,
        tuple(option.change for option in choice),
        100 * sum(option.lost for option in choice) / len(split),
        100 * (found.correct - correct) / len(split),
        correct / len(split),
        adders(smaller),
        adders(network),
        smaller.nonzeros,
        network.nonzeros,
    )


def fewest_adders(options: Sequence[Sequence[Option]], allowed: int) -> list[Option]:
    """One option of each layer: the fewest adders with at most `allowed` lost in all, and then the least lost.

    Args:
        options: of each layer; one of each must lose nothing.
        allowed: wrong decisions that may be added.
    """
    # best[k]: the cheapest choice so far that loses k decisions
    best: dict[int, tuple[int, list[Option]]] = {0: (0, [])}
    for layer in options:
        following: dict[int, tuple[int, list[Option]]] = {}
        for lost, (cost, choice) in best.items():
            for option in layer:
                total, price = lost + option.lost, cost + option.adders
                if total <= allowed and (total not in following or price < following[total][0]):
                    following[total] = (price, [*choice, option])
        best = following
    return min(best.items(), key=lambda item: (item[1][0], item[0]))[1][1]


def suggested_recipe(recipe: Recipe, network: IntegerNetwork, suggestion: Suggestion, name: str) -> Recipe:
    """The recipe with the suggested sparsity and weight format of each layer, to train anew.

    Args:
        recipe: of the run.
        network: as it was frozen.
        suggestion: what each layer could do without.
        name: of the new recipe.

    Raises:
        RecipeError: the network does not have the recipe's layers, or the result is not possible.
    """
    if len(network.layers) != len(recipe.weighted_layers):
        raise RecipeError(
            f"the network has {len(network.layers)} layers, but the recipe {recipe.name!r} has "
            f"{len(recipe.weighted_layers)}; a recipe can only be suggested where they are the same"
        )
    content = recipe.model_dump(mode="json", exclude_none=True)
    content["name"] = name
    if recipe.prune.granularity == "weight":
        content["prune"]["scope"] = "layer"
    else:
        content["prune"] = {"scope": "layer"}  # what is suggested are single weights of the neurons that are left
    if recipe.quantize.method == "full-integer":
        del content["quantize"]  # it has 8 bits, whatever the layers say
    layers = content["student"]["layers"]
    for index, (layer, change) in enumerate(zip(network.weighted, suggestion.changes, strict=True)):
        layers[index]["units"] = layer.n_out
        layers[index].pop("fan_in", None)
        quantizer = recipe.weighted_layers[index].weight
        if change.bits is not None:
            form = narrowed(signed_format(layer), change.bits)
            quantizer = Quantizer("quantized_bits", {"bits": form.width, "integer": form.integer - 1, "alpha": 1})
            layers[index]["weight"] = str(quantizer)
        weight = changed_weight(layer, change)
        zeros = (weight == 0).mean() if change.sparsity is None else change.sparsity
        share = _rounded_down(min(float(zeros), 1 - 1 / weight.size))
        layers[index]["sparsity"] = share if quantizer.has_zero else 0.0
    return type(recipe).model_validate(content)


def _rounded_down(share: float) -> float:
    return float(math.floor(share * 10**PLACES) / 10**PLACES)


def _has_zero(recipe: Recipe | None, index: int) -> bool:
    if recipe is None or recipe.student is None or index >= len(recipe.student.layers):
        return True
    return recipe.student.layers[index].weight.has_zero


def _options(network: IntegerNetwork, found: Sensitivity, index: int, allowed: int, prunable: bool) -> list[Option]:
    """What can be done to one layer within the budget; the first leaves it as it is."""
    layer, measured = network.weighted[index], found.layers[index]

    def lost(one: Measured) -> int:
        return max(0, found.correct - one.correct)

    sparsities: list[tuple[float | None, int]] = [(None, 0)]
    if prunable:
        sparsities += [(one.value, lost(one)) for one in measured.by_sparsity]
    bits: list[tuple[int | None, int]] = [(None, 0), *((int(one.value), lost(one)) for one in measured.by_bits)]
    options = [Option(AS_TRAINED, 0, layer_adders(layer))]
    for share, lost_weights in sparsities:
        for width, lost_bits in bits:
            change = Change(share, width)
            if change == AS_TRAINED or lost_weights + lost_bits > allowed:
                continue
            weight = changed_weight(layer, change)
            if weight.any():  # a layer without weights decides nothing
                options.append(Option(change, lost_weights + lost_bits, layer_adders(replace(layer, weight=weight))))
    return options


def _from_wide_to_tight(options: Sequence[Sequence[Option]], allowed: int) -> Iterator[list[Option]]:
    """The choices to measure: for the whole budget, for less and less of it, then with layer after layer as trained."""
    rest = allowed
    while rest >= 0:
        choice = fewest_adders(options, rest)
        yield choice
        rest = min(rest, sum(option.lost for option in choice)) - max(1, allowed // STEPS)
    saved = [layer[0].adders - option.adders for layer, option in zip(options, choice, strict=True)]
    for index in sorted(range(len(choice)), key=saved.__getitem__):
        choice = [*choice[:index], options[index][0], *choice[index + 1 :]]
        yield choice
