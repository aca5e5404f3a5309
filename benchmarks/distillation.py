"""What distillation gives a small quantized and pruned student: bits x sparsity x distillation x seeds, on MNIST.

    python benchmarks/distillation.py [--data-dir FOLDER] [--out FOLDER] [--epochs 15] [--seeds 3] [--only-report]
    python benchmarks/distillation.py --bits 2 4 --sparsities 0.95 --temperature 1 --alpha 0.3   # a part

Every cell trains a 784-64-32-10 student from labels alone, from a finished teacher (784-256-128-10), together
with such a teacher, or from its own snapshots; all with the same number of epochs, batches and initial
weights. Weights and hidden activations have so many bits ("1.58" is ternary, with 2-bit activations),
inputs have 8. Each student is frozen, and the accuracies are those of its integer network. The epoch is
chosen on the validation split; the test images are only counted.

One row is appended to OUT/distillation.csv after each training; an interrupted grid goes on where it stopped.
FOLDER holds MNIST's IDX files (or QAP_DATA_DIR does).
"""

from __future__ import annotations

import argparse
import csv
import functools
import gc
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from stored import add_out

from qap.data import Dataset, load
from qap.recipe import Recipe, parse_recipe

BITS = ("1.58", "2", "3", "4", "6", "8")
SPARSITIES = (0.0, 0.8, 0.95)
DISTILLATIONS = ("none", "offline", "online", "self")
RESULT = ("validation", "test", "nonzeros", "seconds")
METHODS: dict[str, dict[str, Any]] = {
    "offline": {"method": "offline"},
    "online": {"method": "online"},
    "self": {"method": "snapshots", "snapshot_epochs": 2},
}
NAME = "distillation.csv"


class Cell(NamedTuple):
    """One training; temperature and alpha are 0 without distillation."""

    bits: str
    sparsity: float
    distillation: str
    seed: int
    epochs: int
    temperature: float
    alpha: float


def cells(arguments: argparse.Namespace) -> Iterator[Cell]:
    """All trainings; the whole grid once for each seed, so that a part of it is already a table."""
    for seed in range(arguments.seeds):
        for bits in arguments.bits:
            for sparsity in arguments.sparsities:
                for distillation in arguments.distillations:
                    weights = (0.0, 0.0) if distillation == "none" else (arguments.temperature, arguments.alpha)
                    yield Cell(bits, sparsity, distillation, seed, arguments.epochs, *weights)


def recipe_of(cell: Cell) -> Recipe:
    """The recipe of a training."""
    weight = "ternary(alpha='auto_po2')" if cell.bits == "1.58" else f"quantized_bits({cell.bits},0,alpha='auto_po2')"
    width = 2 if cell.bits == "1.58" else int(cell.bits)
    hidden = [{"units": n, "weight": weight, "activation": f"quantized_relu({width},2)"} for n in (64, 32)]
    content = {
        "name": "distillation",
        "seed": cell.seed,
        "data": {"name": "mnist"},
        "teacher": {"units": [256, 128], "dropout": 0.3, "epochs": cell.epochs},
        "student": {
            "epochs": cell.epochs,
            "batch_size": 256,
            "learning_rate": 0.003,
            "decay": "cosine",
            "layers": [*hidden, {"units": 10, "weight": weight}],
        },
        "prune": {"sparsity": cell.sparsity},
    }
    if cell.distillation != "none":
        weights = {"temperature": cell.temperature, "alpha": cell.alpha}
        content["distill"] = METHODS[cell.distillation] | weights
    return parse_recipe(content, "distillation")


def train(cell: Cell, dataset: Dataset, teachers: dict[int, Any]) -> dict[str, Any]:
    """Train, freeze and judge one student."""
    import keras

    from qap.freezing import freeze
    from qap.training import train_student, train_teacher

    keras.utils.clear_session()
    gc.collect()  # a graph that was trained holds its data until then
    recipe = recipe_of(cell)
    if recipe.distill and recipe.distill.needs_trained_teacher and cell.seed not in teachers:
        teachers[cell.seed], _ = train_teacher(recipe, dataset)
    start = time.perf_counter()
    student, _ = train_student(recipe, dataset, teachers.get(cell.seed))
    seconds = time.perf_counter() - start
    network = freeze(student, dataset.input_format, dataset.class_names)

    def accuracy(split: Any) -> float:
        return float((network.decide(network.forward(split.x)) == split.y).mean())

    found = {"validation": accuracy(dataset.validation), "test": accuracy(dataset.test)}
    return {**cell._asdict(), **found, "nonzeros": network.nonzeros, "seconds": round(seconds, 2)}


