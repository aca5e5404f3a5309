"""A program that is called ends with the one who called it, and so does everything that it started."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qap.hardware.tools import run_tool

CHILD = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
TOOL = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"
CALLER = f"""
import signal, sys
from pathlib import Path
from qap.hardware.tools import run_tool
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may ignore it
run_tool([sys.executable, "-c", {TOOL!r}], Path(sys.argv[1]), timeout_s=600)
"""
PATIENCE_S = 60.0


def until(condition) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, to see who lives")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_program_and_its_children_end_with_the_caller(tmp_path: Path, number: signal.Signals) -> None:
    pid = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", CALLER, str(tmp_path)], stderr=subprocess.DEVNULL) as caller:
        until(lambda: pid.exists() and pid.read_text())
        grandchild = int(pid.read_text())
        assert lives(grandchild)
        caller.send_signal(number)
    until(lambda: not lives(grandchild))


def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    tool = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {CHILD!r}])"
    tool += "\nimport os, time\nwhile not os.path.exists('pid') or not os.path.getsize('pid'): time.sleep(0.02)"
    run_tool([sys.executable, "-c", tool], tmp_path, timeout_s=PATIENCE_S)
    until(lambda: not lives(int((tmp_path / "pid").read_text())))
