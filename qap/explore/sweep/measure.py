"""What one worker does: train what several points share, then one network and the points that share it.

Functions here take and return plain dictionaries, so that any kind of worker can run them.
"""

from __future__ import annotations

import functools
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from qap.data import Dataset
from qap.errors import DataError, QapError, ToolMissing
from qap.explore.sweep.points import Point, float_recipe, recipe_key, teacher_recipe
from qap.explore.sweep.spec import Sweep
from qap.extras import load_tensorflow
from qap.flow import run_flow
from qap.flow.operating_point import placed
from qap.hardware.estimate import ESTIMATORS
from qap.network import IntegerNetwork, load_network, save_network
from qap.recipe import DataRecipe, Recipe, RtlRecipe, parse_recipe
from qap.run import NETWORK, STUDENT, TEACHER, RunDirectory, load_data

TRAINED, NETWORKS = "trained", "networks"
Task = dict[str, Any]


def training_of(recipe: Recipe, training: str) -> tuple[Recipe, tuple[str, ...]] | None:
    """What must be trained before a point: its recipe and its stages; None when there is nothing to share."""
    if recipe.model is not None:
        return None
    if training == "ptq":
        return float_recipe(recipe), ("data", "teacher", "student")
    learns = recipe.distill is not None and recipe.distill.needs_trained_teacher
    return (teacher_recipe(recipe), ("data", "teacher")) if learns else None


def training_task(recipe: Recipe, stages: tuple[str, ...], folder: Path, data_dir: Path | None) -> Task:
    """What `train_shared` needs."""
    return {
        "recipe": recipe.model_dump(mode="json", exclude_none=True),
        "stages": stages,
        "folder": str(folder.resolve()),
        "data_dir": str(data_dir.resolve()) if data_dir else None,
    }


def train_shared(task: Task) -> list[dict[str, Any]]:
    """Train a float student or a teacher in a run directory of its own, unless that is done.

    A task without a recipe lets an idle worker import TensorFlow in the meantime, which takes seconds.
    """
    if not task:
        load_tensorflow()
        return []
    recipe = parse_recipe(task["recipe"], "sweep")
    run = _shared_run(recipe, task)
    run_flow(run, task["stages"])
    return []


def network_task(points: list[Point], sweep: Sweep, folder: Path, data_dir: Path | None) -> Task:
    """What `measure` needs for points that share a network."""
    return {
        "points": [
            {
                "key": each.key,
                "point": each.index,
                "values": each.values,
                "recipe": each.recipe.model_dump(mode="json", exclude_none=True),
            }
            for each in points
        ],
        "network": points[0].network_key[:16],
        "training": sweep.training,
        "estimator": sweep.estimator,
        "synth": sweep.synth,
        "folder": str(folder.resolve()),
        "data_dir": str(data_dir.resolve()) if data_dir else None,
    }


def measure(task: Task) -> list[dict[str, Any]]:
    """The records of points that share a network; a point that is not possible says why in `error`.

    Raises:
        DataError: files cannot be read or written; that is not the point's fault, and no record of it.
        ToolMissing: the same for a package or a program.
    """
    recipe = parse_recipe(task["points"][0]["recipe"], "sweep")
    start = time.perf_counter()
    try:
        network, trained_s = _network(recipe, task)
        shared = {**_judged(network, _dataset_of(recipe, task)), "network": network.digest, "trained_s": trained_s}
        shared["synth"] = _synthesized(network, recipe) if task["synth"] else None
    except (DataError, ToolMissing):
        raise
    except QapError as error:
        return [{**_named(point), "error": str(error)} for point in task["points"]]
    shared["seconds"] = round(time.perf_counter() - start, 3)
    return [_estimated(point, network, shared, task["estimator"]) for point in task["points"]]


def _named(point: Task) -> dict[str, Any]:
    return {name: point[name] for name in ("key", "point", "values")}


