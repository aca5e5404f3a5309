"""Hinton's loss against its definition, written out in numpy."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from support.needs import needs
from support.small_data import blobs, small_recipe

needs("tensorflow")

import tensorflow as tf

from qap.data import Split, load
from qap.errors import QapError
from qap.recipe import DistillRecipe, Recipe, load_recipe
from qap.training import train_student, train_teacher
from qap.training.distillation.born_again import born_again
from qap.training.distillation.lesson import Lesson
from qap.training.distillation.offline import FixedAnswers
from qap.training.distillation.online import LearningTeacher, online
from qap.training.distillation.snapshots import EarlierSelf
from qap.training.distillation.soft import alpha_at
from qap.training.fit import predict_logits
from qap.training.networks import build_student, build_teacher, load_model, save_model
from qap.training.objective import Batch, Objective


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def batch(seed: int = 0):
    rng = np.random.default_rng(seed)
    teacher = rng.normal(0, 3, (20, 5)).astype(np.float32)
    rows = np.array([3, 0, 19, 7], np.int32)
    logits = rng.normal(0, 2, (4, 5)).astype(np.float32)
    return teacher, Batch(rows, np.zeros((4, 3), np.float32), np.array([1, 4, 0, 2], np.int32), 0.0), logits


@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 1.0), (4.0, 0.5), (2.5, 0.0), (10.0, 0.9)])
def test_the_loss_is_the_formula(temperature, alpha):
    teacher, seen, logits = batch()
    soft, student = softmax(teacher[seen.rows].astype(float) / temperature), softmax(logits.astype(float) / temperature)
    divergence = (soft * np.log(soft / student)).sum(axis=1)
    hard = -np.log(softmax(logits.astype(float))[np.arange(4), seen.labels])
    expected = alpha * temperature**2 * divergence + (1 - alpha) * hard
    objective = FixedAnswers(DistillRecipe(temperature=temperature, alpha=alpha), teacher)
    np.testing.assert_allclose(objective.losses(seen, logits).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_student_that_answers_as_the_teacher_has_no_soft_loss():
    teacher, seen, _ = batch()
    losses = FixedAnswers(DistillRecipe(temperature=3.0, alpha=1.0), teacher).losses(
        seen, tf.constant(teacher[seen.rows])
    )
    assert np.abs(losses.numpy()).max() < 1e-5


def test_t_squared_keeps_the_size_of_the_gradients():
    teacher, seen, logits = batch()
    sizes = []
    for temperature in (20.0, 40.0, 80.0):
        x = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = FixedAnswers(DistillRecipe(temperature=temperature, alpha=1.0), teacher).losses(seen, x)
        sizes.append(np.abs(tape.gradient(loss, x).numpy()).mean())
    assert max(sizes) < 1.2 * min(sizes)  # without T^2 they would differ by 16


def test_without_a_teacher_it_is_the_cross_entropy():
    _, seen, logits = batch()
    expected = -np.log(softmax(logits.astype(float))[np.arange(4), seen.labels])
    np.testing.assert_allclose(Objective().losses(seen, logits).numpy(), expected, rtol=1e-5)


def test_a_broken_teacher_is_refused():
    teacher, *_ = batch()
    teacher[3, 2] = np.nan
    with pytest.raises(QapError, match="not finite"):
        FixedAnswers(DistillRecipe(), teacher)


@pytest.mark.parametrize(("decay", "expected"), [("constant", 0.8), ("linear", 0.6), ("cosine", 0.8 * 0.853553)])
def test_alpha_falls_with_the_progress(decay, expected):
    distill = DistillRecipe(alpha=0.8, alpha_decay=decay)
    assert float(alpha_at(distill, tf.constant(0.25))) == pytest.approx(expected, rel=1e-5)
    if decay != "constant":
        assert float(alpha_at(distill, tf.constant(1.0))) == pytest.approx(0, abs=1e-6)


METHODS = [
    {"method": "online"},
    {"method": "online", "teacher": "warm", "alpha_decay": "cosine"},
    {"method": "born-again"},
    {"method": "snapshots", "snapshot_epochs": 1},
]


def two_epochs(**distill) -> Recipe:
    """A float student: what it learns from is asked here, not its formats, and its graph is made in a moment."""
    return small_recipe(distill=distill, prune={}, quantize={"method": "none"}).override(["student.epochs=2"])


@cache
def trained_teacher():
    """Its weights; every lesson gets a model of its own, for one that learns on changes."""
    return train_teacher(two_epochs(), blobs())[0].get_weights()


def lesson(recipe: Recipe) -> Lesson:
    data, teacher = blobs(), None
    if recipe.trains_teacher:
        teacher = build_teacher(recipe.teacher, data.n_in, data.n_classes)
        teacher.set_weights(trained_teacher())
    return Lesson(recipe, data, teacher)


def taught(**distill) -> list[np.ndarray]:
    """The weights of a student after its training."""
    given = lesson(two_epochs(**distill))
    return train_student(given.recipe, given.dataset, given.teacher)[0].get_weights()


@cache
def taught_by_labels(generation: int) -> list[np.ndarray]:
    return lesson(two_epochs(method="snapshots")).train(generation=generation).model.get_weights()


def equal(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("distill", METHODS)
def test_the_answers_of_every_method_count_by_alpha(distill):
    """Without a share in the loss, they leave the student that labels alone give, to the last bit."""
    labels = taught_by_labels(two_epochs(**distill).trainings - 1)
    assert equal(taught(**{**distill, "alpha": 0.0}), labels)
    assert not equal(taught(**distill), labels)


def test_a_warm_teacher_teaches_what_no_label_says():
    """With alpha = 1 neither of them reads the labels: shuffled ones do not matter."""
    recipe = two_epochs(method="online", teacher="warm", alpha=1.0).override(["student.epochs=6"])
    right = lesson(recipe)
    data, labels = right.dataset, np.random.default_rng(0).permutation(right.dataset.train.y)
    shuffled = replace(data, train=Split(data.train.x, labels))
    model, _ = train_student(recipe, shuffled, right.teacher)
    predicted = predict_logits(model, data.test.x, data.input_format.lsb).argmax(axis=1)
    assert (predicted == data.test.y).mean() > 0.9


class Watched(Lesson):
    """A lesson that tells what each training is given, and trains only when it shall."""

    def __init__(self, given: Lesson, *, trains: bool) -> None:
        super().__init__(given.recipe, given.dataset, given.teacher)
        object.__setattr__(self, "trains", trains)
        object.__setattr__(self, "told", [])

    def train(self, objective=None, *, generation=0):
        taught = super().train(objective, generation=generation) if self.trains else None
        self.told.append((objective, generation, taught))
        return taught


@pytest.mark.parametrize(("decay", "share"), [("constant", 1.0), ("cosine", 0.5)])
@pytest.mark.parametrize("own", ["constant", "cosine"])
def test_an_online_teacher_s_rate_falls_as_the_student_s(own, decay, share):
    """Both take the same 20 steps: the teacher's own decay is not read."""
    recipe = two_epochs(method="online").override([f"teacher.decay={own}", f"student.decay={decay}"])
    watched = Watched(lesson(recipe), trains=False)
    online(watched)
    ((objective, _, _),) = watched.told
    objective._optimizer.iterations.assign(10)
    assert float(objective._optimizer.learning_rate) == pytest.approx(0.01 * share)


