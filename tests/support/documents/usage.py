"""Whether qap would take a command, by its own parser; nothing is run."""

from __future__ import annotations

from typing import Any

from support.documents.options import commands_of
from support.documents.page import Page
from typer.main import get_command

from qap.cli.app import USAGE_ERROR, app

COMMANDS = commands_of(app)
HELP = ("-h", "--help", "--debug")
OF_QAP = {*HELP, *(name for option in get_command(app).params for name in option.opts)}
"""What stands in place of a command: `qap --version`."""


def usage_problem(arguments: tuple[str, ...]) -> str | None:
    """What is wrong with the arguments of a qap command, None if nothing is.

    Args:
        arguments: without the name of the program.
    """
    words = [word for word in arguments if word != "--debug"]
    if not words or words[0] in OF_QAP:
        return None
    command: Any = COMMANDS.get(words[0])
    if command is None:
        return f"qap {words[0]}: No such command {words[0]!r}"
    if set(words) & {"-h", "--help"}:
        return None
    try:
        command.make_context(words[0], words[1:])
    except USAGE_ERROR as error:
        return f"qap {words[0]}: {error.format_message()}"
    return None


def span_problems(text: str) -> list[str]:
    """The commands inside of lines whose name or options do not exist, one line each.

    Args:
        text: the page; what stands in code and begins with `qap ` is a command.
    """
    found = []
    for span in Page(text).spans:
        program, *words = span.text.split()
        if program != "qap" or not words or words[0] in OF_QAP:
            continue
        command = COMMANDS.get(words[0])
        if command is None:
            found.append(f"line {span.line}: {span.text}: there is no such command")
            continue
        known = {name for each in command.params for name in [*each.opts, *each.secondary_opts]} | set(HELP)
        options = [word.partition("=")[0] for word in words if word.startswith("-")]
        found += [
            f"line {span.line}: {span.text}: qap {words[0]} has no {each}" for each in options if each not in known
        ]
    return found
