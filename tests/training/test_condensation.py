"""The methods of condensation: on hand-made classes, on blobs, and (slow) on the digits."""

import numpy as np
import pytest
from support.needs import needs

needs("tensorflow", "sklearn")

import tensorflow as tf
from support.small_data import blobs

from qap.data import load
from qap.errors import QapError
from qap.training.condensation import CONDENSERS, Source, condense, selection, synthesis
from qap.training.condensation.synthesis import Matching

SELECTIONS = ("random", "k-means", "k-center", "herding")
SYNTHESES = ("distribution-matching", "gradient-matching")
PICKS = {
    "random": selection.pick_random,
    "k-means": selection.pick_medoids,
    "k-center": selection.pick_farthest,
    "herding": selection.pick_herd,
}


@pytest.fixture(autouse=True)
def few_steps(monkeypatch, request):
    """Synthesis in a moment, where its quality is not the point."""
    if "slow" not in request.keywords:
        monkeypatch.setattr(synthesis, "DISTRIBUTION_STEPS", 60)
        monkeypatch.setattr(synthesis, "GRADIENT_STEPS", 60)


@pytest.fixture(scope="module")
def data():
    return blobs()


def pick(method, points, count, seed=0):
    samples = np.array(points, np.float64)
    if samples.ndim == 1:
        samples = samples[:, None]
    return PICKS[method](samples, count, np.random.default_rng(seed)).tolist()


# ---- what is true of all of them


@pytest.mark.parametrize("method", CONDENSERS)
def test_as_many_of_each_class_on_the_grid_and_again_the_same(data, method):
    first, second = condense(data, 4, method, seed=3), condense(data, 4, method, seed=3)
    assert first.train.x.shape == (12, data.n_in)
    assert first.train.x.dtype == data.train.x.dtype
    assert first.train.y.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert data.input_format.holds(first.train.x)
    assert (first.train.x == second.train.x).all()
    assert np.isfinite(first.real).all()


@pytest.mark.parametrize("method", SELECTIONS)
def test_a_selection_is_of_different_samples_of_the_class_itself(data, method):
    chosen = condense(data, 7, method).train
    for index in range(3):
        known = {row.tobytes() for row in data.train.x[data.train.y == index]}
        rows = [row.tobytes() for row in chosen.x[chosen.y == index]]
        assert set(rows) <= known
        assert len(set(rows)) == 7
    assert condense(data, 7, method).rounding_lsb == 0


@pytest.mark.parametrize("method", SYNTHESES)
def test_what_is_made_is_new_and_within_the_range_of_the_data(data, method):
    made = condense(data, 2, method)
    known = {row.tobytes() for row in data.train.x}
    assert not {row.tobytes() for row in made.train.x} & known
    assert (made.train.x >= data.train.x.min(axis=0)).all()
    assert (made.train.x <= data.train.x.max(axis=0)).all()
    assert 0 < made.rounding_lsb <= 0.5
    assert np.abs(made.real / data.input_format.lsb - made.train.x).max() <= 0.5 + 1e-9


def test_chance_is_of_the_seed(data):
    for method in ("random", "distribution-matching"):
        assert (condense(data, 2, method, seed=1).real != condense(data, 2, method, seed=2).real).any()


@pytest.mark.parametrize("method", SELECTIONS)
def test_a_whole_class_and_a_class_of_equal_samples(method):
    assert sorted(pick(method, [[0, 1], [5, 2], [3, 9]], 3)) == [0, 1, 2]
    assert sorted(pick(method, [[2, 2]] * 5, 5)) == [0, 1, 2, 3, 4]
    assert len(set(pick(method, [[2, 2]] * 5, 3))) == 3


@pytest.mark.parametrize(
    ("per_class", "method", "message"),
    [
        (0, "random", "per-class: 1 <= per-class <= 100 must hold, .* samples of class '0'; but got 0"),
        (-3, "random", "per-class: 1 <= per-class <= 100 must hold, .*; but got -3"),
        (101, "herding", "per-class: 1 <= per-class <= 100 must hold, the training part of blobs has 100 .* got 101"),
        (1, "kmeans", r"method: no method 'kmeans', did you mean 'k-means'\?"),
        (1, "xyz", r"method: no method 'xyz' \(there are: "),
    ],
)
def test_what_is_not_possible_is_refused(data, per_class, method, message):
    with pytest.raises(QapError, match=message):
        condense(data, per_class, method)


