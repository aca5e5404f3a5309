"""`qap compare` on the tiny recipe, and its mistakes."""

import csv
import json

import pytest
from support.needs import needs

from qap.explore.comparison.techniques import TECHNIQUES


def test_the_table_and_the_files(qap, recipe, tmp_path):
    needs("tensorflow", "qkeras", "matplotlib")
    out = tmp_path / "out [x]"
    arguments = ("compare", recipe, "--techniques", "qat, qap", "--out", out, "--set", "student.epochs=2")
    result = qap(*arguments)
    assert result.status == 0, result.err
    assert "│ qat " in result.out
    assert "│ qap " in result.out
    assert f"table: {out / 'comparison.txt'}\n" in result.out
    assert (out / "comparison.txt").read_text() in result.out
    assert "qap-seed0\n" in result.err
    assert {"qat-seed0", "qap-seed0", "comparison.csv", "comparison.json", "comparison.svg"} < {
        path.name for path in out.iterdir()
    }
    again = qap(*arguments, "--json")
    assert "done before" in again.err
    found = json.loads(again.out)
    rows = list(csv.DictReader((out / "comparison_runs.csv").open()))
    assert [row["technique"] for row in rows] == ["qat", "qap"] == list(found["summary"])
    assert [float(row["test"]) for row in rows] == [run["test"] for run in found["runs"]]


def test_the_help_names_every_technique(qap):
    text = " ".join(qap("compare", "--help").out.replace("│", " ").split())
    assert all(name in text for name in TECHNIQUES)


MISTAKES = [
    (["digts"], "no recipe 'digts', did you mean 'digits'?"),
    (["digits", "--techniques", "qapp"], "unknown technique 'qapp', did you mean 'qap'?"),
    (["digits", "--techniques", ""], "unknown technique ''"),
    (["digits", "--techniques", "qat,ptq+fiq"], "technique 'ptq+fiq' contradicts itself"),
    (["digits", "--seeds", "0"], "'--seeds'"),
    (["digits", "--seeds", "many"], "'--seeds'"),
    (["digits", "--set", "prune.sparsty=1"], "unknown key 'prune.sparsty'"),
    (["digits", "--techniques", "qat", "--out", "file"], "cannot write"),
    (["digits", "--techniques", "qat", "--seeds", "9", "--set", "seed=4294967290"], "seed: Input should be less than"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(case[0])[:40] for case in MISTAKES])
def test_mistakes_are_one_line_and_exit_2(qap, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    result = qap("compare", *arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.error
    assert {path.name for path in tmp_path.iterdir()} == {"file"}
