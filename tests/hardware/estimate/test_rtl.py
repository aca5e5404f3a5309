from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.any_network import random_network
from support.hardware_cases import dense, sparse_classifier
from support.needs import needs
from support.work import calls_of

from qap.errors import QapError, ToolMissing
from qap.fixed import FixedPoint
from qap.hardware.circuit import lowering
from qap.hardware.circuit.sums import digits
from qap.hardware.circuit.wires import Range
from qap.hardware.estimate.rtl import estimate_rtl
from qap.hardware.rtl import RtlOptions, write_rtl
from qap.hardware.rtl.size import nonzero_digits, widths
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.network.csd import csd_digits
from qap.network.interval import Interval
from qap.recipe import TargetRecipe


def wide_network(n_in: int = 40, n_out: int = 10, bits: int = 6) -> IntegerNetwork:
    rng, form = np.random.default_rng(1), FixedPoint.parse(f"fixed<{bits},1>")
    weight = rng.integers(form.min_int, form.max_int, (n_in, n_out), endpoint=True)
    spec = LayerSpec("layer", weight, form, np.zeros(n_out, np.int64), form)
    return connect(FixedPoint.parse("ufixed<8,0>"), [spec], [str(index) for index in range(n_out)])


def test_vectorised_digits_and_widths_are_those_of_single_numbers() -> None:
    numbers = np.arange(-3000, 3001)
    assert csd_digits(numbers).tolist() == [digits(int(number)) for number in numbers]
    rng = np.random.default_rng(0)
    ends = np.sort(rng.integers(-(1 << 40), 1 << 40, (500, 2)) >> rng.integers(0, 40, (500, 2)), axis=1)
    low, high = ends[:, 0], ends[:, 1]
    expected = [Range(int(a), int(b)).width if a or b else 0 for a, b in ends]
    assert widths(Interval(low, high)).tolist() == expected


def test_one_table_is_one_lut() -> None:
    network = dense([[3], [-5], [7], [11], [-2], [1]], [-4], "ufixed<1,1>", "ufixed<1,3,RND_CONV,SAT>")
    report = estimate_rtl(network, build=True)
    assert (report.lut, report.dsp, report.latency_cycles, report.ii_cycles) == (1, 0, 1, 1)
    assert report.source == "estimate" and report.tool == "qap's circuit of RTL"


def test_latency_is_that_of_the_project(tmp_path: Path) -> None:
    for seed in range(5):
        network = random_network(np.random.default_rng(seed))
        project = write_rtl(network, tmp_path / str(seed), RtlOptions(interface="parallel"))
        assert estimate_rtl(network).latency_cycles == project.latency_cycles
    deep = write_rtl(network, tmp_path / "deep", RtlOptions(interface="parallel", stage_depth=1))
    assert estimate_rtl(network, stage_depth=1).latency_cycles == deep.latency_cycles
    with pytest.raises(QapError, match="stage_depth >= 1"):
        estimate_rtl(network, stage_depth=0)


def test_large_networks_are_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    network = wide_network(100, 100)
    assert nonzero_digits(network) > 2_500

    def never(*_: object) -> None:
        raise AssertionError("it was built")

    monkeypatch.setattr("qap.hardware.estimate.rtl.lower_network", never)
    report = estimate_rtl(network, TargetRecipe(part="xc7z045", clock_ns=4.0))
    assert report.lut and report.ff is None and report.latency_cycles is None
    assert (report.part, report.clock_ns, report.tool) == ("xc7z045", 4.0, "qap's law of RTL")
    with pytest.raises(AssertionError, match="it was built"):
        estimate_rtl(sparse_classifier())


def test_ten_thousand_weights_take_no_call_each() -> None:
    network = wide_network(100, 100)
    assert calls_of(lambda: estimate_rtl(network)) < 1_000


def test_the_law_grows_with_bits_and_falls_with_sparsity() -> None:
    def law(network: IntegerNetwork) -> int:
        return estimate_rtl(network, build=False).lut or 0

    by_bits = [law(wide_network(bits=bits)) for bits in (2, 4, 6, 8)]
    assert by_bits == sorted(by_bits) and by_bits[-1] > 2 * by_bits[0]
    assert law(sparse_classifier(inputs=80)) > law(sparse_classifier(inputs=20)) > 0


def test_the_law_is_near_the_circuit() -> None:
    network = wide_network()
    built, law = (estimate_rtl(network, build=build).lut or 0 for build in (True, False))
    assert 0.75 * built < law < 1.3 * built


def test_without_da4ml_the_law_answers_unless_the_circuit_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ToolMissing("the package 'da4ml' is not installed")

    monkeypatch.setattr(lowering, "_solve", missing)
    network = wide_network(20, 4)
    assert estimate_rtl(network).tool == "qap's law of RTL"
    with pytest.raises(ToolMissing):
        estimate_rtl(network, build=True)


@pytest.mark.slow
def test_luts_and_flipflops_are_near_those_of_yosys(tmp_path: Path) -> None:
    needs("yosys")
    from qap.hardware.synthesis import synthesize

    for network in (sparse_classifier(seed=3, inputs=60, hidden=6), wide_network(20, 5)):
        real = synthesize(
            write_rtl(network, tmp_path / network.digest[:8] / "rtl", RtlOptions(interface="parallel")), "xc7"
        )
        report = estimate_rtl(network, build=True)
        assert real.lut and real.ff and report.lut and report.ff
        assert abs(report.lut / real.lut - 1) < 0.15
        assert abs(report.ff / real.ff - 1) < 0.10
        assert report.latency_cycles == real.latency_cycles


def test_the_registered_estimator_gives_an_interval_around_its_amounts() -> None:
    from qap.hardware.estimate import ESTIMATORS

    small = ESTIMATORS["rtl"](wide_network(20, 4), TargetRecipe())
    stage = small.stages["yosys"]
    assert stage.report.lut and stage.low["lut"] < stage.report.lut < stage.high["lut"]
    assert stage.report.ff and stage.low["ff"] < stage.report.ff < stage.high["ff"]
    large = ESTIMATORS["rtl"](wide_network(100, 100), TargetRecipe())
    assert set(large.stages["yosys"].low) == {"lut"} and "law" in large.notes[0]
