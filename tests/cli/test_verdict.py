"""`qap run` fails when engines differ or the accuracy is too low: exit 1, the reason on stderr and in the files."""

import json

import pytest
from support.made_run import make_run
from support.needs import needs

from qap.run.engines import ENGINES, EngineSource

needs("matplotlib", "jinja2")

OFF = EngineSource("support.made_run:one_lsb_off")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run that is finished but for its verification, and who will do it: the emulator and one that is wrong."""
    emulator = ENGINES["emulator"]
    for name in reversed(list(ENGINES)):  # so that what is put back in the end is in its order again
        monkeypatch.delitem(ENGINES, name)
    monkeypatch.setitem(ENGINES, "emulator", emulator)
    monkeypatch.setitem(ENGINES, "off", OFF)
    return make_run(tmp_path, until="hls").path


def failures(result):
    return [line.removeprefix("failed: ") for line in result.err.splitlines() if line.startswith("failed: ")]


def test_engines_that_differ_are_exit_1(qap, folder):
    result = qap("run", folder, "--no-rtl")
    assert result.status == 1
    assert [line.partition(":")[0] for line in failures(result)] == [
        "emulator == off on 80 test vectors", "emulator == off on 277 adversarial vectors",
    ]  # fmt: skip
    assert all("mismatches, the first in layer 'second' at sample" in line for line in failures(result))
    content = json.loads((folder / "metrics.json").read_text())
    assert content["exact"] is False
    assert content["failures"] == failures(result)
    assert content["mismatches"]["emulator == off"] > 0
    assert "NOT bit-exact" in (folder / "report.html").read_text()
    again = qap("run", folder, "--no-rtl", "--json")
    assert again.status == 1
    assert json.loads(again.out)["failed_checks"] == failures(again) == failures(result)


def test_engines_that_agree_are_exit_0(qap, folder, monkeypatch):
    monkeypatch.setitem(ENGINES, "off", EngineSource("qap.flow.engines:emulator"))
    result = qap("run", folder, "--no-rtl", "--json")
    assert (result.status, failures(result)) == (0, [])
    assert json.loads(result.out)["exact"] is True


@pytest.mark.parametrize("command", ["verify", "run"])
def test_one_mismatch_is_enough(qap, folder, command, monkeypatch):
    """One logit of one sample: the last verdict is that of all of them."""
    monkeypatch.setitem(ENGINES, "off", EngineSource("support.made_run:one_logit_off"))
    options = ["--no-rtl"] if command == "run" else []
    result = qap(command, folder, *options)
    assert result.status == 1
    assert failures(result)[0].startswith("emulator == flipped on 80 test vectors: 1 mismatches")
