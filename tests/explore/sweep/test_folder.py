"""The folder of a sweep: who works in it, whose it is, how it is named. Nothing is trained here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qap.cli import call
from qap.errors import DataError, QapError
from qap.explore.sweep import RECORDS, SWEEP, parse_sweep, run_sweep
from qap.files import locked


class Instant:
    """Workers who find every point impossible at once."""

    workers = 1

    def __init__(self) -> None:
        self.done: list[str] = []

    def results(self, work, tasks):
        for task in tasks:
            points = task.get("points", [])
            self.done += [point["key"] for point in points]
            yield [{**{name: point[name] for name in ("key", "point", "values")}, "error": "no"} for point in points]


def sweep(**changes):
    return parse_sweep({"name": "mine", "recipe": "digits", "axes": {"weight_bits": [2, 4]}, **changes}, "mine.toml")


def test_a_second_sweep_is_told_who_works(tmp_path):
    for resume in (False, True):
        with locked(tmp_path), pytest.raises(QapError, match="another qap is at work in") as caught:
            run_sweep(sweep(), tmp_path, Instant(), resume=resume)
        assert "\n" not in str(caught.value)
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock"]
    run_sweep(sweep(), tmp_path, Instant())


def test_nobody_else_works_while_a_sweep_does(tmp_path):
    class Asks(Instant):
        def results(self, work, tasks):
            with pytest.raises(QapError, match="another qap is at work in"):
                run_sweep(sweep(), tmp_path, Instant(), resume=True)
            return super().results(work, tasks)

    run_sweep(sweep(), tmp_path, Asks())
    keys = [json.loads(line)["key"] for line in (tmp_path / RECORDS).read_text().splitlines()[1:]]
    assert len(keys) == len(set(keys)) == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": "other"}, "name"),
        ({"recipe": "mnist-1v9"}, "recipe"),
        ({"training": "qat"}, "training"),
        ({"estimator": "counts"}, "estimator"),
        ({"synth": True}, "synth"),
        ({"set": ["seed=1"]}, "set"),
        ({"draw": {"points": 1}}, "draw"),
        ({"axes": {"weight_bits": [2, 6]}}, "axes.weight_bits"),
        ({"axes": {"sparsity": [0.5]}}, "axes"),
        ({"axes": {"weight_bits": [2, 4], "sparsity": [0.5]}}, "axes"),
        ({"training": "qat", "name": "other"}, "name, training"),
    ],
)
def test_another_sweep_is_not_gone_on_with(tmp_path, changes, named):
    run_sweep(sweep(), tmp_path, Instant())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match=f"holds another sweep: {named} differs from its sweep.toml") as caught:
        run_sweep(sweep(**changes), tmp_path, Instant(), resume=True)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_more_values_on_an_axis_are_the_same_sweep(tmp_path):
    run_sweep(sweep(), tmp_path, Instant())
    workers = Instant()
    assert len(run_sweep(sweep(axes={"weight_bits": [2, 3, 4]}), tmp_path, workers, resume=True)) == 3
    assert len(workers.done) == 1


@pytest.mark.parametrize("stored", [None, "", "damaged ="])
def test_a_sweep_whose_file_is_gone_goes_on(tmp_path, stored):
    run_sweep(sweep(), tmp_path, Instant())
    (tmp_path / SWEEP).unlink()
    if stored is not None:
        (tmp_path / SWEEP).write_text(stored)
    workers = Instant()
    run_sweep(sweep(), tmp_path, workers, resume=True)
    assert workers.done == []


@pytest.mark.parametrize("cut", [0, 10, -1, -30])
def test_records_that_were_cut_go_on(tmp_path, cut):
    records = run_sweep(sweep(), tmp_path, Instant())
    file = tmp_path / RECORDS
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    assert run_sweep(sweep(), tmp_path, Instant(), resume=True) == records
    assert sorted(file.read_bytes().splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("../../out", "out"),
        ("/abs/out", "abs-out"),
        (".", "sweep"),
        ("..", "sweep"),
        ("a\0b", "a-b"),
        ("a/b", "a-b"),
        ("n" * 3000, "n" * 50),
        ("ü x", "ü-x"),
    ],
)
def test_the_folder_is_named_after_the_sweep_and_lies_in_sweeps(tmp_path, monkeypatch, name, folder):
    """A sweep that is already begun there is refused, which says where it would go."""
    work = tmp_path / "a" / "b"
    (work / "sweeps" / folder).mkdir(parents=True)
    (work / "sweeps" / folder / RECORDS).touch()
    monkeypatch.chdir(work)
    Path("s.toml").write_text(f'name = {json.dumps(name)}\nrecipe = "digits"\naxes = {{weight_bits = [2]}}\n')
    before = {path: path.is_dir() for path in tmp_path.rglob("*") if path.name != ".lock"}
    said: list[str] = []
    monkeypatch.setattr("qap.cli._say", lambda text, status: said.append(text) or status)
    assert call(["sweep", "s.toml"]) == 2
    assert said == [
        f"error: sweeps/{folder} has records.jsonl already; --resume goes on with it, or choose another --out"
    ]
    assert {path: path.is_dir() for path in tmp_path.rglob("*") if path.name != ".lock"} == before
