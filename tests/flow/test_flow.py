"""The flow: what is skipped, what is done again, and what an interrupt, a full disk or a missing tool leaves behind.

The stages keep what they read, write and depend on; only their work is replaced by something quick. The
real ones run in tests/cli.
"""

import errno
import json
import os
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from qap import flow
from qap.errors import DataError, QapError, RecipeError, ToolMissing
from qap.files import whole_folder, write_text, write_with
from qap.fixed import FixedPoint
from qap.flow import training
from qap.network import LayerSpec, connect, save_network
from qap.products import made_folder
from qap.recipe import parse_recipe
from qap.run import DATA, HLS, NETWORK, RESOURCES, STAGE_RECORDS, RunDirectory
from qap.run.engines import engines_of
from qap.run.measures import failed_checks, metrics
from qap.run.stages import RTL_STAGES, STAGES

ALL = ["data", "teacher", "student", "freeze", "hls", "verify", "report"]
RECIPE = {
    "name": "mine",
    "teacher": {},
    "distill": {},
    "student": {"layers": [{"units": 4, "weight": 4}, {"units": 2, "weight": 4}]},
}


def recipe(*changes):
    return parse_recipe(RECIPE, "test").override(changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def worked(monkeypatch):
    """Replaces the work of every stage; the list tells which ones were at work. No two take the same time."""
    worked = []

    def fake(stage):
        def work(run, progress):
            worked.append(stage.name)
            seen = run.digest(stage.reads(run.recipe), [stage.name, stage.settings(run)])
            for name in stage.writes(run.recipe):
                if "." not in name:
                    with whole_folder(run.file(name)) as folder:
                        (folder / "content").write_text(seen)
                elif name == DATA:
                    run.write_json(DATA, {"content": seen})
                else:
                    write_text(run.file(name), seen)
            return {"found": seen}

        return work

    monkeypatch.setattr("qap.flow.stage.time", SimpleNamespace(perf_counter=(n * n for n in count()).__next__))
    monkeypatch.setattr(flow, "WORK", {name: fake(stage) for name, stage in STAGES.items()})
    return worked


def run_it(path, worked, *changes, **options):
    """Run the flow and tell which stages were at work; the data are always loaded."""
    worked.clear()
    flow.run_flow(RunDirectory.create(path, recipe(*changes), force=True), **options)
    assert worked[:1] == ["data"]
    return worked[1:]


def content(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


class Log:
    def __init__(self):
        self.events = []

    def start(self, stage, total):
        self.events.append(("start", stage, total))

    def advance(self, text):
        self.events.append(("advance", text))

    def finish(self, stage, seconds, skipped, note=""):
        self.events.append(("finish", stage, skipped, *([note] if note else [])))


def replaced_work(monkeypatch, name, work):
    monkeypatch.setitem(flow.WORK, name, work)


# ---- resumption


def test_the_order_of_the_stages():
    assert list(STAGES) == [*ALL[:5], *RTL_STAGES, *ALL[5:]]


def test_rtl_is_made_and_verified_only_when_the_recipe_asks_for_it(path, worked):
    assert run_it(path, worked) == ALL[1:]
    assert run_it(path, worked, "rtl.enabled=true") == ["rtl", "synth", "verify", "report"]
    assert run_it(path, worked, "rtl.enabled=true") == []
    assert run_it(path, worked, "rtl.stage_depth=2") == ["rtl", "synth", "verify", "report"]
    assert run_it(path, worked, "rtl.enabled=false") == ["verify", "report"]
    assert engines_of(recipe("rtl.enabled=true")) == ("keras", "emulator", "csim", "rtl", "axis", "netlist")
    assert engines_of(recipe("rtl.enabled=false")) == engines_of(recipe()) == ("keras", "emulator", "csim")


def test_every_file_that_is_read_is_written_before():
    made = parse_recipe(RECIPE, "test")
    written = set()
    for stage in STAGES.values():
        assert set(stage.reads(made)) <= written
        written |= set(stage.writes(made))


def test_a_finished_run_is_not_done_again(path, worked):
    assert run_it(path, worked) == ALL[1:]
    before = content(path)
    log = Log()
    assert run_it(path, worked, progress=log) == []
    assert content(path) == before
    assert [event for event in log.events if event[0] == "finish"] == [("finish", name, True) for name in ALL]


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("seed=1", ALL[1:]),
        ("data.validation=0.2", ALL[1:]),
        ("teacher.epochs=3", ALL[1:]),
        ("teacher.units=[5]", ALL[1:]),
        ("student.epochs=3", ALL[2:]),
        ("student.layers.0.weight=5", ALL[2:]),
        ("prune.sparsity=0.5", ALL[2:]),
        ("distill.alpha=0.1", ALL[2:]),
        ("name=other", ["hls", "verify", "report"]),
        ("target.clock_ns=7", ["hls", "verify", "report"]),
        ("accuracy_floor=0.5", ["report"]),
    ],
)
def test_a_changed_recipe_redoes_what_reads_it(path, worked, change, again):
    run_it(path, worked)
    assert run_it(path, worked, change) == again
    assert run_it(path, worked, change) == []
    assert run_it(path, worked) == again, "and back again"


