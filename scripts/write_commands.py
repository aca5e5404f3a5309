"""Write docs/commands.md from the commands themselves: python scripts/write_commands.py [OUTPUT.md]."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from typer.main import get_command

from qap.cli.app import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
KINDS = {str: "TEXT", int: "N", float: "NUMBER"}
INTRODUCTION = """\
# Commands

What every command is for, and what it takes. `scripts/write_commands.py` writes this page from the code.

RECIPE is a built-in name or a TOML file ([recipes](recipes.md)), RUN the folder of a run. Results go to stdout,
progress and errors to stderr. The exit code is 0 when everything was done and verified, 1 when a check failed (a
mismatch, an accuracy below the recipe's floor), 2 for wrong usage, bad input or a missing tool; 130 after Ctrl-C, and
the same command continues.

`qap --version` prints the version, `--help` after any command its options, `--debug` the traceback of an error.
`qap --install-completion` completes commands and options in the shell.
"""


def page() -> str:
    """The whole page."""
    group: Any = get_command(app)
    sections = ["\n".join(_section(name, command)) for name, command in group.commands.items()]
    return "\n".join([INTRODUCTION, *sections])


def _section(name: str, command: Any) -> Iterator[str]:
    yield f"## `qap {name}`\n"
    yield inspect.cleandoc(command.help) + "\n"
    if rows := [_row(each) for each in command.params if "--help" not in each.opts]:
        yield "| argument or option | default | meaning |"
        yield "|---|---|---|"
        yield from rows
        yield ""


def _row(parameter: Any) -> str:
    meaning = [parameter.help, _choices(parameter)]
    if parameter.envvar:
        meaning.append(f"The variable {parameter.envvar} stands in for it.")
    if parameter.multiple:
        meaning.append("May be repeated.")
    return f"| {_names(parameter)} | {_default(parameter)} | {' '.join(part for part in meaning if part)} |"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`".replace("|", "` or `")
    value = "" if parameter.is_flag else f" {parameter.metavar or _kind(parameter)}"
    return ", ".join(f"`{name}{value}`" for name in [*parameter.opts, *parameter.secondary_opts])


def _kind(parameter: Any) -> str:
    """What stands for the value of an option that has no word of its own for it."""
    kind = parameter.type_descriptor
    return "WORD" if kind.choices else "PATH" if kind.is_path else KINDS[kind.annotation]


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default in (None, "") or parameter.default == []:
        return "none"
    if isinstance(parameter.default, bool):
        return "on" if parameter.default else "off"
    return f"`{parameter.default}`"


def _choices(parameter: Any) -> str:
    """The words that an option can be, as its type says."""
    words = parameter.type_descriptor.choices or ()
    return f"One of {', '.join(f'`{word}`' for word in words)}." if words else ""


def main(arguments: Sequence[str]) -> int:
    if len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    output = Path(arguments[0]) if arguments else PAGE
    output.write_text(page(), encoding="utf-8")
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
