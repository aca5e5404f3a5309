"""Scalings before the network and in it: which is taken, what they make of features, and what is refused."""

import numpy as np
import pytest

from qap.data import Dataset, SampleScaling, Scaling
from qap.data.raw import FEATURES, PIXELS, SHARES, RawData, Samples, assemble
from qap.errors import DataError
from qap.fixed import FixedPoint, Overflow

ADC = FixedPoint.parse("ap_ufixed<9,9>")
rng = np.random.default_rng(0)
CODES = np.concatenate([[[0, 40], [511, 60]], rng.integers(100, 400, (38, 2))]).astype(float)


def loaded(x, form=None, scaling=None, *, grid=None, test=None, **more) -> Dataset:
    y = np.arange(len(x)) % 2
    held = None if test is None else Samples(np.asarray(test, float), np.zeros(len(test), np.int64))
    raw = RawData("file", Samples(np.asarray(x), y), held, ("a", "b"), grid, **more)
    return assemble("n", raw, FixedPoint.parse(form) if form else None, 0.2, 0, None, scaling)


def everything(data: Dataset):
    return np.concatenate([data.train.x, data.validation.x, data.test.x])


@pytest.mark.parametrize("scaling", ["none", "standard", "min-max", "robust"])
def test_whole_numbers_go_into_the_network_as_they_are(scaling):
    data = loaded(CODES, scaling=scaling)
    assert data.input_format == ADC
    assert sorted(map(tuple, everything(data))) == sorted(map(tuple, CODES))
    assert (data.network_scaling is None) == (scaling == "none")
    if data.scaling:
        assert data.scaling.in_network
        assert (data.scaling.offset % 1 == 0).all()


def test_a_format_of_whole_numbers_is_enough_to_take_codes():
    data = loaded(CODES, "ap_uint<10>")
    assert data.input_format == FixedPoint.parse("ap_uint<10>")
    assert data.network_scaling.offset.tolist() == np.rint(data.train.x.mean(axis=0)).tolist()
    assert loaded(CODES).network_scaling is None  # nobody asked, so they are scaled as ever
    assert loaded(CODES).input_format == FEATURES


def test_other_numbers_and_wide_ones_are_scaled_before_the_network():
    for x in (CODES + 0.5, CODES * 1000):
        data = loaded(x, scaling="standard")
        assert (data.network_scaling, data.input_format) == (None, FEATURES)
        assert (data.scaling.apply(x[:5]) == FEATURES.quantize(data.scaling.scaled(x[:5]))).all()


def test_the_format_holds_the_codes_of_every_part():
    assert loaded(CODES, scaling="standard", test=[[600, 3]]).input_format == FixedPoint.parse("ap_ufixed<10,10>")
    assert loaded(CODES, scaling="standard", test=[[-5, 3]]).input_format == FixedPoint.parse("ap_fixed<10,10>")


def test_codes_outside_of_a_format_saturate_or_are_refused_with_a_count():
    with pytest.raises(DataError) as caught:
        loaded(CODES, "ap_ufixed<8,8>")
    wrong = int((CODES > 255).sum())
    assert f"file: {wrong} of 80 numbers are outside of ap_ufixed<8,8> (0 to 255), which wraps" in str(caught.value)
    assert "write ap_ufixed<8,8,AP_TRN,AP_SAT> to saturate them" in str(caught.value)
    data = loaded(CODES, "ap_ufixed<8,8,AP_TRN,AP_SAT>")
    assert everything(data).max() == 255
    assert (everything(data) == 255).sum() == (CODES >= 255).sum()


def test_scaled_features_outside_of_a_format_that_wraps_are_refused():
    x = np.append(rng.normal(size=39), 50.0)[:, None]
    with pytest.raises(DataError, match=r"1 of \d+ numbers are outside of ap_fixed<6,3> \(-4 to 3.875\), which wraps"):
        loaded(x, "ap_fixed<6,3>", test=[[50.0]])
    assert loaded(x, "ap_fixed<6,3,AP_TRN,AP_SAT>").test.x.max() <= 31


def test_samples_by_their_own_range_cannot_be_folded():
    with pytest.raises(DataError, match=r"weights cannot take in, .*ap_ufixed<9,9>.*\(x - min\) / \(max - min\)"):
        loaded(CODES, "ap_ufixed<9,9>", "per-sample")
    data = loaded(CODES, scaling="per-sample")
    assert (data.input_format, data.network_scaling) == (SHARES, None)
    assert data.scaling.to_dict() == {"input_format": str(SHARES), "per_sample": True}
    assert {tuple(row) for row in everything(data)} == {(0, 255), (255, 0)}


