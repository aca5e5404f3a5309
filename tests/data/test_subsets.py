"""Some classes of a data set, and the tables of scikit-learn."""

import numpy as np
import pytest
from support.needs import needs

from qap.data import load
from qap.data.images import gray
from qap.errors import DataError

needs("sklearn")


def test_classes_are_counted_in_the_order_in_which_they_are_named():
    whole, part = load("digits"), load("digits:9, 4")
    assert part.class_names == ("9", "4")
    assert part.image_shape == (8, 8)
    pool = np.concatenate([whole.train.x, whole.validation.x, whole.test.x])
    labels = np.concatenate([whole.train.y, whole.validation.y, whole.test.y])
    for index, digit in enumerate((9, 4)):
        found = np.concatenate([each.x[each.y == index] for each in (part.train, part.validation, part.test)])
        assert sorted(map(bytes, found)) == sorted(map(bytes, pool[labels == digit]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digits:4", r"digits: one class is named \(4\); a classifier needs at least two"),
        ("digits:4,4", "the class '4' is named twice"),
        ("digits:4,10", "digits has no class '10', did you mean '1'"),
        ("iris:setosa,virginia", "iris has no class 'virginia', did you mean 'virginica'"),
    ],
)
def test_classes_that_are_not_possible(name, message):
    with pytest.raises(DataError, match=message):
        load(name)


@pytest.mark.parametrize(("name", "samples", "inputs"), [("iris", 150, 4), ("wine", 178, 13)])
def test_tables_of_scikit_learn(name, samples, inputs):
    data = load(name)
    assert (len(data.train) + len(data.validation) + len(data.test), data.n_in) == (samples, inputs)
    assert (data.n_classes, len(data.feature_names)) == (3, inputs)
    assert [each.doubt for each in data.usage] == [None] * inputs


def test_gray_is_the_brightness_of_colours():
    levels = np.arange(256, dtype=np.uint8)
    assert (gray(np.stack([levels] * 3, -1)[None, None])[0, 0] == levels).all()
    colours = np.eye(3, dtype=np.uint8)[None] * 255
    assert gray(colours).tolist() == [[76, 149, 28]]
