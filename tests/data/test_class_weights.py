"""How much a sample counts in training, by its class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.needs import needing
from support.small_data import blobs, small_recipe
from support.small_recipes import recipe, refused

from qap.data import Split, weighted
from qap.errors import DataError
from qap.run import load_for


def rare(data, share=0.1):
    """The same with few samples of class 0 in training."""
    keep = (data.train.y != 0) | (np.arange(len(data.train)) < share * len(data.train))
    return replace(data, train=Split(data.train.x[keep], data.train.y[keep]))


def test_balanced_weights_give_every_class_the_same_sum():
    data = rare(blobs())
    weights = np.array(weighted(data, "balanced").class_weights)
    counts = np.bincount(data.train.y)
    np.testing.assert_allclose(weights * counts, len(data.train) / 3)


def test_a_class_that_is_not_named_counts_once_and_the_digest_changes():
    data = blobs()
    heavy = weighted(data, {"1": 3.0})
    assert heavy.class_weights == (1.0, 3.0, 1.0)
    assert heavy.digest != data.digest


def test_weights_for_what_is_no_class_are_refused():
    with pytest.raises(DataError, match=r"data\.class_weights: 'blobs' has no class '3' \(there are: 0, 1, 2\)"):
        weighted(blobs(), {"3": 2.0})
    unlabelled = replace(blobs(), class_names=(), **{part: Split(getattr(blobs(), part).x, getattr(blobs(), part).y * 0)
                                                     for part in ("train", "validation", "test")})  # fmt: skip
    with pytest.raises(DataError, match="has no labels"):
        weighted(unlabelled, "balanced")


def test_a_recipe_takes_names_or_balanced():
    assert "class_weights" not in recipe().to_toml()
    assert recipe(data={"class_weights": "balanced"}).data.class_weights == "balanced"
    assert recipe(data={"class_weights": {"9": 2.5}}).data.class_weights == {"9": 2.5}
    for wrong in ("even", {"9": 0.0}, {"9": "2"}, 3):
        assert "class_weights" in refused(data={"class_weights": wrong})


def test_the_data_of_a_recipe_have_its_weights():
    asked = recipe(data={"class_weights": {"9": 2.5}}, student={"layers": [{"units": 2, "weight": 4}]})
    assert load_for(asked).class_weights == (1.0, 2.5)


@needing("tensorflow", "qkeras")
def test_a_weight_is_as_if_its_samples_stood_there_so_often():
    """One whole batch an epoch: weight 3 for a class is three copies of its samples, up to the scale of the loss."""
    from qap.training import train_teacher
    from qap.training.fit import predict_logits

    data = rare(blobs())
    extra = np.flatnonzero(data.train.y == 0)
    rows = np.concatenate([np.arange(len(data.train)), extra, extra])
    copied = replace(data, train=Split(data.train.x[rows], data.train.y[rows]))
    teacher = {"units": [8], "epochs": 5, "batch_size": 10_000, "learning_rate": 0.03, "dropout": 0.0}
    asked = small_recipe(teacher=teacher)
    validation = weighted(data, {"0": 3.0})  # a copy weighs on validation, too
    model, history = train_teacher(asked, validation)
    other, reference = train_teacher(asked, copied)
    plain, _ = train_teacher(asked, data)
    answers = [predict_logits(each, data.test.x, data.input_format.lsb) for each in (model, other, plain)]
    np.testing.assert_allclose(answers[0], answers[1], atol=2e-3)  # Adam does not see the scale, but its epsilon
    assert np.abs(answers[0] - answers[2]).max() > 2e-2
    for first, second in zip(history.records, reference.records, strict=True):
        assert first.train_loss == pytest.approx(second.train_loss, rel=1e-3)
        assert first.train_accuracy == pytest.approx(second.train_accuracy)