def test_a_student_that_is_not_distilled_does_not_read_the_teacher(path, worked):
    run_it(path, worked, "distill=")
    assert run_it(path, worked, "distill=", "teacher.epochs=3") == ["teacher", "report"]


@pytest.mark.parametrize("name", ["teacher.keras", "student.keras", "weights.npz", "network.npz", "hls", "verify.json"])
def test_a_missing_output_is_made_again(path, worked, name):
    run_it(path, worked)
    before = content(path)
    if path.joinpath(name).is_dir():
        for file in path.joinpath(name).iterdir():
            file.unlink()
        path.joinpath(name).rmdir()
    else:
        path.joinpath(name).unlink()
    stage = next(stage.name for stage in STAGES.values() if name in stage.writes(recipe()))
    assert run_it(path, worked) == [stage, "report"]
    assert content(path).keys() == before.keys()


PRODUCTS = ["data.json", "teacher.keras", "teacher_history.csv", "student.keras", "history.csv", "weights.npz",
            "network.npz", "hls/content", "rtl/content", "synth/xc7-core/content", "synth/xc7-top/content",
            "resources.json", "verify.json", "report.html", "metrics.json"]  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_product_is_made_again_and_told(path, worked, name, damage):
    run_it(path, worked, "rtl.enabled=true")
    before = content(path)
    if damage == "changed":
        (path / name).write_bytes((path / name).read_bytes() + b" ")
    else:
        (path / name).unlink()
    log = Log()
    stage = next(each.name for each in STAGES.values() if any(name.startswith(file) for file in each.writes(recipe())))
    again = run_it(path, worked, "rtl.enabled=true", progress=log)
    assert again == ["report"] if stage in ("report", "data") else [stage, "report"]
    what = f"made again: {name} {'has changed' if damage == 'changed' else 'is missing'}"
    assert ("finish", stage, False, what) in log.events
    assert content(path).keys() == before.keys()
    others = [file for file in before if file not in (STAGE_RECORDS, "report.html", "metrics.json")]
    assert all(content(path)[file] == before[file] for file in others)
    assert run_it(path, worked, "rtl.enabled=true") == [], "and then it holds"


def test_every_product_is_known(path, worked):
    run_it(path, worked, "rtl.enabled=true")
    run = RunDirectory.open(path)
    assert sorted(PRODUCTS) == sorted(name for stage in STAGES for name in run.stage(stage).products)
    assert set(PRODUCTS) == set(content(path)) - {".lock", "recipe.toml", STAGE_RECORDS}


def test_records_without_products_hold_as_they_did(path, worked):
    """Runs of 0.1.0 and 0.2.0 have none."""
    run_it(path, worked)
    records = json.loads((path / STAGE_RECORDS).read_text())
    old = {
        stage: {key: value for key, value in record.items() if key != "products"} for stage, record in records.items()
    }
    (path / STAGE_RECORDS).write_text(json.dumps(old))
    assert run_it(path, worked) == []


def test_a_single_stage_makes_its_damaged_product_again(path, worked):
    run_it(path, worked)
    (path / "hls" / "content").write_text("damaged")
    assert run_it(path, worked, stages=["data", "hls"]) == ["hls"]


