"""What classifications are worth: by hand, by counting pairs, and by formulas that the library does not share."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import sqrt

import numpy as np
import pytest
from support.small_data import blobs

from qap.data import Split
from qap.judging import class_scores, decisions, judged, majority, roc_curves, scores, wilson_interval
from qap.run.measures import warnings


def one_hot(classes, n_classes=3):
    return np.eye(n_classes)[np.asarray(classes)]


def test_accuracies_are_of_their_parts_and_the_confusion_is_true_by_decided():
    """A model that takes every 1 of the test part for a 2, is right on validation and always says 0 on train."""
    data = blobs(samples=90)
    answers = {id(data.train): np.zeros(90, int), id(data.validation): data.validation.y}
    answers[id(data.test)] = np.where(data.test.y == 1, 2, data.test.y)
    found = judged(lambda split: one_hot(answers[id(split)]), data)
    assert found["accuracy"] == {"train": 30 / 90, "validation": 1.0, "test": 40 / 60}
    assert found["confusion"] == [[20, 0, 0], [0, 0, 20], [0, 0, 20]]
    assert found["scores"]["balanced_accuracy"] == pytest.approx(2 / 3)
    rows = found["scores"]["classes"]
    assert [row["class"] for row in rows] == ["0", "1", "2"]
    assert [row["samples"] for row in rows] == [20, 20, 20]
    assert [row["recall"] for row in rows] == [1, 0, 1]
    assert [row["precision"] for row in rows] == [1, 0, 0.5]
    assert [row["f1"] for row in rows] == pytest.approx([1, 0, 2 / 3])
    assert found["scores"]["f1"] == pytest.approx(5 / 9)


def test_nothing_is_judged_without_labels():
    data = replace(blobs(), class_names=(), **{p: Split(getattr(blobs(), p).x, getattr(blobs(), p).y * 0)
                                               for p in ("train", "validation", "test")})  # fmt: skip
    assert judged(lambda split: 1 / 0, data) == {} == majority(data)


@pytest.mark.parametrize(("right", "samples"), [(0, 10), (10, 10), (7, 10), (500, 1000), (1, 1)])
def test_wilsons_interval_solves_its_equation(right, samples):
    """The ends p are where the share is 1.96 of p's own standard deviations away."""
    z, share = 1.959963984540054, right / samples
    low, high = wilson_interval(right, samples)
    assert 0 <= low <= share <= high <= 1
    for p in (low, high):
        assert p in (0, 1) or abs(share - p) == pytest.approx(z * sqrt(p * (1 - p) / samples))


@pytest.mark.parametrize("classes", [1, 2, 4])
def test_areas_count_pairs_in_the_right_order(classes):
    """The area is the share of pairs, one of the class and one of the rest, that their scores order; a tie is half."""
    rng = np.random.default_rng(classes)
    logits = rng.integers(-4, 5, (60, classes))
    names = tuple("abcd"[: max(2, classes)])
    y = rng.integers(0, len(names), 60)
    found = scores(logits, y, names)
    odds = class_scores(logits)
    for index, row in enumerate(found["classes"]):
        pairs = [(a > b) + 0.5 * (a == b) for a, b in product(odds[index][y == index], odds[index][y != index])]
        assert row["auc"] == pytest.approx(np.mean(pairs))
    assert found["auc"] == pytest.approx(np.mean([row["auc"] for row in found["classes"]]))


def test_log_odds_are_those_of_the_softmax():
    logits = np.random.default_rng(0).normal(size=(50, 3))
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for index, odds in enumerate(class_scores(logits)):
        np.testing.assert_allclose(odds, np.log(softmax[:, index] / (1 - softmax[:, index])))
    np.testing.assert_array_equal(class_scores(np.array([[700, -700]]))[0], [1400.0])  # where a softmax would saturate
    np.testing.assert_array_equal(class_scores(np.array([[3, 7]]), 0.25)[1], [1.0])