def read(path: Path) -> dict[Cell, dict[str, str]]:
    """The trainings of a file that are done; a row that was cut is none."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    types = get_type_hints(Cell)
    return {Cell(*(types[name](row[name]) for name in Cell._fields)): row for row in rows}


def append(path: Path, row: dict[str, Any]) -> None:
    """Add one row, with the header before the first."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, (*Cell._fields, *RESULT), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


def table(rows: dict[Cell, dict[str, str]]) -> list[str]:
    """Markdown: mean test accuracy in percent and its standard error, and what a method gives against none."""
    lines = [
        "| bits | sparsity | "
        + " | ".join(DISTILLATIONS)
        + " | "
        + " | ".join(f"{d} - none" for d in DISTILLATIONS[1:]),
        "|---|---|" + "---|" * (2 * len(DISTILLATIONS) - 1),
    ]
    lines[0] += " |"
    for bits in BITS:
        for sparsity in SPARSITIES:
            by_method = {d: accuracies(rows, bits, sparsity, d) for d in DISTILLATIONS}
            if not all(by_method.values()):
                continue
            means = [mean_and_error(list(found.values())) for found in by_method.values()]
            gains = [mean_and_error(paired(by_method[d], by_method["none"])) for d in DISTILLATIONS[1:]]
            shown = [f"{mean:.2f} ± {error:.2f}" for mean, error in means]
            shown += [f"{mean:+.2f} ± {error:.2f}" for mean, error in gains]
            lines.append(f"| {bits} | {sparsity:.0%} | {' | '.join(shown)} |")
    return lines


def accuracies(rows: dict[Cell, dict[str, str]], bits: str, sparsity: float, distillation: str) -> dict[int, float]:
    """Test accuracy in percent, by seed."""
    return {
        cell.seed: 100 * float(row["test"]) for cell, row in rows.items() if cell[:3] == (bits, sparsity, distillation)
    }


def paired(some: dict[int, float], others: dict[int, float]) -> list[float]:
    """The differences of the seeds that both have: they share data split, initial weights and order."""
    return [some[seed] - others[seed] for seed in some if seed in others]


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean and standard error of the mean; the error of a single value is not known."""
    if not values:
        return float("nan"), float("nan")
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return statistics.mean(values), error


def draw(rows: dict[Cell, dict[str, str]], path: Path) -> None:
    """Accuracy against bits, one panel for each sparsity; markers tell the methods apart without colour."""
    from matplotlib.figure import Figure

    figure = Figure((11, 3.6), layout="constrained")
    panels = figure.subplots(1, len(SPARSITIES), sharey=True)
    for axes, sparsity in zip(panels, SPARSITIES, strict=True):
        for method, marker, color in zip(
            DISTILLATIONS, "osD^", ("#000000", "#0072B2", "#D55E00", "#009E73"), strict=True
        ):
            found = [mean_and_error(list(accuracies(rows, bits, sparsity, method).values())) for bits in BITS]
            means, errors = zip(*found, strict=True)
            axes.errorbar(BITS, means, errors, marker=marker, color=color, capsize=3, markersize=4, label=method)
        axes.set_title(f"{sparsity:.0%} of the weights pruned")
        axes.set_xlabel("weight and activation bits")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("test accuracy, %")
    panels[0].legend(title="distillation")
    figure.savefig(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("QAP_DATA_DIR"))
    add_out(parser)
    parser.add_argument("--bits", nargs="+", choices=BITS, default=BITS)
    parser.add_argument("--sparsities", nargs="+", type=float, default=SPARSITIES)
    parser.add_argument("--distillations", nargs="+", choices=DISTILLATIONS, default=DISTILLATIONS)
    parser.add_argument("--temperature", type=float, default=4.0)
    parser.add_argument("--alpha", type=float, default=0.7)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only-report", action="store_true", help="make the table and the figure of what is there")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / NAME
    wanted, done = list(cells(arguments)), read(path)
    if not arguments.only_report:
        teachers: dict[int, Any] = {}
        load_once = functools.cache(functools.partial(load, "mnist", data_dir=arguments.data_dir))
        for cell in wanted:
            if cell in done:
                continue
            row = train(cell, load_once(seed=cell.seed), teachers)
            append(path, row)
            print(*row.values(), flush=True)
        done = read(path)
    shown = {cell: row for cell, row in done.items() if cell in wanted}
    text = "\n".join(table(shown)) + "\n"
    if len(wanted) == len(BITS) * len(SPARSITIES) * len(DISTILLATIONS) * arguments.seeds:  # the whole grid
        (arguments.out / "distillation.md").write_text(text)
        draw(shown, arguments.out / "distillation.svg")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
