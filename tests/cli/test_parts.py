"""`qap devices`, `qap vendor` and `qap fit`."""

import itertools
import json
import shlex
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from support.estimate_cases import network
from support.vendor_reports import csynth_xml, utilization_7series

import qap.hardware.estimate
from qap.hardware.estimate import ESTIMATORS, choice
from qap.hardware.resources import ResourceReport
from qap.network import load_network, save_network
from qap.recipe import load_recipe
from qap.run import NETWORK, RunDirectory


def test_devices_are_listed_and_filtered(qap):
    every = qap("devices", "--json")
    assert every.status == 0
    content = json.loads(every.out)
    assert content["xc7z020"] == {
        "family": "xc7", "lut": 53_200, "ff": 106_400, "dsp": 220, "bram18": 280, "uram": 0,
        "boards": ["PYNQ-Z2", "ZedBoard"],
    }  # fmt: skip
    listed = qap("devices", "alveo")
    assert listed.status == 0 and "871,680" in listed.out and "xc7z020" not in listed.out
    assert "URAM" in listed.out and "BRAM18" in listed.out


def test_a_filter_that_nothing_holds_is_an_error(qap):
    result = qap("devices", "stratix")
    assert result.status == 2
    assert "no part, board or family holds 'stratix'" in result.error


def test_vendor_reads_a_file_and_a_project(qap, tmp_path):
    reports = tmp_path / "toy_prj" / "solution1" / "syn" / "report"
    reports.mkdir(parents=True)
    (reports / "csynth.xml").write_text(csynth_xml())
    (tmp_path / "vivado_synth.rpt").write_text(utilization_7series())
    one = qap("vendor", reports / "csynth.xml")
    assert one.status == 0
    assert one.out == (
        "toy on xczu7ev-ffvc1156-2-e (csynth): 4,321 LUT, 1,234 FF, 29 DSP, 6 BRAM18, latency 17 cycles, II 4, 250 MHz "
        "[Vitis HLS 2023.2]\n"
    )
    both = qap("vendor", tmp_path, "--json")
    found = json.loads(both.out)["reports"]
    assert [(each["source"], each["lut"]) for each in found] == [("csynth", 4321), ("vivado_synth", 2468)]


@pytest.mark.parametrize("text", ["", csynth_xml()[:700], utilization_7series()[:1500], "hello"])
def test_a_report_that_is_cut_or_missing_is_one_line(qap, tmp_path, text):
    path = tmp_path / "report.rpt"
    assert "there is no report" in qap("vendor", path).error
    path.write_text(text)
    result = qap("vendor", path)
    assert result.status == 2
    assert "report.rpt" in result.error
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "vivado_synth.rpt" in qap("vendor", empty).error


@pytest.fixture
def estimated(monkeypatch):
    """An estimator that takes the given LUTs divided by the reuse factor."""

    def install(lut):
        def estimator(network, target):
            report = ResourceReport(
                "estimate", "test", target.part, lut=lut // target.reuse_factor, ff=100, dsp=0, bram18=2, uram=0,
                latency_cycles=7, ii_cycles=target.reuse_factor, clock_ns=target.clock_ns,
            )  # fmt: skip
            return SimpleNamespace(stages={"vivado_synth": SimpleNamespace(report=report)})

        monkeypatch.setattr(qap.hardware.estimate, "ESTIMATORS", {"hls4ml": estimator}, raising=False)

    return install


def test_fit_shows_what_fits_and_where(qap, copied, estimated):
    estimated(100_000)
    result = qap("fit", copied, "--part", "pynq-z2", "--clock-ns", "4")
    assert result.status == 0, result.err
    assert "xc7z020 fits with latency, reuse factor 2" in result.out
    assert "94.0%" in result.out and "50,000 of 53,200" in result.out
    assert "a sample every 2 cycles of 4.0 ns" in result.out
    assert "parts that fit with distributed_arithmetic, reuse factor 1: xc7a200t, " in result.out
    content = json.loads(qap("fit", copied, "--part", "xc7z020", "--json").out)
    assert content["fits"] and content["chosen"]["reuse_factor"] == 2
    assert content["utilisation"]["lut"] == pytest.approx(50_000 / 53_200)
    assert content["parts"]["xc7z045"] == {"strategy": "distributed_arithmetic", "reuse_factor": 1}


