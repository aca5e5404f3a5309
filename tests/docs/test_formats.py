"""Every key and column of the files that were kept of a real run stands in docs/formats.md."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests" / "support" / "kept" / "0.1.0"
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def section(text, title):
    """What stands below a heading, up to the next one."""
    start = re.search(rf"^#+ .*`{re.escape(title)}`.*$", text, re.MULTILINE)
    assert start, f"docs/formats.md has no section {title}"
    return re.split(r"^#+ ", text[start.end() :], maxsplit=1, flags=re.MULTILINE)[0]


def documented(text):
    """The names in the first cells of the tables of a section."""
    return {
        name
        for line in text.splitlines()
        if line.startswith("|")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }


def undocumented(text, title, keys):
    """Keys of a file that its section does not name."""
    return sorted(set(keys) - documented(section(text, title)))


def first_line(path):
    return path.read_text(encoding="utf-8").splitlines()[0].split(",")


def kept(name):
    return json.loads((KEPT / name).read_text(encoding="utf-8"))


KEYS = {
    "stages.json": lambda: kept("run/stages.json")["freeze"],
    "data.json": lambda: kept("run/data.json"),
    "metrics.json": lambda: kept("run/metrics.json"),
    "resources.json": lambda: next(iter(kept("run/resources.json").values())),
    "verify.json": lambda: [*kept("run/verify.json"), *kept("run/verify.json")["agreements"][0]],
    "history.csv": lambda: first_line(KEPT / "run" / "history.csv"),
    "sensitivity.csv": lambda: first_line(KEPT / "run" / "sensitivity.csv"),
    "hls/qap_project.json": lambda: kept("run/hls/qap_project.json"),
    "rtl/project.json": lambda: kept("run/rtl/project.json"),
    "records.jsonl": lambda: json.loads((KEPT / "sweep" / "records.jsonl").read_text(encoding="utf-8").splitlines()[1]),
    "comparison.json": lambda: kept("compare/comparison.json"),
}


@pytest.mark.parametrize("title", KEYS)
def test_every_key_of_a_kept_file_is_documented(title):
    assert undocumented(TEXT, title, KEYS[title]()) == []


@pytest.mark.parametrize("title", KEYS)
def test_a_key_that_is_taken_out_is_missed(title):
    key = sorted(KEYS[title]())[0]
    assert undocumented(TEXT.replace(f"`{key}`", ""), title, [key]) == [key]


def test_every_file_of_a_kept_run_is_named():
    for path in (KEPT / "run").iterdir():
        assert f"`{path.name}`" in TEXT or f"`{path.name}/`" in TEXT, path.name
