"""Completion in the shell, which asks the program itself."""

import os
import subprocess
import sys

import pytest

PROGRAM = "from qap.cli import main; main()"


def asked(shell: str, words: str) -> subprocess.CompletedProcess[str]:
    """What the program answers a shell in which the words were typed."""
    variables = {
        "_QAP_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    command = [sys.executable, "-X", "importtime", "-c", PROGRAM]
    return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("words", "completed"), [("qap ru", "run"), ("qap run --no", "--no-rtl")])
def test_what_is_typed_is_completed(shell, words, completed):
    done = asked(shell, words)
    assert completed in done.stdout
    assert "condense" not in done.stdout
    assert "tensorflow" not in done.stderr
    assert "numpy" not in done.stderr


def test_bash_completes_only_what_fits():
    assert asked("bash", "qap ru").stdout.split() == ["run"]
    assert {"report", "recipes", "rtl", "run"} <= set(asked("bash", "qap r").stdout.split())
    assert asked("bash", "qap nothing").stdout.split() == []


@pytest.mark.parametrize(("shell", "file"), [("bash", ".bashrc"), ("zsh", ".zshrc")])
def test_completion_is_installed_for_the_shell_that_is_running(tmp_path, shell, file):
    variables = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-c", PROGRAM, "--install-completion", shell]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=60, check=True)
    assert f"{shell} completion installed" in done.stdout
    assert (tmp_path / file).exists()
    assert any("_QAP_COMPLETE" in path.read_text() for path in tmp_path.rglob("*") if path.is_file())
