"""What each technique changes in a recipe, and what it leaves alone."""

import pytest

from qap.errors import RecipeError
from qap.explore.comparison.techniques import DEFAULT, TECHNIQUES, possible_techniques, technique_recipe
from qap.recipe import load_recipe, parse_recipe

LAYERS = [{"units": 8, "weight": 4, "activation": "quantized_relu(4,1)", "sparsity": 0.25}, {"units": 3, "weight": 5}]
BASE = {
    "name": "base",
    "seed": 7,
    "accuracy_floor": 0.5,
    "teacher": {"units": [16], "ensemble": 2},
    "student": {"layers": LAYERS, "epochs": 3},
    "prune": {"sparsity": 0.5, "scope": "layer", "method": "taylor", "every": 9},
    "distill": {"temperature": 3.0, "alpha": 0.8, "method": "born-again", "generations": 2},
}


def base(**changes):
    return parse_recipe({**BASE, **changes}, "test")


def plain(*, sparsity=None):
    first, second = LAYERS
    return [{**{key: value for key, value in first.items() if key != "sparsity"}, **(sparsity or {})}, second]


def summary(recipe):
    """(quantization, sparsity of what, distillation, teachers)."""
    prune = recipe.prune
    pruned = (prune.granularity, prune.sparsity) if prune.sparsity else None
    distill = recipe.distill.method if recipe.distill else None
    return recipe.quantize.method, pruned, distill, recipe.teacher.ensemble if recipe.teacher else 0


WEIGHTS, NEURONS = ("weight", 0.5), ("neuron", 0.5)
EXPECTED = {
    "float": ("none", None, None, 0),
    "pruned": ("none", WEIGHTS, None, 0),
    "structured": ("qat", NEURONS, None, 0),
    "ptq": ("ptq", None, None, 0),
    "dq": ("dynamic", None, None, 0),
    "fiq": ("full-integer", None, None, 0),
    "qat": ("qat", None, None, 0),
    "qap": ("qat", WEIGHTS, None, 0),
    "kd": ("qat", None, "offline", 1),
    "online": ("qat", None, "online", 1),
    "self": ("qat", None, "born-again", 0),
    "snapshots": ("qat", None, "snapshots", 0),
    "ensemble-kd": ("qat", None, "offline", 3),
    "qap+kd": ("qat", WEIGHTS, "offline", 1),
    "qap+online": ("qat", WEIGHTS, "online", 1),
    "pruned+ptq": ("ptq", WEIGHTS, None, 0),
    "pruned+kd": ("none", WEIGHTS, "offline", 1),
    "float+self": ("none", None, "born-again", 0),
    "structured+fiq+ensemble-kd": ("full-integer", NEURONS, "offline", 3),
    "qap + kd": ("qat", WEIGHTS, "offline", 1),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_technique_is_what_its_name_says(name):
    recipe = technique_recipe(base(), name, 9)
    assert summary(recipe) == EXPECTED[name]
    assert (recipe.name, recipe.seed, recipe.accuracy_floor) == (f"base {name}", 9, 0)
    assert [layer.weight for layer in recipe.student.layers] == [layer.weight for layer in base().student.layers]
    assert recipe.student.epochs == 3
    own = recipe.student.layers[0].sparsity
    assert own == (0.25 if EXPECTED[name][1] == WEIGHTS else None)
    if recipe.distill:
        alpha = 0.5 if recipe.distill.method == "online" else 0.8
        assert (recipe.distill.temperature, recipe.distill.alpha) == (3.0, alpha)


def test_every_technique_is_expected_somewhere():
    assert set(TECHNIQUES) <= set(EXPECTED)
    assert set(DEFAULT) <= set(EXPECTED)


def test_the_recipes_own_settings_are_kept_where_the_technique_uses_them():
    assert technique_recipe(base(), "qap", 0).prune == base().prune
    assert technique_recipe(base(), "self", 0).distill == base().distill
    assert technique_recipe(base(), "kd", 0).distill.generations is None
    mutual = base(distill={"method": "online", "alpha": 0.9, "teacher": "warm"})
    assert technique_recipe(mutual, "online", 0).distill == mutual.distill
    assert technique_recipe(mutual, "kd", 0).distill.alpha == 0.9
    calibrated = base(quantize={"method": "ptq", "calibration": "min-max", "samples": 5})
    assert technique_recipe(calibrated, "ptq", 0).quantize == calibrated.quantize
    assert technique_recipe(calibrated, "fiq", 0).quantize.calibration is None
    assert technique_recipe(calibrated, "qat", 0).quantize.method == "qat"
    neurons = base(
        prune={"granularity": "neuron", "sparsity": 0.25, "method": "activation"},
        student={"layers": plain()},
    )
    assert technique_recipe(neurons, "structured", 0).prune == neurons.prune
    assert technique_recipe(base(), "structured", 0).prune.every == 9


@pytest.mark.parametrize("name", ["mnist-1v9", "mnist", "digits", "fashion-mnist"])
def test_the_default_techniques_are_possible_with_the_built_in_recipes(name):
    assert possible_techniques(load_recipe(name), DEFAULT) == (list(DEFAULT), {})


IMPOSSIBLE = [
    ("qapp", {}, "unknown technique 'qapp', did you mean 'qap'?"),
    ("qap+", {}, "unknown technique ''"),
    ("", {}, "unknown technique ''"),
    ("x" * 50, {}, "there are: float, pruned, structured"),
    ("ptq+qat", {}, "contradicts itself: quantize cannot be 'ptq' and 'qat'"),
    ("kd+online", {}, "distill cannot be 'offline' and 'online'"),
    ("qap+structured", {}, "prune cannot be 'recipe' and 'neurons'"),
    ("kd", {"teacher": None, "distill": None}, "technique 'kd' needs a [teacher] in the recipe"),
    ("qap", {"prune": {}, "student": {"layers": plain()}}, "needs a recipe that prunes; set prune.sparsity above 0"),
    ("structured", {"student": {"layers": [LAYERS[1]]}}, "needs at least two hidden neurons, but the recipe has 0"),
    ("qat", {"prune": None, "student": {"kind": "tables", "tables": [8]}}, "consists of truth tables"),
    ("structured", {"student": {"layers": [{**LAYERS[0], "units": 1}, LAYERS[1]]}}, "at least two hidden neurons"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "message"), IMPOSSIBLE)
def test_what_is_not_possible_is_one_line(name, changes, message):
    content = {key: value for key, value in {**BASE, **changes}.items() if value is not None}
    with pytest.raises(RecipeError) as found:
        technique_recipe(parse_recipe(content, "test"), name, 0)
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_no_technique_is_possible_for_tables():
    with pytest.raises(RecipeError, match="consists of truth tables"):
        possible_techniques(load_recipe("digits-tables"), DEFAULT)


def test_what_is_possible_is_told_apart():
    without = {key: value for key, value in BASE.items() if key not in ("teacher", "distill")}
    possible, impossible = possible_techniques(parse_recipe(without, "test"), DEFAULT)
    assert set(impossible) == {"kd", "qap+kd"}
    assert [*possible, "kd", "qap+kd"] == list(DEFAULT)