def test_a_class_that_does_not_occur_has_no_area_and_does_not_count():
    found = scores(one_hot([0, 1, 1, 2]), np.array([0, 1, 1, 1]), ("a", "b", "c"))
    assert [row["auc"] is None for row in found["classes"]] == [False, False, True]
    assert found["balanced_accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    assert scores(one_hot([0, 0]), np.array([0, 0]), ("a", "b", "c"))["auc"] is None
    assert scores(np.array([[np.nan, 1], [0, 1]]), np.array([0, 1]), ("a", "b"))["auc"] is None


def test_curves_end_in_the_corners_and_hold_their_area():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 90)
    logits = one_hot(y) + rng.normal(size=(90, 3))
    curves = roc_curves(logits, y, ("a", "b", "c"))
    assert [curve.name for curve in curves] == ["a", "b", "c"]
    for curve in curves:
        assert (curve.false_alarms[0], curve.found[0], curve.false_alarms[-1], curve.found[-1]) == (0, 0, 1, 1)
        assert np.trapezoid(curve.found, curve.false_alarms) == pytest.approx(curve.area)
    assert [curve.name for curve in roc_curves(logits[:, :2], np.minimum(y, 1), ("no", "yes"))] == ["yes"]


def test_one_output_decides_above_zero():
    assert decisions(np.array([[-1], [0], [1]])).tolist() == [0, 0, 1]
    assert decisions(np.array([[1, 1], [0, 2]])).tolist() == [0, 1]


def test_the_majority_is_that_of_the_training_part():
    data = blobs(samples=90)
    train = Split(data.train.x, np.where(data.train.y == 2, 1, data.train.y))
    train = Split(np.concatenate([train.x, data.train.x[2:3]]), np.append(train.y, 2))
    found = majority(replace(data, train=train))["majority"]
    assert found["class"] == "1"
    assert found["accuracy"] == {"train": 60 / 91, "validation": pytest.approx(1 / 3), "test": pytest.approx(1 / 3)}


# ---- warnings


def content(decided, y, teacher=None):
    """Of `metrics`, for three classes, of which 0 is the most frequent in training."""
    y = np.asarray(y)

    def of(classes):
        right = int((np.asarray(classes) == y).sum())
        found = scores(one_hot(classes), y, ("a", "b", "c"))
        return {"test": right / len(y)}, {"interval": {"test": wilson_interval(right, len(y))}, **found}

    models = {"integer": decided, **({} if teacher is None else {"teacher": teacher})}
    judged_ = {model: of(classes) for model, classes in models.items()}
    return {
        "accuracy": {"teacher": None, **{model: found[0] for model, found in judged_.items()}},
        "scores": {model: found[1] for model, found in judged_.items()},
        "majority": {"class": "a", "accuracy": {"test": float((y == 0).mean())}},
    }


Y = [0] * 50 + [1] * 30 + [2] * 20


def test_a_good_network_is_not_warned_of():
    assert warnings(content(Y, Y, Y)) == []
    wrong = np.array(Y)
    wrong[:4] = 1
    assert warnings(content(wrong, Y, Y)) == []  # four points below its teacher


def test_one_class_for_all_is_a_warning():
    assert warnings(content([1] * 100, Y)) == ["the integer network decides 'b' for every test sample"]


def test_no_better_than_the_majority_is_a_warning():
    decided = [0] * 50 + [1] * 3 + [0] * 47
    (found,) = warnings(content(decided, Y))
    assert found == (
        "the integer network has 53.00% on test, which is not surely better than always deciding 'a': 50.00%"
    )


def test_far_below_the_teacher_is_a_warning():
    wrong = np.array(Y)
    wrong[:15] = 1
    (found,) = warnings(content(wrong, Y, Y))
    assert found == "the integer network is 15.0 points below its teacher on test (85.00% and 100.00%)"


def test_old_runs_are_not_warned_of():
    found = content([1] * 100, Y)
    assert warnings({"accuracy": found["accuracy"]}) == []
    assert warnings({"accuracy": {"integer": None, "teacher": None}}) == []