def test_a_sample_of_equal_numbers_has_no_range():
    assert SampleScaling(SHARES).apply(np.array([[7.0, 7.0], [1.0, 2.0]])).tolist() == [[0, 0], [0, 255]]
    with pytest.raises(DataError, match="sample 1 spreads beyond float64"):
        SampleScaling(SHARES).apply(np.array([[0, 1], [-1.7e308, 1.7e308]]))


def test_pixels_are_scaled_in_the_network_when_that_is_asked_for():
    x = rng.integers(0, 256, (40, 3)).astype(np.uint8)
    assert loaded(x, grid=PIXELS).scaling is None
    data = loaded(x, scaling="min-max", grid=PIXELS)
    assert (everything(data).sum(), data.input_format) == (x.sum(), PIXELS)
    real = data.real(data.train.x)
    assert (data.network_scaling.offset == real.min(axis=0)).all()


def test_features_as_they_are_need_a_format():
    with pytest.raises(DataError, match=r'data.scaling = "none" takes features as they are; name their data.input_fo'):
        loaded(CODES + 0.25, scaling="none")
    assert (everything(loaded(CODES + 0.25, "ap_ufixed<11,9>", "none")) % 4 == 1).all()


def test_a_wide_input_is_not_scaled_in_the_network():
    with pytest.raises(DataError, match=r"takes inputs of at most 16 bits, but they are ap_ufixed<17,17>"):
        loaded(CODES, "ap_ufixed<17,17>", "standard")
    assert loaded(CODES, "ap_ufixed<17,17>", "none").scaling is None


def some_codes(seed):
    """Columns of any spread, one of them constant."""
    chance = np.random.default_rng(seed)
    low, high = np.sort(chance.integers(0, 512, (2, 5)), axis=0)
    return np.append(chance.integers(low, high + 1, (9, 5)), np.full((9, 1), 77), axis=1).astype(float)


@pytest.mark.parametrize("method", ["standard", "min-max", "robust"])
@pytest.mark.parametrize("seed", range(10))
def test_a_scaling_in_the_network_is_a_shift_of_whole_numbers(seed, method):
    raw = some_codes(seed)
    scaling = Scaling.fit(raw, ADC, method, in_network=True)
    assert (scaling.apply(raw) == raw).all()
    factor, summand = map(np.array, scaling.line)
    assert (raw * factor + summand == np.ldexp(raw - scaling.offset, scaling.shift.astype(np.int32))).all()
    assert (scaling.offset % 1 == 0).all()
    constant = raw.min(axis=0) == raw.max(axis=0)
    assert (scaling.shift[constant] == scaling.shift.min()).all()
    again = Scaling.from_dict(scaling.to_dict())
    assert again.in_network
    assert again.to_dict() == scaling.to_dict()


@pytest.mark.parametrize("seed", range(10))
def test_the_range_comes_within_0_and_1(seed):
    raw = some_codes(seed)
    scaled = (scaling := Scaling.fit(raw, SHARES, "min-max")).scaled(raw)
    assert (scaled.min(axis=0) == 0).all()
    spread = scaled.max(axis=0)[raw.min(axis=0) < raw.max(axis=0)]
    assert ((spread > 0.5) & (spread <= 1)).all()
    assert scaling.apply(raw).max() <= 255


@pytest.mark.parametrize("share", [0, 0.02, 0.15])
def test_a_robust_scaling_does_not_follow_a_sentinel(share):
    x = rng.normal(0, 1, (3000, 1))
    x[rng.random(3000) < share] = -999
    used = [np.unique(Scaling.fit(x, FEATURES, method).apply(x)).size for method in ("standard", "robust")]
    assert used[1] > 150
    assert (used[0] < 10) == (share > 0)


def test_a_column_that_is_mostly_one_number_has_the_spread_of_the_others():
    x = np.zeros((100, 1))
    x[:10, 0] = np.linspace(30, 34, 10)
    assert Scaling.fit(x, FEATURES, "robust").shift.tolist() == [-5]


def test_numbers_between_the_codes_are_refused():
    scaling = Scaling.fit(CODES, ADC, in_network=True)
    with pytest.raises(DataError, match=r"feature 1 of sample 0 is 2.5, but the network takes whole multiples of 1"):
        scaling.apply(np.array([[3, 2.5]]))
    with pytest.raises(DataError, match="outside of ap_ufixed<9,9>"):
        scaling.apply(np.array([[3, 512]]))
    saturating = Scaling.fit(CODES, ADC.with_modes(ADC.rounding, Overflow.SAT), in_network=True)
    assert saturating.apply(np.array([[3, 512]])).tolist() == [[3, 511]]
