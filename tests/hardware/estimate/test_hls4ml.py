"""The HLS estimator on networks, and its intervals against measured designs where they are there."""

import os
from pathlib import Path

import numpy as np
import pytest
from support.estimate_cases import network
from support.work import calls_of

from qap.errors import DataError
from qap.hardware.estimate import ESTIMATORS
from qap.hardware.estimate.constants import constants
from qap.hardware.estimate.fitting.calibration import read_designs
from qap.hardware.estimate.fitting.fit import UNCOMPARABLE, estimate_design
from qap.hardware.estimate.hls4ml import spread_group
from qap.recipe import TargetRecipe

ROOT = Path(__file__).parents[3]
SHARED = [Path(os.environ[name]) for name in ("QAP_DATA_DIR",) if name in os.environ] + [
    ROOT.parent / "shared" / "data"
]
CALIBRATION = [folder / "synthesis" / "calibration" for folder in SHARED]


def csynth(net, **target):
    return ESTIMATORS["hls4ml"](net, TargetRecipe(**target)).stages["csynth"].report


def test_more_bits_need_more_luts():
    luts = [csynth(network(bits=bits)).lut for bits in (2, 4, 6, 8)]
    assert luts == sorted(luts) and luts[0] < luts[-1] / 3


def test_pruning_saves_everything():
    dense, sparse = csynth(network(bits=8)), csynth(network(bits=8, sparsity=0.9))
    assert sparse.lut < dense.lut / 3 and sparse.ff < dense.ff


def test_a_network_without_weights_takes_next_to_nothing():
    empty = csynth(network(bits=8, sparsity=1.0))
    assert empty.dsp == 0 and empty.lut < csynth(network(bits=8)).lut / 10


def test_layers_add_up_and_the_slowest_gives_the_initiation_interval():
    found = ESTIMATORS["hls4ml"](network(), TargetRecipe(reuse_factor=4))
    report = found.stages["csynth"].report
    assert sum(layer.lut for layer in found.layers) == pytest.approx(report.lut, abs=2)
    assert sum(layer.dsp for layer in found.layers) == report.dsp
    assert max(layer.ii_cycles for layer in found.layers) == report.ii_cycles
    assert report.source == "estimate" and report.clock_ns == 5.0


def test_a_slower_clock_needs_no_more_registers():
    fast, slow = csynth(network(bits=8), clock_ns=3.0), csynth(network(bits=8), clock_ns=20.0)
    assert slow.ff <= fast.ff and slow.latency_cycles <= fast.latency_cycles


def test_vivado_takes_fewer_luts_than_hls_says_and_as_many_dsps():
    stages = ESTIMATORS["hls4ml"](network(bits=8), TargetRecipe(backend="Vivado")).stages
    report, synth = stages["csynth"].report, stages["vivado_synth"].report
    assert 0.3 * report.lut < synth.lut < 0.8 * report.lut
    assert synth.dsp == report.dsp


def test_every_amount_lies_in_its_interval_or_says_that_it_has_none():
    for target in (TargetRecipe(), TargetRecipe(reuse_factor=4), TargetRecipe(strategy="resource", reuse_factor=16)):
        found = ESTIMATORS["hls4ml"](network(bits=8), target)
        for stage in found.stages.values():
            assert set(stage.low) == set(stage.high) == {"lut", "ff", "dsp", "bram18", "latency_cycles", "ii_cycles"}
            assert all(stage.low[amount] <= stage.high[amount] for amount in stage.low)
    uncalibrated = ESTIMATORS["hls4ml"](network(bits=8), TargetRecipe(strategy="distributed_arithmetic"))
    assert not uncalibrated.stages["csynth"].low
    assert "no interval" in uncalibrated.notes[0]


def test_resource_strategy_keeps_weights_in_block_rams():
    net = network(bits=8, sizes=(64, 32, 16))
    report = csynth(net, strategy="resource", reuse_factor=128)
    assert report.bram18 > 0 and report.ii_cycles == 128
    assert report.lut < csynth(net).lut


def test_rounded_reuse_factors_are_said():
    found = ESTIMATORS["hls4ml"](network(sizes=(16, 5, 7)), TargetRecipe(strategy="resource", reuse_factor=4))
    assert [layer.reuse_factor for layer in found.layers] == [4, 5]
    assert any("dense0 4, dense1 5" in note for note in found.notes)


def test_distributed_arithmetic_has_no_multiplier():
    report = csynth(network(bits=8), strategy="distributed_arithmetic")
    assert report.dsp == 0 and report.ii_cycles == 1
    assert report.lut < csynth(network(bits=8)).lut


def test_the_same_network_gives_the_same_estimate():
    assert ESTIMATORS["hls4ml"](network(), TargetRecipe()) == ESTIMATORS["hls4ml"](network(), TargetRecipe())


def test_ten_thousand_weights_take_no_call_each():
    net = network(bits=6, sizes=(64, 100, 30, 16, 10))
    assert calls_of(lambda: csynth(net)) < 5_000


@pytest.fixture(scope="module")
def designs():
    for folder in CALIBRATION:
        if folder.is_dir():
            return read_designs(folder)
    pytest.skip("the calibration set is not there")


def test_dsps_are_counted_exactly(designs):
    known = [design for design in designs if not design.flags and design.csynth["dsp"] >= 100]
    off = [abs(estimate_design(design, constants()).dsp - design.csynth["dsp"]) for design in known]
    assert len(off) > 60
    assert np.mean(np.array(off) == 0) > 0.7 and max(off) <= 5


@pytest.mark.parametrize("amount", ["lut", "ff", "latency_cycles"])
def test_about_80_percent_of_the_designs_lie_in_the_interval(designs, amount):
    inside = {}
    for design in designs:
        if design.flags & UNCOMPARABLE["csynth"] or design.network.stream or amount not in design.csynth:
            continue
        spread = constants().spreads[spread_group(design.network)][amount]
        estimated = getattr(estimate_design(design, constants()), amount)
        ends = [estimated + end if amount.endswith("_cycles") else estimated * end for end in spread]
        near = ends[0] - 1 <= design.csynth[amount] <= ends[1] + 1
        inside.setdefault((spread_group(design.network), design.source), []).append(near)
    share = np.mean([np.mean(found) for found in inside.values()])
    assert 0.75 <= share <= 1.0


def test_a_missing_or_damaged_set_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"no calibration set in .*weights\.npz is missing"):
        read_designs(tmp_path)
    (tmp_path / "weights.npz").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(DataError, match="damaged"):
        read_designs(tmp_path)