def test_a_learning_teacher_learns():
    data, recipe = blobs(), small_recipe(distill={"method": "online", "alpha": 0.5}, prune={})
    teacher = build_teacher(recipe.teacher, data.n_in, data.n_classes)
    start = [weight.copy() for weight in teacher.get_weights()]
    objective = LearningTeacher(recipe.distill, teacher, recipe.teacher, 60)
    Lesson(recipe, data, teacher).train(objective)
    assert all(not np.array_equal(a, b) for a, b in zip(start, teacher.get_weights(), strict=True))
    predicted = predict_logits(teacher, data.test.x, data.input_format.lsb).argmax(axis=1)
    assert (predicted == data.test.y).mean() > 0.9


def test_a_snapshot_is_what_the_student_answered():
    data, recipe = blobs(), small_recipe()
    model = build_student(recipe.student, data.n_in, data.n_classes)
    earlier = EarlierSelf(DistillRecipe(method="snapshots", snapshot_epochs=2, temperature=2.0, alpha=1.0), data)
    rows = np.array([5, 0], np.int32)
    logits = tf.constant(predict_logits(model, data.train.x[rows], data.input_format.lsb))
    seen = Batch(rows, None, data.train.y[rows].astype(np.int32), 0.0)
    earlier.end_epoch(1, model)
    np.testing.assert_allclose(earlier.losses(seen, logits), Objective().losses(seen, logits))  # none taken yet
    earlier.end_epoch(2, model)
    assert np.abs(earlier.losses(seen, logits)).max() < 1e-5  # it agrees with itself
    assert np.abs(earlier.losses(seen, logits * 3)).max() > 0.01


