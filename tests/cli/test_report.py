"""`qap report`: of runs, of sweeps, of both wrongly; and what `qap sweep` leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.needs import needs

needs("matplotlib", "jinja2")

from support.made_run import make_run
from support.made_sweep import BITS, make_sweep

WRITTEN = {"report.html", "report.md", "records.csv", "figures"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that differ in seed, classes and thus everything; for reading only."""
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "a")
    make_run(folder / "b", name="an <other> | one", classes=("round", "flat"), teacher=False)
    return folder / "a" / "run", folder / "b" / "run"


@pytest.fixture
def sweep(tmp_path):
    make_sweep(tmp_path / "sw eep", BITS)
    return tmp_path / "sw eep"


def test_sweeps_get_their_reports(qap, sweep, tmp_path):
    make_sweep(tmp_path / "second", {"weight_bits": [3]})
    result = qap("report", sweep, tmp_path / "second")
    assert (result.status, result.err) == (0, "")
    assert result.out == f"{sweep / 'report.html'}\n{tmp_path / 'second' / 'report.html'}\n"
    assert {path.name for path in sweep.iterdir()} >= WRITTEN
    assert json.loads(qap("report", sweep, "--json").out) == {"reports": [str(sweep / "report.html")]}


def test_one_run_gets_its_page_as_ever(qap, runs, tmp_path):
    folder = Path(shutil.copytree(runs[0], tmp_path / "run"))
    result = qap("report", folder)
    assert (result.status, result.out) == (0, f"{folder}\n")
    assert "ok  report" in result.err and (folder / "report.html").exists()
    assert "done before" in qap("report", folder).err
    assert "done before" not in qap("report", folder, "--force").err
    assert "report" in json.loads(qap("report", folder, "--json").out)


def test_two_runs_are_compared(qap, runs, tmp_path):
    before = {path: path.stat().st_mtime_ns for run in runs for path in run.rglob("*")}
    result = qap("report", *runs, "--out", tmp_path / "sub" / "dif.html")
    assert (result.status, result.err) == (0, "")
    lines = result.out.splitlines()
    assert r"| name | made by hand | an \<other\> \| one |" in lines
    assert "| student.layers.1.units | 3 | 2 |" in lines
    assert "| student.epochs" not in result.out  # the same in both
    assert any(line.startswith("| distill.") and line.endswith("| none |") for line in lines)
    assert any(line.startswith("| test accuracy, integer |") for line in lines)
    assert "| test accuracy, teacher | 100 % | not measured |  |" in lines
    assert "| validation accuracy, integer | 50.00 % | 50.00 % | 0 |" in lines
    parameters = [line for line in lines if line.startswith("| parameters |")]
    assert parameters == ["| parameters | 123 | 116 | -7 (-6 %) |"]
    assert any(line.startswith("| LUT: after Vivado's synthesis, estimated |") for line in lines)
    page = (tmp_path / "sub" / "dif.html").read_text(encoding="utf-8")
    assert "an &lt;other&gt; | one" in page and "student.layers.1.units" in page
    assert {path: path.stat().st_mtime_ns for run in runs for path in run.rglob("*")} == before


def test_a_run_does_not_differ_from_itself(qap, runs):
    result = qap("report", runs[0], runs[0], runs[0])
    assert result.status == 0
    assert "The recipes do not differ." in result.out
    content = json.loads(qap("report", runs[0], runs[0], "--json").out)
    assert content["recipe"] == {}
    assert all(first == second for first, second in content["figures"].values())


def test_a_run_without_a_network_is_compared_as_far_as_it_goes(qap, runs, tmp_path):
    make_run(tmp_path / "young", until="teacher")
    result = qap("report", runs[0], tmp_path / "young" / "run")
    assert result.status == 0
    assert "has no network.npz, so nothing is estimated for it" in result.out
    assert "not measured" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{empty}"], "is neither a sweep's folder (sweep.toml) nor a run's (recipe.toml)"),
        (["{run}", "{empty}"], "is neither a sweep's folder nor a run's: it has no sweep.toml and no recipe.toml"),
        (["{run}", "nothing"], "nothing is neither"),
        (["{run}", "a\0b"], "is neither"),
        (["{run}", "{sweep}"], "sweeps and runs cannot be compared"),
        (["{sweep}", "--out", "x"], "--out is for runs"),
        (["{sweep}", "--set", "seed=1"], "--set is for the report of one run"),
        (["{run}", "{run}", "--seed", "0"], "--seed is for the report of one run"),
        (["{run}", "{run}", "--force"], "--force is for the report of one run"),
        (["{run}", "{run}", "--out", "{empty}/file/x"], "Not a directory"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(qap, runs, sweep, tmp_path, arguments, message):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "file").write_text("")
    result = qap("report", *(each.format(empty=empty, run=runs[0], sweep=sweep) for each in arguments))
    assert (result.status, result.out) == (2, "")
    assert message in result.error


def test_records_that_are_damaged_are_one_line_and_exit_2(qap, sweep):
    records = sweep / "records.jsonl"
    records.write_text(records.read_text()[:-9])
    result = qap("report", sweep)
    assert (result.status, result.out) == (2, "")
    assert "records.jsonl: line 10 is cut short" in result.error
