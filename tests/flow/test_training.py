"""What the stages up to the network write down of what they found."""

import numpy as np
from support.small_data import blobs

from qap.flow.training import judged


def test_accuracies_are_of_their_parts_and_the_confusion_is_true_by_decided():
    """A model that takes every 1 of the test part for a 2, is right on validation and always says 0 on train."""
    data = blobs(samples=90)
    answers = {id(data.train): np.zeros(90, int), id(data.validation): data.validation.y}
    answers[id(data.test)] = np.where(data.test.y == 1, 2, data.test.y)
    found = judged(lambda split: answers[id(split)], data)
    assert found["accuracy"] == {"train": 30 / 90, "validation": 1.0, "test": 40 / 60}
    assert found["confusion"] == [[20, 0, 0], [0, 0, 20], [0, 0, 20]]
