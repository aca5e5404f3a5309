"""The run directory: whose folder it is, what it remembers, and what it says when something in it is damaged."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qap.errors import DataError, QapError, RecipeError
from qap.files import TEMPORARY
from qap.recipe import load_recipe, parse_recipe
from qap.run import DATA, RECIPE, STAGE_RECORDS, SYNTH, RunDirectory, StageRecord

RECIPE_CONTENT = {"name": 'a "b" ü', "student": {"layers": [{"units": 2, "weight": 4}]}}
RECORD = StageRecord("digest", 1.5, {"accuracy": {"validation": 0.25, "test": 0.5}})


def recipe(**changes):
    return parse_recipe(RECIPE_CONTENT | changes, "test")


@pytest.fixture
def run(tmp_path):
    return RunDirectory.create(tmp_path / "run", recipe())


def refused(function, *arguments, error=DataError, message=""):
    with pytest.raises(error) as caught:
        function(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# ---- whose folder it is


@pytest.mark.parametrize("name", ["run", "a/b/c", "sp ace 'q' \"d\" ; $(x) ü", "[red]", "-dash"])
def test_a_new_folder(tmp_path, name):
    made = RunDirectory.create(tmp_path / name, recipe(seed=3))
    opened = RunDirectory.open(str(tmp_path / name))
    assert opened.recipe == made.recipe == recipe(seed=3)
    assert opened.path == tmp_path / name
    assert sorted(path.name for path in made.path.iterdir()) == [".lock", RECIPE]


def test_an_empty_folder_and_one_with_dot_files(tmp_path):
    RunDirectory.create(tmp_path, recipe())
    other = tmp_path / "other"
    other.mkdir()
    (other / ".gitkeep").touch()
    assert RunDirectory.create(other, recipe()).recipe == recipe()


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    refused(RunDirectory.create, tmp_path, recipe(), message="holds files but no recipe.toml; --out needs a new")
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_the_same_recipe_touches_nothing(run):
    before = run.file(RECIPE).stat().st_mtime_ns
    RunDirectory.create(run.path, recipe())
    assert run.file(RECIPE).stat().st_mtime_ns == before
    RunDirectory.create(run.path, recipe(seed=1))
    assert RunDirectory.open(run.path).recipe.seed == 1


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"name = "])
def test_a_damaged_recipe_is_replaced_by_the_one_that_is_asked_for(run, damage):
    run.file(RECIPE).write_bytes(damage)
    with pytest.raises((DataError, RecipeError)) as caught:
        RunDirectory.open(run.path)
    assert str(run.file(RECIPE)) in str(caught.value)
    assert RunDirectory.create(run.path, recipe()).recipe == RunDirectory.open(run.path).recipe


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("file", "is a file; --out needs a folder"),
        ("file/x", "Not a directory"),
        ("a\0b", "embedded null"),
        ("n" * 300, "File name too long"),
        ("\ud800", "cannot write"),
    ],
)
def test_folders_that_cannot_be_made(tmp_path, name, message):
    (tmp_path / "file").write_text("")
    refused(RunDirectory.create, tmp_path / name, recipe(), message=message)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["nothing", "file", "file/x", "a\0b", "n" * 300, "\ud800"])
def test_folders_that_are_no_runs(tmp_path, name):
    (tmp_path / "file").write_text("")
    refused(RunDirectory.open, tmp_path / name, message=RECIPE)


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_read_only_or_full_disk(tmp_path, monkeypatch, code):
    def fails(*arguments, **keywords):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("qap.files.tempfile.mkstemp", fails)
    refused(RunDirectory.create, tmp_path / "run", recipe(), message=f"recipe.toml: {os.strerror(code)}")
    assert not (tmp_path / "run" / RECIPE).exists()
    monkeypatch.setattr(Path, "mkdir", fails)
    refused(RunDirectory.create, tmp_path / "other", recipe(), message=os.strerror(code))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path):
    tmp_path.chmod(0o500)
    refused(RunDirectory.create, tmp_path / "run", recipe(), message="Permission denied")


# ---- whose recipe it has


def write_data(path: Path) -> str:
    """Two classes of four pixels; the name of the data set."""
    np.savez(path, x=np.arange(80, dtype=np.uint8).reshape(20, 4), y=np.arange(20) % 2)
    return f"npz:{path}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"name": "npz:/nowhere.npz"}}, "/nowhere.npz does not exist"),
        ({"data": {"name": "csv:/nowhere.csv?label=x"}}, "/nowhere.csv does not exist"),
        ({"data": {"name": "digit"}}, "no data set 'digit'"),
        ({"data": {"name": "npz:{damaged}"}}, "no NPZ file"),
        ({"student": {"layers": [{"units": 3, "weight": 4}]}}, "student.layers.0.units must be 2"),
    ],
)
def test_a_refused_input_leaves_the_recipe_of_a_run(tmp_path, changes, message):
    (tmp_path / "damaged.npz").write_bytes(b"PK")
    good = recipe(data={"name": write_data(tmp_path / "good.npz")})
    run = RunDirectory.create(tmp_path / "run", good)
    text = json.dumps(changes).replace("{damaged}", str(tmp_path / "damaged.npz"))
    wrong = recipe(**{"data": good.data.model_dump(mode="json")} | json.loads(text))
    refused(RunDirectory.create, run.path, wrong, error=QapError, message=message)
    assert RunDirectory.open(run.path).recipe == good
    with run.lock():  # and nobody is thought to be at work
        pass


def test_a_run_of_another_recipe_is_taken_over_only_if_asked(tmp_path):
    data = {"name": write_data(tmp_path / "data.npz")}
    run = RunDirectory.create(tmp_path / "run", recipe(data=data))
    other = recipe(name="other", data=data)
    refused(
        RunDirectory.create,
        run.path,
        other,
        message="holds a run of 'a \"b\" ü'; 'other' takes its folder with --force",
    )
    assert RunDirectory.open(run.path).recipe.name == 'a "b" ü'
    assert RunDirectory.create(run.path, other, force=True).recipe == RunDirectory.open(run.path).recipe == other


def test_relative_data_belong_to_the_recipe_and_are_kept_absolute(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    write_data(project / "data.npz")
    file = project / "mine.toml"
    file.write_text(recipe(data={"name": "npz:data.npz"}).to_toml())
    monkeypatch.chdir(tmp_path)
    run = RunDirectory.create("run", load_recipe("project/mine.toml"))
    monkeypatch.chdir("/")
    assert len(RunDirectory.open(tmp_path / "run").dataset.test) == 4
    monkeypatch.chdir(project)
    again = run.recipe.override(["data.name=npz:data.npz", "seed=2"])  # what is set belongs to the current folder
    RunDirectory.create(tmp_path / "run", again)
    monkeypatch.chdir("/")
    opened = RunDirectory.open(tmp_path / "run")
    assert opened.recipe.data.name == f"npz:{project / 'data.npz'}"
    assert len(opened.dataset.test) == 4


# ---- what it remembers


def test_json_round_trip(run):
    run.write_json("x.json", {"ü": [1, 2.5, None, True]})
    assert run.read_json("x.json") == {"ü": [1, 2.5, None, True]}
    refused(run.read_json, "missing.json", message="has no missing.json yet")


def test_stages_are_remembered_and_forgotten(run):
    assert run.stage("teacher") is None
    run.forget("teacher")
    run.finish("teacher", RECORD)
    run.finish("student", StageRecord("other", 2, {}))
    again = RunDirectory.open(run.path)
    assert again.stage("teacher") == RECORD
    again.forget("teacher")
    assert run.stage("teacher") is None
    assert run.stage("student") == StageRecord("other", 2, {})


def test_the_data_folder_is_remembered(run, tmp_path):
    assert RunDirectory.open(run.path).data_dir is None
    run.write_json(DATA, {"data_dir": str(tmp_path)})
    assert RunDirectory.open(run.path).data_dir == tmp_path
    assert RunDirectory.open(run.path, Path("other")).data_dir == Path("other")
    run.write_json(DATA, {"data_dir": 5})
    refused(RunDirectory.open, run.path, message="data.json is damaged: data_dir: Input should be a valid string")


def test_the_data_are_those_of_the_recipe(tmp_path):
    path = tmp_path / "my 'data'.npz"
    np.savez(path, x=np.arange(80, dtype=np.uint8).reshape(20, 4), y=np.arange(20) % 2)
    data = {"name": f"npz:{path}", "validation": 0.25, "input_format": "ap_ufixed<4,0>"}
    loaded = RunDirectory.create(tmp_path / "run", recipe(data=data, seed=4)).dataset
    assert str(loaded.input_format) == "ap_ufixed<4,0>"
    assert (len(loaded.train), len(loaded.validation), loaded.n_in) == (12, 4, 4)


DAMAGE = [b"", b"{", b"\xff", b"[]", b"5", b"null", b"[" * 100_000]


@pytest.mark.parametrize("damage", DAMAGE, ids=[str(damage[:5]) for damage in DAMAGE])
@pytest.mark.parametrize("name", [STAGE_RECORDS, DATA])
def test_damaged_files_say_what_to_do(run, name, damage):
    run.file(name).write_bytes(damage)
    message = f"{run.file(name)} is damaged"
    if name == DATA:
        refused(RunDirectory.open, run.path, message=message)
    else:
        refused(run.stage, "teacher", message=message)
        refused(run.finish, "teacher", RECORD, message=message)
    refused(run.read_json, name, message="delete it, and the same command makes it again")


@pytest.mark.parametrize(
    "record", [None, 5, [], {}, {"digest": "d"}, {"digest": 1, "seconds": 1, "result": {}},
               {"digest": "d", "seconds": "1", "result": {}}, {"digest": "d", "seconds": 1, "result": []}],
    ids=str,
)  # fmt: skip
def test_damaged_records(run, record):
    run.file(STAGE_RECORDS).write_text(json.dumps({"teacher": record}))
    refused(run.stage, "teacher", message="stages.json is damaged: ")
    refused(run.stage, "student", message="teacher")


# ---- digests


def test_a_digest_reads_files_folders_and_settings(run):
    folder = run.file("hls")
    folder.mkdir()
    run.file("a").write_text("1")
    (folder / "b").write_text("2")
    (folder / os.fsdecode(b"\xff")).write_text("any bytes are a name")
    seen = {run.digest(("a", "hls"), {"k": 1})}
    assert run.digest(("a", "hls"), {"k": 1}) in seen
    seen.add(run.digest(("a", "hls"), {"k": 2}))
    seen.add(run.digest(("a",), {"k": 1}))
    (folder / "b").write_text("3")
    seen.add(run.digest(("a", "hls"), {"k": 1}))
    (folder / "b").rename(folder / "c")
    seen.add(run.digest(("a", "hls"), {"k": 1}))
    run.file("a").write_text("2")
    seen.add(run.digest(("a", "hls"), {"k": 1}))
    assert len(seen) == 6
    refused(run.digest, ("a", "missing"), None, message="has no missing yet")


def test_a_digest_depends_on_the_version(run, monkeypatch):
    before = run.digest((), None)
    monkeypatch.setattr("qap.run.directory.__version__", "99")
    assert run.digest((), None) != before


# ---- one process at a time


def test_a_second_one_is_kept_out(run):
    with run.lock():
        refused(RunDirectory.open(run.path).lock().__enter__, error=QapError, message="another qap is at work in")
        refused(RunDirectory.create, run.path, recipe(seed=9), error=QapError, message="another qap is at work in")
        assert RunDirectory.open(run.path).recipe.seed == 0, "the recipe of a run that is at work must stay"
        RunDirectory.create(run.path, recipe())
    with run.lock():
        pass
    assert RunDirectory.create(run.path, recipe(seed=9)).recipe.seed == 9


def test_a_lock_ends_with_its_block_and_with_its_process(run):
    with pytest.raises(KeyboardInterrupt), run.lock():
        raise KeyboardInterrupt
    with run.lock():
        pass
    lines = ("import sys; from qap.run import RunDirectory", "with RunDirectory.open(sys.argv[1]).lock():",
             "    print(1, flush=True); sys.stdin.read()")  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines), str(run.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"1\n"
        refused(run.lock().__enter__, error=QapError, message="another qap is at work in")
        other.kill()
        other.wait()
        with run.lock():
            pass


def test_who_takes_the_lock_removes_what_a_killed_process_left(run):
    run.file("mine").write_text("")
    (run.file(SYNTH) / "xc7-core").mkdir(parents=True)
    before = sorted(run.path.rglob("*"))
    (run.path / f"{TEMPORARY}network.abcd1234.npz").write_text("half")
    (run.path / f"{TEMPORARY}hls.abcd1234").mkdir()
    (run.file(SYNTH) / f"{TEMPORARY}xc7-core.abcd1234").mkdir()
    (run.file(SYNTH) / f"{TEMPORARY}ecp5-core.abcd1234.former").mkdir()
    with run.lock():
        assert sorted(run.path.rglob("*")) == sorted([*before, run.file(SYNTH) / "ecp5-core"])


def test_a_lock_that_cannot_be_taken(run):
    run.file(".lock").unlink()
    run.file(".lock").mkdir()
    refused(run.lock().__enter__, message=f"cannot write {run.path}: Is a directory")


def test_a_lock_is_never_a_link(run, tmp_path):
    (tmp_path / "precious").write_text("mine")
    run.file(".lock").unlink()
    run.file(".lock").symlink_to(tmp_path / "precious")
    refused(run.lock().__enter__, message=f"{run.file('.lock')} is a link")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_lock_changes_nothing(run):
    run.file(".lock").write_text("mine")
    with run.lock():
        pass
    assert run.file(".lock").read_text() == "mine"
