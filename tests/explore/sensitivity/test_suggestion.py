"""Suggestions: the cheapest that the budget allows, measured, and written as a recipe that can be read."""

from itertools import product

import numpy as np
import pytest
from support.layered import column, network_of, random_case

from qap.data import Split
from qap.errors import QapError, RecipeError
from qap.explore.sensitivity.measure import AS_TRAINED, Change, changed, count_correct, sensitivity
from qap.explore.sensitivity.suggestion import Option, fewest_adders, suggest, suggested_recipe
from qap.network.csd import adders
from qap.recipe import load_recipe, parse_recipe


def recipe_of(*weights, units=(5, 2), **prune):
    layers = [{"units": n, "weight": weight} for n, weight in zip(units, weights, strict=True)]
    return parse_recipe({"name": "r", "student": {"layers": layers}, "prune": prune}, "test")


@pytest.mark.parametrize("seed", range(5))
def test_the_choice_is_the_cheapest_of_all_that_the_budget_allows(seed):
    rng = np.random.default_rng(seed)
    options = [
        [Option(AS_TRAINED, 0, 50), *(Option(AS_TRAINED, *map(int, rng.integers(0, 50, 2))) for _ in range(6))]
        for _ in range(3)
    ]
    for allowed in (0, 7, 30, 1000):
        choice = fewest_adders(options, allowed)
        assert sum(option.lost for option in choice) <= allowed
        possible = [each for each in product(*options) if sum(option.lost for option in each) <= allowed]
        assert sum(option.adders for option in choice) == min(sum(o.adders for o in each) for each in possible)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("budget", [0.0, 0.5, 5.0, 100.0])
def test_the_measured_drop_stays_inside_of_the_budget(seed, budget):
    network, split = random_case(seed)
    found = sensitivity(network, split)
    suggestion = suggest(network, found, split, budget)
    smaller = changed(network, dict(enumerate(suggestion.changes)))
    assert suggestion.measured_points <= budget
    assert suggestion.accuracy == count_correct(smaller, split) / len(split)
    assert suggestion.adders == adders(smaller) <= suggestion.adders_as_trained == adders(network)
    assert (suggestion.nonzeros, suggestion.nonzeros_as_trained) == (smaller.nonzeros, network.nonzeros)
    assert all(layer.weight.any() for layer in smaller.layers)


@pytest.mark.parametrize("seed", range(4))
def test_a_part_of_a_sample_is_not_lost(seed):
    """0.9 points of 200 samples are 1.8: one decision may go, as for 0.5 points, not two, as for 1."""
    network, split = random_case(seed)
    found = sensitivity(network, split)
    one, between, two = (suggest(network, found, split, budget) for budget in (0.5, 0.9, 1.0))
    assert (between.changes, between.adders) == (one.changes, one.adders)
    assert between.summed_points <= 0.5
    assert two.summed_points <= 1
    assert two.adders <= one.adders
    assert seed or two.adders < one.adders  # of the first one a second decision would buy something


def test_drops_that_do_not_add_up_are_noticed_and_the_change_that_saves_least_is_taken_back():
    # two paths, each enough alone: pruning breaks another one in each layer
    network = network_of([[4, 3]], column(3, 4))
    split = Split(np.array([[0], [1], [2], [3]], np.uint8), np.array([0, 1, 1, 1]))
    found = sensitivity(network, split, sparsities=(0.5,), most_bits=1)
    assert [found.drop(layer.by_sparsity[0]) for layer in found.layers] == [0, 0]
    both = changed(network, {0: Change(0.5), 1: Change(0.5)})
    assert count_correct(both, split) == 1
    suggestion = suggest(network, found, split, 0.0)
    assert suggestion.changes == (AS_TRAINED, Change(0.5))
    assert (suggestion.measured_points, suggestion.accuracy) == (0, 1)


@pytest.mark.parametrize("budget", [-0.1, 100.1, float("nan"), float("inf")])
def test_budgets_that_are_none(budget):
    network, split = random_case(0)
    with pytest.raises(QapError, match=r"from 0 to 100 percentage points of accuracy, but got (-0.1|100.1|nan|inf)"):
        suggest(network, sensitivity(network, split), split, budget)


def test_weights_without_a_zero_are_not_pruned():
    network, split = random_case(3)
    recipe = recipe_of("binary()", 4)
    suggestion = suggest(network, sensitivity(network, split), split, 100.0, recipe=recipe)
    assert suggestion.changes[0].sparsity is None
    assert suggestion.changes[1].sparsity is not None
    written = suggested_recipe(recipe, network, suggestion, "small")
    assert written.student.layers[0].sparsity in (0, None) or written.student.layers[0].weight.name == "quantized_bits"


def test_the_recipe_holds_what_is_suggested_and_is_read_back(tmp_path):
    network, split = random_case(2)
    recipe = recipe_of(4, 6, sparsity=0.3)
    suggestion = suggest(network, sensitivity(network, split), split, 8.0, recipe=recipe)
    assert any(change != AS_TRAINED for change in suggestion.changes)
    written = suggested_recipe(recipe, network, suggestion, "small")
    path = tmp_path / "small.toml"
    path.write_text(written.to_toml())
    assert load_recipe(path) == written
    assert (written.name, written.prune.scope) == ("small", "layer")
    for old, new, change, layer in zip(
        recipe.student.layers, written.student.layers, suggestion.changes, network.layers, strict=True
    ):
        assert new.units == layer.n_out
        assert str(new.weight) == (f"quantized_bits({change.bits},3,alpha=1)" if change.bits else str(old.weight))
        zeros = (changed(network, dict(enumerate(suggestion.changes))).layers[0].weight == 0).mean()
        assert 0 <= new.sparsity <= max(zeros, change.sparsity or 0, (layer.weight == 0).mean())
        if change.sparsity is not None:
            assert new.sparsity == change.sparsity


def test_what_the_suggestion_replaces_is_left_out():
    network, split = random_case(2)
    suggestion = suggest(network, sensitivity(network, split), split, 8.0)
    shrunk = recipe_of(4, 6, units=(10, 2), granularity="neuron", sparsity=0.5)
    assert [layer.units for layer in suggested_recipe(shrunk, network, suggestion, "s").student.layers] == [5, 2]
    assert suggested_recipe(shrunk, network, suggestion, "s").prune.granularity == "weight"
    narrow = recipe_of(4, 6, granularity="fan-in", fan_in=3)
    assert suggested_recipe(narrow, network, suggestion, "s").prune.fan_in is None
    integer = narrow.model_copy(update={"quantize": narrow.quantize.model_copy(update={"method": "full-integer"})})
    assert suggested_recipe(integer, network, suggestion, "s").quantize.method == "qat"


def test_a_recipe_of_other_layers_is_refused():
    network, split = random_case(2)
    suggestion = suggest(network, sensitivity(network, split), split, 1.0)
    with pytest.raises(RecipeError, match="the network has 2 layers, but the recipe 'r' has 1"):
        suggested_recipe(recipe_of(4, units=(2,)), network, suggestion, "small")
