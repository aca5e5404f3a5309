"""The grid that inputs lie on."""

from __future__ import annotations

import numpy as np

from qap.explore.diagnosis.ranges import Judged, judge
from qap.explore.diagnosis.samples import grid_of
from qap.fixed import FixedPoint


def test_bytes_by_256_lie_on_a_grid_and_bytes_by_255_on_none() -> None:
    pixels = np.arange(256.0)[:, None]
    assert grid_of(pixels / 256) == (FixedPoint.parse("ap_ufixed<8,0>"), True)
    form, exact = grid_of(pixels / 255)
    assert (str(form), exact) == ("ap_ufixed<17,1,AP_RND_CONV,AP_SAT>", False)


def test_a_type_is_judged_by_what_it_cannot_hold() -> None:
    values = np.array([-1.0, 0.25, 0.3125, 1.0])
    assert judge(values, FixedPoint.parse("ap_fixed<6,2>")) == Judged(-1, 1, 0, 0)
    assert judge(values, FixedPoint.parse("ap_fixed<4,1>")) == Judged(-1, 1, 0.25, 0.0625)
    assert judge(values, FixedPoint.parse("ap_ufixed<5,1>")) == Judged(-1, 1, 0.25, 0)