def test_what_others_write_into_a_folder_redoes_nothing_and_is_kept(path, worked, monkeypatch):
    work = flow.WORK["hls"]

    def with_a_list_of_its_files(run, progress):
        result = work(run, progress)
        with made_folder(run.file(HLS)) as folder:
            (folder / "content").write_text(result["found"])
        return result

    replaced_work(monkeypatch, "hls", with_a_list_of_its_files)
    run_it(path, worked)
    solution = path / "hls" / "project" / "solution1"
    solution.mkdir(parents=True)
    (solution / "csynth.rpt").write_text("measured for hours")
    assert run_it(path, worked) == []


def test_a_product_that_another_command_rewrote_holds(path, worked):
    run_it(path, worked, "rtl.enabled=true")
    run = RunDirectory.open(path)
    run.write_json(RESOURCES, {"more": "measured"})
    run.rewrote(RESOURCES)
    assert run_it(path, worked, "rtl.enabled=true") == []


def test_another_version_redoes_everything(path, worked, monkeypatch):
    run_it(path, worked)
    monkeypatch.setattr("qap.run.directory.__version__", "99")
    assert run_it(path, worked) == ALL[1:]


def test_changed_data_redo_everything(path, worked, monkeypatch):
    run_it(path, worked)

    def other_data(run, progress):
        worked.append("data")
        run.write_json(DATA, {"content": "other samples"})
        return {"found": "other samples"}

    replaced_work(monkeypatch, "data", other_data)
    assert run_it(path, worked) == ALL[1:]
    assert run_it(path, worked) == []


def test_force_redoes_what_was_asked_for(path, worked):
    run_it(path, worked)
    assert run_it(path, worked, force=True) == ALL[1:]
    assert run_it(path, worked, stages=["data", "freeze"], force=True) == ["freeze"]


def test_single_stages_run_in_the_order_of_the_flow(path, worked):
    assert run_it(path, worked, stages=["student", "data", "teacher"]) == ["teacher", "student"]
    assert run_it(path, worked) == ["freeze", "hls", "verify", "report"]


def test_an_unknown_stage(path, worked):
    with pytest.raises(QapError, match=r"no stage 'freez' \(there are: data, teacher"):
        run_it(path, worked, stages=["freez"])


@pytest.mark.parametrize("name", ALL[1:])
def test_a_stage_without_those_before_it_says_so(path, worked, name):
    run = RunDirectory.create(path, recipe())
    with pytest.raises(DataError, match=rf"has no .* yet, which {name} reads; qap run makes it"):
        flow.run_flow(run, [name])
    assert worked == []


def test_what_could_not_be_done_for_want_of_a_tool_is_tried_again(path, worked, monkeypatch):
    """A verification without g++ is finished for now; with g++ the next run does the rest."""

    def without_a_tool(run, progress):
        worked.append("verify")
        write_text(run.file("verify.json"), "{}")
        return {"unavailable": {"csim": "g++ is not installed"}}

    verify = flow.WORK["verify"]
    replaced_work(monkeypatch, "verify", without_a_tool)
    run_it(path, worked)
    assert run_it(path, worked) == ["verify"]
    replaced_work(monkeypatch, "verify", verify)
    assert run_it(path, worked) == ["verify", "report"]
    assert run_it(path, worked) == []


# ---- interrupts, errors, a full disk


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, QapError("bad")])
@pytest.mark.parametrize("name", ALL)
def test_an_interrupted_stage_is_continued_by_the_same_command(path, worked, monkeypatch, name, error):
    work = flow.WORK[name]

    def interrupted(run, progress):
        worked.append(name)
        for file in STAGES[name].writes(run.recipe)[:1]:
            if "." in file:
                write_with(run.file(file), half_written)
            else:
                with whole_folder(run.file(file)) as folder:
                    half_written(folder / "x")
        raise AssertionError("not reached")

    def half_written(temporary):
        temporary.write_text("half")
        raise error

    replaced_work(monkeypatch, name, interrupted)
    with pytest.raises(type(error) if isinstance(error, QapError) else error):
        run_it(path, worked)
    assert not any(file.endswith("/x") or b"half" in text for file, text in content(path).items())
    assert not [file for file in content(path) if file.startswith(".") and file != ".lock"]
    replaced_work(monkeypatch, name, work)
    assert run_it(path, worked) == ALL[max(1, ALL.index(name)) :]