# ---- each on classes made by hand


def test_k_means_takes_one_of_each_heap():
    assert sorted(pick("k-means", [0, 1, 2, 50, 51, 52, 90, 91, 92], 3)) == [1, 4, 7]


def test_k_center_goes_from_the_middle_to_the_farthest():
    assert pick("k-center", [0, 10, 11, 12, 30], 3) == [3, 4, 0]


def test_k_center_covers_within_twice_the_best():
    points = np.random.default_rng(0).normal(size=(40, 2))
    chosen = points[pick("k-center", points, 5)]
    radius = np.linalg.norm(points[:, None] - chosen, axis=2).min(axis=1).max()
    # every five centres leave some sample at half the least distance between six samples that are far apart
    six = points[pick("k-center", points, 6)]
    apart = min(np.linalg.norm(a - b) for i, a in enumerate(six) for b in six[:i])
    assert radius <= 2 * (apart / 2) + 1e-12


def test_herding_follows_welling():
    """The mean is 4. w0 = 4 takes 9; w1 = 4 + 4 - 9 = -1 takes 1; w2 = 2 takes 4 (without `- x` it were 12 and 2)."""
    assert pick("herding", [1, 2, 4, 9], 4) == [3, 0, 2, 1]


def test_herding_stays_nearer_to_the_mean_than_chance():
    points = np.random.default_rng(0).normal(size=(200, 5))
    mean = points.mean(axis=0)
    herded = np.linalg.norm(points[pick("herding", points, 10)].mean(axis=0) - mean)
    drawn = [np.linalg.norm(points[pick("random", points, 10, seed)].mean(axis=0) - mean) for seed in range(20)]
    assert herded < min(drawn)


def test_the_gradients_in_closed_form_are_those_of_the_tape():
    matching = Matching(Source.of(blobs(), 2, 0))
    network = synthesis._Network(matching)
    network.restart()
    x = matching.batch(5)
    found = network.gradients(x)
    weight, bias, out_weight, out_bias = network._weights
    for index in range(3):
        with tf.GradientTape() as tape:
            logits = tf.nn.relu(x[index] @ weight + bias) @ out_weight + out_bias
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(tf.fill([5], index), logits))
        for gradient, expected in zip(found, tape.gradient(loss, network._weights), strict=True):
            np.testing.assert_allclose(gradient[index].numpy(), expected.numpy(), atol=1e-5)


def test_batches_are_of_the_class_that_they_stand_for():
    source = Source((np.zeros((3, 2)), np.ones((50, 2)), np.full((1, 2), 4.0)), 1, 0)
    batch = Matching(source).batch(400).numpy()
    assert [len(np.unique(each)) for each in batch] == [1, 1, 1]
    assert batch[0, 0, 0] < batch[1, 0, 0] < batch[2, 0, 0]


def test_samples_that_become_no_numbers_are_refused(data):
    matching = Matching(Source.of(data, 2, 0))
    with pytest.raises(QapError, match="became no numbers while they were matched"):
        matching.descend(lambda x: tf.reduce_sum(tf.math.log(x - 100.0)), 2, 0.1)


def test_one_sample_that_matches_the_distribution_lies_near_the_mean(data, monkeypatch):
    monkeypatch.setattr(synthesis, "DISTRIBUTION_STEPS", 300)
    means = np.stack([samples.mean(axis=0) for samples in Source.of(data, 1, 0).classes])
    made, drawn = (np.linalg.norm(condense(data, 1, name).real - means, axis=1) for name in (SYNTHESES[0], "random"))
    assert (made < 0.35 * drawn).all()


@pytest.mark.slow
def test_on_digits_every_method_beats_chance_and_the_made_samples_beat_the_chosen():
    from dataclasses import replace

    from qap.training.condensation.evaluation import train_and_judge

    accuracy = dict.fromkeys(CONDENSERS, 0.0)
    for seed in range(5):
        full = load("digits", seed=seed)
        for method in CONDENSERS:
            small = replace(full, train=condense(full, 10, method, seed).train)
            accuracy[method] += sum(train_and_judge(small, one).test for one in range(3)) / 15
    assert min(accuracy["k-means"], accuracy["herding"]) > accuracy["random"]
    assert max(accuracy[name] for name in SYNTHESES) > max(accuracy[name] for name in SELECTIONS)
