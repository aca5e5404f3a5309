"""The recipes of the package keep their promises."""

from __future__ import annotations

import pytest
from support.needs import needs

needs("keras", "sklearn")

from qap.data import load
from qap.freezing import freeze
from qap.recipe import Recipe, builtin_recipes, load_recipe
from qap.training import train_student, train_teacher


def accuracy(network, split) -> float:
    return float((network.decide(network.forward(split.x)) == split.y).mean())


def run(recipe: Recipe):
    """The data and the integer network of a recipe."""
    wanted = recipe.data
    data = load(wanted.name, input_format=wanted.input_format, validation=wanted.validation, seed=recipe.seed)
    teacher = train_teacher(recipe, data)[0] if recipe.teacher else None
    model, _ = train_student(recipe, data, teacher)
    return data, freeze(model, data.input_format, data.class_names)


def test_there_are_five():
    assert {"digits", "fashion-mnist", "mnist", "mnist-1v9", "mnist-1v9-course"} <= set(builtin_recipes())


def test_the_demo_is_what_it_says():
    recipe = load_recipe("mnist-1v9")
    weights = [layer.weight for layer in recipe.student.layers]
    assert recipe.distill is not None
    assert recipe.prune.sparsity >= 0.9
    assert all(weight.width <= 6 for weight in weights)
    assert len(set(weights)) > 1


def test_the_course_recipe_is_the_published_one():
    recipe = load_recipe("mnist-1v9-course")
    layers = recipe.student.layers
    assert [layer.units for layer in layers] == [5, 7, 10, 2]
    assert {str(each) for layer in layers for each in (layer.weight, layer.bias)} == {"quantized_bits(8,3,alpha=1)"}
    assert [str(layer.activation) for layer in layers] == ["quantized_bits(16,6)"] * 3 + ["linear"]
    training = recipe.student
    assert (training.epochs, training.batch_size, training.learning_rate) == (32, 128, 1e-5)
    assert (recipe.prune.sparsity, recipe.prune.schedule, recipe.prune.end_step) == (0.2, "polynomial", 3000)
    assert recipe.teacher is None
    assert recipe.distill is None


def test_digits_is_learned_in_seconds():
    recipe = load_recipe("digits")
    data, network = run(recipe)
    assert accuracy(network, data.test) >= recipe.accuracy_floor >= 0.9


def test_digits_is_learned_by_tables_in_seconds():
    recipe = load_recipe("digits-tables")
    data, network = run(recipe)
    assert accuracy(network, data.test) >= recipe.accuracy_floor >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_demo_reaches_its_accuracy_with_every_seed(seed):
    data, network = run(load_recipe("mnist-1v9").override([f"seed={seed}"]))
    assert network.sparsity >= 0.9
    assert accuracy(network, data.test) >= 0.994


@pytest.mark.slow
def test_the_course_recipe_reaches_its_accuracy():
    data, network = run(load_recipe("mnist-1v9-course"))
    assert accuracy(network, data.test) >= 0.99
