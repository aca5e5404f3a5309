"""The lines of the console that say what a classifier is worth, and that a stage begins."""

from __future__ import annotations

import re

from qap.cli.console import interval_of, operating_line, print_warnings, progress_bars, scores_line, size_line

SCORES = {"interval": {"test": [0.25, 0.75]}, "balanced_accuracy": 0.5, "f1": 0.4321, "auc": 0.9876}
MAJORITY = {"class": "no", "accuracy": {"test": 0.71}}


def test_scores_are_one_line() -> None:
    content = {"scores": {"integer": SCORES}, "majority": MAJORITY}
    assert scores_line(content) == "balanced accuracy 50.00%, F1 0.4321, AUC 0.9876, always 'no' has 71.00%"
    assert scores_line({"scores": {"integer": {**SCORES, "auc": None}}}) == "balanced accuracy 50.00%, F1 0.4321"
    assert scores_line({}) == ""
    assert interval_of(content, "integer") == " (25.00% to 75.00%)"
    assert interval_of(content, "teacher") == interval_of({}, "integer") == ""


def test_an_operating_point_is_one_line() -> None:
    rates = {"false_alarms": {"share": 0.0125}, "found": {"share": 0.5}}
    point = {"class": "yes", "threshold": 37, "test": rates}
    assert operating_line(point) == "'yes' above a lead of 37 LSB: false alarms 1.25%, found 50.00% on test"
    none = {**point, "test": {**rates, "found": {"share": None}}}
    assert operating_line(none) == "'yes' above a lead of 37 LSB: false alarms 1.25% on test"


def test_sizes_are_named() -> None:
    assert size_line({"size_bytes": 4004}) == "4,004 bytes, zeros included"
    sizes = {"dense": 4004, "sparse": 2002, "gzip": 1001}
    assert size_line({"size_bytes": 4004, "stored_bytes": sizes}) == (
        "4,004 bytes, zeros included; 2,002 sparse, 1,001 by gzip"
    )


def test_without_a_terminal_a_stage_says_when_it_begins_and_ends(capfd) -> None:
    with progress_bars() as progress:
        progress.start("student", 5)
        progress.advance("text")
        progress.finish("student", 1.25, skipped=False)
    begins, ends = capfd.readouterr().err.splitlines()
    assert re.fullmatch(r"  \.\.  student  begins at \d\d:\d\d:\d\d", begins)
    assert ends == "  ok  student  1.2 s"


def test_a_warning_is_a_line_of_its_own(capfd) -> None:
    print_warnings(["the integer network decides 'a' for every test sample", "more"])
    assert capfd.readouterr().err == ("warning: the integer network decides 'a' for every test sample\nwarning: more\n")
