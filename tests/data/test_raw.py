"""Splitting samples and bringing integers onto another grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qap.data.raw import PIXELS, RawData, Samples, assemble, stratified
from qap.errors import DataError
from qap.fixed import FixedPoint, Overflow, Rounding

ALL_BYTES = np.arange(256, dtype=np.uint8)


def raw(x, y, test=None, grid=PIXELS, **more):
    return RawData("file", Samples(x, y), test, ("a", "b"), grid, **more)


@given(
    st.lists(st.integers(2, 60), min_size=2, max_size=6), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1), st.data()
)
def test_stratified_parts(counts, share, seed, data):
    y = np.array(data.draw(st.permutations(np.repeat(np.arange(len(counts)), counts).tolist())))
    kept, held = stratified(y, share, seed)
    assert sorted([*kept, *held]) == list(range(len(y)))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held) > 0).all()
    for index, count in enumerate(counts):
        part = int((y[held] == index).sum())
        assert 1 <= part <= count - 1
        assert abs(part - share * count) <= 1 or part in (1, count - 1)
    again = stratified(y, share, seed)
    assert (again[0] == kept).all()
    assert (again[1] == held).all()


def test_parts_add_up_to_the_share_of_the_whole():
    y = np.repeat(np.arange(10), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    kept, held = stratified(y, 0.1, 0)
    assert (len(kept), len(held)) == (54_000, 6_000)


def test_another_seed_is_another_part():
    y = np.arange(100) % 2
    assert (stratified(y, 0.2, 0)[1] != stratified(y, 0.2, 1)[1]).any()


def test_every_sample_is_in_exactly_one_part_and_test_ignores_seed_and_validation():
    x = np.arange(200, dtype=np.uint8).reshape(200, 1)
    y = (np.arange(200) % 3 == 0).astype(np.int64)
    first = assemble("n", raw(x, y), None, 0.1, 0)
    other = assemble("n", raw(x, y), None, 0.3, 9)
    for data in (first, other):
        parts = [data.train, data.validation, data.test]
        assert sorted(np.concatenate([part.x[:, 0] for part in parts])) == list(range(200))
        assert all((y[part.x[:, 0]] == part.y).all() for part in parts)
    assert (first.test.x == other.test.x).all()
    assert len(first.validation) == 16
    assert len(other.validation) == 48
    assert set(first.validation.x[:, 0]) - set(other.validation.x[:, 0])


formats = st.builds(
    FixedPoint,
    st.booleans(),
    st.integers(1, 20),
    st.integers(-4, 8),
    st.sampled_from(Rounding),
    st.sampled_from(Overflow),
)


@given(formats)
def test_pixels_come_into_any_format_as_it_says(form):
    x = np.repeat(ALL_BYTES, 2)[:, None]  # both classes have every byte
    y = np.arange(512) % 2
    data = assemble("n", raw(x, y, test=Samples(x, y)), form, 0.5, 0)
    assert data.input_format == form
    assert (data.test.x[:, 0] == form.quantize(x[:, 0] / 256)).all()
    seen = np.concatenate([data.train.x, data.validation.x])
    assert sorted(seen[:, 0].tolist()) == sorted(data.test.x[:, 0].tolist())


def test_one_bit_a_pixel_is_a_threshold_at_128():
    x = ALL_BYTES[:, None]
    data = assemble("n", raw(x, np.arange(256) % 2, test=Samples(x, np.arange(256) % 2)),
                    FixedPoint.parse("ap_ufixed<1,0>"), 0.5, 0)  # fmt: skip
    assert data.test.x[:, 0].tolist() == [0] * 128 + [1] * 128
    assert set(data.real(data.test.x)[:, 0]) == {0.0, 0.5}


def test_more_samples_than_a_block():
    x = np.random.default_rng(0).integers(0, 256, (10_000, 3), np.uint8)
    y = np.arange(10_000) % 2
    data = assemble("n", raw(x, y, test=Samples(x, y)), FixedPoint.parse("ap_ufixed<4,0>"), 0.1, 0)
    assert (data.test.x == x >> 4).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_scaling_is_fitted_on_the_training_part_and_on_nothing_else(seed):
    x = np.arange(200.0)[:, None] ** 2  # different numbers, so that each is found again
    fine = FixedPoint.parse("ap_fixed<24,4,AP_RND_CONV,AP_SAT>")
    data = assemble("n", raw(x, np.arange(200) % 2, grid=None), fine, 0.2, seed)
    train = {round(value) for value in data.real(data.train.x)[:, 0] * 0.5**data.scaling.shift + data.scaling.offset}
    assert len(train) == len(data.train) == 128
    assert train < set(x[:, 0])
    used = np.array(sorted(train), float)
    assert data.scaling.offset[0] == pytest.approx(used.mean(), rel=1e-12)
    assert data.scaling.shift[0] == -round(np.log2(used.std()))
    assert data.scaling.offset[0] != pytest.approx(x.mean(), rel=1e-6)
    assert (data.scaling.apply(x[np.isin(x[:, 0], used)]) == data.train.x).all()


@pytest.mark.parametrize(
    ("y", "test", "message"),
    [
        ([0] * 9, None, r"file holds one class only \('a'\)"),
        (
            [0] * 9 + [1] * 2,
            None,
            "class 'b' has 2 of the 11 samples, but training, validation and test need at least 3",
        ),
        ([0] * 9 + [1], [0], "class 'b' has 1 of the 10 samples, but training and validation need at least 2"),
    ],
)
def test_too_few_samples(y, test, message):
    x = np.zeros((len(y), 2), np.uint8)
    given_test = None if test is None else Samples(x[: len(test)], np.array(test))
    with pytest.raises(DataError, match=message):
        assemble("n", raw(x, np.array(y), given_test), None, 0.1, 0)


def test_an_error_of_the_scaling_names_the_file():
    x = np.array([[-1.7e308], [1.7e308]] * 9)
    with pytest.raises(DataError, match="file: feature 0 spreads beyond float64"):
        assemble("n", raw(x, np.arange(18) % 2, grid=None), None, 0.1, 0)
