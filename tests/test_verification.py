"""Verification must see every difference, and name where it begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from support.random_networks import Choice, choices, random_inputs, random_network

from qap.errors import QapError
from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.testing import FlippedEngine, MissingEngine, NetworkEngine, ReplayEngine
from qap.verification import EmulatorEngine, adversarial_vectors, agree, verify

fmt = FixedPoint.parse


def two_layers(change: int = 0) -> IntegerNetwork:
    first = np.array([[3, -2], [1, 4]])
    second = np.array([[1, 2], [2 + change, -1]])
    specs = [
        LayerSpec(
            "first", first, fmt("fixed<5,5>"), np.zeros(2), fmt("fixed<5,5>"), "relu", fmt("ufixed<6,6,RND,SAT>")
        ),
        LayerSpec("second", second, fmt("fixed<5,5>"), np.zeros(2), fmt("fixed<5,5>"), "linear", fmt("fixed<10,10>")),
    ]
    return connect(fmt("ufixed<3,3>"), specs, "ab")


def flipped() -> FlippedEngine:
    return FlippedEngine(EmulatorEngine(), sample=3, output=1, lsb=5)


def test_equal_engines_agree() -> None:
    network = two_layers()
    (found,) = agree([EmulatorEngine(), NetworkEngine(two_layers())], network, random_inputs(network, 50))
    assert found.exact and found.first is None and (found.samples, found.outputs) == (50, 100)
    assert str(found) == "emulator == twin on 50 test vectors: 0 mismatches"


def test_one_lsb_of_one_weight_is_seen_and_its_layer_named() -> None:
    network = two_layers()
    x = np.array([[0, 0], [1, 2]])
    (found,) = agree([EmulatorEngine(), NetworkEngine(two_layers(change=1))], network, x)
    assert not found.exact
    assert found.first is not None
    assert (found.mismatches, found.first.sample, found.first.output, found.first.layer) == (1, 1, 0, "second")
    assert (found.first.value_a, found.first.value_b, found.max_lsb) == (17, 23, 6)
    assert "in layer 'second' at sample 1, output 0: emulator says 17, twin says 23" in str(found)


@settings(max_examples=60, deadline=None)
@given(choices(activations=("none",)))
def test_any_lsb_of_any_weight_is_seen_by_the_adversarial_vectors(choice: Choice) -> None:
    """Without activations nothing can hide a weight of the last layer but an input that is always 0."""
    network = random_network(choice)
    rng = np.random.default_rng(choice.seed)
    last = network.layers[-1]
    i, j = rng.integers(last.n_in), rng.integers(last.n_out)
    weight = last.weight.copy()
    weight[i, j] += 1 if weight[i, j] < last.weight_format.max_int else -1
    changed = connect(
        network.input_format,
        [*network.specs()[:-1], network.specs()[-1]._replace(weight=weight, result_format=None)],
        network.class_names,
    )
    x = adversarial_vectors(network.input_format, network.n_in)
    inputs = network.trace(x)[-2] if len(network.layers) > 1 else x
    assume(inputs[:, i].any() and changed.output_format == network.output_format)
    found = verify([EmulatorEngine(), NetworkEngine(changed)], network, {"adversarial": x})
    assert not found.exact
    assert found.agreements[0].first is not None and found.agreements[0].first.layer == last.name


def test_the_same_class_is_not_the_same_logits() -> None:
    """All eight logits differ; the class differs in one of four samples."""
    network, logits = two_layers(), np.array([[5, 1], [5, 1], [1, 5], [1, 5]])
    other = np.array([[6, 2], [7, 0], [0, 9], [9, 0]])
    (found,) = agree([ReplayEngine(logits, "a"), ReplayEngine(other, "b")], network, random_inputs(network, 4))
    assert (found.mismatches, found.max_lsb, found.argmax_agreement) == (8, 8, 0.75)


def test_an_engine_without_layers_still_shows_the_mismatch() -> None:
    network = two_layers()
    (found,) = agree([EmulatorEngine(), flipped()], network, random_inputs(network, 10))
    assert found.first is not None
    assert (found.mismatches, found.max_lsb, found.first.sample, found.first.layer) == (1, 5, 3, None)


def test_every_pair_is_compared_on_every_set_of_vectors() -> None:
    network = two_layers()
    engines = [EmulatorEngine(), NetworkEngine(two_layers(), "b"), flipped()]
    sets = {"one": random_inputs(network, 10), "two": random_inputs(network, 20)}
    found = verify(engines, network, sets)
    assert [(a.vectors, a.engine_a, a.engine_b) for a in found.agreements] == [
        (vectors, a, b) for vectors in sets for a, b in [("emulator", "b"), ("emulator", "flipped"), ("b", "flipped")]
    ]
    assert found.mismatches() == {"emulator == b": 0, "emulator == flipped": 2, "b == flipped": 2}
    assert not found.exact and found.to_dict()["exact"] is False


def test_an_engine_that_cannot_run_is_named_and_left_out() -> None:
    network = two_layers()
    engines = [EmulatorEngine(), NetworkEngine(two_layers()), MissingEngine("it is not installed")]
    found = verify(engines, network, {"test": random_inputs(network, 5)})
    assert found.exact and dict(found.unavailable) == {"missing": "it is not installed"}


def test_nothing_compared_is_no_agreement() -> None:
    network = two_layers()
    with pytest.raises(QapError, match="1 engines"):
        verify([EmulatorEngine(), MissingEngine("it is not installed")], network, {"test": random_inputs(network, 5)})
    with pytest.raises(QapError, match="0 inputs"):
        agree([EmulatorEngine(), NetworkEngine(network)], network, np.empty((0, 2), np.int64))
    assert not verify([EmulatorEngine(), NetworkEngine(network)], network, {}).exact


def test_logits_from_elsewhere_are_replayed_and_must_have_the_right_shape() -> None:
    network = two_layers()
    x = random_inputs(network, 6)
    logits = network.forward(x)
    assert agree([EmulatorEngine(), ReplayEngine(logits)], network, x)[0].exact
    assert agree([EmulatorEngine(), ReplayEngine(logits + 1)], network, x)[0].mismatches == logits.size
    with pytest.raises(QapError, match=r"engine 'replay' gave \(5, 2\) logits for 6 inputs"):
        agree([EmulatorEngine(), ReplayEngine(logits[:5])], network, x)


@pytest.mark.parametrize("n_in", [1, 2, 8, 9])
@pytest.mark.parametrize("text", ["ufixed<8,0>", "fixed<4,1>", "ufixed<1,0>", "fixed<6,2,AP_RND,AP_SAT_SYM>"])
def test_adversarial_vectors_are_of_the_format_and_hold_what_they_promise(text: str, n_in: int) -> None:
    form = fmt(text)
    x = adversarial_vectors(form, n_in)
    assert x.shape == (3 + n_in + 2 + 256, n_in)
    assert form.holds(x)
    rows = [tuple(row) for row in x.tolist()]
    assert rows[:3] == [(value,) * n_in for value in (form.min_int, 0, form.max_int)]
    assert rows[3 : 3 + n_in] == [tuple(form.max_int if k == i else 0 for k in range(n_in)) for i in range(n_in)]
    ends = form.min_int, form.max_int
    assert rows[3 + n_in : 5 + n_in] == [tuple(ends[(k + odd) % 2] for k in range(n_in)) for odd in (0, 1)]
    assert {form.min_int, form.max_int} <= {number for row in rows[5 + n_in :] for number in row}
    assert (x == adversarial_vectors(form, n_in)).all()
    assert n_in == 1 or (x != adversarial_vectors(form, n_in, seed=1)).any()
