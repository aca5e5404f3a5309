"""Students of truth tables: what they begin with, the gradients they learn by, and how their wires move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.needs import needs
from support.small_data import blobs, small_recipe

needs("tensorflow", "qkeras")

import keras
import tensorflow as tf

from qap.data import Dataset, Split
from qap.errors import QapError, RecipeError
from qap.fixed import FixedPoint
from qap.recipe import Recipe, StudentRecipe, TeacherRecipe
from qap.table_layers import SOFTNESS, Tables, Thresholds
from qap.training import train_student, train_teacher
from qap.training.fit import fit, predict_logits
from qap.training.networks import build_teacher, load_model, save_model
from qap.training.tables import build_tables, logit_scale, quantiles, scaled


def recipe(**student: Any) -> Recipe:
    """A student of 12 tables on two thresholds a feature, taught by a small teacher."""
    return small_recipe(
        student={"kind": "tables", "tables": [12], "thresholds": 2, "epochs": 8, "batch_size": 32, **student}, prune={}
    )


def bits(n_in: int = 9, samples: int = 256) -> Dataset:
    """One-bit inputs; the class is the exclusive or of inputs 2 and 7."""
    rng = np.random.default_rng(0)

    def split(size: int) -> Split:
        x = rng.integers(0, 2, (size, n_in)).astype(np.uint8)
        return Split(x, (x[:, 2] ^ x[:, 7]).astype(np.int64))

    form = FixedPoint.parse("ap_ufixed<1,0>")
    return Dataset("bits", split(samples), split(64), split(64), ("even", "odd"), form, None, None)


def test_a_student_of_tables_learns() -> None:
    made, data = recipe(), blobs()
    teacher, _ = train_teacher(made, data)
    model, history = train_student(made, data, teacher)
    logits = predict_logits(model, data.test.x, data.input_format.lsb)
    assert (logits.argmax(axis=1) == data.test.y).mean() > 0.9
    assert np.array_equal(logits, logits.round())  # votes
    assert logits.sum(axis=1).max() <= 12
    on_validation = predict_logits(model, data.validation.x, data.input_format.lsb).argmax(axis=1)
    assert (on_validation == data.validation.y).mean() == history.best.validation_accuracy


def test_wires_move_to_the_inputs_that_decide() -> None:
    """Chance gives no table both inputs of the exclusive or often enough; learned wiring does."""
    accuracy = {}
    for share in (0.0, 0.7):
        student = StudentRecipe(
            kind="tables", tables=(8,), fan_in=2, epochs=40, batch_size=16, wiring_share=share, wiring_margin=2.0
        )
        model, data = build_tables(student, bits(), seed=3), bits()
        before = np.asarray(model.get_layer("tables_0").wires).copy()
        history = fit(scaled(model, logit_scale(student, 2)), data, student, seed=0)
        accuracy[share] = history.best.validation_accuracy
        assert np.array_equal(before, np.asarray(model.get_layer("tables_0").wires)) == (share == 0)
        wires = np.asarray(model.get_layer("tables_0").wires)
        assert (wires[:, 2:] == wires[:, :1]).all()
    assert accuracy[0.7] > accuracy[0.0]


def test_tables_stay_between_minus_one_and_one() -> None:
    model, _ = train_student(recipe(learning_rate=5.0), blobs(), train_teacher(recipe(), blobs())[0])
    table = np.asarray(model.get_layer("tables_0").table)
    assert table.min() == -1
    assert table.max() == 1


def test_seeds_give_the_same_student_twice() -> None:
    data = blobs()
    one, same, other = (
        build_tables(made.student_to_train, data, seed=seed).get_weights()
        for made, seed in [(recipe(), 1)] * 2 + [(recipe(), 2)]
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[-1], other[-1])


# ---- gradients


def layer_and_gradient(fan_in: int) -> tuple[Tables, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(fan_in)
    layer = Tables(5, fan_in, seed=fan_in)
    layer.build((None, 8))
    return layer, rng.integers(0, 2, (7, 8)).astype(np.float32), rng.normal(size=(7, 5)).astype(np.float32)


def soft_answer(table: np.ndarray, address: int, pin: int, value: int, fan_in: int) -> float:
    """The answer where a pin reads a value and every other pin is right with probability 1 - SOFTNESS."""
    total = 0.0
    for row in range(1 << fan_in):
        probability = 1.0
        for each in range(fan_in):
            right = (row >> each & 1) == (value if each == pin else address >> each & 1)
            probability *= float(right) if each == pin else (1 - SOFTNESS if right else SOFTNESS)
        repeated = sum((row & 1) << each for each in range(fan_in, 6))
        total += probability * float(table[row | repeated] > 0)
    return total


@pytest.mark.parametrize("fan_in", [2, 3, 6])
def test_the_gradient_by_a_pin_is_the_difference_that_it_makes(fan_in: int) -> None:
    layer, x, gradient = layer_and_gradient(fan_in)
    found = np.asarray(layer.pin_gradients(tf.constant(x), tf.constant(gradient)))
    wires, table = np.asarray(layer.wires), np.asarray(layer.table)
    for unit in range(5):
        for sample in range(7):
            address = sum(int(x[sample, wires[unit, pin]]) << pin for pin in range(fan_in))
            for pin in range(fan_in):
                high, low = (soft_answer(table[unit], address, pin, value, fan_in) for value in (1, 0))
                assert found[unit, pin, sample] == pytest.approx(gradient[sample, unit] * (high - low), abs=1e-5)


@pytest.mark.parametrize("fan_in", [2, 6])
def test_gradients_reach_the_rows_that_were_read_and_the_inputs_of_the_pins(fan_in: int) -> None:
    layer, x, gradient = layer_and_gradient(fan_in)
    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs) * gradient)
    by_table, by_input = tape.gradient(loss, [layer.table.value, inputs])
    wires = np.asarray(layer.wires)
    rows = np.zeros((5, 64))
    pins = np.asarray(layer.pin_gradients(tf.constant(x), tf.constant(gradient)))
    read = np.zeros_like(x)
    for unit in range(5):
        for sample in range(7):
            rows[unit, sum(int(x[sample, wires[unit, pin]]) << pin for pin in range(6))] += gradient[sample, unit]
            for pin in range(fan_in):
                read[sample, wires[unit, pin]] += pins[unit, pin, sample]
    np.testing.assert_allclose(by_table, rows, atol=1e-5)
    np.testing.assert_allclose(by_input, read, atol=1e-5)


def test_two_layers_learn() -> None:
    model, history = train_student(recipe(tables=[24, 12]), blobs(), train_teacher(recipe(), blobs())[0])
    assert [layer.name for layer in model.layers if isinstance(layer, Tables)] == ["tables_0", "tables_1"]
    assert history.best.validation_accuracy > 0.7


# ---- what they begin with


def test_thresholds_are_different_quantiles_that_split() -> None:
    x = np.array([[0, 5, 0], [1, 5, 0], [2, 5, 0], [3, 5, 9]])
    features, limits = quantiles(x, 3)
    assert list(zip(features.tolist(), limits.tolist(), strict=True)) == [(0, 1), (0, 2), (0, 3), (2, 1), (2, 9)]
    share = (np.repeat(x, 25, axis=0)[:, features] >= limits).mean(axis=0)
    assert ((share > 0) & (share < 1)).all()


def test_thresholds_are_the_first_layer_in_real_numbers() -> None:
    data = blobs()
    layer = build_tables(recipe().student_to_train, data).layers[1]
    assert isinstance(layer, Thresholds)
    assert max(layer.thresholds) < 1  # 6-bit pixels below 1
    lsbs = np.array(layer.thresholds) / data.input_format.lsb
    assert np.array_equal(lsbs, lsbs.round())


def test_bits_that_never_change_are_not_wired() -> None:
    data = bits()
    x = data.train.x.copy()
    x[:, :2] = 1
    still = replace(data, train=Split(x, data.train.y))
    wires = np.asarray(build_tables(StudentRecipe(kind="tables", tables=(40,)), still).get_layer("tables_0").wires)
    assert set(wires.ravel()) == set(range(2, 9))
    x[:, 2:5] = 0
    still = replace(data, train=Split(x, data.train.y))
    with pytest.raises(RecipeError, match=r"^student\.fan_in=6 needs as many inputs that vary, but of .* only 4 do"):
        build_tables(StudentRecipe(kind="tables", tables=(40,)), still)


def test_the_scale_of_votes() -> None:
    assert logit_scale(recipe(tables=[600]).student_to_train, 3) == pytest.approx(0.3)
    assert logit_scale(recipe(logit_scale=0.7).student_to_train, 3) == 0.7
    assert logit_scale(small_recipe().student_to_train, 3) == 1
    model = build_tables(recipe().student_to_train, blobs())
    x = blobs().test.x
    whole, votes = (predict_logits(each, x, 2**-6) for each in (scaled(model, 0.5), model))
    assert np.array_equal(whole, votes / 2)


@pytest.mark.parametrize("method", ["born-again", "snapshots", "online"])
def test_every_way_to_distill_teaches_tables(method: str) -> None:
    made = recipe(epochs=6).override([f"distill.method={method}"])
    _, history = train_student(made, blobs())
    assert history.best.validation_accuracy > 0.6


def test_a_student_of_tables_comes_back_from_its_file(tmp_path) -> None:
    model = build_tables(recipe().student_to_train, blobs(), seed=5)
    save_model(model, tmp_path / "s.keras")
    again = load_model(tmp_path / "s.keras")
    assert np.array_equal(predict_logits(again, blobs().test.x, 2**-6), predict_logits(model, blobs().test.x, 2**-6))


def test_copies_that_were_not_loaded_are_missed() -> None:
    made = recipe().override(["data.augment.copies=2"])
    with pytest.raises(RecipeError, match=r"^\[data\.augment\] asks for copies, but the data came without"):
        train_teacher(made, blobs())
    with pytest.raises(RecipeError, match=r"^\[data\.augment\] asks for copies"):
        train_student(made, blobs(), train_teacher(recipe(), blobs())[0])


# ---- convolutional teachers


def test_a_convolutional_teacher_reads_images() -> None:
    teacher = TeacherRecipe(kind="cnn", channels=(3, 4), units=(5,))
    model = build_teacher(teacher, 64, 3, (8, 8))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert [kinds.count(each) for each in ("Conv2D", "MaxPooling2D", "BatchNormalization", "Dense")] == [2, 1, 1, 2]
    assert model.output_shape == (None, 3)
    rows = keras.Model(model.input, model.get_layer("image").output)(np.arange(64.0)[None])
    assert np.array_equal(np.asarray(rows)[0, :, :, 0], np.arange(64.0).reshape(8, 8))


def test_a_convolutional_teacher_needs_images() -> None:
    made = small_recipe(teacher={"kind": "cnn", "epochs": 1})
    with pytest.raises(QapError, match=r'^teacher\.kind = "cnn" reads images, but the samples of \'blobs\' are none'):
        train_teacher(made, blobs())
