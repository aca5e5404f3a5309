"""A tiny data set, a tiny recipe, and one finished run whose names need care in shells, in C++ and in file systems."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support.needs import needs
from support.once import made_once

from qap.cli import call

NAME = "tiny \"q\" 'a'; $(touch pwned) `ü` [red] [/x] & \\"
LAYERS = [{"units": 4, "weight": 4, "activation": "quantized_relu(4,1)"}, {"units": 2, "weight": 4}]


@dataclass(frozen=True)
class Result:
    """What a command left: its exit status and what it wrote, in characters."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error."""
        lines = [line for line in self.err.splitlines() if line.startswith("qap: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0].removeprefix("qap: ")


@pytest.fixture
def qap(capfd):
    """Runs a command in this process; what libraries write below Python is seen, too."""

    def run(*arguments):
        capfd.readouterr()
        status = call([str(argument) for argument in arguments])
        return Result(status, *capfd.readouterr())

    return run


def write_data(path: Path) -> Path:
    """60 pictures of 3x3 pixels: bright above or bright below."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = rng.integers(0, 100, (60, 3, 3), np.uint8)
    x[y == 0, 0] += 120
    x[y == 1, 2] += 120
    y[::7] = 1 - y[::7]  # labels that nobody can learn
    np.savez(path, x=x, y=y)
    return path


def write_recipe(path: Path, **changes) -> Path:
    """A recipe that trains for a moment."""
    data = write_data(path.parent / "my 'data' ü;.npz")
    content = {
        "name": NAME,
        "data": {"name": f"npz:{data}", "validation": 0.2},
        "teacher": {"units": [8], "epochs": 3, "batch_size": 16, "learning_rate": 0.01},
        "student": {"layers": LAYERS, "epochs": 8, "batch_size": 16, "learning_rate": 0.01},
        "prune": {"sparsity": 0.5, "every": 2},
        "distill": {},
        "rtl": {"enabled": False},
    }
    lines = []
    for key, value in (content | changes).items():
        lines.append(f"{key} = {toml(value)}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def toml(value) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture
def recipe(tmp_path):
    """The path of a tiny recipe."""
    return write_recipe(tmp_path / "tiny.toml")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The folder of a finished run, and the recipe's path; only to be read, for every worker has the same."""
    needs("tensorflow", "qkeras", "hls4ml", "matplotlib", "jinja2", "g++")

    def run(folder: Path) -> None:
        student = {"layers": LAYERS, "epochs": 150, "batch_size": 16, "learning_rate": 0.01}
        recipe = write_recipe(folder / "tiny.toml", student=student)
        assert call(["run", str(recipe), "--out", str(folder / "run")]) == 0

    folder = made_once(tmp_path_factory, "sp ace 'q' \"d\" ; $(touch pwned) ü", run)
    return folder / "run", folder / "tiny.toml"


@pytest.fixture
def name():
    """The name of the tiny recipe."""
    return NAME


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run, to change."""
    return shutil.copytree(finished[0], tmp_path / "co py")
