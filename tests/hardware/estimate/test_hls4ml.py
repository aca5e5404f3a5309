"""The HLS estimator on networks, and its intervals against measured designs where they are there."""

import json
import os
import subprocess
import sys
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
from qap.network import save_network
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


@pytest.mark.parametrize("factor", [1, 4])
def test_intervals_are_shares_of_resources_and_differences_of_cycles(factor):
    target = TargetRecipe(reuse_factor=factor, clock_ns=2.0)
    stages = ESTIMATORS["hls4ml"](network(bits=8, sizes=(48, 24, 5)), target).stages
    spreads, after = (
        constants().spreads["latency_reused" if factor > 1 else "latency"],
        constants().spreads["vivado_synth"],
    )
    for name, stage in stages.items():
        for amount, (low, high) in spreads.items():
            middle = getattr(stage.report, amount)
            if name == "vivado_synth" and amount in after:
                low, high = low * after[amount].low, high * after[amount].high
            if amount in ("latency_cycles", "ii_cycles"):
                ends = max(0, round(middle + low)), round(middle + high)
            else:
                ends = round(middle * low), round(middle * high)
            assert (stage.low[amount], stage.high[amount]) == ends, (name, amount)
    assert stages["csynth"].report.latency_cycles > 3


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


TOLD = """
import json, sys
from qap.hardware.estimate import ESTIMATORS
from qap.network import load_network
from qap.recipe import TargetRecipe
print(json.dumps(ESTIMATORS["hls4ml"](load_network(sys.argv[1]), TargetRecipe(reuse_factor=4)).to_dict()))
"""


def test_another_process_gives_the_same_estimate(tmp_path):
    """Nothing hangs on the order of sets, on what was estimated before, or on where the network comes from."""
    save_network(network(bits=8, sparsity=0.5), tmp_path / "network.npz")
    command = [sys.executable, "-c", TOLD, str(tmp_path / "network.npz")]
    told = [
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True).stdout
        for seed in ("1", "2")
    ]
    estimate = ESTIMATORS["hls4ml"](network(bits=8, sparsity=0.5), TargetRecipe(reuse_factor=4))
    assert json.loads(told[0]) == json.loads(told[1]) == json.loads(json.dumps(estimate.to_dict()))


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
def test_the_shipped_intervals_belong_to_the_shipped_constants(designs, amount):
    """They hold about 80 % of the designs that both were made from."""
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
