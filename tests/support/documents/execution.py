"""Runs a page: its Python, and those of its commands that are qap's, from top to bottom in the present folder."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support.documents.page import Page
from support.documents.shell import CONSOLE, SHELLS, Command, commands_in

Call = Callable[[list[str]], int]
"""The arguments of qap -> its exit status."""


def execution_problems(text: str, call: Call) -> list[str]:
    """The blocks of a page that fail, one line each.

    Args:
        text: the page.
        call: runs qap.
    """
    found = []
    for block in Page(text).blocks:
        if block.language == "python":
            done = subprocess.run([sys.executable, "-c", block.text], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                found.append(f"line {block.line}: {done.stderr.splitlines()[-1]}")
        elif block.language in (*SHELLS, CONSOLE):
            own = [command for command in commands_in(block) if command.words[0] == "qap"]
            failed = [(each, status) for each in own if (status := run(each, call)) != 0]
            found += [f"line {each.line}: {' '.join(each.words)}: exit {status}" for each, status in failed]
    return found


def run(command: Command, call: Call) -> int:
    """Run a qap command in this process and return its exit status.

    Args:
        command: the command.
        call: runs qap.
    """
    if command.output is None:
        return call(list(command.words[1:]))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = call(list(command.words[1:]))
    Path(command.output).write_text(printed.getvalue(), encoding="utf-8")
    return status
