"""`qap rtl`, `qap synth`, and the engines that run what they made."""

import json

import pytest
from support.needs import needs

needs("da4ml", "jinja2", "verilator", "yosys")


def test_rtl_is_made_measured_and_verified(copied, qap):
    made = qap("rtl", copied, "--json")
    assert made.status == 0
    assert json.loads(made.out)["top"] == "classifier_axis"
    measured = qap("synth", copied, "--json")
    assert measured.status == 0
    reports = json.loads(measured.out)["reports"]
    assert [report["design"] for report in reports] == ["classifier", "classifier_axis"]
    assert all(report["lut"] > 0 and report["dsp"] == 0 and report["source"] == "yosys" for report in reports)
    assert len(json.loads((copied / "resources.json").read_text())) == 2
    core, top = reports
    assert core["ii_cycles"] == 1
    assert top["latency_cycles"] > core["latency_cycles"] and top["ii_cycles"] > 1, "the stream's own, not its core's"
    verified = qap("verify", copied, "--json")
    assert verified.status == 0, verified.err
    mismatches = json.loads(verified.out)["mismatches"]
    assert len(mismatches) == 15 and set(mismatches.values()) == {0}

    stream = copied / "rtl" / "classifier_axis.v"
    right = stream.read_text()
    stream.write_text(right.replace("assign m_axis_tlast = left ==", "assign m_axis_tlast = left !="))
    broken = qap("verify", copied, "--engines", "emulator,axis")
    assert broken.status == 1
    assert "the stream of classifier_axis" in broken.err
    stream.write_text(right)

    source = copied / "rtl" / "classifier.v"
    text = source.read_text()
    at = text.index(" + ")
    source.write_text(text[:at] + " - " + text[at + 3 :])
    broken = qap("verify", copied, "--engines", "emulator,rtl")
    assert broken.status == 1
    assert "failed: emulator == rtl" in broken.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rtl", "--stage-depth", "0"], "rtl.stage_depth"),
        (["rtl", "--axis-width", "7"], "rtl.axis_width"),
        (["rtl", "--interface", "wires"], "wires"),
        (["synth"], "there is no RTL project"),
        (["synth", "--target", "asic"], "there is no RTL project"),
        (["synth", "--place-and-route"], "place and route is for --target ecp5"),
        (["synth", "--target", "xcup", "--device", "25k"], "place and route is for --target ecp5"),
        (["verify", "--engines", "emulator,rtl"], "there is no RTL project"),
        (["verify", "--engines", "emulator,fpga"], "no engine 'fpga'"),
    ],
)
def test_what_cannot_be_done_is_one_line(copied, qap, arguments, message):
    command, *options = arguments
    result = qap(command, copied, *options)
    assert result.status == 2
    assert message in result.error


def test_an_unknown_target_names_those_that_exist(copied, qap):
    assert qap("rtl", copied).status == 0
    result = qap("synth", copied, "--target", "asic")
    assert result.status == 2
    assert "asic" in result.error and "xc7" in result.error


def test_rtl_needs_a_frozen_network(qap, recipe, monkeypatch):
    monkeypatch.chdir(recipe.parent)
    result = qap("rtl", recipe)
    assert result.status == 2
    assert "network.npz" in result.error


def test_no_rtl_keeps_it_out_of_the_run(copied, qap):
    assert qap("run", copied, "--no-rtl").status == 0
    assert not (copied / "rtl").exists()


def test_what_no_option_says_is_as_the_recipe_has_it(copied, qap):
    first = json.loads(qap("rtl", copied, "--interface", "parallel", "--stage-depth", "2", "--json").out)
    again = json.loads(qap("rtl", copied, "--json").out)
    assert first == again
    assert (first["top"], first["stage_depth"]) == ("classifier", 2)
    assert json.loads(qap("rtl", copied, "--stage-depth", "1", "--json").out)["top"] == "classifier"
