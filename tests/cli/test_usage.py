"""The command line without TensorFlow: help, exit codes, one line for every mistake, and clean streams."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from qap import flow
from qap.cli import call
from qap.cli.app import app

COMMANDS = sorted(get_command(app).commands)


# ---- help and information


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(qap, command, option):
    result = qap(command, option)
    assert (result.status, result.err) == (0, "")
    assert f"Usage: qap {command}" in result.out


def test_the_help_lists_every_command(qap):
    stages = {"data", "teacher", "student", "train", "freeze", "hls", "verify", "report"}
    assert {"run", "recipes", "datasets", "doctor"} | stages <= set(COMMANDS)
    for arguments in ([], ["--help"], ["-h"]):
        result = qap(*arguments)
        assert (result.status, result.err) == (0, "")
        assert all(f" {command} " in result.out for command in COMMANDS)


def test_version(qap):
    from qap import __version__

    assert qap("--version").out == f"qap {__version__}\n"


def test_recipes_are_listed_and_printed(qap, tmp_path):
    listed = qap("recipes")
    assert listed.status == 0
    assert any(line.startswith("digits ") for line in listed.out.splitlines())
    printed = qap("recipes", "digits")
    path = tmp_path / "mine.toml"
    path.write_text(printed.out)
    assert qap("recipes", path).out == printed.out


def test_data_sets_are_listed(qap):
    result = qap("datasets")
    assert result.status == 0
    assert {"mnist-1v9", "mnist", "fashion-mnist", "digits"} <= set(result.out.split("\n"))


def test_the_doctor(qap, monkeypatch):
    found = json.loads(qap("doctor", "--json").out)
    assert found["python"]["version"] == sys.version.split()[0]
    assert {"tensorflow", "qkeras-v3", "hls4ml", "jinja2", "matplotlib", "g++"} <= set(found)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("qap.doctor.package_version", lambda package: None)
    lines = {line.split()[0]: line for line in qap("doctor").out.splitlines()}
    assert "missing: pip install 'qap-fpga[train]'" in lines["tensorflow"]
    assert "missing: pip install 'qap-fpga[hls]'" in lines["hls4ml"]
    assert "missing: install g++" in lines["g++"]
    assert json.loads(qap("doctor", "--json").out)["g++"]["version"] is None


# ---- wrong usage and bad input: exit 2 and one line

USAGE = [
    (["bogus"], "No such command 'bogus'; see qap --help"),
    (["run"], "Missing argument 'RECIPE|RUN'; see qap run --help"),
    (["run", "--fo"], "No such option: --fo"),
    (["verify", "a", "b"], "unexpected extra argument"),
    (["run", "digits", "--seed", "x"], "'--seed'"),
    (["run", "digits", "--seed", "-1"], "'--seed'"),
    (["run", "digits", "--seed", str(2**32)], "'--seed'"),
    (["run", "digits", "--out"], "requires an argument"),
    (["run", "digts"], "no recipe 'digts', did you mean 'digits'?"),
    (["run", "nothing.toml"], "cannot read the recipe nothing.toml: No such file or directory"),
    (["run", "."], ". is not a run directory: it has no recipe.toml"),
    (["verify", "no run"], "no recipe 'no run'"),
    (["verify", ""], "is not a run directory"),
    (["run", "n" * 300], "no recipe 'nnn"),
    (["run", "a\0b"], "no recipe 'a\\x00b'"),
    (["verify", "a\0b.toml"], "a\\x00b.toml is not valid TOML: embedded null"),
    (["data", "digits", "--out", "a\0b"], "embedded null"),
    (["run", "digits", "--set", "prune.sparsty=0.5"], "unknown key 'prune.sparsty', did you mean 'sparsity'?"),
    (["run", "digits", "--set", "prune.sparsity=1"], "prune.sparsity: Input should be less than 1 (got 1)"),
    (["run", "digits", "--set", "seed"], "write key=value"),
    (["run", "digits", "--set", "name=two\nlines\udcff"], "valid string"),
    (["data", "digits", "--set", "data.name=digit"], "no data set 'digit', did you mean 'digits'?"),
    (["data", "digits", "--set", "data.name=npz:no\nthing.npz"], "no\\nthing.npz does not exist"),
    (["data", "digits", "--set", "student.layers.0.weight=foo(4)"], "student.layers.0.weight: unknown quantizer 'foo'"),
    (["run", "digits", "--out", "file"], "file is a file; --out needs a folder"),
    (["run", "digits", "--out", "file/x"], "cannot write file/x: Not a directory"),
    (["run", "digits", "--out", "full"], "full holds files but no recipe.toml"),
    (["run", "digits", "--out", "n" * 300], "File name too long"),
    (["recipes", "xyz"], "no recipe 'xyz'"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=[" ".join(usage[0])[:40] for usage in USAGE])
def test_mistakes_are_one_line_and_exit_2(qap, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").write_text("")
    result = qap(*arguments)
    assert (result.status, result.out) == (2, "")
    begun = [line for line in result.err.splitlines() if line.startswith("  ..  ")]
    assert result.err.count("\n") == 1 + len(begun)
    assert result.error.startswith("error: ")
    assert message in result.error


def test_debug_shows_the_traceback(qap, monkeypatch):
    result = qap("run", "xyz", "--debug")
    assert result.status == 2
    assert "Traceback (most recent call last)" in result.err
    assert result.err.splitlines()[-1].startswith("qap: error: no recipe 'xyz'")
    monkeypatch.setenv("QAP_DEBUG", "1")
    assert "Traceback" in qap("run", "xyz").err


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device", "x"), "No space left on device: x"),
        (OSError("no strerror"), "no strerror"),
        (MemoryError(), "not enough memory"),
        (type("ResourceExhaustedError", (Exception,), {})("OOM when\nallocating"), "not enough memory"),
        (flow.QapError("two\nlines\x1b[31m\0"), r"two\nlines\x1b[31m\x00"),
    ],
)
def test_errors_of_the_system_are_one_line(qap, recipe, monkeypatch, error, message):
    def fails(run, progress):
        raise error

    monkeypatch.setitem(flow.WORK, "data", fails)
    result = qap("data", recipe, "--out", recipe.with_name("run"))
    assert (result.status, result.error) == (2, f"error: {message}")


def test_what_nobody_expects_keeps_its_traceback(qap, recipe, monkeypatch):
    """A fault of the program is no mistake of the user."""

    def fails(run, progress):
        raise ZeroDivisionError

    monkeypatch.setitem(flow.WORK, "data", fails)
    with pytest.raises(ZeroDivisionError):
        qap("data", recipe, "--out", recipe.with_name("run"))


def test_an_interrupt_is_130_and_says_how_to_continue(qap, recipe, monkeypatch):
    def interrupted(run, progress):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(flow.WORK, "data", interrupted)
        result = qap("data", recipe, "--out", recipe.with_name("run"))
    assert (result.status, result.out) == (130, "")
    assert result.error == "interrupted; the same command continues where it stopped"
    assert qap("data", recipe, "--out", recipe.with_name("run")).status == 0


# ---- one stage, its folder and its JSON


@pytest.mark.parametrize(
    "name", ["run", "sp ace", "'q' \"d\"", "$(touch pwned); & |", "[/x] [red]", "日本 ü", "-x", "a\nb"]
)
def test_any_folder_name(qap, recipe, monkeypatch, name):
    monkeypatch.chdir(recipe.parent)
    result = qap("data", "tiny.toml", f"--out={name}")
    assert (result.status, result.out) == (0, f"{name}\n")
    assert (recipe.parent / name / "data.json").exists()
    assert qap("data", f"./{name}").out == f"{name}\n"
    assert not (recipe.parent / "pwned").exists()


def test_a_recipe_and_a_folder_of_the_same_name(qap, recipe, monkeypatch):
    """The recipe is meant, unless the folder is a run."""
    monkeypatch.chdir(recipe.parent)
    Path("digits").mkdir()
    assert (
        qap("freeze", "digits", "--set", "data.name=npz:none").error
        == f"error: {Path('none').absolute()} does not exist"
    )
    qap("data", recipe, "--out", "digits")
    assert qap("data", "digits").out == "digits\n"


def test_a_refused_input_leaves_a_run_as_it_was(qap, recipe, tmp_path):
    run = tmp_path / "run"
    assert qap("data", recipe, "--out", run).status == 0
    before = (run / "recipe.toml").read_text()
    for source in (recipe, run):
        refused = qap("data", source, "--out", run, "--set", "data.name=csv:/nonexistent?label=x")
        assert (refused.status, refused.error) == (2, "error: /nonexistent does not exist")
    assert (run / "recipe.toml").read_text() == before
    assert qap("data", run).status == 0


def test_a_run_of_another_recipe_needs_force(qap, recipe, name, tmp_path):
    run = tmp_path / "run"
    qap("data", recipe, "--out", run)
    refused = qap("data", "mnist-1v9", "--out", run)
    assert refused.status == 2
    assert refused.error.endswith("'mnist-1v9' takes its folder with --force, or choose another --out")
    assert qap("data", run).status == 0
    assert qap("data", "mnist-1v9", "--out", run, "--force").status == 0
    assert "mnist-1v9" in (run / "recipe.toml").read_text()


def test_the_default_folder(qap, recipe, monkeypatch):
    monkeypatch.chdir(recipe.parent)
    first = qap("data", recipe).out
    assert first.startswith("runs/tiny-q-a-touch-pwned-ü-red-x-seed0")
    assert qap("data", recipe, "--seed", 3).out == first.replace("seed0", "seed3")
    changed = qap("data", recipe, "--set", "prune.sparsity=0.1").out
    assert changed.startswith(first.strip() + "-")
    assert qap("data", recipe, "--set", "prune.sparsity=0.1").out == changed
    assert qap("data", recipe, "--set", "name=" + "日本" * 200).status == 0
    assert qap("data", recipe, "--set", "name=../..").out.startswith("runs/run-seed0")


def test_json_of_a_stage_is_json(qap, recipe):
    result = qap("data", recipe, "--out", recipe.with_name("run"), "--json")
    assert result.status == 0
    assert json.loads(result.out)["data"]["samples"] == {"train": 38, "validation": 10, "test": 12}


def test_a_run_is_opened_changed_and_copied(qap, recipe):
    first, second = recipe.with_name("first"), recipe.with_name("second")
    assert qap("data", recipe, "--out", first).status == 0
    assert qap("data", first, "--out", second, "--seed", 5).out == f"{second}\n"
    assert "seed = 0\n" in (first / "recipe.toml").read_text()
    assert "seed = 5\n" in (second / "recipe.toml").read_text()
    assert qap("data", first, "--set", "seed=7").out == f"{first}\n"
    assert "seed = 7\n" in (first / "recipe.toml").read_text()


def test_a_stage_that_cannot_start_says_what_is_missing(qap, recipe):
    result = qap("freeze", recipe, "--out", recipe.with_name("run"))
    assert result.status == 2
    assert "has no student.keras yet, which freeze reads; qap run makes it" in result.error


def test_verify_before_there_is_a_network(qap, recipe, monkeypatch):
    monkeypatch.chdir(recipe.parent)
    result = qap("verify", recipe, "--engines", "emulator,csim")
    assert result.status == 2
    assert "network.npz does not exist" in result.error


# ---- the streams of a real process


def started(*arguments, **options):
    command = [sys.executable, "-c", "from qap.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)


def test_names_that_are_no_text(recipe):
    folder = os.fsencode(recipe.parent) + b"/\xff"
    done = started("data", str(recipe), b"--out=" + folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith(b"/\\udcff")
    assert os.path.exists(folder + b"/data.json")  # noqa: PTH110 (bytes)


def test_closed_streams_do_no_harm(recipe):
    code = "import os; [os.close(n) for n in (0, 1, 2)]; from qap.cli import main; main()"
    shut = [
        sys.executable,
        "-c",
        f"import os, sys; os.execv(sys.executable, [sys.executable, '-c', {code!r}, *sys.argv[1:]])",
    ]
    out = recipe.with_name("run")
    done = subprocess.run([*shut, "data", str(recipe), "--out", str(out)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert json.loads((out / "data.json").read_text())["samples"]["test"] == 12


def test_a_reader_that_leaves_early(recipe):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", "from qap.cli import main; main()", "recipes", "digits"]
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode in (1, 2)
    assert done.stderr == b""


def test_a_full_standard_output():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-c", "from qap.cli import main; main()", "recipes", "digits"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"qap: error: ")
    assert done.stderr.endswith(b"No space left on device\n")
    assert done.stderr.count(b"\n") == 1


def test_call_returns_what_the_process_ends_with():
    assert call(["--version"]) == started("--version").returncode == 0
    assert call(["bogus"]) == started("bogus").returncode == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")  # noqa: PTH110
@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["recipes"], 0), (["data", "mnist-1v9", "--out", "run"], 0), (["data", "mnist-1v9", "--set", "data.name=x"], 2)],
)
def test_a_full_disk_behind_the_streams(tmp_path, arguments, status):
    """What nobody can read is no reason to stop; a result that is lost is one line and exit 2."""
    command = [sys.executable, "-c", "from qap.cli import main; main()", *arguments]
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, cwd=tmp_path)
        assert done.returncode == status
        lost = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert lost.returncode == 2
        assert [line[:5] for line in lost.stderr.splitlines()].count("qap: ") == 1
        assert "Traceback" not in lost.stderr
        assert subprocess.run(command, stdout=full, stderr=full, cwd=tmp_path).returncode == 2
