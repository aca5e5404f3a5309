"""The training loop: what it minimizes, what it keeps, and that it does the same thing twice."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.needs import needs
from support.small_data import blobs, small_recipe

needs("keras")

import keras
import tensorflow as tf

from qap.data import Split
from qap.errors import QapError, RecipeError
from qap.fixed import FixedPoint
from qap.recipe import TrainingRecipe
from qap.training import train_student, train_teacher
from qap.training.fit import fit, predict_logits
from qap.training.networks import build_teacher
from qap.training.objective import Objective

HERE = Path(__file__).parent


def linear(n_in: int = 12, n_classes: int = 3, seed: int = 0):
    """A single float layer."""
    inputs = keras.Input((n_in,))
    start = keras.initializers.GlorotUniform(seed)
    return keras.Model(inputs, keras.layers.Dense(n_classes, kernel_initializer=start)(inputs))


def both(recipe, dataset):
    teacher, _ = train_teacher(recipe, dataset)
    student, history = train_student(recipe, dataset, teacher)
    return teacher, student, history


def fingerprint(model) -> str:
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()


def test_teacher_and_student_learn():
    data = blobs()
    teacher, student, history = both(small_recipe(), data)
    for model in (teacher, student):
        predicted = predict_logits(model, data.test.x, data.input_format.lsb).argmax(axis=1)
        assert (predicted == data.test.y).mean() > 0.9
    assert history.records[-1].train_loss < 0.5 * history.records[0].train_loss


def test_one_epoch_is_one_pass_of_adam_over_all_samples():
    """The loop against Keras' own `train_on_batch` on the same batches, the short last one included."""
    data, training = blobs(samples=50), TrainingRecipe(epochs=1, batch_size=16, learning_rate=0.05)
    ours, keras_own = linear(), linear()
    fit(ours, data, training, seed=7)
    keras_own.compile(keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    order = np.random.default_rng(7).permutation(50)
    x = data.real(data.train.x)
    for start in range(0, 50, 16):
        rows = order[start : start + 16]
        keras_own.train_on_batch(x[rows], data.train.y[rows])
    for a, b in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_records_are_what_they_say():
    data, training = blobs(), TrainingRecipe(epochs=3, batch_size=32, learning_rate=0.01, decay="cosine")
    model, seen = linear(), []
    history = fit(model, data, training, seed=0, progress=seen.append)
    assert history.records == tuple(seen)
    assert [record.epoch for record in seen] == [1, 2, 3]
    assert seen[0].learning_rate == pytest.approx(0.01 * (1 + np.cos(np.pi / 3)) / 2)
    assert seen[-1].learning_rate == pytest.approx(0, abs=1e-9)
    logits = predict_logits(model, data.validation.x, data.input_format.lsb)
    assert (logits.argmax(axis=1) == data.validation.y).mean() == history.best.validation_accuracy
    own = -np.log(np.exp(logits)[range(60), data.validation.y] / np.exp(logits).sum(axis=1)).mean()
    assert history.best.validation_loss == pytest.approx(own, rel=1e-5)


class Told(Objective):
    """A loss that is the progress of the training, and no gradient."""

    def losses(self, batch, logits):
        return batch.progress + 0.0 * tf.reduce_sum(logits, axis=1)


def test_the_progress_of_a_training_rises_from_step_to_step():
    """50 samples in batches of 16, 16, 16 and 2: step k of 8 is told k / 8."""
    training = TrainingRecipe(epochs=2, batch_size=16, learning_rate=0.01)
    history = fit(linear(), blobs(samples=50), training, seed=0, objective=Told())
    expected = [sum(16 * k for k in steps[:3]) + 2 * steps[3] for steps in ((0, 1, 2, 3), (4, 5, 6, 7))]
    assert [r.train_loss for r in history.records] == pytest.approx([each / 8 / 50 for each in expected], rel=1e-5)


def test_the_training_accuracy_is_that_of_the_answers_before_each_step():
    """One batch holds everything: what is recorded is what the untrained model answers."""
    data, model = blobs(), linear()
    right = predict_logits(model, data.train.x, data.input_format.lsb).argmax(axis=1) == data.train.y
    history = fit(model, data, TrainingRecipe(epochs=1, batch_size=300, learning_rate=0.01), seed=0)
    assert 0 < right.mean() < 1
    assert history.records[0].train_accuracy == pytest.approx(right.mean())


def test_validation_counts_all_samples(monkeypatch):
    """Also those beyond the samples that are predicted at once, and the rest of them."""
    monkeypatch.setattr("qap.training.fit.CHUNK", 25)
    data, model = blobs(), linear()
    history = fit(model, data, TrainingRecipe(epochs=1, batch_size=100), seed=0)
    logits = predict_logits(model, data.validation.x, data.input_format.lsb)
    right = logits.argmax(axis=1) == data.validation.y
    assert len({part.mean() for part in np.split(right, [25, 50])}) > 1
    assert history.best.validation_accuracy == pytest.approx(right.mean())
    own = -np.log(np.exp(logits)[range(60), data.validation.y] / np.exp(logits).sum(axis=1)).mean()
    assert history.best.validation_loss == pytest.approx(own, rel=1e-5)


def test_the_best_weights_are_kept_and_patience_ends_the_training():
    """Validation labels that contradict the training: the first epoch is the best, then it gets worse."""
    data = blobs()
    wrong = replace(data, validation=Split(data.validation.x, (data.validation.y + 1) % 3))
    training = TrainingRecipe(epochs=30, batch_size=16, learning_rate=0.01, patience=4)
    model, after = linear(), []
    history = fit(model, wrong, training, seed=0, progress=lambda record: after.append(model.get_weights()))
    best = max(history.records, key=lambda record: (record.validation_accuracy, -record.validation_loss))
    assert history.best == best
    for kept, then in zip(model.get_weights(), after[best.epoch - 1], strict=True):
        assert np.array_equal(kept, then)
    reached = next(r.epoch for r in history.records if r.validation_accuracy == best.validation_accuracy)
    assert len(history.records) == reached + 4 < 30


def test_weight_decay_makes_weights_smaller_but_not_biases():
    data, size = blobs(), {}
    for decay in (0.0, 5.0):
        model = linear()
        fit(model, data, TrainingRecipe(epochs=4, learning_rate=0.01, weight_decay=decay), seed=0)
        size[decay] = [float(np.abs(weight).mean()) for weight in model.get_weights()]
    assert size[5.0][0] < 0.7 * size[0.0][0]
    assert size[5.0][1] > 0.9 * size[0.0][1]


def test_seeds_give_the_same_network_twice_in_one_process():
    recipe, data = small_recipe(), blobs()
    first, again, other = (
        [fingerprint(model) for model in both(each, data)[:2]] for each in (recipe, recipe, recipe.override(["seed=1"]))
    )
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_seeds_give_the_same_network_in_two_processes():
    code = "import test_fit as t; print(*[t.fingerprint(m) for m in t.both(t.small_recipe(), t.blobs())[:2]])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]), "PYTHONHASHSEED": "random"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    here = [fingerprint(model) for model in both(small_recipe(), blobs())[:2]]
    assert found.stdout.split()[-2:] == here


def test_wide_and_signed_inputs_reach_the_model_exactly():
    form = FixedPoint.parse("ap_fixed<20,3>")
    x = np.random.default_rng(0).integers(form.min_int, form.max_int + 1, (5000, 12)).astype(np.int32)
    inputs = keras.Input((12,))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    assert np.array_equal(predict_logits(model, x, form.lsb), form.to_float(x))


def test_a_loss_that_is_no_number_is_one_clear_line():
    model = build_teacher(small_recipe().teacher, 12, 3)
    message = r"^the loss of 'teacher' is not a number any more in epoch \d+; lower its learning_rate, now 1e\+30$"
    with pytest.raises(QapError, match=message):
        fit(model, blobs(), TrainingRecipe(epochs=5, learning_rate=1e30), seed=0)


def test_ctrl_c_goes_through():
    def interrupt(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(linear(), blobs(), TrainingRecipe(epochs=3), seed=0, progress=interrupt)


def test_what_is_missing_is_said():
    data = blobs()
    with pytest.raises(QapError, match="there is no teacher"):
        train_student(small_recipe(), data)
    with pytest.raises(RecipeError, match=r"has no \[teacher\]"):
        train_teacher(small_recipe().model_copy(update={"teacher": None}), data)


def test_without_distillation_no_teacher_is_needed():
    recipe = small_recipe().model_copy(update={"teacher": None, "distill": None})
    _, history = train_student(recipe, blobs())
    assert len(history.records) == 6


def test_a_student_learns_from_a_teacher_alone():
    """With alpha = 1 the labels are not read: shuffled ones do not matter."""
    data = blobs()
    recipe = small_recipe(distill={"alpha": 1.0, "temperature": 2.0}, prune={}).override(["student.epochs=12"])
    teacher, _ = train_teacher(recipe, data)
    shuffled = replace(data, train=Split(data.train.x, np.random.default_rng(0).permutation(data.train.y)))
    _, history = train_student(recipe, shuffled, teacher)
    assert history.best.validation_accuracy > 0.9
