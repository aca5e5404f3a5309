"""The operating point: chosen on validation, exact in the last bias, and never moved by the test part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.any_network import random_network
from support.small_data import blobs
from support.small_recipes import recipe, refused

from qap.data import Split
from qap.errors import NotExact, RecipeError
from qap.fixed import FixedPoint
from qap.flow.operating_point import OperatingPoint, ShiftedEngine, choose, described, lead, placed
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.recipe import DecideRecipe
from qap.verification import EmulatorEngine, agree

FORM = FixedPoint.parse("fixed<6,3>")


def network(outputs: int, seed: int = 0) -> IntegerNetwork:
    """Random weights on the inputs of `blobs`, one logit or two, with a hidden layer."""
    rng = np.random.default_rng(seed)
    hidden = FixedPoint.parse("ap_ufixed<6,4,AP_RND_CONV,AP_SAT>")
    specs = [
        LayerSpec("hidden", rng.integers(-9, 9, (12, 6)), FORM, rng.integers(-9, 9, 6), FORM, "relu", hidden),
        LayerSpec("last", rng.integers(-9, 9, (6, outputs)), FORM, rng.integers(-9, 9, outputs), FORM),
    ]
    return connect(FixedPoint.parse("ap_ufixed<6,0>"), specs, ["0", "1"])


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("positive", ["0", "1"])
@pytest.mark.parametrize("most", [0.001, 0.1, 0.34, 0.9])
def test_the_threshold_is_the_lowest_that_keeps_the_rate(outputs: int, positive: str, most: float) -> None:
    """Decided by the moved network alone: the rate holds on validation, and one LSB lower it would not."""
    data, plain = blobs(n_classes=2), network(outputs)
    point = choose(plain, data, DecideRecipe(max_false_alarms=most, positive=positive))
    split, index = data.validation, int(positive)

    def rate(at: OperatingPoint) -> float:
        return float((at.applied(plain).classify(split.x)[split.y != index] == index).mean())

    assert rate(point) <= most < rate(replace(point, threshold=point.threshold - 1))


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("threshold", [-300, -1, 0, 1, 7, 5000])
def test_the_moved_network_decides_by_the_lead(outputs: int, positive: int, threshold: int) -> None:
    plain, x = network(outputs, 3), blobs().train.x
    moved = OperatingPoint(positive, threshold, outputs).applied(plain)
    expected = lead(plain.forward(x), positive) > threshold
    np.testing.assert_array_equal(moved.classify(x) == positive, expected)
    assert moved.output_format.fractional == plain.output_format.fractional
    assert len(moved.layers) == len(plain.layers)


def test_ties_stay_with_the_first_class() -> None:
    identity = LayerSpec("out", np.eye(2, dtype=int), FORM, np.zeros(2, int), FORM)
    plain = connect(FixedPoint.parse("fixed<4,4>"), [identity], ["0", "1"])
    x = np.array([[1, 1], [1, 2], [2, 1], [3, 1]])
    assert OperatingPoint(1, 0, 2).applied(plain).classify(x).tolist() == [0, 1, 0, 0]
    assert OperatingPoint(0, 0, 2).applied(plain).classify(x).tolist() == [1, 1, 0, 0]
    assert OperatingPoint(0, 1, 2).applied(plain).classify(x).tolist() == [1, 1, 1, 0]


def test_the_test_part_has_no_say() -> None:
    data, plain = blobs(n_classes=2), network(2)
    other = replace(data, test=Split(data.train.x, 1 - data.train.y))
    decide = DecideRecipe(max_false_alarms=0.1)
    assert choose(plain, data, decide) == choose(plain, other, decide)
    point = choose(plain, data, decide)
    moved = placed(plain, data, decide)
    found = described(point, moved, data)
    decided, y = moved.classify(data.test.x), data.test.y
    assert found["test"]["false_alarms"]["share"] == pytest.approx((decided[y == 0] == 1).mean())
    assert found["test"]["found"]["share"] == pytest.approx((decided[y == 1] == 1).mean())
    assert found["test"]["found"]["samples"] == int((y == 1).sum())
    assert found["validation"]["false_alarms"]["share"] <= 0.1
    assert placed(plain, data, None) is plain


def test_an_engine_of_the_student_is_moved_with_it() -> None:
    plain = network(2)
    point = OperatingPoint(1, 37, 2)
    moved, x = point.applied(plain), blobs().test.x

    class Student(EmulatorEngine):
        name = "student"

        def run(self, network, x_int):
            return plain.forward(x_int)

    assert not agree([Student(), EmulatorEngine()], moved, x)[0].exact
    engine = ShiftedEngine(Student(), *point.shift)
    assert agree([engine, EmulatorEngine()], moved, x)[0].exact
    assert engine.notes(moved) == ("student is compared with the operating point: logit 1 moved by -37 LSB",)


def test_what_has_no_operating_point_is_refused() -> None:
    with pytest.raises(RecipeError, match="for two classes, but 'blobs' has 3"):
        choose(network(2), blobs(), DecideRecipe(max_false_alarms=0.1))
    with pytest.raises(RecipeError, match=r"decide\.positive='yes' is not a class \(there are: 0, 1\)"):
        choose(network(2), blobs(n_classes=2), DecideRecipe(max_false_alarms=0.1, positive="yes"))
    spec = LayerSpec("out", np.eye(2, dtype=int), FORM, np.zeros(2, int), FORM, "relu", FixedPoint.parse("ufixed<2,2>"))
    rounded = connect(FixedPoint.parse("fixed<4,4>"), [spec], ["0", "1"])
    with pytest.raises(NotExact, match="'out' .* its logits are not plain sums"):
        OperatingPoint(1, 3, 2).applied(rounded)


def test_a_recipe_asks_for_it() -> None:
    assert "decide" not in recipe().to_toml()
    assert recipe(decide={"max_false_alarms": 0.01}).decide == DecideRecipe(max_false_alarms=0.01)
    for wrong in (0, 1, -0.1, "1 %"):
        assert "decide.max_false_alarms" in refused(decide={"max_false_alarms": wrong})
    assert "decide" in refused(student=None, model={"file": "a.npz"}, teacher=None, decide={"max_false_alarms": 0.1})


def test_it_is_proven_for_networks_of_any_kind() -> None:
    """Where the logits are plain sums, the accumulator of the moved network holds what it computes."""
    moved = 0
    for seed in range(30):
        plain = random_network(np.random.default_rng(seed), activations=("linear",))
        if plain.n_out != 2 or plain.layers[-1].result_format != plain.layers[-1].accum_format:
            continue
        form = plain.input_format
        x = np.random.default_rng(seed).integers(form.min_int, form.max_int, (50, plain.n_in), endpoint=True)
        shifted = OperatingPoint(1, 1000, 2).applied(plain).forward(x)
        np.testing.assert_array_equal(shifted - plain.forward(x), np.array([0, -1000]) * np.ones((50, 1), int))
        moved += 1
    assert moved
