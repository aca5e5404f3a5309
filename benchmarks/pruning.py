"""Pruning methods and schedules side by side on one recipe: accuracy, non-zeros, adders, LUTs.

    python benchmarks/pruning.py [--recipe mnist-1v9] [--seeds 3] [--set prune.sparsity=0.905]

Each row changes one thing of the recipe. LUTs are those that `qap estimate --estimator rtl` counts. The teacher
of a seed is trained once. Means over the seeds, test accuracy with its standard deviation, as Markdown; every training
is stored, under the name of what was set.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from stored import add_out, store

from qap.data import load
from qap.hardware.estimate import ESTIMATORS
from qap.network.csd import adders
from qap.recipe import Recipe, load_recipe

ROWS: dict[str, tuple[str, ...]] = {
    "magnitude, polynomial": (),
    "random": ("prune.method=random",),
    "taylor": ("prune.method=taylor",),
    "cost (magnitude for each adder)": ("prune.method=cost",),
    "one-shot after half of the training": ("prune.schedule=one-shot", "prune.begin_step=4500"),
    "constant": ("prune.schedule=constant",),
    "iterative, 5 rounds": ("prune.schedule=iterative",),
    "lottery ticket, 5 rounds": ("prune.schedule=lottery-ticket",),
    "SET": ("prune.schedule=set",),
    "RigL": ("prune.schedule=rigl",),
    "half of the neurons": ("prune.granularity=neuron", "prune.sparsity=0.5"),
}


def judged(recipe: Recipe, teachers: dict[int, Any]) -> dict[str, float]:
    """Train, freeze and count one student."""
    import keras

    from qap.freezing import freeze
    from qap.training import train_student, train_teacher

    keras.utils.clear_session()
    gc.collect()
    data = load(
        recipe.data.name,
        input_format=recipe.data.input_format,
        validation=recipe.data.validation,
        seed=recipe.seed,
    )
    if recipe.seed not in teachers:
        teachers[recipe.seed], _ = train_teacher(recipe, data)
    student, _ = train_student(recipe, data, teachers[recipe.seed])
    network = freeze(student, data.input_format, data.class_names)
    estimate = ESTIMATORS["rtl"](network, recipe.target)
    (stage,) = estimate.stages.values()
    accuracy = {
        name: 100 * float((network.decide(network.forward(split.x)) == split.y).mean())
        for name, split in (("validation", data.validation), ("test", data.test))
    }
    return {**accuracy, "nonzeros": network.nonzeros, "adders": adders(network), "lut": stage.report.lut or 0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="mnist-1v9")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    add_out(parser)
    arguments = parser.parse_args()
    base, teachers = load_recipe(arguments.recipe).override(arguments.set), dict[int, Any]()
    trainings: dict[str, list[dict[str, float]]] = {}
    means: dict[str, dict[str, float]] = {}
    print("| pruning | validation | test | non-zeros | adders | LUT, estimated |")
    print("|---|---|---|---|---|---|")
    for name, changes in ROWS.items():
        found = [judged(base.override([*changes, f"seed={seed}"]), teachers) for seed in range(arguments.seeds)]
        trainings[name] = found
        mean = {key: statistics.fmean(each[key] for each in found) for key in found[0]}
        spread = statistics.stdev(each["test"] for each in found) if len(found) > 1 else float("nan")
        means[name] = {**mean, "test_spread": spread}
        counts = " | ".join(f"{mean[key]:.0f}" for key in ("nonzeros", "adders", "lut"))
        print(f"| {name} | {mean['validation']:.2f} | {mean['test']:.2f} ± {spread:.2f} | {counts} |", flush=True)
    name = "-".join(["pruning", *(each.rpartition(".")[2].replace("=", "-") for each in arguments.set)])
    settings = {"recipe": base.name, "sparsity": base.prune.sparsity, "seeds": arguments.seeds}
    store(name, {**settings, "means": means, "trainings": trainings}, arguments.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
