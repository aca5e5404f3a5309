"""Sweeps that run: local processes, a Dask cluster, resumed ones, and ones that were killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.needs import needs
from support.small_sweep import dies, limits, small_sweep

needs("tensorflow")

import keras

from qap import freeze, import_model
from qap.data import load
from qap.errors import DataError, QapError, ToolFailed, ToolMissing
from qap.explore.sweep import DaskWorkers, LocalProcesses, Records, parse_sweep, run_sweep
from qap.explore.sweep.executors import THREADS
from qap.explore.sweep.report import write_sweep_report
from qap.network import load_network
from qap.recipe import parse_recipe

TIMES = ("seconds", "trained_s")


def without_times(records):
    return [{key: value for key, value in record.items() if key not in TIMES} for record in records]


def test_a_grid_of_formats_imports_the_model_at_every_point(tmp_path):
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(10)])
    model.save(tmp_path / "mine.keras")
    recipe = parse_recipe(
        {"name": "mine", "data": {"name": "digits"}, "model": {"file": str(tmp_path / "mine.keras")}}, "mine"
    )
    (tmp_path / "mine.toml").write_text(recipe.to_toml())
    axes = {"precision_width": [10, 6], "precision_integer": [3], "reuse_factor": [1, 2]}
    grid = parse_sweep({"name": "formats", "recipe": str(tmp_path / "mine.toml"), "axes": axes}, "formats")
    with LocalProcesses(1) as executor:
        records = run_sweep(grid, tmp_path / "out", executor)
    data = load("digits")
    for record in records:
        width = record["values"]["precision_width"]
        quantized = import_model(tmp_path / "mine.keras", precision=f"ap_fixed<{width},3>")
        network = freeze(quantized, data.input_format, data.class_names)
        assert record["network"] == network.digest
        assert record["accuracy"]["validation"] == (network.classify(data.validation.x) == data.validation.y).mean()
    assert len({record["network"] for record in records}) == 2
    assert [record["target"]["reuse_factor"] for record in records] == [1, 2, 1, 2]
    assert "validation accuracy" in write_sweep_report(tmp_path / "out").read_text(encoding="utf-8").lower()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished PTQ sweep of four points: (sweep, folder, records)."""
    root = tmp_path_factory.mktemp("sweep")
    sweep = small_sweep(root)
    with LocalProcesses(1) as executor:
        records = run_sweep(sweep, root / "out", executor)
    return sweep, root / "out", records


def test_every_point_is_judged_and_estimated(finished):
    _, folder, records = finished
    assert [record["point"] for record in records] == [0, 1, 2, 3]
    assert [record["error"] for record in records] == [None] * 4
    for record in records:
        assert 0.5 < record["accuracy"]["validation"] <= 1
        report = record["estimate"]["stages"]["csynth"]["report"]
        assert report["lut"] > 0
        assert report["source"] == "estimate"
    assert [record["target"]["reuse_factor"] for record in records] == [1, 4, 1, 4]
    networks = [load_network(path) for path in sorted((folder / "networks").iterdir())]
    assert {network.digest for network in networks} == {record["network"] for record in records}
    widths = sorted(max(layer.weight_format.width for layer in network.layers) for network in networks)
    assert widths[0] <= 3 < widths[1] <= 6
    assert len(list((folder / "trained").iterdir())) == 1


def test_a_second_sweep_needs_to_be_asked_for(finished):
    sweep, folder, _ = finished
    with (
        pytest.raises(DataError, match=r"has records\.jsonl already; --resume goes on with it"),
        LocalProcesses(1) as one,
    ):
        run_sweep(sweep, folder, one)


class Nobody:
    """An executor that must not be needed."""

    workers = 1

    def results(self, work, tasks):
        assert not tasks
        return iter(())


def test_what_is_finished_is_not_repeated(finished, tmp_path):
    sweep, folder, records = finished
    before = (folder / "records.jsonl").read_bytes()
    assert run_sweep(sweep, folder, Nobody(), resume=True) == records
    assert (folder / "records.jsonl").read_bytes() == before


def test_a_point_that_fails_says_why_and_the_others_go_on(tmp_path):
    sweep = small_sweep(tmp_path, bits=[4], more='"student.layers.0.activation" = ["quantized_relu(4,2)", "binary()"]')
    with LocalProcesses(1) as executor:
        records = run_sweep(sweep, tmp_path / "out", executor)
    failed = [record for record in records if record["error"]]
    assert len(failed) == 2
    assert all("student.layers.0.activation=binary() has no range" in record["error"] for record in failed)
    assert len(records) == 4


def test_what_is_not_the_fault_of_a_point_is_no_record_of_it(finished, tmp_path):
    """Networks that cannot be read end the sweep; when they can again, --resume does the points."""
    sweep, folder, records = finished
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "records.jsonl").unlink()
    damaged = sorted((copy / "networks").iterdir())[0]
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:100])
    with pytest.raises(DataError, match=damaged.name), LocalProcesses(1) as executor:
        run_sweep(sweep, copy, executor)
    assert len(Records(copy).read()) < len(records)
    damaged.write_bytes(whole)
    with LocalProcesses(1) as executor:
        found = run_sweep(sweep, copy, executor, resume=True)
    assert without_times(found) == without_times(records)


