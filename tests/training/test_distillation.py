"""Hinton's loss against its definition, written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from qap.errors import QapError
from qap.recipe import DistillRecipe
from qap.training.distillation.offline import FixedAnswers
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
