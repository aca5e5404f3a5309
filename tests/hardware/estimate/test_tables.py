"""Estimates of networks of truth tables: what RTL takes is known, what knows weights alone says so."""

from __future__ import annotations

import numpy as np
import pytest
from support.needs import needing
from support.table_networks import class_sums

from qap.errors import QapError
from qap.explore.sensitivity.measure import sensitivity
from qap.fixed import FixedPoint
from qap.hardware.devices import find_device
from qap.hardware.estimate import estimate
from qap.hardware.estimate.choice import choose
from qap.hardware.estimate.rtl import estimate_rtl
from qap.hardware.estimate.stats import network_stats
from qap.hardware.rtl.size import law_luts
from qap.network import IntegerNetwork, TableLayer, ThresholdLayer, connect
from qap.recipe import TargetRecipe


def network(units: int = 40, n_in: int = 30) -> IntegerNetwork:
    rng = np.random.default_rng(0)
    wires = np.stack([rng.choice(n_in, 6, replace=False) for _ in range(units)])
    layer = TableLayer("looked up", wires, rng.integers(0, 2**64, units, np.uint64), n_in)
    return connect(FixedPoint(False, 1, 0), [layer, class_sums(units, 2)], ["a", "b"])


def test_the_law_counts_a_lut_for_each_table_and_what_a_threshold_compares() -> None:
    alone = network()
    sums = connect(FixedPoint(False, 1, 1), [class_sums(40, 2)], ["a", "b"])
    assert law_luts(alone) == 40 + law_luts(sums)
    bits = ThresholdLayer("bits", np.array([0, 0, 0, 0]), np.array([128, 64, 1, 5]), 1)
    several = connect(FixedPoint(False, 8, 8), [bits], ["a", "b", "c", "d"])
    one = connect(FixedPoint(False, 8, 8), [ThresholdLayer("bits", np.array([0] * 4), np.array([128] * 4), 1)],
                  ["a", "b", "c", "d"])  # fmt: skip
    # the top bit is a wire, two bits are one LUT, eight are two
    assert law_luts(several) - law_luts(one) == 1 + 2 + 2


@needing("da4ml")
def test_the_circuit_is_built_and_lies_near_the_law() -> None:
    report = estimate_rtl(network(), build=True)
    assert report.latency_cycles is not None
    assert 0.6 < report.lut / law_luts(network()) < 1.6
    assert estimate(network(), estimator="rtl").stages["yosys"].report.lut == report.lut


def test_counts_name_tables() -> None:
    found = estimate(network(), estimator="counts").counts
    assert (found["tables"], found["multiplications"]) == (40, 80)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda net: estimate(net, estimator="hls4ml"), "the estimator hls4ml, unlike rtl, knows weights alone"),
        (lambda net: estimate(net, estimator="ebops"), "the estimator ebops, unlike counts, knows weights alone"),
        (lambda net: network_stats(net), "qap stats knows weights alone"),
        (lambda net: sensitivity(net, None), "sensitivity knows weights alone"),
        (lambda net: choose(net, TargetRecipe(), find_device("xc7a35t")[1],
                            lambda *both: estimate(*both).stages["vivado_synth"].report), "the estimator hls4ml"),
    ],
)  # fmt: skip
def test_what_knows_weights_alone_names_the_layer(ask, said: str) -> None:
    with pytest.raises(QapError, match=rf"{said}.*layer 'looked up' has truth tables"):
        ask(network())
