"""The types that a data set is made of, and the scaling of features."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qap.data.dataset import Dataset, Scaling, Split
from qap.data.grid import storage_dtype
from qap.data.raw import FEATURES, PIXELS
from qap.errors import DataError
from qap.fixed import FixedPoint


def split(rows, labels, dtype=np.uint8):
    return Split(np.array(rows, dtype), np.array(labels))


def dataset(**changes):
    part = split([[0, 255], [3, 4]], [0, 1])
    content = {
        "name": "toy",
        "train": part,
        "validation": part,
        "test": part,
        "class_names": ("a", "b"),
        "input_format": PIXELS,
        "image_shape": None,
        "scaling": None,
    }
    return Dataset(**{**content, **changes})


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("ap_ufixed<1,0>", np.uint8),
        ("ap_ufixed<8,0>", np.uint8),
        ("ap_ufixed<9,0>", np.uint16),
        ("ap_ufixed<17,0>", np.uint32),
        ("ap_ufixed<33,0>", np.int64),
        ("ap_fixed<8,3>", np.int8),
        ("ap_fixed<9,3>", np.int16),
        ("ap_fixed<32,3>", np.int32),
        ("ap_fixed<33,3>", np.int64),
        ("ap_fixed<63,3>", np.int64),
    ],
)
def test_the_smallest_type_that_holds_a_format(text, dtype):
    form = FixedPoint.parse(text)
    assert storage_dtype(form) == dtype
    assert form.holds(np.array([form.min_int, form.max_int], dtype))


def test_sizes_and_real_numbers():
    data = dataset()
    assert (data.n_in, data.n_classes, len(data.train)) == (2, 2, 2)
    real = data.real(data.train.x)
    assert real.dtype == np.float32
    assert real.tolist() == [[0, 255 / 256], [3 / 256, 4 / 256]]


@pytest.mark.parametrize("text", ["ap_ufixed<24,0>", "ap_fixed<25,20>", "ap_fixed<25,-60>", "ap_ufixed<24,60>"])
def test_real_numbers_are_exact_up_to_24_bits(text):
    form = FixedPoint.parse(text)
    part = split([[form.min_int, form.max_int], [1, form.max_int - 1]], [0, 1], storage_dtype(form))
    data = dataset(train=part, validation=part, test=part, input_format=form)
    assert (data.real(part.x).astype(np.float64) == form.to_float(part.x)).all()


def test_a_format_that_float32_cannot_hold_is_refused():
    part = split([[0, 1]], [0], np.uint32)
    with pytest.raises(DataError, match=r"at most 24 bits .* ap_ufixed<25,0>"):
        dataset(train=part, validation=part, test=part, input_format=FixedPoint.parse("ap_ufixed<25,0>"))


def test_arrays_cannot_be_written_to_and_the_given_ones_still_can():
    x = np.zeros((1, 2), np.uint8)
    part = Split(x, np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="read-only"):
        part.x[0, 0] = 1
    x[0, 0] = 1


def test_inputs_are_made_contiguous_and_classes_int64():
    part = Split(np.zeros((3, 2), np.uint8).T, np.zeros(2, np.uint8))
    assert part.x.flags.c_contiguous
    assert part.y.dtype == np.int64


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((2, 2), np.float32), np.zeros(2, np.int64)),
        (np.zeros(4, np.uint8), np.zeros(4, np.int64)),
        (np.zeros((2, 2), np.uint8), np.zeros(3, np.int64)),
    ],
)
def test_a_split_of_the_wrong_kind_is_refused(x, y):
    with pytest.raises(DataError, match="needs integers"):
        Split(x, y)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test": split([[0, 1, 2]], [0])}, "test part must hold uint8"),
        ({"validation": split([[0, 1]], [0], np.int16)}, "validation part must hold uint8"),
        ({"validation": split(np.zeros((0, 2)), [])}, "validation part must hold uint8"),
        ({"train": split([[0, 1]], [2])}, r"train part has a class outside of 0\.\.1"),
        ({"train": split([[0, 1]], [-1])}, r"train part has a class outside of 0\.\.1"),
        ({"train": split([[0, 1]], [0])}, "toy: the training part has no sample of the class 'b'"),
        ({"input_format": FixedPoint.parse("ap_ufixed<7,0>")}, "outside of ap_ufixed<7,0>"),
        ({"image_shape": (2, 2)}, "no .* picture"),
    ],
)
def test_a_data_set_whose_parts_do_not_fit_is_refused(changes, message):
    with pytest.raises(DataError, match=message):
        dataset(**changes)


def test_the_digest_sees_everything_but_the_name():
    scaling = Scaling(np.zeros(2), np.zeros(2, np.int64), PIXELS)
    different = [
        dataset(),
        dataset(train=split([[0, 255], [3, 5]], [0, 1])),
        dataset(train=split([[0, 255], [3, 4]], [1, 0])),
        dataset(validation=split([[0, 255]], [0])),
        dataset(test=split([[0, 255]], [0])),
        dataset(class_names=("a", "c")),
        dataset(input_format=FixedPoint.parse("ap_ufixed<8,1>")),
        dataset(image_shape=(1, 2)),
        dataset(scaling=scaling),
        dataset(scaling=Scaling(np.array([0, 1e-300]), np.zeros(2, np.int64), PIXELS)),
    ]
    assert len({data.digest for data in different}) == len(different)
    assert dataset(name="other").digest == dataset().digest


features = arrays(
    np.float64,
    st.tuples(st.integers(2, 20), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6).map(lambda value: round(value, 3)),
)


@given(features)
def test_scaling_centres_and_brings_the_deviation_near_one(raw):
    scaling = Scaling.fit(raw, FEATURES)
    scaled = np.ldexp(raw - scaling.offset, scaling.shift.astype(np.int32))
    for column, values in enumerate(scaled.T):
        if np.ptp(raw[:, column]) == 0:
            assert scaling.shift[column] == 0
            assert (values == 0).all()
        else:
            assert 0.7 < values.std() < 1.42
            assert abs(values.mean()) < 1e-3


@given(
    features,
    st.sampled_from(
        ["ap_fixed<8,3,AP_RND_CONV,AP_SAT>", "ap_fixed<5,2,AP_TRN,AP_SAT_SYM>", "ap_ufixed<6,1,AP_RND,AP_SAT>"]
    ),
)
def test_scaling_gives_the_integers_of_the_format(raw, text):
    form = FixedPoint.parse(text)
    scaling = Scaling.fit(raw, form)
    scaled = np.ldexp(raw - scaling.offset, scaling.shift.astype(np.int32))
    assert (scaling.apply(raw) == form.quantize(scaled)).all()
    assert form.holds(scaling.apply(raw))


@given(features)
def test_a_scaling_comes_back_from_json_exactly(raw):
    scaling = Scaling.fit(raw, FEATURES)
    again = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    assert (again.offset == scaling.offset).all()
    assert (again.shift == scaling.shift).all()
    assert again.input_format == scaling.input_format
    assert (again.apply(raw) == scaling.apply(raw)).all()


@pytest.mark.parametrize("exponent", [-20, -1, 0, 1, 30])
def test_a_deviation_of_a_power_of_two_becomes_exactly_one(exponent):
    raw = np.ldexp(np.array([[5.0], [7.0]]), exponent)
    scaling = Scaling.fit(raw, FEATURES)
    assert scaling.shift.tolist() == [-exponent]
    assert scaling.apply(raw).tolist() == [[-32], [32]]


def test_an_equal_feature_has_no_spread_even_if_its_mean_is_rounded():
    raw = np.full((7, 1), 0.1)
    assert Scaling.fit(raw, FEATURES).apply(raw).tolist() == [[0]] * 7


def test_what_is_outside_of_the_training_range_saturates():
    scaling = Scaling.fit(np.array([[-1.0], [1.0]]), FEATURES)
    assert scaling.apply(np.array([[1e9], [-1e9]])).tolist() == [[127], [-128]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_only_finite_features_are_scaled(value):
    scaling = Scaling.fit(np.array([[-1.0, 0], [1.0, 1]]), FEATURES)
    with pytest.raises(DataError, match="feature 1 of sample 0"):
        scaling.apply(np.array([[0.0, value]]))


def test_a_spread_beyond_float64_is_refused():
    with pytest.raises(DataError, match="feature 1 spreads beyond float64"):
        Scaling.fit(np.array([[0, -1.7e308], [1, 1.7e308]]), FEATURES)


def test_features_of_another_number_are_refused():
    with pytest.raises(DataError, match=r"must be \(n, 1\), but got \(2, 2\)"):
        Scaling.fit(np.array([[0.0], [1.0]]), FEATURES).apply(np.zeros((2, 2)))


@pytest.mark.parametrize(
    "change",
    [
        {"offset": None},
        {"offset": ["a"]},
        {"offset": [float("nan")]},
        {"offset": [0.0, 1.0]},
        {"shift": [0.5]},
        {"shift": []},
        {"input_format": "fixed"},
        {"input_format": 3},
    ],
)
def test_damaged_scalings_are_refused(change):
    good = {"input_format": "ap_fixed<8,3>", "offset": [0.0], "shift": [1]}
    Scaling.from_dict(good)
    with pytest.raises(DataError, match="scaling"):
        Scaling.from_dict({**good, **change})
    with pytest.raises(DataError, match="not a scaling"):
        Scaling.from_dict({key: value for key, value in good.items() if key not in change})
