"""`qap estimate` and `qap stats`: amounts for people and machines, and one line for what cannot be."""

import json

import numpy as np
import pytest
from support.needs import needs

from qap.fixed import FixedPoint
from qap.network import LayerSpec, connect, save_network


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A saved network of 16-12-5."""
    random = np.random.default_rng(0)
    form, outputs = FixedPoint(True, 6, 1), FixedPoint(False, 8, 4)
    specs = [
        LayerSpec(
            name, random.integers(-32, 32, shape), form, random.integers(-32, 32, shape[1]), form, "relu", outputs
        )
        for name, shape in (("one", (16, 12)), ("two [b]", (12, 5)))
    ]
    path = tmp_path_factory.mktemp("estimate") / "network.npz"
    save_network(connect(FixedPoint(False, 8, 0), specs, list("abcde")), path)
    return path


def test_a_network_is_estimated_for_people(qap, file):
    result = qap("estimate", file, "--part", "xczu7ev", "--clock-ns", "4")
    assert result.status == 0, result.err
    assert "xczu7ev" in result.out and "4 ns" in result.out
    for word in ("LUT", "FF", "DSP", "BRAM18", "latency", "one", "two [b]"):
        assert word in result.out


@pytest.mark.parametrize(
    ("part", "family", "series"),
    [
        ("xc7vx690tffg1761-2", "xc7z020", "7 series"),
        ("XC7S50-CSGA324-1", "xc7z020", "7 series"),
        ("xczu28dr-ffvg1517-2-e", "xczu7ev", "UltraScale+"),
        ("xcku060-ffva1156-2-e", "xczu7ev", "UltraScale"),
    ],
)
@pytest.mark.parametrize("estimator", ["hls4ml", "rtl"])
def test_a_part_that_is_not_listed_is_estimated_as_its_family(qap, file, part, family, series, estimator):
    ours = qap("estimate", file, "--part", part, "--estimator", estimator)
    assert ours.status == 0, ours.err
    assert f"is not in the table of qap devices: it is taken as {series}, " in ours.out.splitlines()[-1]
    listed = qap("estimate", file, "--part", family, "--estimator", estimator)
    assert "qap devices" not in listed.out
    found, known = (
        json.loads(qap("estimate", file, "--part", each, "--estimator", estimator, "--json").out)["stages"]
        for each in (part, family)
    )
    for stage in found:
        assert found[stage]["report"].pop("part") != known[stage]["report"].pop("part")
    assert found == known


def test_the_family_decides(qap, file):
    slow, fast = (
        json.loads(qap("estimate", file, "--part", part, "--json").out)["stages"]["csynth"]["report"]
        for part in ("xc7vx690t", "xczu28dr")
    )
    assert slow["latency_cycles"] > fast["latency_cycles"]


def test_options_change_the_target(qap, file):
    content = json.loads(qap("estimate", file, "--strategy", "resource", "--reuse-factor", "12", "--json").out)
    assert content["target"]["strategy"] == "resource"
    report = content["stages"]["csynth"]["report"]
    assert (report["source"], report["ii_cycles"]) == ("estimate", 12)
    assert content["stages"]["vivado_synth"]["report"]["lut"] < report["lut"]
    assert content["stages"]["csynth"]["low"]["lut"] <= content["stages"]["csynth"]["high"]["lut"]


def test_other_estimators_count(qap, file):
    content = json.loads(qap("estimate", file, "--estimator", "counts", "--json").out)
    assert content["counts"]["multiplications"] == 16 * 12 + 12 * 5
    assert "multiplications" in qap("estimate", file, "--estimator", "counts").out


def test_stats(qap, file):
    layers = json.loads(qap("stats", file, "--json").out)["layers"]
    assert [layer["operation"] for layer in layers] == ["smult_6_8", "smult_6_8"]
    assert [layer["operations"] for layer in layers] == [192, 60]
    shown = qap("stats", file)
    assert shown.status == 0 and "252 operations" in shown.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--part", "xc7z02"], "target: part: no part or board 'xc7z02'; the nearest are: xc7z020"),
        (["--part", "xcve2302-sfva784-1LP-e-S"], "is a Versal part, a series that qap does not know"),
        (["--part", "ULX3S"], "LFE5U-85F has no HLS flow in qap"),
        (["--reuse-factor", "7", "--strategy", "resource"], "divides no layer; the nearest that hls4ml builds"),
        (["--reuse-factor", "2", "--strategy", "distributed_arithmetic"], "only 1 is possible"),
        (["--reuse-factor", "0"], "reuse_factor"),
        (["--clock-ns", "-1"], "clock_ns"),
        (["--strategy", "magic"], "magic"),
        (["--estimator", "oracle"], "no estimator 'oracle'"),
    ],
)
def test_what_cannot_be_is_one_line(qap, file, options, message):
    result = qap("estimate", file, *options)
    assert result.status == 2
    assert message in result.error


@pytest.mark.parametrize("command", ["estimate", "stats"])
def test_what_is_no_network_is_one_line(qap, tmp_path, command):
    for name, message in (("missing.npz", "missing.npz"), ("model.txt", "neither a run's folder")):
        result = qap(command, tmp_path / name)
        assert result.status == 2
        assert message in result.error
    result = qap(command, tmp_path)
    assert result.status == 2 and "not a run directory" in result.error


def test_a_model_and_a_run(qap, copied):
    needs("keras")
    run = qap("estimate", copied, "--json")
    assert run.status == 0, run.err
    model = qap("estimate", copied / "student.keras", "--input-format", "ap_ufixed<8,0>", "--json")
    assert model.status == 0, model.err
    assert json.loads(model.out)["stages"] == json.loads(run.out)["stages"]
    wrong = qap("estimate", copied / "student.keras", "--input-format", "nonsense")
    assert wrong.status == 2 and "'nonsense' is not a fixed-point format" in wrong.error
