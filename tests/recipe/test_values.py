"""Quantizers and formats are values in Python and text in every file, in the spelling of always."""

from __future__ import annotations

import json
import tomllib

import pytest

from qap.errors import RecipeError
from qap.fixed import FixedPoint
from qap.recipe import BUILTIN, DataRecipe, LayerRecipe, builtin_recipes, load_recipe, parse_recipe
from qap.recipe.quantizer import Quantizer
from qap.run import RunDirectory
from qap.run.stages import STAGES

SPELLED = """
name = "spelled"
data.input_format = " ufixed<8, 0, RND_CONV , SAT> "

[[student.layers]]
units = 8
weight = 4
bias = " quantized_bits( 6 , integer=1, alpha = 1.0 ) "
activation = " relu( ufixed<4 , 2> ) "

[[student.layers]]
units = 8
weight = "fixed<5,-1,RND,SAT,0>"
bias = "none"
activation = "quantized_relu(negative_slope=0.25,bits=6,integer=2)"

[[student.layers]]
units = 8
weight = "ternary(threshold=0.5,alpha='auto_po2')"
bias = 3
activation = "binary"

[[student.layers]]
units = 8
weight = "quantized_po2(4, max_value = 2)"
activation = "ap_fixed<6,2,TRN,WRAP>"

[[student.layers]]
units = 10
weight = "quantized_bits(5,keep_negative=True)"
"""
# (weight, bias, activation) as 0.1.0 wrote them into recipe.toml and into the digests of the stages
WRITTEN = [
    ("quantized_bits(4,0,alpha=1)", "quantized_bits(6,1,alpha=1.0)", "relu(ap_ufixed<4,2>)"),
    ("ap_fixed<5,-1,AP_RND,AP_SAT>", "none", "quantized_relu(6,2,negative_slope=0.25)"),
    ("ternary(alpha='auto_po2',threshold=0.5)", "quantized_bits(3,0,alpha=1)", "binary()"),
    ("quantized_po2(4,max_value=2)", "quantized_bits(8,2,alpha=1)", "ap_fixed<6,2>"),
    ("quantized_bits(5,keep_negative=True)", "quantized_bits(8,2,alpha=1)", "linear"),
]
INPUT_FORMAT = "ap_ufixed<8,0,AP_RND_CONV,AP_SAT>"


@pytest.fixture
def spelled():
    return parse_recipe(tomllib.loads(SPELLED), "spelled")


def texts(layers):
    return [(layer["weight"], layer["bias"], layer["activation"]) for layer in layers]


def test_every_spelling_is_written_as_before(spelled):
    for content in (tomllib.loads(spelled.to_toml()), spelled.model_dump(mode="json"), spelled.model_dump()):
        assert texts(content["student"]["layers"]) == WRITTEN
        assert content["data"]["input_format"] == INPUT_FORMAT


def test_digests_see_the_same_texts(spelled, tmp_path):
    run = RunDirectory.create(tmp_path / "run", spelled)
    settings = json.loads(json.dumps({name: stage.settings(run) for name, stage in STAGES.items() if name != "report"}))
    assert settings["data"] == {
        "data": {"name": "mnist-1v9", "validation": 0.1, "input_format": INPUT_FORMAT},
        "seed": 0,
    }
    assert texts(settings["student"]["student"]["layers"]) == WRITTEN
    assert RunDirectory.open(tmp_path / "run").recipe == spelled


@pytest.mark.parametrize("name", builtin_recipes())
def test_built_in_recipes_are_written_as_their_files_say(name):
    source = tomllib.loads((BUILTIN / f"{name}.toml").read_text(encoding="utf-8"))
    recipe = load_recipe(name)
    written = tomllib.loads(recipe.to_toml())
    assert json.loads(json.dumps(written)) == recipe.model_dump(mode="json", exclude_none=True)
    assert written["data"].get("input_format") == source["data"].get("input_format")
    if recipe.student.is_tables:
        assert all(written["student"][key] == value for key, value in source["student"].items())
        return
    for own, made in zip(source["student"]["layers"], written["student"]["layers"], strict=True):
        defaults = {"bias": "quantized_bits(8,2,alpha=1)", "activation": "linear"}
        assert {key: made[key] for key in ("weight", "bias", "activation")} == {
            key: {**defaults, **own}[key] for key in ("weight", "bias", "activation")
        }


def test_values_are_typed(spelled):
    first, second, *_, last = spelled.student.layers
    assert spelled.data.input_format == FixedPoint.parse(INPUT_FORMAT)
    assert first.weight == Quantizer("quantized_bits", {"bits": 4, "integer": 0, "alpha": 1})
    assert (first.activation.format, first.activation.rectifies) == (FixedPoint.parse("ap_ufixed<4,2>"), True)
    assert (second.bias, second.rectifies, last.activation, last.rectifies) == ("none", True, "linear", False)


def test_a_value_is_taken_as_its_text_is():
    weight = Quantizer.parse("ap_fixed<5,1>", "weight")
    activation = Quantizer.parse("quantized_relu(4,1)", "activation")
    made = LayerRecipe(units=2, weight=weight, bias=weight, activation=activation)
    assert made == LayerRecipe(units=2, weight=str(weight), bias=str(weight), activation=str(activation))
    form = "ap_ufixed<4,0>"
    assert DataRecipe(input_format=FixedPoint.parse(form)) == DataRecipe(input_format=form)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("weight", Quantizer.parse("quantized_relu(4,1)", "activation")),
        ("bias", Quantizer.parse("relu(ap_ufixed<4,1>)", "activation")),
        ("activation", Quantizer.parse("quantized_po2(4)", "weight")),
        ("weight", Quantizer("quantized_bits", {"bits": 99})),
    ],
)
def test_a_value_for_another_place_is_refused(key, value):
    content = {"name": "x", "student": {"layers": [{"units": 2, "weight": 4, key: value}]}}
    with pytest.raises(RecipeError, match=rf"^x: student.layers.0.{key}: "):
        parse_recipe(content, "x")
