"""Random vectors for models without data."""

from __future__ import annotations

import numpy as np
import pytest

from qap.data import load
from qap.errors import DataError


def test_they_are_seeded_unlabelled_and_over_the_whole_format() -> None:
    data = load("random:9", input_format="ap_fixed<6,3>", seed=1)
    assert (data.n_in, data.n_classes, data.has_labels) == (9, 0, False)
    assert (data.test.x.min(), data.test.x.max()) == (-32, 31)
    assert (np.abs(data.test.x).max(axis=1) <= 1).any()  # small ones, too
    assert data.digest == load("random:9", input_format="ap_fixed<6,3>", seed=1).digest
    assert data.digest != load("random:9", input_format="ap_fixed<6,3>", seed=2).digest
    assert str(load("random:2").input_format) == "ap_fixed<16,6>"
    assert load("mnist-1v9").has_labels


@pytest.mark.parametrize("name", ["random", "random:", "random:0", "random:-1", "random:x", "random:99999999"])
def test_a_number_of_inputs_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="random"):
        load(name)
