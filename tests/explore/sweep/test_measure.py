"""What a worker of a sweep measures, on a network that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.layered import network_of
from support.needs import needs
from support.recipe_keys import base_recipe

from qap.explore.sweep.measure import NETWORKS, _dataset_of, measure, network_task
from qap.explore.sweep.points import points_of
from qap.explore.sweep.spec import parse_sweep
from qap.network import IntegerNetwork, save_network
from qap.run.directory import load_for


def measured(folder: Path, axes: dict[str, list[Any]], **more: Any) -> tuple[list[Any], IntegerNetwork, list[Any]]:
    """The points of a sweep on two classes, their network, and the records of a worker."""
    base = base_recipe(folder).override(["student.layers.1.units=2"])
    (folder / "base.toml").write_text(base.to_toml())
    content = {"name": "s", "recipe": str(folder / "base.toml"), "training": "qat", "axes": axes, **more}
    sweep = parse_sweep(content, "test")
    points = points_of(sweep)
    rng = np.random.default_rng(3)
    network = network_of(rng.integers(-7, 8, (8, 3)), rng.integers(-7, 8, (3, 2)), inputs="ap_ufixed<8,0>")
    task = network_task(points, sweep, folder, None)
    (folder / NETWORKS).mkdir()
    save_network(network, folder / NETWORKS / f"{task['network']}.npz")
    return points, network, measure(task)


@pytest.mark.parametrize("seed", [0, 3])
def test_a_point_is_judged_on_the_data_of_its_seed(tmp_path: Path, seed: int) -> None:
    """Validation and test have different accuracies, and so have the validations of different seeds."""
    (point,), network, (record,) = measured(tmp_path, {"seed": [seed]})
    data, other = (load_for(point.recipe.override([f"seed={each}"])) for each in (seed, 3 - seed))
    accuracy = {part: network.accuracy(getattr(data, part).x, getattr(data, part).y) for part in ("validation", "test")}
    assert record["accuracy"] == accuracy
    assert accuracy["validation"] not in (accuracy["test"], network.accuracy(other.validation.x, other.validation.y))
    assert (record["parameters"], record["nonzeros"]) == (network.parameters, network.nonzeros)
    assert (record["size_bytes"], record["network"]) == (network.size_bytes, network.digest)
    assert (record["key"], record["point"], record["values"]) == (point.key, 0, {"seed": seed})
    assert (record["error"], record["synth"], record["trained_s"]) == (None, None, 0.0)


def test_a_point_has_the_data_that_its_recipe_asks_for(tmp_path: Path) -> None:
    """Weights, scaling and all, as a run of the recipe has them."""
    recipe = base_recipe(tmp_path).override(["data.class_weights=balanced"])
    found = _dataset_of(recipe, {"data_dir": None})
    assert found.class_weights is not None
    assert found.digest == load_for(recipe).digest


def test_points_that_share_a_network_are_estimated_for_their_targets(tmp_path: Path) -> None:
    axes = {"target.strategy": ["resource"], "reuse_factor": [1, 4]}
    points, _, records = measured(tmp_path, axes, estimator="hls4ml")
    assert [record["target"]["reuse_factor"] for record in records] == [1, 4]
    assert [record["key"] for record in records] == [point.key for point in points]
    assert len({str(record["estimate"]) for record in records}) == 2


@pytest.mark.slow
def test_a_sweep_with_synth_counts_the_cells_of_the_core(tmp_path: Path) -> None:
    needs("da4ml", "jinja2", "yosys")
    from qap.hardware.rtl import RtlOptions, write_rtl
    from qap.hardware.synthesis import synthesize

    _, network, (record,) = measured(tmp_path, {"seed": [0]}, synth=True)
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface="parallel"))
    expected = synthesize(project, "xc7", module="core")
    found = record["synth"]
    assert (found["source"], found["lut"], found["ff"]) == ("yosys", expected.lut, expected.ff)
    assert found["lut"] > 0