def test_an_interrupted_stage_is_not_taken_for_finished_when_the_recipe_goes_back(path, worked, monkeypatch):
    """The stage had finished with the first recipe; with the second it wrote a part of its files."""
    run_it(path, worked)
    first = content(path)
    work = flow.WORK["student"]

    def interrupted(run, progress):
        write_text(run.file("student.keras"), "of the second recipe")
        raise KeyboardInterrupt

    replaced_work(monkeypatch, "student", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_it(path, worked, "student.epochs=3")
    replaced_work(monkeypatch, "student", work)
    assert run_it(path, worked)[:1] == ["student"]
    outputs = ("student.keras", "network.npz", "hls/content")
    assert {name: content(path)[name] for name in outputs} == {name: first[name] for name in outputs}


@pytest.mark.parametrize("name", ALL)
def test_a_full_disk_in_any_stage(path, worked, monkeypatch, name):
    work, write = flow.WORK[name], Path.write_text

    def full(*arguments, **keywords):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def on_a_full_disk(run, progress):
        monkeypatch.setattr(Path, "write_text", full)
        return work(run, progress)

    replaced_work(monkeypatch, name, on_a_full_disk)
    with pytest.raises(DataError, match="cannot write .*: No space left on device"):
        run_it(path, worked)
    monkeypatch.setattr(Path, "write_text", write)
    assert not [file for file in content(path) if file.startswith(".") and file != ".lock"]
    replaced_work(monkeypatch, name, work)
    assert run_it(path, worked) == ALL[max(1, ALL.index(name)) :]


def test_no_second_flow_in_the_same_folder(path, worked, monkeypatch):
    def second(run, progress):
        with pytest.raises(QapError, match="another qap is at work in"):
            flow.run_flow(RunDirectory.open(path))
        return {}

    replaced_work(monkeypatch, "report", second)
    flow.run_flow(RunDirectory.create(path, recipe()))


def test_damaged_records_are_refused_and_the_file_can_be_deleted(path, worked):
    run_it(path, worked)
    (path / STAGE_RECORDS).write_text("{")
    with pytest.raises(DataError, match="is damaged: .*; delete it, and the same command makes it again"):
        run_it(path, worked)
    (path / STAGE_RECORDS).unlink()
    assert run_it(path, worked) == ALL[1:]


def test_progress_is_told(path, worked):
    log = Log()
    run_it(path, worked, progress=log)
    assert log.events[:4] == [
        ("start", "data", None),
        ("finish", "data", False),
        ("start", "teacher", recipe().teacher.epochs),
        ("finish", "teacher", False),
    ]
    run_it(path, worked, "teacher=", "distill=", stages=["data", "teacher"], progress=log)
    assert not [event for event in log.events[4:] if event[1] == "teacher"]  # which has nothing to do


# ---- the real data stage, and verification without Keras


@pytest.fixture
def frozen(tmp_path):
    """A run of a hand-made network with the C++ project missing."""
    file = tmp_path / "my data.npz"
    rng = np.random.default_rng(0)
    np.savez(file, x=rng.integers(0, 256, (60, 3), np.uint8), y=np.arange(60) % 2)
    run = RunDirectory.create(tmp_path / "run", recipe(f'data.name="npz:{file}"'))
    form = FixedPoint.parse("ap_fixed<4,2>")
    weight = np.array([[1, -2], [3, 0], [0, 1]])
    network = connect(FixedPoint.parse("ap_ufixed<8,0>"), [LayerSpec("a", weight, form, np.array([1, 0]), form)], "01")
    save_network(network, run.file(NETWORK))
    return run


def test_the_data_are_recorded(frozen):
    records = flow.run_flow(frozen, ["data"])
    found = json.loads(frozen.file(DATA).read_text())
    assert found["samples"] == {"train": 43, "validation": 5, "test": 12}
    assert found["digest"] == records["data"].result["digest"] == frozen.dataset.digest
    assert (found["input_format"], found["class_names"], found["data_dir"]) == ("ap_ufixed<8,0>", ["0", "1"], None)
    before = frozen.file(DATA).stat().st_mtime_ns
    flow.run_flow(RunDirectory.open(frozen.path), ["data"])
    assert frozen.file(DATA).stat().st_mtime_ns == before


def test_the_data_folder_is_recorded(frozen, tmp_path):
    run = RunDirectory.create(frozen.path, frozen.recipe, tmp_path / "." / "run" / "..")
    flow.run_flow(run, ["data"])
    assert RunDirectory.open(frozen.path).data_dir == tmp_path


def test_a_student_that_does_not_fit_to_the_data_is_refused_before_any_training(frozen):
    wrong = frozen.recipe.override(["student.layers.1.units=3"])
    message = "student.layers.1.units must be 2, one for each class, but got 3"
    with pytest.raises(RecipeError, match=message):
        RunDirectory.create(frozen.path, wrong)
    run = RunDirectory.create(frozen.path.with_name("another"), wrong)
    with pytest.raises(RecipeError, match=message):
        flow.run_flow(run, ["data"])


@pytest.mark.parametrize(
    ("engines", "message"),
    [
        (["emulator", "foo"], r"no engine 'foo' \(there are: keras, onnx, emulator, csim"),
        (["emulator", ""], "no engine ''"),
        (["emulator"], "at least two different engines can be compared, but got emulator"),
        (["emulator", "emulator"], "at least two different engines"),
        ([], "at least two different engines"),
    ],
)
def test_wrong_engines(frozen, engines, message):
    with pytest.raises(QapError, match=message):
        flow.verify_stage(frozen, engines, required=True)


def test_a_verification_without_a_project_or_a_network(frozen):
    with pytest.raises(DataError, match="no HLS project in"):
        flow.verify_stage(frozen, ["emulator", "csim"], required=True)
    frozen.file(NETWORK).unlink()
    with pytest.raises(DataError, match=r"network\.npz does not exist"):
        flow.verify_stage(frozen, ["emulator", "csim"], required=True)


def test_a_missing_compiler_is_named(frozen, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissing, match=r"^g\+\+ is not installed, nor clang"):
        flow.verify_stage(frozen, ["emulator", "csim"], required=True)
    with pytest.raises(QapError, match="not enough to compare"):
        flow.verify_stage(frozen, ["emulator", "csim"], required=False)
    assert frozen.stage("verify") is None


# ---- what is judged


def test_the_metrics_of_a_run_that_has_not_begun(path):
    found = metrics(RunDirectory.create(path, recipe("seed=5")))
    assert (found["recipe"], found["seed"], found["seconds"]) == ("mine", 5, {})
    assert set(found["accuracy"].values()) == {None}
    assert failed_checks(found) == []


@pytest.mark.parametrize(("floor", "failures"), [(0.9, 0), (0.95, 0), (0.951, 1), (1.0, 1)])
def test_an_accuracy_below_the_floor_is_a_failed_check(floor, failures):
    judged = {"failures": [], "accuracy": {"integer": {"test": 0.95}}, "accuracy_floor": floor}
    found = failed_checks(judged)
    assert len(found) == failures
    assert not failures or found[0].startswith("the integer network has 95.00% on test, accuracy_floor is")


def test_every_mismatch_is_a_failed_check():
    judged = {"failures": ["a == b: 3 mismatches"], "accuracy": {"integer": None}, "accuracy_floor": 0.5}
    assert failed_checks(judged) == ["a == b: 3 mismatches"]


@pytest.mark.parametrize("stage", ["teacher", "student", "freeze"])
def test_a_missing_tensorflow_is_named(path, worked, monkeypatch, stage):
    work = getattr(training, stage)
    replaced_work(monkeypatch, stage, work)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(
        ToolMissing, match=r"^the package 'tensorflow' is not installed: pip install 'qap-fpga\[train\]'$"
    ):
        run_it(path, worked)


def test_a_missing_hls4ml_is_named(frozen, monkeypatch):
    monkeypatch.setitem(sys.modules, "hls4ml", None)
    with pytest.raises(ToolMissing, match=r"^the package 'hls4ml' is not installed: pip install 'qap-fpga\[hls\]'$"):
        flow.run_flow(frozen, ["data", "hls"])
    assert not frozen.file(HLS).exists()


@pytest.mark.parametrize("method", ["dynamic", "none"])
def test_a_flow_without_an_integer_form_is_refused_before_it_trains(path, worked, method):
    with pytest.raises(RecipeError, match=rf'^quantize.method = "{method}" has no integer form'):
        flow.run_flow(RunDirectory.create(path, recipe(f"quantize.method={method}")))
    assert worked == []
    flow.run_flow(RunDirectory.create(path, recipe(f"quantize.method={method}")), ["data", "teacher", "student"])
    assert worked == ["data", "teacher", "student"]