def test_each_generation_learns_from_the_one_before_and_the_last_is_kept():
    """Labels, then the first's answers, then the second's."""
    watched = Watched(lesson(two_epochs(method="born-again", generations=2)), trains=True)
    kept, data = born_again(watched), watched.dataset
    objectives, generations, students = zip(*watched.told, strict=True)
    assert (objectives[0], generations) == (None, (0, 1, 2))
    assert kept is students[2]
    rows = np.arange(4, dtype=np.int32)
    seen, logits = Batch(rows, None, data.train.y[rows].astype(np.int32), 0.0), tf.eye(4, 3)
    losses = [
        FixedAnswers(watched.distill, predict_logits(one.model, data.train.x, data.input_format.lsb)).losses(
            seen, logits
        )
        for one in students
    ]
    assert [np.array_equal(one, losses[0]) for one in losses] == [True, False, False]
    for objective, expected in zip(objectives[1:], losses, strict=False):
        assert np.array_equal(objective.losses(seen, logits), expected)


def test_an_ensemble_answers_with_the_mean(tmp_path):
    data = blobs()
    recipe = small_recipe().override(["teacher.ensemble=3", "teacher.epochs=1"])
    together, _ = train_teacher(recipe, data)
    save_model(together, tmp_path / "teacher.keras")
    together = load_model(tmp_path / "teacher.keras")
    alone = [train_teacher(recipe.override([f"seed={seed}", "teacher.ensemble=1"]), data)[0] for seed in range(3)]
    x, lsb = data.test.x, data.input_format.lsb
    mean = np.mean([predict_logits(model, x, lsb) for model in alone], axis=0)
    np.testing.assert_allclose(predict_logits(together, x, lsb), mean, rtol=1e-4, atol=1e-5)


def test_digits_from_unlabelled_data():
    """A student that never sees a label comes within 1 % of its teacher on real images."""
    data = load("digits")
    recipe = load_recipe("digits").override(
        [
            "distill.alpha=1.0",
            "prune.sparsity=0.0",
            "student.layers.0.units=64",
            "student.layers.0.weight=6",
            "student.layers.0.activation=quantized_relu(6,2)",
            "student.layers.1.weight=6",
        ]
    )
    teacher, _ = train_teacher(recipe, data)
    unlabelled = replace(data, train=Split(data.train.x, np.random.default_rng(0).permutation(data.train.y)))
    student, _ = train_student(recipe, unlabelled, teacher)

    def accuracy(model) -> float:
        return float((predict_logits(model, data.test.x, data.input_format.lsb).argmax(axis=1) == data.test.y).mean())

    assert accuracy(student) >= accuracy(teacher) - 0.01
