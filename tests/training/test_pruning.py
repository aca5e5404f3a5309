"""Masks: which weights, how many, and when."""

from __future__ import annotations

import numpy as np
import pytest
from support.needs import needs
from support.small_data import blobs, layers, small_recipe

needs("keras", "tensorflow")

import tensorflow as tf
from support.hand_made_pruning import evidence_of, kernel, pruning_of, update

from qap.errors import RecipeError
from qap.recipe import PruneRecipe, StudentRecipe
from qap.training.fit import fit
from qap.training.networks import build_student
from qap.training.pruning import SCHEDULES, Period, Pruning, mask_lowest, rankings
from qap.training.pruning.ranking import Inputs, Neurons, Weights


def test_the_lowest_go_and_ties_are_counted():
    scores = tf.constant([[0.5, 0.1, 0.5, 0.1, 0.5, 0.1], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    for count in range(7):
        assert (mask_lowest(scores, count).numpy() == 0).sum(axis=1).tolist() == [count, count]
    assert mask_lowest(scores, 2).numpy().tolist() == [[1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 1, 1]]


def test_global_magnitude_ranks_all_layers_together():
    first, second = kernel([[0.9, -0.8], [0.1, 0.7]]), kernel([[-0.2, 0.3]])
    pruning = pruning_of([first, second], 0.5, PruneRecipe(sparsity=0.5, schedule="one-shot", begin_step=0), 10)
    update(pruning, 0)
    assert first.numpy().tolist() == np.array([[0.9, -0.8], [0, 0.7]], np.float32).tolist()
    assert second.numpy().tolist() == [[0, 0]]
    assert pruning.sparsity == 0.5


def test_layers_can_have_sparsities_of_their_own():
    first, second = kernel([[0.9, -0.8], [0.1, 0.7]]), kernel([[-0.2, 0.3]])
    update(
        pruning_of([first, second], [0.25, 0.5], PruneRecipe(sparsity=0.5, schedule="one-shot", begin_step=0), 10), 0
    )
    assert [np.count_nonzero(each.numpy()) for each in (first, second)] == [3, 1]


def test_what_a_recipe_ranks():
    """10 neurons, then 3, on 12 inputs."""
    student = StudentRecipe(layers=layers())
    own = StudentRecipe(layers=[{**layers()[0], "sparsity": 0.75}, layers()[1]])
    shapes = ((12, 10), (10, 3))
    assert rankings(PruneRecipe(), student, 12) == []
    assert rankings(PruneRecipe(sparsity=0.5), student, 12) == [Weights((0, 1), shapes, 0.5)]
    assert rankings(PruneRecipe(sparsity=0.5, scope="layer"), own, 12) == [
        Weights((0,), shapes[:1], 0.75),
        Weights((1,), shapes[1:], 0.5),
    ]
    assert rankings(PruneRecipe(granularity="fan-in", fan_in=3), student, 12) == [
        Inputs(0, (12, 10), 0.75),
        Inputs(1, (10, 3), 0.7),
    ]
    assert rankings(PruneRecipe(granularity="fan-in", fan_in=12), student, 12) == []
    narrower = StudentRecipe(layers=[{**layers()[0], "fan_in": 6}, layers()[1]])
    assert rankings(PruneRecipe(granularity="fan-in", fan_in=3), narrower, 12) == [
        Inputs(0, (12, 10), 0.5),
        Inputs(1, (10, 3), 0.7),
    ]
    assert rankings(PruneRecipe(granularity="neuron", sparsity=0.5), student, 12) == [Neurons((0,), (10,), 0.5)]


def test_masked_weights_never_come_back():
    weights = kernel([[0.1, 0.9, 0.2, 0.8]])
    pruning = pruning_of([weights], 0.5, PruneRecipe(sparsity=0.5, every=1, end_step=4), 4)
    update(pruning, 0, 1, 2)
    assert weights.numpy()[0, 0] == 0
    weights.assign([[5.0, 0.9, 0.2, 0.8]])  # what an optimizer's momentum can do
    update(pruning, 3, 4)
    assert weights.numpy().tolist() == np.array([[0, 0.9, 0, 0.8]], np.float32).tolist()
    weights.assign(np.ones((1, 4)))
    update(pruning, 5)
    assert weights.numpy().tolist() == [[0, 1, 0, 1]]


def test_the_polynomial_schedule_to_the_weight():
    values = np.random.default_rng(0).normal(size=(1, 1000))
    pruning = pruning_of([kernel(values)], 0.8, PruneRecipe(sparsity=0.8, begin_step=10, end_step=95, every=20), 100)
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
    for final in (0.3, 0.905, 0.99):
        assert float(SCHEDULES[name].sparsity(tf.constant(1.0, tf.float64), final, 7)) == final


def test_rounds_leave_the_same_share_each_time():
    found = {}
    weights = kernel(np.random.default_rng(0).normal(size=(1, 1000)))
    prune = PruneRecipe(sparsity=0.75, schedule="iterative", rounds=2, every=10, end_step=100)
    pruning = pruning_of([weights], 0.75, prune, 200)
    for step in range(121):
        update(pruning, step)
        found[step] = round(pruning.sparsity * 1000)
    assert {found[step] for step in range(50)} == {0}
    assert {found[step] for step in range(50, 100)} == {500}
    assert {found[step] for step in range(100, 121)} == {750}


def test_a_lottery_ticket_goes_back_to_where_it_began():
    weights = kernel([[0.1, 0.9, 0.2, 0.8]])
    prune = PruneRecipe(sparsity=0.5, schedule="lottery-ticket", rounds=1, rewind_step=2, every=2, end_step=4)
    pruning = pruning_of([weights], 0.5, prune, 10)
    update(pruning, 0, 1)
    weights.assign([[0.3, 0.6, 0.4, 0.5]])
    update(pruning, 2)
    weights.assign([[9.0, 1.0, 8.0, 2.0]])
    update(pruning, 3, 4)
    assert weights.numpy().tolist() == np.array([[0.3, 0, 0.4, 0]], np.float32).tolist()
    weights.assign(np.ones((1, 4)))
    update(pruning, 5, 6)
    assert weights.numpy().tolist() == [[1, 0, 1, 0]]  # the last round is trained to the end


def test_a_constant_sparsity_lets_weights_compete_again():
    weights = kernel([[0.1, 0.9, 0.2, 0.8]])
    prune = PruneRecipe(sparsity=0.5, schedule="constant", every=2, end_step=4)
    pruning = pruning_of([weights], 0.5, prune, 10)
    update(pruning, 0)
    assert weights.numpy()[0].tolist() == np.array([0, 0.9, 0, 0.8], np.float32).tolist()
    weights.assign([[0.95, 0.9, 0.0, 0.8]])
    update(pruning, 1)
    assert weights.numpy()[0, 0] == 0  # held between renewals
    weights.assign([[0.95, 0.9, 0.0, 0.8]])
    update(pruning, 2)
    assert weights.numpy()[0].tolist() == np.array([0.95, 0.9, 0, 0], np.float32).tolist()


def test_rigl_drops_the_smallest_and_brings_back_the_steepest():
    weights = kernel(np.arange(1, 21, dtype=np.float32)[None] / 20)
    slopes = np.zeros((1, 20), np.float32)
    prune = PruneRecipe(sparsity=0.5, schedule="rigl", drop=0.2, every=5, end_step=10)
    pruning = pruning_of([weights], 0.5, prune, 20, gradients=[slopes])
    update(pruning, 0)
    first = pruning.masks[0].copy()
    assert first.sum() == 10
    live = np.flatnonzero(first[0])
    slopes[0, np.flatnonzero(first[0] == 0)[[3, 7]]] = [-5.0, 4.0]  # the size counts, not the sign
    pruning = pruning_of([kernel(np.arange(1, 21)[None] / 20)], 0.5, prune, 20, gradients=[slopes])
    update(pruning, 0, 5)
    moved = round(0.2 * (1 + np.cos(np.pi / 2)) / 2 * 10)
    after = set(np.flatnonzero(pruning.masks[0][0]))
    assert len(after) == 10
    assert set(live) - after == set(live[:moved])  # the smallest of those that lived
    assert after - set(live) <= set(np.flatnonzero(slopes[0]))
    update(pruning, 10)
    assert set(np.flatnonzero(pruning.masks[0][0])) == after  # nothing moves at the end


def test_what_comes_back_starts_from_zero():
    weights = kernel(np.random.default_rng(0).normal(size=(1, 100)))
    prune = PruneRecipe(sparsity=0.5, schedule="set", drop=0.5, every=5, end_step=100)
    pruning = pruning_of([weights], 0.5, prune, 200)
    update(pruning, 0)
    before = pruning.masks[0].copy()
    weights.assign(np.ones((1, 100)))
    update(pruning, 5)
    after = pruning.masks[0]
    back = (after > before)[0]
    assert 0 < back.sum() < 50
    assert after.sum() == 50
    assert not weights.numpy()[0, back].any()


def test_a_fan_in_is_that_of_every_neuron():
    weights = kernel(np.random.default_rng(0).normal(size=(20, 7)))
    ranked = [Inputs(0, (20, 7), 1 - 6 / 20)]
    pruning = Pruning(evidence_of([weights]), ranked, PruneRecipe(schedule="one-shot", begin_step=0), 10)
    update(pruning, 0)
    assert (weights.numpy() != 0).sum(axis=0).tolist() == [6] * 7


def test_the_default_period_ends_at_sixty_percent():
    assert Period.of(PruneRecipe(sparsity=0.5), 1000) == Period(0, 600, 100)
    assert Period.of(PruneRecipe(sparsity=0.5, begin_step=700), 1000) == Period(700, 701, 100)
    assert Period.of(PruneRecipe(sparsity=0.5, end_step=1000), 1000).end == 1000
    assert Period.of(PruneRecipe(sparsity=0.5, schedule="one-shot", begin_step=999), 1000) == Period(999, 999, 1)


def test_one_shot_prunes_what_has_learnt():
    for begin, at in ((None, 250), (0, 0), (7, 7)):
        prune = PruneRecipe(sparsity=0.5, schedule="one-shot", begin_step=begin)
        assert Period.of(prune, 1000) == Period(at, at, 1)
    assert Period.of(PruneRecipe(sparsity=0.5, schedule="one-shot"), 1) == Period(0, 0, 1)
    assert Period.of(PruneRecipe(sparsity=0.5, schedule="constant"), 1000).begin == 0


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
@pytest.mark.parametrize(("scope", "sparsity"), [("global", 0.31), ("layer", 0.97)])
def test_the_sparsity_asked_for_is_the_sparsity_found(schedule, scope, sparsity):
    recipe = small_recipe(prune={"sparsity": sparsity, "every": 7, "schedule": schedule, "scope": scope})
    model = build_student(recipe.student, 12, 3, seed=1)
    history = fit(model, blobs(), recipe.student, seed=1, prune=recipe.prune)
    dense = [model.get_layer(f"dense_{index}") for index in range(2)]
    zeros = [int((each.kernel.numpy() == 0).sum()) for each in dense]
    expected = [round(sparsity * 120), round(sparsity * 30)] if scope == "layer" else [round(sparsity * 150)]
    found = zeros if scope == "layer" else [sum(zeros)]
    if SCHEDULES[schedule].regrow is None:
        assert found == expected
    else:  # a weight that came back may still be 0
        assert all(have >= asked for have, asked in zip(found, expected, strict=True))
    assert history.best.sparsity == sum(expected) / 150
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
