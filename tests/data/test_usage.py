"""How much of the input format features use, and which of them are doubtful."""

import numpy as np
import pytest

from qap.data import load
from qap.data.usage import FeatureUse

rng = np.random.default_rng(0)
SIZE = 3000


def loaded(tmp_path, column, **options):
    y = np.arange(SIZE) % 2
    np.savez(tmp_path / "t.npz", x=np.c_[column, rng.normal(0, 1, SIZE) + y], y=y)
    return load(f"npz:{tmp_path / 't.npz'}", **options)


def test_good_features_are_in_no_doubt(tmp_path):
    for column in (rng.normal(0, 1, SIZE), np.arange(SIZE) % 3, np.zeros(SIZE), rng.normal(5, 2, SIZE) * 1e6):
        data = loaded(tmp_path, column)
        assert [each.doubt for each in data.usage] == [None, None]
        assert [each.codes for each in data.usage] == [np.unique(part).size for part in data.train.x.T]
    assert [each.name for each in data.usage] == ["0", "1"]


@pytest.mark.parametrize("share", [0.02, 0.15])
def test_a_sentinel_is_seen_and_robust_scaling_helps(tmp_path, share):
    column = rng.normal(0, 1, SIZE) + 2.5 * (2 * (np.arange(SIZE) % 2) - 1)
    column[rng.random(SIZE) < share] = -999
    first, second = loaded(tmp_path, column).usage
    assert first.codes < 10
    assert "different numbers are" in first.doubt
    assert 'data.scaling = "robust"' in first.doubt
    assert second.doubt is None
    better = loaded(tmp_path, column, scaling="robust").usage[0]
    assert better.codes > 50
    assert (better.doubt is not None) == (share > 0.05)  # the sentinels themselves saturate


def test_decades_are_seen(tmp_path):
    energies = 10 ** rng.uniform(0, 6, SIZE)
    assert loaded(tmp_path, energies).usage[0].doubt is not None
    assert loaded(tmp_path, np.log10(energies)).usage[0].doubt is None


def test_codes_that_saturate_are_counted(tmp_path):
    column = rng.integers(0, 512, SIZE)
    np.savez(tmp_path / "t.npz", x=np.c_[column, column], y=np.arange(SIZE) % 2)
    data = load(f"npz:{tmp_path / 't.npz'}", input_format="ap_ufixed<8,8,AP_TRN,AP_SAT>")
    assert data.usage[0].saturated == pytest.approx(0.5, abs=0.05)
    assert "% of the training samples are outside of the input format" in data.usage[0].doubt
    assert FeatureUse("a", 512, 256, 0.01, 0.01, 0.04).doubt is None


def test_pixels_have_no_usage():
    assert load("mnist-1v9").usage == ()
