"""The whole flow, from the images to LUTs: accuracy, size, agreement of all engines, resources, clock, time.

    python benchmarks/flow.py [--runs FOLDER]

Runs `qap run` on the demo with three seeds, on the course's shape and on the digits; the demo with RTL, and its network
once more in RTL for an ECP5, placed and routed (`qap synth`). With --runs the runs are kept there, and finished stages
are only read.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from stored import add_out, qap, store

from qap.recipe import load_recipe
from qap.run import RECIPE

RUNS = (("mnist-1v9", 0), ("mnist-1v9", 1), ("mnist-1v9", 2), ("mnist-1v9-course", 0), ("digits", 0))
WITH_RTL = ("mnist-1v9",)


def measure(recipe: str, seed: int, folder: Path) -> dict[str, Any]:
    """A run, what it was verified with, and its clock on an ECP5 where that is asked for."""
    run, with_rtl = folder / f"{recipe}-seed{seed}", recipe in WITH_RTL
    found = qap("run", recipe, "--seed", str(seed), "--rtl" if with_rtl else "--no-rtl", "--out", run)
    del found["report"]  # where it lies
    found["vectors"] = vectors(run)
    if with_rtl:
        found["ecp5"] = on_ecp5(run)
    return found


def on_ecp5(run: Path) -> list[dict[str, Any]]:
    """The same network in RTL that is pipelined for an ECP5, synthesized, placed and routed."""
    copy = run.with_name(f"{run.name}-ecp5")
    shutil.copytree(run, copy, dirs_exist_ok=True)
    recipe = load_recipe(run / RECIPE).override(["rtl.target=ecp5"])
    (copy / RECIPE).write_text(recipe.to_toml(), encoding="utf-8")
    qap("rtl", copy)
    placed = qap("synth", copy, "--target", "ecp5", "--place-and-route", "--bitstream")
    return list(placed["reports"])


def vectors(run: Path) -> dict[str, int]:
    """How many vectors of each kind all pairs of engines were compared on."""
    agreements = json.loads((run / "verify.json").read_text(encoding="utf-8"))["agreements"]
    names = dict.fromkeys(each["vectors"] for each in agreements)
    return {name: min(each["samples"] for each in agreements if each["vectors"] == name) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, help="folder that keeps the runs")
    add_out(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.runs or Path(temporary)
        found = [measure(recipe, seed, folder) for recipe, seed in RUNS]
    store("flow", found, arguments.out)


if __name__ == "__main__":
    main()
