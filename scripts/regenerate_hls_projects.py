"""Regenerate hls_projects/: the reference HLS projects, as a user of Vitis or Vivado HLS takes them.

    python scripts/regenerate_hls_projects.py           the same bytes everywhere, from network.npz
    python scripts/regenerate_hls_projects.py --train   train the networks anew first (a minute for each)

The projects are complete; what hls4ml and the vendor wrote is ignored by git.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from qap.data import Dataset, load
from qap.hardware.hls import write_project
from qap.hardware.hls.project import README, readme
from qap.network import IntegerNetwork, load_network, save_network
from qap.recipe import Recipe, load_recipe
from qap.run import NETWORK, RECIPE, RunDirectory

ROOT = Path(__file__).resolve().parents[1] / "hls_projects"
RECIPES = {"mnist_1v9": "mnist-1v9"}


def regenerate(folder: Path, recipe: Recipe, network: IntegerNetwork) -> None:
    """Write one reference project.

    Args:
        folder: where; replaced as a whole.
        recipe: of the network.
        network: what is written.
    """
    data = load(recipe.data.name, input_format=str(network.input_format), seed=recipe.seed)
    project = write_project(network, folder, name=recipe.name, target=recipe.target, x_int=data.test.x)
    save_network(network, folder / NETWORK)
    (folder / RECIPE).write_text(recipe.to_toml(), encoding="utf-8")
    (folder / README).write_text(readme(network, project, origin(recipe, network, data)), encoding="utf-8")


def origin(recipe: Recipe, network: IntegerNetwork, data: Dataset) -> str:
    """What the page of a reference project says beyond that of any project."""
    return f"""\
It is the project of the recipe `{recipe.name}` (`{RECIPE}`, seed {recipe.seed}), trained on `{data.name}`.
The integer network (`{NETWORK}`; read it with `qap.load_network`) is right on **{judged(network, data)}** of all
{len(data.test)} test images. A test of the repository proves that `scripts/regenerate_hls_projects.py` writes the
same today.

Committed is what qap wrote or filled with its values. In a checkout the files of hls4ml and of the vendor (the table
below) are put in place by

    python scripts/complete_hls_projects.py"""


def judged(network: IntegerNetwork, data: Dataset) -> str:
    """The accuracy of an integer network on all test samples, for people."""
    return f"{100 * (network.classify(data.test.x) == data.test.y).mean():.2f} %"


def _train(recipe: Recipe) -> IntegerNetwork:
    from qap.flow import run_flow

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
        network = _train(recipe) if train else load_network(ROOT / name / NETWORK)
        regenerate(ROOT / name, recipe, network)
        print(f"{ROOT.name}/{name}: {network.digest[:8]}")


if __name__ == "__main__":
    main()
