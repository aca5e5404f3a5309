"""Folds hold every training sample out once and never read the test part; the summary is that of all folds."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pytest
from support.needs import needing
from support.small_recipes import recipe

from qap.cli import call
from qap.data import Fold, load
from qap.errors import DataError, QapError, RecipeError
from qap.explore.validation import CrossValidation, cross_validate
from qap.explore.validation.folds import FoldResult


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty samples of two classes, every one of them another number, and a test part of its own."""
    path = tmp_path_factory.mktemp("data") / "samples.npz"
    x = np.arange(60)[:, None] + np.array([0, 100])
    test = np.full((10, 2), 5000)
    y = (np.arange(60) % 3 == 0).astype(int)
    np.savez(path, x=x, y=y, x_test=test, y_test=np.arange(10) % 2, input_format="ap_ufixed<13,13>")
    return path


def test_every_training_sample_is_held_out_once(source: Path) -> None:
    folds = [load(f"npz:{source}", fold=Fold(index, 4, 7)) for index in range(4)]
    held = np.concatenate([data.test.x[:, 0] for data in folds])
    assert sorted(held) == list(range(60))
    for data in folds:
        parts = [data.train.x[:, 0], data.validation.x[:, 0], data.test.x[:, 0]]
        assert sorted(np.concatenate(parts)) == list(range(60))  # the test part, 5000, is nowhere
        assert np.bincount(data.test.y).tolist() == [10, 5]
    again = load(f"npz:{source}", fold=Fold(0, 4, 7))
    assert again.digest == folds[0].digest
    assert load(f"npz:{source}", fold=Fold(0, 4, 8)).digest != folds[0].digest


def test_the_scaling_does_not_see_what_is_held_out(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2))
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(60) % 2)
    offsets = []
    for index in range(2):
        data = load(f"npz:{tmp_path / 'x.npz'}", fold=Fold(index, 2, 0))
        offsets.append(tuple(data.scaling.offset))
    assert offsets[0] != offsets[1]


@pytest.mark.parametrize("folds", [-1, 0, 1, 21])
def test_impossible_folds_are_refused(source: Path, folds: int) -> None:
    with pytest.raises(DataError, match=rf"folds must be 2 to 20, .* smallest class '1', but got {folds}"):
        load(f"npz:{source}", fold=Fold(0, folds, 0))


def test_vectors_without_labels_have_no_folds() -> None:
    with pytest.raises(DataError, match="no folds"):
        load("random:4", fold=Fold(0, 2, 0))


def test_what_cannot_be_validated_is_refused() -> None:
    for arguments in ({"folds": 1}, {"seeds": 0}):
        with pytest.raises(QapError, match="folds >= 2 and seeds >= 1 must hold"):
            cross_validate(recipe(), **arguments)
    with pytest.raises(RecipeError, match="no student with an integer form"):
        cross_validate(recipe(quantize={"method": "none"}))


def test_the_summary_is_mean_and_standard_deviation() -> None:
    values = [0.5, 0.75, 1.0]
    scores = [{"integer": {"accuracy": value, "balanced_accuracy": 1 - value}} for value in values]
    results = tuple(FoldResult(0, index, 10, each) for index, each in enumerate(scores))
    found = CrossValidation("mine", 3, (0,), results).summary()["integer"]
    assert found["accuracy"] == {"mean": 0.75, "spread": statistics.stdev(values), "lowest": 0.5, "highest": 1.0}
    assert found["balanced_accuracy"]["mean"] == pytest.approx(0.25)


@needing("tensorflow", "qkeras")
def test_a_recipe_is_trained_on_every_fold(source: Path, tmp_path: Path, capsys) -> None:
    x, y = np.random.default_rng(1).normal(size=(90, 3)), np.arange(90) % 3
    x[np.arange(90), y] += 4
    np.savez(tmp_path / "x.npz", x=x, y=y)
    (tmp_path / "r.toml").write_text(
        f'name = "r"\n[data]\nname = "npz:{tmp_path / "x.npz"}"\n[student]\nepochs = 20\nbatch_size = 16\n'
        "learning_rate = 0.05\n[[student.layers]]\nunits = 3\nweight = 6\n"
    )
    assert call(["validate", str(tmp_path / "r.toml"), "--folds", "2", "--json"]) == 0
    import json

    found = json.loads(capsys.readouterr().out)
    assert [(each["seed"], each["fold"]) for each in found["results"]] == [(0, 0), (0, 1)]
    assert set(found["summary"]) == {"student", "integer"}
    assert found["summary"]["student"] == found["summary"]["integer"]
    assert found["summary"]["integer"]["accuracy"]["lowest"] > 0.6
