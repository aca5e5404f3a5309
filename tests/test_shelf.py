"""The shelf itself: who imports whom, what CI asks for, and that what must fail a run does."""

import ast
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.needs import missing, needs
from support.once import made_once

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
ABSENT = "a_package_that_nobody_has"
SOURCES = sorted(path for folder in ("tests", "benchmarks", "scripts") for path in (ROOT / folder).rglob("*.py"))


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """The calls of functions by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def imported(tree: ast.AST) -> set[str]:
    """The modules that a source imports."""
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return modules | {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_imports_a_test(path):
    for module in imported(ast.parse(path.read_text(encoding="utf-8"))):
        assert not re.search(r"(^|\.)(test_\w+|conftest)(\.|$)", module), module


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.relative_to(TESTS).as_posix())
def test_what_is_missing_is_asked_in_one_place(path):
    """By `needs` and `needing`, which QAP_REQUIRE knows; data sets and rights are no programs."""
    text = path.read_text(encoding="utf-8")
    assert path.name in ("needs.py", "test_shelf.py") or not re.search(
        r"importorskip|skipif\(.*(which|find_spec)", text
    )


def test_ci_asks_for_everything_that_a_test_may_be_skipped_for():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py")]
    wanted = {each.value for tree in trees for call in calls(tree, "needs", "needing") for each in call.args}
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    lists = re.findall(r'^packages="?(?:\$packages,)?([\w,]+)"?$|QAP_REQUIRE-([\w+,]+),\$packages', text, re.MULTILINE)
    asked = {name for each in lists for part in each for name in part.split(",")} - {""}
    assert asked == wanted - {ABSENT}


# ---- what must fail, fails

SKIPS = """
import pytest
from support.needs import needing

@needing("a_package_that_nobody_has")
def test_skipped():
    raise AssertionError

def test_passes():
    pass
"""


def test_a_missing_package_skips_with_its_reason():
    with pytest.raises(pytest.skip.Exception, match=f"the package {ABSENT} is not installed"):
        needs("a_package_that_nobody_has")
    assert missing("pytest", "numpy") == []


@pytest.fixture
def shelf(tmp_path):
    """A folder of tests that has this one's settings, one test that passes, and one that is skipped."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "support").mkdir(parents=True)
    for name in ("conftest.py", "support/needs.py"):
        shutil.copy(TESTS / name, tmp_path / "tests" / name)
    (tmp_path / "tests" / "test_one.py").write_text(SKIPS)
    return tmp_path


@pytest.mark.parametrize(
    ("variable", "value", "status", "said"),
    [
        ("QAP_MAX_SKIPS", "", pytest.ExitCode.OK, "skipped: 1\n"),
        ("QAP_MAX_SKIPS", "1", pytest.ExitCode.OK, "skipped: 1, of at most 1 (QAP_MAX_SKIPS)"),
        ("QAP_MAX_SKIPS", "0", pytest.ExitCode.TESTS_FAILED, "skipped: 1, of at most 0 (QAP_MAX_SKIPS)"),
        ("QAP_MAX_SKIPS", "few", pytest.ExitCode.USAGE_ERROR, "QAP_MAX_SKIPS is 'few'"),
        ("QAP_REQUIRE", "numpy, pytest", pytest.ExitCode.OK, "1 passed, 1 skipped"),
        ("QAP_REQUIRE", f"numpy,{ABSENT}", pytest.ExitCode.USAGE_ERROR, f"the package {ABSENT} is not installed"),
    ],
)
def test_a_run_says_what_it_skips_and_fails_for_too_much_of_it(shelf, monkeypatch, variable, value, status, said):
    for name in ("QAP_MAX_SKIPS", "QAP_REQUIRE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    command = [sys.executable, "-m", "pytest", "-v", "-n", "0"]
    done = subprocess.run(command, cwd=shelf, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize("module", ["qap", "qap.fixed", "qap.training.fit"])
def test_a_warning_of_the_package_is_an_error(module):
    with pytest.raises(RuntimeWarning, match="overflow"):
        warnings.warn_explicit("overflow", RuntimeWarning, "any.py", 1, module)


@pytest.mark.parametrize("module", ["keras.src.trainers", "qapture"])
def test_a_warning_of_others_is_not(module):
    with warnings.catch_warnings(record=True) as told:
        warnings.warn_explicit("overflow", RuntimeWarning, "any.py", 1, module)
    assert len(told) == 1


def test_what_costs_much_is_made_once_for_all_workers(tmp_path_factory):
    made = []

    def make(folder):
        made.append(folder)
        if len(made) == 1:
            raise ZeroDivisionError
        assert list(folder.iterdir()) == []

    with pytest.raises(ZeroDivisionError):
        made_once(tmp_path_factory, "costly", make)
    first = made_once(tmp_path_factory, "costly", make)
    assert made_once(tmp_path_factory, "costly", make) == first
    assert len(made) == 2