def _estimated(point: Task, network: IntegerNetwork, shared: dict[str, Any], estimator: str) -> dict[str, Any]:
    target = parse_recipe(point["recipe"], "sweep").target
    try:
        estimate = ESTIMATORS[estimator](network, target).to_dict()
    except QapError as error:
        return {**_named(point), "error": str(error)}
    return {**_named(point), "error": None, "target": target.model_dump(mode="json"), **shared, "estimate": estimate}


def _judged(network: IntegerNetwork, data: Dataset) -> dict[str, Any]:
    splits = {"validation": data.validation, "test": data.test}
    right = {name: network.classify(split.x) == split.y for name, split in splits.items()}
    return {
        "accuracy": {name: float(found.mean()) for name, found in right.items()},
        "parameters": network.parameters,
        "nonzeros": network.nonzeros,
        "size_bytes": network.size_bytes,
    }


def _network(recipe: Recipe, task: Task) -> tuple[IntegerNetwork, float]:
    """The network of a recipe, and the seconds that it took; one that was made before is read."""
    path = Path(task["folder"]) / NETWORKS / f"{task['network']}.npz"
    if path.exists():
        return load_network(path), 0.0
    start = time.perf_counter()
    network = _imported(recipe, task) if recipe.model else _frozen(recipe, task)
    path.parent.mkdir(exist_ok=True)
    save_network(network, path)
    return network, round(time.perf_counter() - start, 3)


def _frozen(recipe: Recipe, task: Task) -> IntegerNetwork:
    """A student, trained or quantized for this point."""
    data = _dataset_of(recipe, task)
    model = _quantized_after(recipe, task, data) if task["training"] == "ptq" else _trained(recipe, task, data)
    from qap.freezing import freeze

    return placed(freeze(model, data.input_format, data.class_names), data, recipe.decide)


def _imported(recipe: Recipe, task: Task) -> IntegerNetwork:
    """The recipe's model, imported for this point in a run of its own."""
    run = _shared_run(recipe, task)
    run_flow(run, ("data", "student", "freeze"))
    return load_network(run.file(NETWORK))


def _quantized_after(recipe: Recipe, task: Task, data: Dataset) -> Any:
    load_tensorflow()
    from qap.training.networks import load_model
    from qap.training.post_training import quantize

    return quantize(load_model(_shared_run(float_recipe(recipe), task).file(STUDENT)), recipe, data)


def _trained(recipe: Recipe, task: Task, data: Dataset) -> Any:
    load_tensorflow()
    from qap.training import train_student
    from qap.training.networks import load_model

    shared = training_of(recipe, "qat")
    teacher = load_model(_shared_run(shared[0], task).file(TEACHER)) if shared else None
    return train_student(recipe, data, teacher)[0]


def _synthesized(network: IntegerNetwork, recipe: Recipe) -> dict[str, Any]:
    """The resources of the core after Yosys."""
    from qap.hardware.rtl import rtl_options, write_rtl
    from qap.hardware.synthesis import synthesize

    with tempfile.TemporaryDirectory() as folder:
        project = write_rtl(network, Path(folder) / "rtl", replace(rtl_options(recipe), interface="parallel"))
        return asdict(synthesize(project, (recipe.rtl or RtlRecipe()).target, module="core"))


def _shared_run(recipe: Recipe, task: Task) -> RunDirectory:
    data_dir = Path(task["data_dir"]) if task["data_dir"] else None
    return RunDirectory.create(Path(task["folder"]) / TRAINED / recipe_key(recipe), recipe, data_dir)


def _dataset_of(recipe: Recipe, task: Task) -> Dataset:
    return _dataset(recipe.data.model_dump_json(), recipe.seed, task["data_dir"])


@functools.lru_cache(maxsize=2)
def _dataset(content: str, seed: int, data_dir: str | None) -> Dataset:
    return load_data(DataRecipe.model_validate_json(content), seed, Path(data_dir) if data_dir else None)
