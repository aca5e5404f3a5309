"""`qap sensitivity` on a real small run, and its mistakes."""

import csv
import json

import numpy as np
import pytest

from qap.recipe import load_recipe
from qap.run import RunDirectory


def test_tables_files_and_a_recipe_that_is_read(copied, qap, tmp_path):
    target = tmp_path / "light.toml"
    result = qap("sensitivity", copied, "--budget", "10", "--write", target)
    assert result.status == 0, result.err
    assert "validation accuracy as trained: " in result.out
    assert "dense_0" in result.out
    assert f"recipe: {target}\n" in result.out
    rows = list(csv.DictReader((copied / "sensitivity.csv").open()))
    assert {row["changed"] for row in rows} == {"nothing", "sparsity", "bits"}
    assert (copied / "sensitivity.svg").read_text().startswith("<?xml")
    written = load_recipe(target)
    assert written.name == "light"
    assert written.prune.scope == "layer"
    assert all(layer.sparsity is not None for layer in written.student.layers)


def test_json_says_the_same(copied, qap):
    found = json.loads(qap("sensitivity", copied, "--json").out)
    rows = list(csv.DictReader((copied / "sensitivity.csv").open()))
    assert [each["accuracy"] for each in found["measured"]] == [float(row["accuracy"]) for row in rows[1:]]
    assert found["accuracy"] == json.loads((copied / "metrics.json").read_text())["accuracy"]["integer"]["validation"]
    assert found["suggestion"]["measured_points"] <= 0.5
    assert [each["layer"] for each in found["suggestion"]["changes"]] == ["dense_0", "dense_1"]
    assert set(found["files"]) == {"table", "figure"}


@pytest.mark.parametrize("budget", ["-1", "nan", "101"])
def test_a_budget_that_is_none(qap, budget):
    result = qap("sensitivity", "nowhere", "--budget", budget)
    assert (result.status, result.out) == (2, "")
    assert f"the budget must be from 0 to 100 percentage points of accuracy, but got {budget}" in result.error


def test_a_budget_that_is_no_number(qap):
    result = qap("sensitivity", "nowhere", "--budget", "much")
    assert result.status == 2
    assert "'--budget'" in result.error


def test_a_run_that_is_none_or_not_frozen(qap, recipe, tmp_path):
    assert "nowhere is not a run directory: it has no recipe.toml" in qap("sensitivity", "nowhere").error
    run = RunDirectory.create(tmp_path / "run", load_recipe(recipe))
    result = qap("sensitivity", run.path)
    assert (result.status, result.out) == (2, "")
    assert "is not frozen yet, it has no network.npz" in result.error
    run.file("network.npz").write_bytes(b"no network")
    assert "has no data.json yet" in qap("sensitivity", run.path).error


def test_data_that_have_changed(copied, qap):
    content = json.loads((copied / "data.json").read_text())
    (copied / "data.json").write_text(json.dumps({**content, "digest": "other"}))
    assert "have changed since it was made" in qap("sensitivity", copied).error
    assert not (copied / "sensitivity.csv").exists()


def test_a_damaged_network(copied, qap):
    np.savez(copied / "network.npz", weight=np.zeros(3))
    result = qap("sensitivity", copied)
    assert result.status == 2
    assert "network.npz" in result.error


@pytest.mark.parametrize(("name", "why"), [("small.json", "must end in .toml"), ("recipe.toml", "choose another name")])
def test_recipes_that_are_not_written(copied, qap, name, why):
    before = (copied / "recipe.toml").read_bytes()
    assert why in qap("sensitivity", copied, "--write", copied / name).error
    assert (copied / "recipe.toml").read_bytes() == before
    assert not (copied / "sensitivity.csv").exists()
