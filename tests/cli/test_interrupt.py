"""Ctrl-C is heard even where Python cannot raise it: in callbacks whose exceptions are ignored."""

import subprocess
import sys

import pytest

from qap import flow
from qap.cli.interrupt import INTERRUPT, Interrupt

LOST = """
import signal, sys, weakref
from qap.cli.interrupt import INTERRUPT

class Thing:
    pass

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have it ignored
INTERRUPT.listen()
thing = Thing()
ref = weakref.ref(thing, lambda ref: signal.raise_signal(signal.SIGINT))
del thing  # the interrupt is raised inside of the callback, and lost there
print("lost")
INTERRUPT.check()
"""


def test_a_lost_interrupt_is_raised_at_the_next_check():
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, check=False)
    assert done.stdout == "lost\n"
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert "ignored" not in done.stderr


def test_nothing_is_raised_before_an_interrupt():
    interrupt = Interrupt()
    interrupt.check()
    interrupt.asked = True
    with pytest.raises(KeyboardInterrupt):
        interrupt.check()


def test_who_ignores_ctrl_c_goes_on_ignoring_it():
    code = LOST.replace("INTERRUPT.listen()", "signal.signal(signal.SIGINT, signal.SIG_IGN); INTERRUPT.listen()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "lost\n")


def test_other_ignored_exceptions_are_still_reported():
    code = LOST.replace("signal.raise_signal(signal.SIGINT)", "1 / 0")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("told", ["start", "advance", "finish"])
def test_progress_raises_a_lost_interrupt(qap, recipe, monkeypatch, told):
    def lost(run, progress):
        monkeypatch.setattr(INTERRUPT, "asked", True)
        if told == "start":
            progress.start("more", None)
        elif told == "advance":
            progress.advance("on and on")
        return {}

    monkeypatch.setitem(flow.WORK, "data", lost)
    result = qap("data", recipe, "--out", recipe.with_name("run"))
    assert (result.status, result.out) == (130, "")
    assert result.error == "interrupted; the same command continues where it stopped"


def test_an_interrupt_that_became_another_error_is_still_one(qap, recipe, monkeypatch):
    def confused(run, progress):
        monkeypatch.setattr(INTERRUPT, "asked", True)
        raise ZeroDivisionError

    monkeypatch.setitem(flow.WORK, "data", confused)
    result = qap("data", recipe, "--out", recipe.with_name("run"))
    assert (result.status, result.error) == (130, "interrupted; the same command continues where it stopped")
