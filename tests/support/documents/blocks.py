"""Every block of code is of a kind that is run or read by a test, or says that it is plain text."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from support.documents.page import Block, Page
from support.documents.shell import CONSOLE, SHELLS, command_problems, commands_in

PLAIN = "text"
Check = Callable[[tuple[str, ...]], str | None]
"""The arguments of a qap command -> what is wrong with them."""

READERS: Mapping[str, Callable[[str], object]] = {"python": ast.parse, "toml": tomllib.loads, "json": json.loads}


def block_problems(text: str, root: Path, check: Check) -> list[str]:
    """The blocks of a page that are wrong or of no known kind, one line each; nothing is run.

    Args:
        text: the page.
        root: the checkout.
        check: says what is wrong with the arguments of a qap command.
    """
    return [
        f"line {block.line}: {problem}" for block in Page(text).blocks for problem in _problems_of(block, root, check)
    ]


def _problems_of(block: Block, root: Path, check: Check) -> list[str]:
    if block.language == PLAIN:
        return []
    if block.language in READERS:
        try:
            READERS[block.language](block.text)
        except (SyntaxError, ValueError) as error:
            return [f"not {block.language}: {error}"]
        return []
    if block.language in (*SHELLS, CONSOLE):
        try:
            commands = commands_in(block)
        except ValueError as error:
            return [f"not {block.language}: {error}"]
        return [problem for command in commands for problem in command_problems(command, root, check)] or (
            [] if commands else ["no command in it"]
        )
    known = ", ".join([*READERS, *SHELLS, CONSOLE, PLAIN])
    return [f"a block of {block.language or 'no language'}, which nothing runs; there are {known}"]
