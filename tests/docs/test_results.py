"""The numbers of the docs are those of the stored outputs in `benchmarks/results/`, and nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITH_NUMBERS = ("docs/results.md", "docs/comparing.md", "docs/condensation.md")
MARKED = re.compile(r"<!-- results: \S+ -->.*?<!-- end -->", re.DOTALL)
NUMBER = re.compile(r"\d[\d.,]* ?(%|points|LUTs?\b|LSB|MHz|ms\b|seconds|s\b|times\b|cycles)")
"""A number with a unit of something that was measured."""


def check(root, *files):
    """What `benchmarks/tables.py --check` says of a checkout."""
    return subprocess.run(
        [sys.executable, root / "benchmarks" / "tables.py", "--check", *files],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path):
    """The docs and what they are made from, to be changed."""
    for folder in ("docs", "benchmarks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.svg"))
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def test_making_the_tables_again_changes_nothing():
    done = check(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_no_number_stands_outside_of_a_mark(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    outside = MARKED.sub("", text)
    assert outside != text
    assert [found[0] for found in NUMBER.finditer(outside)] == []


def test_a_number_outside_of_a_mark_would_be_found():
    assert [found[0] for found in NUMBER.finditer("99.53 %, 1,196 LUTs and 0.25 LSB, in 15 epochs")] == [
        "99.53 %",
        "1,196 LUTs",
        "0.25 LSB",
    ]


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_a_changed_number_is_noticed(checkout, name):
    path = checkout / name
    text = path.read_text(encoding="utf-8")
    mark = MARKED.search(text)
    changed = re.sub(r"(?<=[ |>])\d", lambda digit: str(9 - int(digit[0])), mark[0], count=1)
    assert changed != mark[0]
    assert check(checkout, path).returncode == 0
    path.write_text(text.replace(mark[0], changed), encoding="utf-8")
    done = check(checkout, path)
    assert done.returncode == 1
    assert str(path) in done.stdout


def test_a_changed_stored_output_is_noticed_and_the_command_writes_it(checkout):
    stored = checkout / "benchmarks" / "results" / "comparison.json"
    text = stored.read_text(encoding="utf-8")
    stored.write_text(re.sub(r'"test": 0\.9\d', '"test": 0.12', text), encoding="utf-8")
    assert check(checkout).returncode == 1
    subprocess.run([sys.executable, checkout / "benchmarks" / "tables.py"], check=True, capture_output=True)
    assert check(checkout).returncode == 0
    assert "| 12" in (checkout / "docs" / "comparing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a <!-- results: flaw --><!-- end -->", "no such table"),
        ("a <!-- results: machine --> x", "without its <!-- end -->"),
        ("a\n<!-- results: machine --><!-- end --> x", "cannot begin a line"),
    ],
)
def test_a_mark_that_cannot_be_filled_is_refused(tmp_path, text, why):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    done = check(ROOT, path)
    assert done.returncode == 1
    assert why in done.stderr
    assert path.read_text(encoding="utf-8") == text
