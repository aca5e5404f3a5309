"""The records of scores, sizes and operating points: what is damaged in them is named with its key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.json_key import change_key
from support.small_recipes import recipe

from qap.errors import DataError
from qap.run import STAGE_RECORDS, RunDirectory
from qap.run.measures import metrics

RATE = {"share": 0.5, "interval": [0.25, 0.75], "samples": 12}
RATES = {"false_alarms": RATE, "found": RATE}
RESULT = {
    "accuracy": {"train": 0.5, "validation": 0.5, "test": 0.5},
    "scores": {
        "interval": {"test": [0.25, 0.75]},
        "balanced_accuracy": 0.5,
        "f1": 0.5,
        "auc": None,
        "classes": [{"class": "a", "samples": 12, "precision": 1.0, "recall": 0.5, "f1": 0.5, "auc": None}],
    },
    "majority": {"class": "a", "accuracy": {"validation": 0.5, "test": 0.5}},
    "stored_bytes": {"dense": 5, "sparse": 4, "gzip": 3},
    "operating_point": {
        "class": "a", "threshold": -3, "lsb": 0.25, "shift": [1, 3], "validation": RATES, "test": RATES,
    },
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    made = RunDirectory.create(tmp_path / "run", recipe())
    content = {"freeze": {"digest": "d", "seconds": 1.0, "result": RESULT}}
    made.file(STAGE_RECORDS).write_text(json.dumps(content))
    return made


def test_what_was_found_is_in_the_metrics(run: RunDirectory) -> None:
    found = metrics(run)
    assert found["scores"] == {"integer": RESULT["scores"]}
    for key in ("majority", "stored_bytes", "operating_point"):
        assert found[key] == RESULT[key]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scores", 5),
        ("scores.f1", 2),
        ("scores.interval.test", [0.5]),
        ("scores.classes.0.class", 5),
        ("scores.classes.0.samples", -1),
        ("majority.accuracy.test", "x"),
        ("stored_bytes.gzip", "x"),
        ("operating_point.shift", [2, 0]),
        ("operating_point.threshold", 0.5),
        ("operating_point.test.found.share", 7),
    ],
)
def test_a_wrong_key_is_named(run: RunDirectory, key: str, value: object) -> None:
    change_key(run.file(STAGE_RECORDS), f"freeze.result.{key}", value)
    with pytest.raises(DataError, match=r"stages\.json is damaged: ") as caught:
        metrics(run)
    assert f"freeze.result.{key}" in str(caught.value)
