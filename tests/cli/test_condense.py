"""`qap condense`: its files, its report, its errors, and that a recipe trains on what it wrote."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.needs import needs

needs("tensorflow", "sklearn")

from qap.cli.condense import METHODS
from qap.data import load
from qap.training.condensation import CONDENSERS, condense, evaluation

DATA = "my 'data' ü;.npz"


@pytest.fixture
def data(recipe, monkeypatch):
    """The pictures of the tiny recipe."""
    monkeypatch.chdir(recipe.parent)
    return f"npz:{recipe.with_name(DATA)}"


@pytest.fixture
def untrained(monkeypatch):
    """No model is trained to say what was lost: it is always nothing."""
    outcome = evaluation.Outcome(1.0, 1.0, 1.0, (1.0, 1.0))
    monkeypatch.setattr(evaluation, "train_and_judge", lambda dataset, seed: outcome)


def test_the_file_the_report_and_the_tables(qap, data, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "STEPS", 30)
    result = qap("condense", data, "--per-class", 4, "--method", "k-means", "--seed", 3)
    assert result.status == 0
    report = json.loads((tmp_path / "my-data-ü-k-means-4.json").read_text())
    small, full = load("npz:my-data-ü-k-means-4.npz"), load(data, seed=3)
    assert np.bincount(small.train.y).tolist() == [4, 4]
    assert (small.test.x == full.test.x).all()
    assert (report["digest"], report["source_digest"]) == (small.digest, full.digest)
    assert (report["method"], report["seed"], report["per_class"]) == ("k-means", 3, 4)
    for word in (
        "4 of each class by k-means",
        "lost: ",
        "hurt most: ",
        f'data.name = "npz:{Path("my-data-ü-k-means-4.npz").absolute()}"',
    ):
        assert word in result.out
    assert "rounding" not in result.out


@pytest.mark.parametrize("seed", [0, 3])
def test_the_seed_is_of_the_method_too(qap, data, untrained, seed):
    """The samples are those that the method chooses with this seed from data that are split with it."""
    arguments = ("condense", data, "--per-class", 4, "--method", "random", "--out", "small.npz", "--seed", seed)
    assert qap(*arguments).status == 0
    chosen = condense(load(data, seed=seed), 4, "random", seed).train
    assert (load("npz:small.npz").train.x == chosen.x).all()


def test_json_names_the_files_and_made_samples_say_what_rounding_cost(qap, data, untrained, tmp_path):
    arguments = ("condense", data, "--per-class", 2, "--method", "distribution-matching", "--out", "sub/ü [x].npz")
    result = qap(*arguments, "--json")
    found = json.loads(result.out)
    assert (found["file"], found["report"]) == ("sub/ü [x].npz", "sub/ü [x].json")
    assert found["rounding"]["rms_lsb"] > 0
    assert {key: found[key] for key in found if key not in ("file", "report")} == json.loads(
        (tmp_path / found["report"]).read_text()
    )
    assert sorted(item.name for item in (tmp_path / "sub").iterdir()) == ["ü [x].json", "ü [x].npz"]


def test_a_recipe_trains_on_it(qap, data, untrained, recipe):
    assert qap("condense", data, "--per-class", 5, "--method", "herding", "--out", "small.npz").status == 0
    changes = ("--set", "data.name=npz:small.npz", "--set", "prune.every=1")
    result = qap("train", recipe, "--out", "run", *changes, "--json")
    assert json.loads(result.out)["data"]["samples"] == {"train": 10, "validation": 5, "test": 12}


def test_another_grid(qap, data, untrained):
    arguments = ("condense", data, "--per-class", 2, "--method", "random", "--out", "small.npz")
    assert qap(*arguments, "--input-format", "ap_ufixed<3,0>").status == 0
    assert str(load("npz:small.npz").input_format) == "ap_ufixed<3,0>"


def test_the_help_names_every_method(qap):
    assert METHODS.replace(" or ", ", ").split(", ") == list(CONDENSERS)
    assert "k-center" in qap("condense", "--help").out


GOOD = ["--per-class", "2", "--method", "random"]
MISTAKES = [
    (["DATA", "--method", "random"], "Missing option '--per-class'"),
    (["DATA", "--per-class", "2"], "Missing option '--method'"),
    (["DATA", "--per-class", "0", "--method", "random"], "per-class: 1 <= per-class <= "),
    (["DATA", "--per-class", "-1", "--method", "random"], "but got -1"),
    (["DATA", "--per-class", "999", "--method", "herding"], "samples of class '0'; but got 999"),
    (["DATA", "--per-class", "x", "--method", "random"], "'--per-class'"),
    (["DATA", "--per-class", "2", "--method", "k-meens"], "no method 'k-meens', did you mean 'k-means'?"),
    (["DATA", "--per-class", "2", "--method", "../../x"], "no method '../../x'"),
    (["digts", *GOOD], "no data set 'digts', did you mean 'digits'?"),
    (["DATA", *GOOD, "--out", "small.json"], "--out: the name must end in .npz, but got 'small.json'"),
    (["DATA", *GOOD, "--out", "a\0b.npz"], "embedded null"),
    (["DATA", *GOOD, "--out", "file/x.npz"], "cannot write file/x.npz"),
    (["DATA", *GOOD, "--seed", "-1"], "'--seed'"),
    (["DATA", *GOOD, "--input-format", "int8"], "'int8' is not a fixed-point format"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[mistake[1][:40] for mistake in MISTAKES])
def test_mistakes_are_one_line_exit_2_and_leave_nothing(qap, data, tmp_path, arguments, message):
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.iterdir())
    result = qap("condense", *(data if word == "DATA" else word for word in arguments))
    assert (result.status, result.out) == (2, "")
    assert message in result.error
    assert sorted(tmp_path.iterdir()) == before


def test_a_condensed_set_with_a_missing_class_is_refused_when_it_is_trained_on(qap, data, untrained, recipe):
    assert qap("condense", data, *GOOD, "--out", "small.npz").status == 0
    arrays = dict(np.load("small.npz", allow_pickle=False))
    kept = arrays["y"] == "0"
    extra = {"class_names": np.array(["0", "1", "seven"])}
    np.savez("lost.npz", **{**arrays, **extra})
    np.savez("one.npz", **{**arrays, "x": arrays["x"][kept], "y": arrays["y"][kept]})
    found = [qap("train", recipe, "--out", name, "--set", f"data.name=npz:{name}.npz") for name in ("lost", "one")]
    assert [each.status for each in found] == [2, 2]
    assert "lost.npz: class 'seven' has no training sample" in found[0].error
    assert "one.npz holds one class only ('0')" in found[1].error
