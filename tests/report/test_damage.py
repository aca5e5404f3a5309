"""Records that were changed by hand or damaged: every command that reads them names the file and the key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.json_key import change_key
from support.made_run import make_run
from support.needs import needs

from qap.cli import call
from qap.errors import DataError
from qap.run import RunDirectory
from qap.run.measures import metrics

needs("matplotlib", "jinja2")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("made")).path


@pytest.fixture
def run(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "run"))


STAGES = [
    ("student.result.accuracy", "x"),
    ("student.result.accuracy", []),
    ("student.result.accuracy.test", None),
    ("student.result.accuracy.test", 2),
    ("student.result.accuracy.validation", "0.5"),
    ("student.result.confusion", [[1, 2], [3]]),
    ("student.result.confusion", [[1, -2], [3, 4]]),
    ("student.result.confusion", [[1, 2**80], [3, 4]]),
    ("student.result.confusion", 5),
    ("student.result.pruned", "much"),
    ("teacher.result.accuracy", [0.5]),
    ("freeze.result.parameters", 1.5),
    ("freeze.result.sparsity", 7),
    ("freeze.result.size_bytes", {}),
    ("hls.result.project", 5),
    ("hls.result.reuse_factors", [1]),
    ("verify.result.mismatches", {"a == b": "none"}),
    ("verify.result.failures", "none"),
    ("verify.result.notes", {"a": 1}),
    ("verify.seconds", "long"),
    ("data.digest", None),
    ("data.products", {"/dev/zero": "0"}),
    ("data.products", {"../other/data.json": "0"}),
    ("student", None),
    ("student.result", []),
]
DATA = [
    ("class_names", 5),
    ("class_names", ["a", 5]),
    ("image_shape", "x"),
    ("image_shape", [4]),
    ("image_shape", [4, "4"]),
    ("samples", [1, 2, 3]),
    ("samples.train", "many"),
    ("digest", 5),
    ("data_dir", 5),
]
VERIFY = [
    ("agreements", 5),
    ("agreements.0", "x"),
    ("agreements.0.mismatches", "x"),
    ("agreements.0.argmax_agreement", [1]),
    ("unavailable", {"csim": 5}),
    ("notes", 5),
    ("network_digest", None),
]
CASES = [(name, *case) for name, cases in (("stages", STAGES), ("data", DATA), ("verify", VERIFY)) for case in cases]


@pytest.mark.parametrize(("name", "key", "value"), CASES, ids=[f"{name}-{key}={value}" for name, key, value in CASES])
def test_a_wrong_key_is_named(run, capfd, name, key, value):
    file = run / f"{name}.json"
    change_key(file, key, value)
    commands = [["report", str(run), "--force"]]
    if name == "stages":
        commands.append(["report", str(run), str(run)])  # what differs between runs reads the metrics only
        with pytest.raises(DataError, match="stages.json is damaged"):
            metrics(RunDirectory.open(run))
    for command in commands:
        assert call(command) == 2
        (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("qap: ")]
        assert f"{file} is damaged: " in line
        assert key in line.split(" is damaged: ")[1]


def test_what_a_later_version_adds_is_left_alone(run):
    file = run / "stages.json"
    content = json.loads(file.read_text())
    content["student"]["result"]["more"] = content["later"] = {
        "digest": "d",
        "seconds": 1.0,
        "result": {"a": [1, None]},
    }
    file.write_text(json.dumps(content))
    directory = RunDirectory.open(run)
    directory.finish("freeze", directory.stage("freeze"))
    assert json.loads(file.read_text()) == content


def test_mistakes_of_other_data_are_not_drawn(run):
    """The number of classes has changed since the student was judged: the page says that, and is written."""
    file = run / "stages.json"
    content = json.loads(file.read_text())
    content["student"]["result"]["confusion"] = [[1, 2], [3, 4]]
    file.write_text(json.dumps(content))
    assert call(["report", str(run), "--force"]) == 0
