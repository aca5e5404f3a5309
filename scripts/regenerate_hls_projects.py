"""Regenerate hls_projects/: the reference HLS projects, as a user of Vitis or Vivado HLS takes them.

    python scripts/regenerate_hls_projects.py           the same bytes everywhere, from network.npz
    python scripts/regenerate_hls_projects.py --train   train the networks anew first (a minute for each)

The vendor's ap_types headers are left out: Vitis HLS and Vivado HLS bring their own.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path

import jinja2
import numpy as np

from qap.data import Dataset, load
from qap.hardware.hls import HlsProject, write_project
from qap.hardware.hls.project import TEST_VECTORS
from qap.network import IntegerNetwork, StepTable, load_network, save_network
from qap.recipe import Recipe, load_recipe

ROOT = Path(__file__).resolve().parents[1] / "hls_projects"
RECIPES = {"mnist_1v9": "mnist-1v9"}
VENDOR_HEADERS, NNET_UTILS = "firmware/ap_types", "firmware/nnet_utils"


def regenerate(folder: Path, recipe: Recipe, network: IntegerNetwork) -> None:
    """Write one reference project.

    Args:
        folder: where; replaced as a whole.
        recipe: of the network.
        network: what is written.
    """
    data = load(recipe.data.name, input_format=str(network.input_format), seed=recipe.seed)
    project = write_project(network, folder, name=recipe.name, target=recipe.target, x_int=data.test.x)
    shutil.rmtree(folder / VENDOR_HEADERS)
    for header in sorted((folder / NNET_UTILS).glob("*.h")):
        if header not in included(folder):
            header.unlink()
    save_network(network, folder / "network.npz")
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    (folder / "README.md").write_text(readme(recipe, network, project, data), encoding="utf-8")


def included(folder: Path) -> set[Path]:
    """The files that the sources of a project include, directly or not; hls4ml writes headers for every layer type."""
    waiting = [*folder.glob("*.cpp"), *folder.glob("firmware/*.cpp")]
    found: set[Path] = set()
    while waiting:
        source = waiting.pop()
        for name in re.findall(r'^\s*#include "(.+)"', source.read_text(encoding="utf-8"), re.MULTILINE):
            for path in (source.parent / name, folder / NNET_UTILS / name):
                if path.exists() and path not in found:
                    found.add(path)
                    waiting.append(path)
    return found


def readme(recipe: Recipe, network: IntegerNetwork, project: HlsProject, data: Dataset) -> str:
    """The page of one project; every number is computed here."""
    decided = network.classify(data.test.x)
    template = (Path(__file__).parent / "hls_project.md.j2").read_text(encoding="utf-8")
    return jinja2.Template(template, undefined=jinja2.StrictUndefined, keep_trailing_newline=True).render(
        recipe=recipe,
        target=recipe.target,
        network=network,
        project=project,
        tests=len(data.test),
        vectors=min(TEST_VECTORS, len(data.test)),
        accuracy=float(np.mean(decided == data.test.y)),
        zeros=[float(np.mean(layer.weight == 0)) for layer in network.layers],
        activations=[_activation(layer.activation) for layer in network.layers],
    )


def _activation(activation: str | StepTable) -> str:
    return f"{activation.thresholds.size} steps" if isinstance(activation, StepTable) else activation


def _train(recipe: Recipe) -> IntegerNetwork:
    from qap.flow import run_flow
    from qap.run import NETWORK, RunDirectory

    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory.create(Path(folder) / "run", recipe)
        run_flow(run, ["data", "teacher", "student", "freeze"])
        return load_network(run.file(NETWORK))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true", help="train the networks anew")
    train = parser.parse_args().train
    for name, recipe_name in RECIPES.items():
        recipe = load_recipe(recipe_name)
        network = _train(recipe) if train else load_network(ROOT / name / "network.npz")
        regenerate(ROOT / name, recipe, network)
        print(f"{ROOT.name}/{name}: {network.digest[:8]}")


if __name__ == "__main__":
    main()
