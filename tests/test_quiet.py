"""What libraries write to the terminal is swallowed, unless something unexpected happens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qap.errors import DataError
from qap.quiet import quiet_stderr


def noise():
    os.write(2, b"noise\n")


def test_noise_is_swallowed(capfd):
    with quiet_stderr():
        noise()
    print("and what follows is seen", file=sys.stderr)
    assert capfd.readouterr().err == "and what follows is seen\n"


@pytest.mark.parametrize("error", [DataError("bad"), OSError("full"), ImportError("missing"), KeyboardInterrupt()])
def test_noise_does_not_hide_the_one_line_of_an_expected_error(capfd, error):
    with pytest.raises(type(error)), quiet_stderr():
        noise()
        raise error
    assert capfd.readouterr().err == ""


def test_noise_is_shown_when_something_unexpected_happens(capfd):
    with pytest.raises(ZeroDivisionError), quiet_stderr():
        noise()
        raise ZeroDivisionError
    assert capfd.readouterr().err == "noise\n"


def test_no_descriptor_is_left_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with quiet_stderr():
            noise()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_python_s_own_stream_is_swallowed_in_order():
    lines = ("import sys; from qap.quiet import quiet_stderr", "print('before', file=sys.stderr)",
             "with quiet_stderr(): print('noise', file=sys.stderr)", "print('after', file=sys.stderr)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stderr == "before\nafter\n"


def test_without_a_standard_error():
    """A closed stream is no reason to fail: the file descriptor is missing, and so is Python's object."""
    lines = ("import os, sys; os.close(2); sys.stderr = None", "from qap.quiet import quiet_stderr",
             "with quiet_stderr(): print(1)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
