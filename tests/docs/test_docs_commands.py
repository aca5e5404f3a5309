"""docs/commands.md says what every command and every option means, and is what the script writes today."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest
import typer
from support.documents import CHECKOUT, DOCS, read
from support.documents.options import commands_of, names_of, option_problems

from qap.cli.app import app

COMMANDS = commands_of(app)
TEXT = read(DOCS / "commands.md")


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_commands", CHECKOUT / "scripts" / "write_commands.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def section(command: str) -> str:
    """What the page says about a command."""
    start = TEXT.index(f"## `qap {command}`\n")
    end = TEXT.find("\n## ", start)
    return TEXT[start:] if end < 0 else TEXT[start:end]


def test_every_command_and_option_is_described() -> None:
    assert option_problems(TEXT, COMMANDS) == []


def test_the_page_is_what_the_script_writes() -> None:
    assert script().page() == TEXT, "python scripts/write_commands.py writes it anew"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_taken_out_is_missed(command: str) -> None:
    assert option_problems(TEXT.replace(section(command), ""), COMMANDS) == [f"qap {command} has no section"]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_that_is_taken_out_is_missed(command: str) -> None:
    said, alone = section(command), {command: COMMANDS[command]}
    for name in [name for parameter in COMMANDS[command].params for name in names_of(parameter)]:
        row = next(line for line in said.splitlines() if re.search(rf"`{re.escape(name)}[` ]", line.split(" | ")[0]))
        assert f"qap {command}: {name} has no row" in option_problems(said.replace(row + "\n", ""), alone)
        silent = said.replace(row, " | ".join([*row.split(" | ")[:-1], "- |"]))
        assert f"qap {command}: {name} has no meaning" in option_problems(silent, alone)


def test_an_option_without_help_has_no_meaning() -> None:
    other = typer.Typer()

    @other.command()
    def silent(part: str = "x") -> None:
        """Does nothing."""

    @other.command()
    def second() -> None:
        """Makes the program one with commands."""

    table = "| option | default | meaning |\n|---|---|---|\n| `--part TEXT` | `x` | |"
    text = f"## `qap silent`\n\n{table}\n\n## `qap second`\n"
    assert option_problems(text, commands_of(other)) == ["qap silent: --part has no meaning"]
