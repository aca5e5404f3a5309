"""The commands of a block: split, and checked against what there is; nothing is run."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.documents.page import Block

SHELLS = ("sh", "bash")
CONSOLE = "console"
PROMPT = "$ "
PROGRAMS = (".", "bash", "cd", "git", "pip", "pre-commit", "python", "python3", "qap", "ruff", "mypy")
EXTRAS = re.compile(r"\[([a-z, ]+)\]")


@dataclass(frozen=True)
class Command:
    """One command: its line, its words, and the file that takes what it prints."""

    line: int
    words: tuple[str, ...]
    output: str | None = None


def commands_in(block: Block) -> list[Command]:
    """The commands of a block of `sh`, or behind the prompts of a block of `console`.

    Raises:
        ValueError: a quotation has no end.
    """
    lines = block.text.replace("\\\n", "  ").splitlines()
    if block.language == CONSOLE:
        lines = [line.removeprefix(PROMPT) if line.startswith(PROMPT) else "" for line in lines]
    return [each for number, line in enumerate(lines, block.line + 1) for each in _split(line, number)]


def _split(line: str, number: int) -> Iterator[Command]:
    words = shlex.split(line, comments=True)
    while words:
        end = words.index("&&") if "&&" in words else len(words)
        part, words = words[:end], words[end + 1 :]
        output = part[part.index(">") + 1] if ">" in part else None
        yield Command(number, tuple(part[: part.index(">")] if ">" in part else part), output)


def command_problems(command: Command, root: Path, check: Callable[[tuple[str, ...]], str | None]) -> list[str]:
    """What is wrong with a command, without running it.

    Args:
        command: the command.
        root: the checkout: the files that commands name lie in it.
        check: says what is wrong with the arguments of a qap command.
    """
    program, *arguments = command.words
    if program == "qap":
        problem = check(tuple(arguments))
        return [problem] if problem else []
    if program not in PROGRAMS:
        return [f"{program}: no program that a page may call; there are {', '.join(PROGRAMS)}"]
    return [*_missing_files(program, arguments, root), *_unknown_extras(program, arguments, root)]


def _missing_files(program: str, arguments: list[str], root: Path) -> list[str]:
    if program not in ("bash", "python"):
        return []
    named = [word for word in arguments[:1] if not word.startswith("-")]
    return [f"{program} {word}: there is no such file" for word in named if not (root / word).is_file()]


def _unknown_extras(program: str, arguments: list[str], root: Path) -> list[str]:
    if program != "pip":
        return []
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [name.strip() for word in arguments for group in EXTRAS.findall(word) for name in group.split(",")]
    return [f"pip: there is no extra {name!r}" for name in asked if name not in project["optional-dependencies"]]
