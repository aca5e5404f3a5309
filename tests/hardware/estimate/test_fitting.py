"""Fits, spreads and scores, on amounts whose answer is known."""

import numpy as np
import pytest

from qap.hardware.estimate.fitting.fit import Row, fit_differences, fit_ratios, nnls, spread
from qap.hardware.estimate.fitting.validation import smape


def rows(true, noise=0.0, seed=0):
    random = np.random.default_rng(seed)
    made = []
    for _ in range(60):
        terms = {name: float(random.uniform(50, 5000)) for name in true}
        measured = sum(true[name] * amount for name, amount in terms.items()) * np.exp(noise * random.standard_normal())
        made.append(Row(terms, measured, 1.0))
    return made


def test_coefficients_are_found_again():
    true = {"adders": 1.5, "muxes": 0.2}
    assert fit_ratios(rows(true), {}) == pytest.approx(true, rel=1e-3)
    assert fit_ratios(rows(true, noise=0.05), {}) == pytest.approx(true, rel=0.25)


def test_an_outlier_does_not_decide():
    made = rows({"adders": 2.0})
    made[0] = made[0]._replace(measured=made[0].measured * 50)
    assert fit_ratios(made, {})["adders"] == pytest.approx(2.0, rel=0.02)


def test_a_prior_decides_only_what_no_row_tells():
    found = fit_ratios(rows({"adders": 2.0}), {"ghosts": 1.0})
    assert found["ghosts"] == 1.0
    assert found["adders"] == pytest.approx(2.0, rel=1e-3)


def test_differences():
    assert fit_differences(rows({"calls": 1.0})) == pytest.approx({"calls": 1.0})


def test_nnls_never_goes_below_zero():
    x = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    assert nnls(x, np.array([3.0, 2.0, 1.0])) == pytest.approx([2.0, 0.0])
    assert nnls(x, x @ np.array([0.5, 2.0])) == pytest.approx([0.5, 2.0])


def test_spread_holds_80_percent():
    low, high = spread(list(range(1, 101)), [1.0] * 100)
    assert (low, high) == (10, 90)
    assert spread([1.0, 5.0], [9.9, 0.1]) == (1.0, 1.0)


def test_smape():
    assert smape([0, 2, 3], [0, 2, 1]) == pytest.approx(100 / 3)
