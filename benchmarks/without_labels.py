"""Learning without labels: a student that only its teacher has taught, beside this teacher.

    python benchmarks/without_labels.py [--recipe digits] [--seeds 3]

The teacher is trained as the recipe says. Then the labels go: those of the training split are shuffled, those of the
validation split, which choose the student's epoch, are replaced by the teacher's own answers. The student learns
with `distill.alpha = 1` (soft answers alone), quantized and pruned as the recipe says, and is judged on the test split,
as its integer network; so is a student of the same recipe that has the labels.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from stored import add_out, store

from qap.data import Dataset, load
from qap.quiet import quiet_stderr
from qap.recipe import Recipe, load_recipe

with quiet_stderr():
    from qap.freezing import freeze
    from qap.training import train_student, train_teacher
    from qap.training.fit import predict_logits


def without_labels(data: Dataset, teacher: Any, seed: int) -> Dataset:
    """The data set of which nobody knows the classes; the test split keeps them, it only judges."""
    shuffled = np.random.default_rng(seed).permutation(data.train.y)
    answers = predict_logits(teacher, data.validation.x, data.input_format.lsb).argmax(axis=1).astype(np.int64)
    return replace(data, train=replace(data.train, y=shuffled), validation=replace(data.validation, y=answers))


def measure(recipe: Recipe, data: Dataset) -> dict[str, Any]:
    """Test accuracies of a teacher and of both students."""
    teacher, _ = train_teacher(recipe, data)
    logits = predict_logits(teacher, data.test.x, data.input_format.lsb)
    blind = without_labels(data, teacher, recipe.seed)

    def student(seen: Dataset, assignment: str | None) -> float:
        model, _ = train_student(recipe.override([assignment] if assignment else []), seen, teacher)
        network = freeze(model, data.input_format, data.class_names)
        return float((network.decide(network.forward(data.test.x)) == data.test.y).mean())

    return {
        "seed": recipe.seed,
        "samples": len(data.test),
        "right_by_chance": float((blind.train.y == data.train.y).mean()),
        "teacher": float((logits.argmax(axis=1) == data.test.y).mean()),
        "without_labels": student(blind, "distill.alpha=1"),
        "with_labels": student(data, None),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="digits")
    parser.add_argument("--seeds", type=int, default=3)
    add_out(parser)
    arguments = parser.parse_args()
    base, rows = load_recipe(arguments.recipe), []
    for seed in range(arguments.seeds):
        recipe = base.override([f"seed={seed}"])
        data = load(
            recipe.data.name, input_format=recipe.data.input_format, validation=recipe.data.validation, seed=seed
        )
        rows.append(measure(recipe, data))
        print(rows[-1], flush=True)
    store("without_labels", {"recipe": base.name, "rows": rows}, arguments.out)


if __name__ == "__main__":
    main()
