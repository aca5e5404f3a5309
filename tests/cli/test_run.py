"""The whole flow on a tiny data set: hostile names, exit codes, missing tools, and Ctrl-C in a real process."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PAIRS = {"keras == emulator", "keras == csim", "emulator == csim"}


def stages_of(result):
    """Stage -> whether it was done before, as the lines on stderr say."""
    return {name: time == "done before" for name, time in re.findall(r"^  ok  (\w+) +(.+)$", result.err, re.MULTILINE)}


def outputs(folder):
    return {path.name for path in folder.iterdir()}


# ---- one finished run


def test_names_that_need_care_survive_the_whole_flow(finished, name):
    folder, recipe = finished
    assert outputs(folder) == {
        ".lock", "recipe.toml", "data.json", "stages.json", "teacher.keras", "teacher_history.csv", "student.keras",
        "history.csv", "weights.npz", "network.npz", "hls", "verify.json", "metrics.json", "report.html",
    }  # fmt: skip
    found = json.loads((folder / "metrics.json").read_text())
    assert found["recipe"] == name
    assert found["mismatches"] == dict.fromkeys(PAIRS, 0)
    assert found["sparsity"] >= 0.5
    assert found["accuracy"]["integer"] == found["accuracy"]["student"]
    assert found["accuracy"]["integer"]["test"] < 1
    assert "$(touch pwned)" in (folder / "report.html").read_text()
    assert not list(recipe.parent.glob("**/pwned"))
    assert not Path("pwned").exists()


def test_again_is_quick_and_says_the_same_as_json(finished, copied, qap):
    folder, recipe = copied, finished[1]
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    result = qap("run", recipe, "--out", folder, "--json")
    assert result.status == 0
    assert stages_of(result) == dict.fromkeys(["data", "teacher", "student", "freeze", "hls", "verify", "report"], True)
    found = json.loads(result.out)
    assert found["failed_checks"] == []
    assert found["report"] == str(folder / "report.html")
    assert found["network_digest"] == json.loads((folder / "metrics.json").read_text())["network_digest"]
    after = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    changed = {path.name for path in after if after[path] != before.get(path)}
    assert changed <= {"stages.json", ".lock"}


def test_the_table_shows_names_as_they_are(copied, qap, name):
    result = qap("run", copied)
    assert result.status == 0
    assert f"{name}, seed 0" in result.out
    assert all(f"{pair}" in result.out for pair in PAIRS)
    assert f"report: {copied / 'report.html'}\n" in result.out
    assert f"HLS project: {copied / 'hls'}\n" in result.out


def test_verify_compares_the_engines_that_are_asked_for(copied, qap):
    result = qap("verify", copied, "--engines", " emulator, csim ", "--json")
    assert result.status == 0
    found = json.loads(result.out)
    assert (found["exact"], found["mismatches"]) == (True, {"emulator == csim": 0})
    assert {agreement["vectors"] for agreement in found["agreements"]} == {"test", "adversarial"}


# ---- exit 1: a check failed


def test_an_accuracy_below_the_floor_is_exit_1(copied, qap):
    result = qap("run", copied, "--set", "accuracy_floor=1", "--json")
    assert result.status == 1
    assert stages_of(result)["verify"], "nothing but the report reads the floor"
    failed = [line.removeprefix("failed: ") for line in result.err.splitlines() if line.startswith("failed: ")]
    assert failed == json.loads(result.out)["failed_checks"]
    assert re.fullmatch(r"the integer network has \d\d\.\d\d% on test, accuracy_floor is 100\.00%", failed[0])


def test_one_lsb_of_one_weight_is_exit_1_and_names_the_layer(copied, qap):
    header = min((copied / "hls" / "firmware" / "weights").glob("w*.h"))
    text = header.read_text()
    value = re.search(r"_VALUES (-?[\d.]+)", text)
    changed = float(value[1]) + (0.125 if float(value[1]) <= 0 else -0.125)
    header.write_text(text[: value.start(1)] + repr(changed) + text[value.end(1) :])
    result = qap("verify", copied, "--engines", "emulator,csim")
    assert result.status == 1
    failed = [line for line in result.err.splitlines() if line.startswith("failed: emulator == csim on ")]
    assert failed
    assert all(
        re.search(r"\d+ mismatches, the first in layer 'dense_0' at sample \d+, output \d", line) for line in failed
    )


# ---- exit 2: missing tools and damaged files


@pytest.mark.parametrize(
    ("package", "extra", "command"),
    [
        ("tensorflow", "train", "teacher"),
        ("tensorflow", "train", "freeze"),
        ("hls4ml", "hls", "hls"),
        ("matplotlib", "report", "report"),
        ("jinja2", "report", "report"),
    ],
)
def test_a_missing_extra_says_what_to_type(copied, qap, monkeypatch, package, extra, command):
    for name in [name for name in sys.modules if name == package or name.startswith((f"{package}.", "qap.report."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    result = qap(command, copied, "--force")
    assert (result.status, result.out) == (2, "")
    assert result.error == f"error: the package '{package}' is not installed: pip install 'qap-fpga[{extra}]'"


def test_without_a_compiler_everything_but_csim_works(copied, qap, monkeypatch):
    monkeypatch.setenv("PATH", "")
    result = qap("verify", copied)
    assert result.status == 0
    assert "keras == emulator on 12 test vectors: 0 mismatches" in result.out
    assert "csim was not run: g++ is not installed, nor clang++" in result.out
    result = qap("verify", copied, "--engines", "keras,csim")
    assert (result.status, result.error) == (
        2,
        "error: g++ is not installed, nor clang++; install one of them, or name a C++ compiler in CXX",
    )
    result = qap("run", copied)
    assert result.status == 0
    assert "not run: g++ is not installed" in " ".join(result.out.split())
    monkeypatch.undo()
    result = qap("run", copied)
    assert stages_of(result)["verify"] is False, "with a compiler the rest is done"
    assert "not run" not in result.out


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("network.npz", "hls"),
        ("student.keras", "freeze"),
        ("teacher.keras", "student"),
        ("hls/qap_project.json", "verify"),
    ],
)
def test_damaged_files_are_one_line(copied, qap, name, stage):
    file = copied / name
    file.write_bytes(file.read_bytes()[:50])
    result = qap(stage, copied, *(["--engines", "emulator,csim"] if stage == "verify" else []))
    assert result.status == 2
    assert str(file) in result.error
    assert result.err.count("\n") <= 4  # stages may say that they begin, and the one of the data that it is done


# ---- Ctrl-C

PATIENCE_S = 600
"""A busy machine may take its time; a process that hangs may not."""
HEARS_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have it ignored
from qap.cli import main
main()
"""


def test_ctrl_c_in_the_middle_of_the_student_is_continued_by_the_same_command(finished, tmp_path, qap, monkeypatch):
    """A real process; then the same command ends with the very network of the run that was not interrupted."""
    folder, recipe = finished
    out = tmp_path / "run"
    arguments = ["run", str(recipe), "--out", str(out)]
    command = [sys.executable, "-c", HEARS_CTRL_C, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: (out / "stages.json").exists() and '"teacher"' in (out / "stages.json").read_text(), process)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, printed) == (130, "")
    assert said.splitlines()[-1] == "qap: interrupted; the same command continues where it stopped"
    assert "Traceback" not in said
    assert outputs(out) == {".lock", "recipe.toml", "data.json", "stages.json", "teacher.keras", "teacher_history.csv"}
    monkeypatch.setenv("PATH", "")  # the compiler is not what this is about
    result = qap(*arguments, "--json")
    assert result.status == 0
    assert {name for name, before in stages_of(result).items() if before} == {"data", "teacher"}
    assert (
        json.loads(result.out)["network_digest"] == json.loads((folder / "metrics.json").read_text())["network_digest"]
    )


def wait_for(condition, process):
    """Wait until a condition holds while a process is at work."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)
