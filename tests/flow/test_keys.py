"""Every key of a recipe changes what it is about: data, teacher, student, HLS project, RTL, resources or verdict.

One test over the schema: a key without another value in `support.recipe_keys` fails.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.needs import needs
from support.recipe_keys import pair, schema_keys

needs("tensorflow", "qkeras", "hls4ml", "da4ml", "jinja2")

import tensorflow as tf
from support.layered import network_of

from qap.errors import QapError
from qap.flow import Silent, hardware
from qap.flow.engines import make_engine
from qap.flow.operating_point import placed
from qap.network import save_network
from qap.recipe import Recipe
from qap.run import HLS, NETWORK, RTL, RunDirectory
from qap.run.directory import load_for
from qap.run.engines import engines_of
from qap.run.measures import failed_checks, metrics
from qap.training import train_student, train_teacher
from qap.training.fit import predict_logits


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    """No graph is worth its making for nine steps."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the data lie."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Any]:
    """What was looked at before: many keys change the same recipe."""
    return {}


@pytest.fixture
def few_luts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny network is too large to be unrolled."""
    monkeypatch.setattr("qap.hardware.rtl.size.HOPELESS_LUTS", 3)


def data(recipe: Recipe, folder: Path) -> Any:
    """Everything that is loaded, with the copies that are trained on and the scaling that the network computes."""
    loaded = load_for(recipe).augmented()
    splits = (loaded.train, loaded.validation, loaded.test)
    scaling = loaded.scaling and loaded.scaling.to_dict()
    parts = [(split.x.tolist(), split.y.tolist()) for split in splits]
    return str(loaded.input_format), scaling, loaded.class_weights, parts


def _curve(history: Any) -> list[tuple[float, ...]]:
    return [(each.train_loss, each.validation_loss, each.learning_rate, each.sparsity) for each in history.records]


def teacher(recipe: Recipe, folder: Path) -> Any:
    """What the teacher answers, and how it came there."""
    loaded = load_for(recipe)
    model, history = train_teacher(recipe, loaded)
    return predict_logits(model, loaded.test.x, loaded.input_format.lsb).tolist(), _curve(history)


def student(recipe: Recipe, folder: Path) -> Any:
    """What the student answers, and how it came there."""
    loaded = load_for(recipe)
    learned_from = _taught_before(recipe, loaded) if recipe.trains_teacher else None
    model, history = train_student(recipe, loaded, learned_from)
    return predict_logits(model, loaded.test.x, loaded.input_format.lsb).tolist(), _curve(history)


_TEACHERS: dict[str, Any] = {}


def _taught_before(recipe: Recipe, loaded: Any) -> Any:
    """The trained teacher; one that learns on is trained for this student alone."""
    decided_by = recipe.model_dump_json(include={"teacher", "seed", "data"})
    if recipe.distill and recipe.distill.teacher == "warm":
        return train_teacher(recipe, loaded)[0]
    if decided_by not in _TEACHERS:
        _TEACHERS[decided_by] = train_teacher(recipe, loaded)[0]
    return _TEACHERS[decided_by]


def _frozen(recipe: Recipe, folder: Path) -> RunDirectory:
    shutil.rmtree(folder / "run", ignore_errors=True)
    run = RunDirectory.create(folder / "run", recipe)
    rng = np.random.default_rng(0)
    network = network_of(rng.integers(-7, 8, (8, 4)), rng.integers(-7, 8, (4, 2)), inputs="ap_ufixed<8,0>")
    save_network(network, run.file(NETWORK))
    return run


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def hls(recipe: Recipe, folder: Path) -> Any:
    """The HLS project."""
    run = _frozen(recipe, folder)
    hardware.hls(run, Silent())
    return _files(run.file(HLS))


def rtl(recipe: Recipe, folder: Path) -> Any:
    """The RTL, or why there is none, and who is compared."""
    run = _frozen(recipe, folder)
    try:
        hardware.rtl(run, Silent())
    except QapError as error:
        return str(error)
    return _files(run.file(RTL)), engines_of(recipe)


def netlist(recipe: Recipe, folder: Path) -> Any:
    """Whose cells the netlist that is verified has."""
    run = _frozen(recipe, folder)
    hardware.rtl(run, Silent())
    return vars(make_engine(run, "netlist"))["_target"]


def decision(recipe: Recipe, folder: Path) -> Any:
    """The last bias of a network of two classes, which holds their operating point."""
    loaded = load_for(recipe.override(["data.name=digits:0,1"]))
    rng = np.random.default_rng(0)
    weights = rng.integers(-7, 8, (64, 4)), rng.integers(-7, 8, (4, 2))
    network = network_of(*weights, inputs=str(loaded.input_format))
    return placed(network, loaded, recipe.decide).weighted[-1].bias.tolist()


def verdict(recipe: Recipe, folder: Path) -> Any:
    """What a run is judged by."""
    content = metrics(_frozen(recipe, folder))
    judged = {**content, "accuracy": {"integer": {"test": 0.25}}}
    return content["recipe"], failed_checks(judged)


SHOWN_BY: dict[str, Callable[[Recipe, Path], Any]] = {
    "name": hls,
    "accuracy_floor": verdict,
    "seed": data,
    "data": data,
    "decide": decision,
    "teacher": teacher,
    "student": student,
    "prune": student,
    "quantize": student,
    "distill": student,
    "target": hls,
    "rtl": rtl,
    "rtl.target": netlist,
}
"""A key, or the table that holds it -> where its value shows."""


@pytest.mark.parametrize("key", schema_keys())
def test_a_key_changes_what_it_is_about(
    key: str, folder: Path, found: dict[tuple[str, str], Any], few_luts: None
) -> None:
    look = SHOWN_BY.get(key) or SHOWN_BY[key.partition(".")[0]]
    before, after = pair(key, folder)
    assert before != after
    if (known := (look.__name__, before.to_toml())) not in found:
        found[known] = look(before, folder)
    assert look(after, folder) != found[known]


def test_what_shows_is_the_same_for_the_same_recipe(folder: Path, found: dict[tuple[str, str], Any]) -> None:
    """The test above sees the key, not chance."""
    recipe, _ = pair("seed", folder)
    for look in (data, teacher, student, hls):
        assert look(recipe, folder) == (found.get((look.__name__, recipe.to_toml())) or look(recipe, folder))
