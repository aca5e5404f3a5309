"""Every pruning method on hand-made layers, and whole neurons that go."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.needs import needs
from support.small_data import blobs, small_recipe

needs("keras", "tensorflow")

import tensorflow as tf
from support.hand_made_pruning import evidence_of, kernel, update

from qap.freezing import freeze
from qap.recipe import PruneRecipe
from qap.training import train_student
from qap.training.fit import predict_logits
from qap.training.networks import build_student, without_dead_neurons
from qap.training.pruning import PRUNERS, Evidence, Pruning
from qap.training.pruning.ranking import Neurons
from qap.training.pruning.scores import signed_digits


def scores(method: str, kernels, **given) -> list:
    return [np.asarray(each) for each in PRUNERS[method](evidence_of([kernel(k) for k in kernels], **given))]


def test_magnitude_and_l2():
    assert scores("magnitude", [[[1, -2], [0, 3]]])[0].tolist() == [[1, 2], [0, 3]]
    assert scores("l2", [[[1, -2], [0, 3]]])[0].tolist() == [[1, 4], [0, 9]]


def test_random_depends_on_seed_and_step_alone():
    evidence = evidence_of([kernel(np.zeros((50, 4)))])
    first, again = (np.asarray(PRUNERS["random"](evidence)[0]) for _ in range(2))
    later = np.asarray(PRUNERS["random"](Evidence(*[getattr(evidence, name) for name in FIELDS], 3, 100))[0])
    assert np.array_equal(first, again)
    assert not np.array_equal(first, later)
    assert len(np.unique(first)) > 190


FIELDS = ("kernels", "quantized", "gradients", "answers")


def test_taylor_is_weight_times_gradient():
    assert scores("taylor", [[[1, -2], [0, 3]]], gradients=[[[5, 1], [9, -1]]])[0].tolist() == [[5, 2], [0, 3]]


def test_cost_divides_by_adders():
    """7 = 8 - 1 takes two digits, 0.5 one, 11 = 8 + 2 + 1 or 8 + 4 - 1 three."""
    found = scores("cost", [[[7.2, -0.5, 11.1, 0.01]]], quantized=[[[7.0, -0.5, 11.0, 0.0]]])[0]
    np.testing.assert_allclose(found, [[3.6, 0.5, 3.7, 0.01]], rtol=1e-6)


@given(st.integers(-(2**20), 2**20), st.integers(-12, 3))
def test_signed_digits_are_the_fewest(code, exponent):
    """Against the definition: take away the digit that leaves a multiple of four."""
    rest, digits = abs(code), 0
    while rest:
        if rest & 1:
            rest -= 2 - rest % 4
            digits += 1
        rest >>= 1
    assert int(signed_digits(tf.constant(code * 2.0**exponent, tf.float64))) == digits


def test_neurons_by_what_they_answer():
    answers = [[[0.0, 2.0, 0.0], [0.0, 1.0, 4.0]]]
    assert scores("zeros", [np.ones((2, 3)), np.ones((3, 1))], answers=answers)[0].tolist() == [0, 1, 0.5]
    assert scores("activation", [np.ones((2, 3)), np.ones((3, 1))], answers=answers)[0].tolist() == [0, 1.5, 2]


@pytest.mark.parametrize(("method", "gone"), [("magnitude", 0), ("l2", 1)])
def test_a_neuron_counts_with_in_and_outgoing_weights(method, gone):
    """L1: 3 against 4; L2: 9 against 8."""
    first, second = kernel([[3.0, 2.0], [0.0, 0.0]]), kernel([[0.0], [2.0]])
    prune = PruneRecipe(method=method, granularity="neuron", sparsity=0.5, schedule="one-shot", begin_step=0)
    update(Pruning(evidence_of([first, second]), [Neurons((0,), (2,), 0.5)], prune, 10), 0)
    assert not first.numpy()[:, gone].any()
    assert not second.numpy()[gone].any()
    assert first.numpy()[:, 1 - gone].any()


def test_every_layer_keeps_its_best_neuron():
    kernels = [kernel(np.ones((4, 3))), kernel(np.ones((3, 3)) * 1e-6), kernel(np.ones((3, 2)) * 1e-6)]
    prune = PruneRecipe(granularity="neuron", sparsity=0.66, schedule="one-shot", begin_step=0)
    pruning = Pruning(evidence_of(kernels), [Neurons((0, 1), (3, 3), 4 / 6)], prune, 10)
    update(pruning, 0)
    first, second, last = pruning.masks
    assert first.any(axis=0).sum() >= 1
    assert second.any(axis=0).sum() >= 1
    assert first.any(axis=0).sum() + second.any(axis=0).sum() == 2
    assert np.array_equal(first.any(axis=0), second.any(axis=1))
    assert np.array_equal(second.any(axis=0), last.any(axis=1))


def test_neurons_of_different_layers_are_compared_by_their_share_of_the_layer():
    """A layer whose scores are a hundred times larger is worth no more than another one; each keeps its best."""
    table = Neurons((0, 1), (3, 4), 0.5).table([tf.constant([1.0, 2, 3]), tf.constant([400.0, 100, 100, 200])])
    np.testing.assert_allclose(table[0], [0.5, 1, np.inf, np.inf, 0.5, 0.5, 1])


def test_the_evidence_of_a_model_is_its_own():
    """Gradients against Keras' own, answers against the layers called by hand."""
    data, recipe = blobs(), small_recipe()
    model = build_student(recipe.student, 12, 3, seed=1)
    evidence = Evidence.of(model, data.train, data.validation, data.input_format.lsb, 0)
    x = tf.constant(data.real(data.train.x))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(data.train.y, model(x)))
    kernels = [model.get_layer(f"dense_{index}").kernel for index in range(2)]
    own = tape.gradient(loss, [each.value for each in kernels])
    for ours, keras_own in zip(evidence.gradients(), own, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-6)
    hidden = model.get_layer("activation_0")(model.get_layer("dense_0")(data.real(data.validation.x)))
    np.testing.assert_allclose(evidence.answers()[0], hidden, rtol=1e-6)
    quantizer = model.get_layer("dense_1").kernel_quantizer_internal
    assert np.array_equal(evidence.quantized()[1], quantizer(kernels[1]))


@pytest.mark.parametrize("method", PRUNERS)
def test_pruned_neurons_are_gone_and_the_network_is_smaller(method):
    data = blobs()
    prune = {"method": method, "granularity": "neuron", "sparsity": 0.4, "every": 7}
    model, history = train_student(small_recipe(prune=prune).model_copy(update={"distill": None}), data)
    network = freeze(model, data.input_format, data.class_names)
    assert [layer.n_out for layer in network.layers] == [6, 3]
    assert history.best.sparsity == pytest.approx(0.4)
    assert (network.predict(data.real(data.test.x)) == data.test.y).mean() > 0.7


def test_dead_neurons_leave_the_answers_as_they_were():
    data, recipe = blobs(), small_recipe()
    model = build_student(recipe.student, 12, 3, seed=1)
    kernel_1 = model.get_layer("dense_1").kernel
    kernel_1.assign(kernel_1.numpy() * (np.arange(10) % 3 > 0)[:, None])
    smaller = without_dead_neurons(model, recipe, 12)
    assert smaller.get_layer("dense_0").kernel.shape == (12, 6)
    before, after = (predict_logits(each, data.test.x, data.input_format.lsb) for each in (model, smaller))
    np.testing.assert_allclose(before, after, rtol=1e-6)
