"""Every block of code is run or read: commands are parsed, Python and TOML too, and the slow tests run them all."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from support.documents import CHECKOUT, PAGES, name_of, read
from support.documents.blocks import block_problems
from support.documents.execution import execution_problems, run
from support.documents.page import Block, Page
from support.documents.shell import CONSOLE, SHELLS, Command, commands_in
from support.documents.usage import span_problems, usage_problem
from support.needs import needing

from qap.cli import call
from qap.explore.sweep.spec import parse_sweep

FAST = ("recipes", "datasets", "devices", "doctor")
"""Commands that need neither a run nor a training."""
RUNNABLE = [
    path for path in PAGES if any(block.language in ("python", *SHELLS, CONSOLE) for block in Page(read(path)).blocks)
]


def commands_of(path: Path) -> list[Command]:
    """The qap commands of a page, in order."""
    blocks = [block for block in Page(read(path)).blocks if block.language in (*SHELLS, CONSOLE)]
    return [command for block in blocks for command in commands_in(block) if command.words[0] == "qap"]


FAST_COMMANDS = [
    pytest.param(command, id=f"{name_of(path)}:{command.line}")
    for path in PAGES
    for command in commands_of(path)
    if command.words[1] in FAST
]


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_block_can_be_read(path: Path) -> None:
    assert block_problems(read(path), CHECKOUT, usage_problem) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_command_in_the_text_exists(path: Path) -> None:
    assert span_problems(read(path)) == []


@pytest.mark.parametrize("command", FAST_COMMANDS)
def test_a_fast_command_runs(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(command, call) == 0
    assert command.output is None or (tmp_path / command.output).stat().st_size > 0


@pytest.mark.slow
@needing("g++", "hls4ml", "jinja2", "matplotlib", "qkeras", "sklearn", "tensorflow")
@pytest.mark.parametrize("path", RUNNABLE, ids=name_of)
def test_the_page_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert execution_problems(read(path), call) == []


@pytest.mark.parametrize(
    ("page", "problems"),
    [
        ("```python\nassert 1 == 2, 'they differ'\n```", ["line 1: AssertionError: they differ"]),
        ("```python\nimport none_of_these\n```", ["line 1: ModuleNotFoundError: No module named 'none_of_these'"]),
        ("```sh\nqap recipes\nqap recipes none\n```", ["line 3: qap recipes none: exit 2"]),
        ("```console\n$ qap recipes none\nfine\n```", ["line 2: qap recipes none: exit 2"]),
        ("```sh\nqap recipes digits > a.toml\n```\n\n```sh\ngit status\nqap recipes a.toml\n```", []),
        ("```text\nqap recipes none\n```", []),
    ],
)
def test_a_block_that_fails_is_seen(
    page: str, problems: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execution_problems(page, call) == problems


def test_the_sweeps_of_the_page_are_some() -> None:
    blocks = [block.text for block in Page(read(CHECKOUT / "docs" / "sweeps.md")).blocks if block.language == "toml"]
    sweeps = [parse_sweep(tomllib.loads(content), "docs/sweeps.md") for content in blocks]
    assert [sweep.size for sweep in sweeps] == [20, 12]


def block(language: str, text: str) -> str:
    """A page of one block."""
    return f"# Page\n\n```{language}\n{text}\n```\n"


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (block("", "qap run digits"), "a block of no language, which nothing runs"),
        (block("ruby", "1"), "a block of ruby, which nothing runs"),
        ("# Page\n\n    qap run digits\n", "a block of no language, which nothing runs"),
        (block("python", "1 ="), "not python: "),
        (block("toml", "a ="), "not toml: "),
        (block("json", "{"), "not json: "),
        (block("sh", "qap run 'digits"), "not sh: No closing quotation"),
        (block("sh", "# nothing"), "no command in it"),
        (block("console", "qap run digits"), "no command in it"),
        (block("sh", "qap walk digits"), "qap walk: No such command 'walk'"),
        (block("sh", "qap run digits --sed 1"), "qap run: No such option: --sed"),
        (block("sh", "qap run digits --seed x"), "qap run: Invalid value for '--seed'"),
        (block("sh", "qap run"), "qap run: Missing argument"),
        (block("sh", "cd qap && qap run digits \\\n    --sed 1"), "qap run: No such option: --sed"),
        (block("console", "$ qap recipes > a.toml\nfine\n$ qap run a.toml --sed 1"), "qap run: No such option: --sed"),
        (block("sh", "python benchmarks/none.py"), "python benchmarks/none.py: there is no such file"),
        (block("sh", "bash scripts/none.sh --all"), "bash scripts/none.sh: there is no such file"),
        (block("sh", 'pip install -e ".[train,none]"'), "pip: there is no extra 'none'"),
        (block("sh", "rm -rf qap"), "rm: no program that a page may call"),
    ],
)
def test_a_block_that_is_wrong_is_seen(page: str, problem: str) -> None:
    [found] = block_problems(page, CHECKOUT, usage_problem)
    assert found.split(": ", 1)[1].startswith(problem)


def test_blocks_that_are_right_have_no_problems() -> None:
    good = [
        block("text", "anything"),
        block("python", "1"),
        block("toml", "a = 1"),
        block("sh", "qap run digits > out.txt  # and why\ncd .. && git status"),
        block("console", "$ qap recipes digits\nname = 1"),
        block("sh", 'bash scripts/demo.sh --seed 1\npip install -c constraints.txt -e ".[train]"'),
    ]
    assert [problem for page in good for problem in block_problems(page, CHECKOUT, usage_problem)] == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "`qap run RECIPE`, `qap rtl`, `qap verify RUN --engines keras`, `qap-fpga[all]`, `qap -h`, `qap --version`",
            [],
        ),
        ("`qap --walk`", ["line 1: qap --walk: there is no such command"]),
        ("`qap walk RUN`", ["line 1: qap walk RUN: there is no such command"]),
        ("`qap run --sed 1`", ["line 1: qap run --sed 1: qap run has no --sed"]),
        ("```sh\nqap walk\n```", []),
    ],
)
def test_a_command_in_the_text_that_does_not_exist_is_seen(text: str, problems: list[str]) -> None:
    assert span_problems(text) == problems


def test_a_command_keeps_its_words_and_its_file() -> None:
    found = commands_in(Block(10, "sh", "cd a && qap recipes 'x y' > b.toml # c\n\nqap run b.toml \\\n  --seed 1\n"))
    assert [(each.line, each.words, each.output) for each in found] == [
        (11, ("cd", "a"), None),
        (11, ("qap", "recipes", "x y"), "b.toml"),
        (13, ("qap", "run", "b.toml", "--seed", "1"), None),
    ]
