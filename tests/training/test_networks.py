"""Building, saving and loading the models."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from support.needs import needs
from support.small_data import blobs, layers, small_recipe

needs("keras")

import keras

from qap.errors import DataError, RecipeError
from qap.recipe import StudentRecipe, TeacherRecipe
from qap.training.networks import build_student, build_teacher, load_model, save_model

WEIGHTS = [
    "quantized_bits(4,0,alpha=1)", "quantized_bits(4,0)", "quantized_bits(4,1,alpha='auto_po2')", "ternary(alpha=1)",
    "ternary()", "binary(alpha=0.5)", "binary()", "quantized_po2(4)", "quantized_po2(4,max_value=1)",
    "ap_fixed<5,2,AP_RND,AP_SAT_SYM>", "ap_fixed<4,1>", "5",
]  # fmt: skip
ACTIVATIONS = [
    "quantized_relu(4,2)", "quantized_relu(6,3,negative_slope=0.25)", "quantized_bits(5,2,alpha=1)", "binary(alpha=1)",
    "ternary(alpha=1,threshold=0.5)", "ap_fixed<6,3,AP_TRN,AP_WRAP>", "relu(ap_ufixed<6,3,AP_RND,AP_SAT>)", "linear",
]  # fmt: skip


def student(weight: str, activation: str, bias: str = "quantized_bits(8,2,alpha=1)"):
    parsed_weight = int(weight) if weight.isdigit() else weight
    hidden = {"units": 4, "weight": parsed_weight, "bias": bias, "activation": activation}
    return StudentRecipe(layers=(hidden, {"units": 3, "weight": parsed_weight, "bias": bias}))


def predictions(model, seed: int = 0):
    return np.asarray(model(np.random.default_rng(seed).random((50, 7), np.float32)))


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_student_comes_back_from_its_file(tmp_path, weight, activation):
    model = build_student(student(weight, activation), 7, 3, seed=5)
    save_model(model, tmp_path / "student.keras")
    copy = load_model(tmp_path / "student.keras")
    assert np.array_equal(predictions(copy), predictions(model))
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]


def test_the_teacher_comes_back_from_its_file(tmp_path):
    model = build_teacher(TeacherRecipe(units=(9, 5)), 7, 3, seed=1)
    save_model(model, tmp_path / "teacher.keras")
    assert np.array_equal(predictions(load_model(tmp_path / "teacher.keras")), predictions(model))


def test_layers_are_as_the_recipe_says():
    model = build_student(StudentRecipe(layers=layers()), 12, 3)
    assert [layer.name for layer in model.layers[1:]] == ["dense_0", "activation_0", "dense_1"]
    assert model.get_layer("dense_0").kernel.shape == (12, 10)
    assert str(model.get_layer("dense_1").bias_quantizer_internal) == "ap_fixed<8,3,AP_RND,AP_SAT>"
    assert str(model.get_layer("activation_0").activation) == "quantized_relu(6,3)"


def test_a_layer_without_bias():
    model = build_student(student("quantized_bits(4,0,alpha=1)", "linear", bias="none"), 7, 3)
    assert [weight.shape for weight in model.weights] == [(7, 4), (4, 3)]


def test_the_seed_decides_the_initial_weights():
    recipe = StudentRecipe(layers=layers())
    first, again, other = (build_student(recipe, 12, 3, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_two_layers_of_one_shape_start_differently():
    square = {"units": 7, "weight": "quantized_bits(8,0,alpha=1)"}
    weights = build_student(StudentRecipe(layers=(square, square)), 7, 7).get_weights()
    assert not np.array_equal(weights[0], weights[2])


def test_parameters_stay_where_saturation_lets_the_gradient_through():
    data, recipe = blobs(), small_recipe(prune={})
    from qap.training import train_student, train_teacher

    teacher, _ = train_teacher(recipe, data)
    model, _ = train_student(recipe.override(["student.learning_rate=1.0"]), data, teacher)
    dense = model.get_layer("dense_1")  # ap_fixed<6,2>: -2 to 1.9375
    assert dense.kernel.numpy().min() == -2.0
    assert dense.kernel.numpy().max() == 1.9375


def test_the_last_layer_needs_one_unit_per_class():
    with pytest.raises(RecipeError, match=r"student\.layers\.1\.units is 3, but the data has 10 classes"):
        build_student(StudentRecipe(layers=layers()), 12, 10)


def test_what_is_no_model_is_refused_in_one_line(tmp_path):
    model = build_student(StudentRecipe(layers=layers()), 12, 3)
    good = tmp_path / "good.keras"
    save_model(model, good)
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "short.keras").write_bytes(good.read_bytes()[:2000])
    with zipfile.ZipFile(tmp_path / "empty.keras", "w"):
        pass
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(tmp_path / "unknown.keras", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"QDense", b"QDance"))
    for name in ("missing", "text", "short", "empty", "unknown"):
        with pytest.raises(DataError) as caught:
            load_model(tmp_path / f"{name}.keras")
        assert f"{name}.keras" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_code_in_a_file_is_not_run(tmp_path):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    save_model(model, tmp_path / "lambda.keras")
    with pytest.raises(DataError, match="cannot load the model"):
        load_model(tmp_path / "lambda.keras")