def test_trained_points_learn_from_one_teacher(tmp_path):
    sweep = small_sweep(tmp_path, training="qat", bits=[2, 4])
    with LocalProcesses(1) as executor:
        records = run_sweep(sweep, tmp_path / "out", executor)
    assert [record["error"] for record in records] == [None] * 4
    assert len({record["network"] for record in records}) == 2
    (shared,) = (tmp_path / "out" / "trained").iterdir()
    assert (shared / "teacher.keras").exists()
    assert not (shared / "student.keras").exists()


def test_a_dask_cluster_makes_the_same_records(finished, tmp_path):
    needs("distributed")

    import distributed

    sweep, _, records = finished
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            scheduler_port=0,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        DaskWorkers(cluster.scheduler_address) as executor,
    ):
        found = run_sweep(sweep, tmp_path / "out", executor)
    assert without_times(found) == without_times(records)


def test_a_dask_address_that_nobody_answers(monkeypatch):
    needs("distributed")
    monkeypatch.setattr("qap.explore.sweep.executors.CONNECT_SECONDS", 1)
    with (
        pytest.raises(ToolMissing, match=r"^no Dask scheduler answers at tcp://127\.0\.0\.1:1"),
        DaskWorkers("tcp://127.0.0.1:1"),
    ):
        pass
    with pytest.raises(ToolMissing, match="^no Dask scheduler answers at nonsense"), DaskWorkers("nonsense://x"):
        pass


def test_workers_have_one_thread_and_their_part_of_the_memory():
    with LocalProcesses(2) as executor:
        (found,) = executor.results(limits, [{"names": THREADS}])
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < found[0]["memory"] <= total / 2
    assert set(found[0]["threads"].values()) == {"1"}


def test_a_worker_that_dies_is_one_line():
    message = r"^a worker of the sweep died .*: go on with --resume and fewer --jobs$"
    with pytest.raises(ToolFailed, match=message), LocalProcesses(1) as executor:
        list(executor.results(dies, [{}]))


def test_no_jobs():
    with pytest.raises(QapError, match="--jobs must be at least 1"):
        LocalProcesses(0)


DRIVER = """
import sys
from pathlib import Path
from qap.explore.sweep import LocalProcesses, load_sweep, run_sweep
from qap.flow import Silent

class Told(Silent):
    stage = ""
    def start(self, stage, total): self.stage = stage
    def advance(self, text):
        if self.stage == "sweep":
            print("done", flush=True)

if __name__ == "__main__":
    with LocalProcesses(1) as executor:
        run_sweep(load_sweep(sys.argv[1]), Path(sys.argv[2]), executor, resume=True, progress=Told())
"""


def test_kill_9_ten_times_at_any_moment(finished, tmp_path):
    """Records always parse, no point is there twice, and none that was reported is lost."""
    sweep_file, out, driver = tmp_path / "sweep.toml", tmp_path / "out", tmp_path / "driver.py"
    many = small_sweep(tmp_path, bits=range(2, 10), more="clock_ns = [2.0, 3.0, 4.0, 5.0, 6.0]")
    driver.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with LocalProcesses(1) as executor:  # networks are made once: the rest is about records
        run_sweep(many, out, executor)
    complete = Records(out).read()
    (out / "records.jsonl").unlink()
    command = [sys.executable, str(driver), str(sweep_file), str(out)]
    rng, reported = random.Random(5), 0
    for _ in range(10):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        head = process.stdout.readline() if rng.random() < 0.7 else ""  # wait for the first point, or do not
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        reported += (head + process.stdout.read()).count("done")
        process.wait()
        if (out / "records.jsonl").exists():
            keys = [record["key"] for record in Records(out).read()]
            assert len(set(keys)) == len(keys) >= reported
    subprocess.run(
        [sys.executable, str(driver), str(sweep_file), str(out)], env=environment, check=True, capture_output=True
    )
    found = Records(out).read()
    assert sorted(record["key"] for record in found) == sorted(record["key"] for record in complete)
    assert reported > 0


def test_the_command(finished, tmp_path):
    """From the shell: a folder, a count, exit 0; and 2 with one line for what is wrong."""
    _, folder, _ = finished
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    file = folder.parent / "sweep.toml"

    def call(*arguments: str):
        return subprocess.run(
            [sys.executable, "-c", "from qap.cli import main; main()", "sweep", *arguments],
            capture_output=True,
            text=True,
        )

    done = call(str(file), "--out", str(copy), "--resume")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"{copy}: 4 points")
    machine = call(str(file), "--out", str(copy), "--resume", "--json")
    assert [record["point"] for record in json.loads(machine.stdout)["records"]] == [0, 1, 2, 3]
    again = call(str(file), "--out", str(copy))
    assert again.returncode == 2
    assert len(again.stderr.strip().splitlines()) == 1
    with (copy / "records.jsonl").open("a") as handle:
        handle.write('{"key"\n')
    broken = call(str(file), "--out", str(copy), "--resume")
    assert broken.returncode == 2
    assert "line 6 is not a record" in broken.stderr
    both = call(str(file), "--out", str(copy), "--jobs", "2", "--dask", "tcp://127.0.0.1:1")
    assert both.returncode == 2
    assert np.all([each.stdout == "" for each in (again, broken, both)])