@pytest.fixture
def frozen(tmp_path):
    """The folder of a run that has a network and nothing else."""
    run = RunDirectory.create(tmp_path / "a 'run'", load_recipe("digits"))
    save_network(network(bits=16, sizes=(32, 16, 5)), run.file(NETWORK))
    return run


@pytest.mark.parametrize(
    ("part", "whole", "factor"), [("xc7z007s", "xc7z007s", 8), ("xc7z020", "xc7z020clg400-1", 1), ("kv260", None, 1)]
)
def test_fit_prints_what_applies_its_choice(qap, frozen, part, whole, factor):
    """With the real estimator; a device alone keeps the recipe's package, a board brings its own."""
    found = json.loads(qap("fit", frozen.path, "--part", part, "--json").out)
    applied = frozen.recipe.override(found["set"]).target
    assert (applied.part, applied.reuse_factor) == (whole or "xck26-sfvc784-2LV-c", factor)
    assert applied.strategy == found["chosen"]["strategy"] and applied.clock_ns == 5.0
    report = ESTIMATORS["hls4ml"](load_network(frozen.file(NETWORK)), applied).stages["vivado_synth"].report
    assert asdict(report) == found["chosen"]["report"]
    shown = qap("fit", frozen.path, "--part", part)
    (line,) = [line for line in shown.out.splitlines() if line.startswith("apply it: ")]
    words = shlex.split(line.removeprefix("apply it: "))
    assert words == ["qap", "run", str(frozen.path), *itertools.chain(*(("--set", each) for each in found["set"]))]
    again = json.loads(qap("fit", frozen.path, "--part", part, "--clock-ns", "7.5", "--json").out)
    assert frozen.recipe.override(again["set"]).target.clock_ns == 7.5


def test_fit_says_when_no_measured_design_is_like_its_choice(qap, frozen):
    shown = qap("fit", frozen.path, "--part", "xc7z007s")
    assert (
        "note: no measured design of the resource strategy has a part of the 7 series or reuse factor 8 or "
        in shown.out
    )
    found = json.loads(qap("fit", frozen.path, "--part", "xc7z007s", "--json").out)
    assert f"note: {found['unmeasured']}" in shown.out.splitlines()


def test_fit_says_nothing_where_a_measured_design_is_like_its_choice(qap, frozen, monkeypatch):
    monkeypatch.setattr(choice, "STRATEGIES", ("latency",))
    shown = qap("fit", frozen.path, "--part", "xcu250")
    assert "fits with latency, reuse factor 1" in shown.out and "note: " not in shown.out
    assert json.loads(qap("fit", frozen.path, "--part", "xcu250", "--json").out)["unmeasured"] is None


def test_fit_fails_where_nothing_fits(qap, copied, estimated):
    estimated(10**9)
    result = qap("fit", copied, "--part", "xc7a35t")
    assert result.status == 1
    assert "does not fit" in result.out and "parts that fit: none" in result.out
    assert "failed: nothing fits xc7a35t: " in result.err and "LUT of 20,800" in result.err
    as_json = qap("fit", copied, "--part", "xc7a35t", "--json")
    assert as_json.status == 1 and json.loads(as_json.out)["chosen"] is None
    assert json.loads(as_json.out)["set"] == [] and "--set" not in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--part", "xc7z02"], "no part or board 'xc7z02'; the nearest are: xc7z020"),
        (["--part", "ULX3S"], "LFE5U-85F has no HLS flow in qap; qap synth --target ecp5"),
        (["--part", "xc7vx690tffg1761-2"], "is a part of the 7 series that is not in the table of qap devices"),
        (["--part", "xcvc1902"], "is a Versal part"),
        (["--part", "xc7z020", "--clock-ns", "0"], "--clock-ns"),
        ([], "--part"),
    ],
)
def test_what_fit_refuses(qap, copied, estimated, arguments, message):
    estimated(1_000)
    result = qap("fit", copied, *arguments)
    assert result.status == 2
    assert message in result.error


def test_fit_needs_a_frozen_network(qap, recipe, monkeypatch, estimated):
    estimated(1_000)
    monkeypatch.chdir(recipe.parent)
    result = qap("fit", recipe, "--part", "xc7z020")
    assert result.status == 2
    assert "network.npz" in result.error
