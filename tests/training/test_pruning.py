"""Masks: which weights, how many, and when."""

from __future__ import annotations

import numpy as np
import pytest
from small_data import blobs, layers, small_recipe

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from qap.errors import RecipeError
from qap.recipe import PruneRecipe, StudentRecipe
from qap.training.fit import fit
from qap.training.networks import build_student
from qap.training.pruning import SCHEDULES, Period, Pruning, final_sparsities, mask_lowest


def kernel(values) -> keras.Variable:
    return keras.Variable(np.array(values, np.float32))


def update(pruning: Pruning, *steps: int) -> None:
    for step in steps:
        pruning.update(tf.constant(step, tf.int64))


def test_the_lowest_go_and_ties_are_counted():
    scores = tf.constant([0.5, 0.1, 0.5, 0.1, 0.5, 0.1])
    for count in range(7):
        assert (mask_lowest(scores, count).numpy() == 0).sum() == count
    assert mask_lowest(scores, 2).numpy().tolist() == [1, 0, 1, 0, 1, 1]


def test_global_magnitude_ranks_all_layers_together():
    first, second = kernel([[0.9, -0.8], [0.1, 0.7]]), kernel([[-0.2, 0.3]])
    pruning = Pruning([first, second], 0.5, PruneRecipe(sparsity=0.5, schedule="one-shot"), 10)
    update(pruning, 0)
    assert first.numpy().tolist() == np.array([[0.9, -0.8], [0, 0.7]], np.float32).tolist()
    assert second.numpy().tolist() == [[0, 0]]
    assert pruning.sparsity == 0.5


def test_layers_can_have_sparsities_of_their_own():
    first, second = kernel([[0.9, -0.8], [0.1, 0.7]]), kernel([[-0.2, 0.3]])
    update(Pruning([first, second], [0.25, 0.5], PruneRecipe(sparsity=0.5, schedule="one-shot"), 10), 0)
    assert [np.count_nonzero(each.numpy()) for each in (first, second)] == [3, 1]
    student = StudentRecipe(layers=[{**layers()[0], "sparsity": 0.75}, layers()[1]])
    assert final_sparsities(PruneRecipe(sparsity=0.5, scope="layer"), student) == [0.75, 0.5]
    assert final_sparsities(PruneRecipe(sparsity=0.5), StudentRecipe(layers=layers())) == 0.5


def test_masked_weights_never_come_back():
    weights = kernel([0.1, 0.9, 0.2, 0.8])
    pruning = Pruning([weights], 0.5, PruneRecipe(sparsity=0.5, every=1, end_step=4), 4)
    update(pruning, 0, 1, 2)
    assert weights.numpy()[0] == 0
    weights.assign([5.0, 0.9, 0.2, 0.8])  # what an optimizer's momentum can do
    update(pruning, 3, 4)
    assert weights.numpy().tolist() == np.array([0, 0.9, 0, 0.8], np.float32).tolist()
    weights.assign(np.ones(4))
    update(pruning, 5)
    assert weights.numpy().tolist() == [0, 1, 0, 1]


def test_the_polynomial_schedule_to_the_weight():
    values = np.random.default_rng(0).normal(size=1000)
    pruning = Pruning([kernel(values)], 0.8, PruneRecipe(sparsity=0.8, begin_step=10, end_step=95, every=20), 100)
    found = {}
    for step in range(101):
        update(pruning, step)
        found[step] = round(pruning.sparsity * 1000)
    for step in range(101):
        renewed = max((due for due in (10, 30, 50, 70, 90, 95) if due <= step), default=None)
        expected = 0 if renewed is None else round(1000 * 0.8 * (1 - (1 - (renewed - 10) / 85) ** 3))
        assert found[step] == expected
    assert found[100] == 800


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_ends_at_the_whole(name):
    assert float(SCHEDULES[name](tf.constant(1.0, tf.float64))) == 1.0


def test_the_default_period_ends_at_sixty_percent():
    assert Period.of(PruneRecipe(sparsity=0.5), 1000) == Period(0, 600, 100)
    assert Period.of(PruneRecipe(sparsity=0.5, begin_step=700), 1000) == Period(700, 701, 100)
    assert Period.of(PruneRecipe(sparsity=0.5, end_step=1000), 1000).end == 1000
    assert Period.of(PruneRecipe(sparsity=0.5, schedule="one-shot", begin_step=999), 1000) == Period(999, 999, 1)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"end_step": 3000}, "prune.end_step=3000 is beyond the 60 steps"),
        ({"begin_step": 60}, "prune.begin_step=60 is beyond the 60 steps"),
        ({"begin_step": 60, "schedule": "one-shot"}, "prune.begin_step=60 is not below the 60 steps"),
    ],
)
def test_a_schedule_beyond_the_training_is_refused(keys, message):
    recipe = small_recipe(prune={"sparsity": 0.5, **keys}).student
    model = build_student(recipe, 12, 3)
    with pytest.raises(RecipeError, match=message):
        fit(model, blobs(samples=320), recipe, seed=0, prune=PruneRecipe(sparsity=0.5, **keys))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("sparsity", [0.0, 0.31, 0.5, 0.97])
def test_the_sparsity_asked_for_is_the_sparsity_found(schedule, scope, sparsity):
    recipe = small_recipe(prune={"sparsity": sparsity, "every": 7, "schedule": schedule, "scope": scope})
    model = build_student(recipe.student, 12, 3, seed=1)
    history = fit(model, blobs(), recipe.student, seed=1, prune=recipe.prune)
    dense = [model.get_layer(f"dense_{index}") for index in range(2)]
    zeros = [int((each.kernel.numpy() == 0).sum()) for each in dense]
    if scope == "layer":
        assert zeros == [round(sparsity * 120), round(sparsity * 30)]
    else:
        assert sum(zeros) == round(sparsity * 150)
    assert history.best.sparsity == sum(zeros) / 150
    for each in dense:
        quantized = each.kernel_quantizer_internal(each.kernel).numpy()
        assert not quantized[each.kernel.numpy() == 0].any()
        assert sparsity > 0.9 or each.bias.numpy().any()  # biases are trained, never pruned


def test_only_epochs_with_the_final_sparsity_can_be_the_best():
    recipe = small_recipe(prune={"sparsity": 0.95, "every": 11, "end_step": 41})
    model = build_student(recipe.student, 12, 3, seed=1)
    history = fit(model, blobs(), recipe.student, seed=1, prune=recipe.prune)  # 10 steps an epoch, 6 epochs
    assert [record.sparsity == history.records[-1].sparsity for record in history.records] == [False] * 4 + [True] * 2
    assert max(history.records[:4], key=lambda r: r.validation_accuracy).validation_accuracy > (
        history.best.validation_accuracy
    )
    assert history.best_epoch > 4
