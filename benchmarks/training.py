"""An epoch of distilled quantization-aware pruning against an epoch of plain float Keras `fit`.

    python benchmarks/training.py [--data-dir FOLDER] [--rounds 9] [--batch-size 128] [--units 64 32]

Both train networks of the same shape on the same samples with the same batch size, in one process, in
turns. Ours quantizes weights and activations, holds and renews masks, distills from a teacher's logits
and evaluates the validation split; Keras' does none of it. Medians over the rounds and their ratio are printed and
stored.
FOLDER holds MNIST's IDX files (or QAP_DATA_DIR does); without it the embedded digits 1 and 9 are used.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from stored import add_out, store

from qap.data import Dataset, load
from qap.quiet import quiet_stderr
from qap.recipe import DistillRecipe, PruneRecipe, StudentRecipe

with quiet_stderr():
    import keras

    from qap.training import EpochRecord
    from qap.training.distillation.offline import FixedAnswers
    from qap.training.fit import fit
    from qap.training.networks import build_student

GOAL = 0.8
WARM_UP = 2
"""Epochs that are not counted: both compile in the first."""


class Stopwatch(keras.callbacks.Callback):
    """The seconds of each epoch of Keras' `fit`, without what it does before and after."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop."""
        self.seconds.append(time.perf_counter() - self._start)


def student_recipe(units: list[int], n_classes: int, epochs: int, batch_size: int) -> StudentRecipe:
    """4-bit weights and 6-bit activations."""
    hidden = [{"units": n, "weight": 4, "activation": "quantized_relu(6,2)"} for n in units]
    layers = [*hidden, {"units": n_classes, "weight": 6}]
    return StudentRecipe(epochs=epochs, batch_size=batch_size, layers=layers)


def float_model(units: list[int], n_in: int, n_classes: int) -> keras.Model:
    """The same shape in float, compiled as a Keras user would."""
    hidden = [keras.layers.Dense(n, "relu") for n in units]
    model = keras.Sequential([keras.Input((n_in,)), *hidden, keras.layers.Dense(n_classes)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def compare(dataset: Dataset, units: list[int], batch_size: int, rounds: int) -> dict[str, Any]:
    """Print and return the seconds of an epoch of both, and the ratio of their medians."""
    epochs = WARM_UP + rounds
    recipe = student_recipe(units, dataset.n_classes, epochs, batch_size)
    plain, stopwatch = float_model(units, dataset.n_in, dataset.n_classes), Stopwatch()
    x, y = dataset.real(dataset.train.x), dataset.train.y
    ours: list[float] = []

    def take_turns(record: EpochRecord) -> None:
        ours.append(record.seconds)
        plain.fit(x, y, batch_size=batch_size, verbose=0, callbacks=[stopwatch])

    fit(
        build_student(recipe, dataset.n_in, dataset.n_classes),
        dataset,
        recipe,
        seed=0,
        prune=PruneRecipe(sparsity=0.8),
        objective=FixedAnswers(
            DistillRecipe(), np.random.default_rng(0).normal(size=(len(y), dataset.n_classes)).astype(np.float32)
        ),
        progress=take_turns,
    )
    median, median_plain = (statistics.median(seconds[WARM_UP:]) for seconds in (ours, stopwatch.seconds))
    shape = "-".join(str(n) for n in (dataset.n_in, *units, dataset.n_classes))
    print(f"{dataset.name}: {len(y)} samples, {shape}, batch {batch_size}, medians of {rounds} epochs")
    for label, seconds in (
        ("distilled quantization-aware pruning", ours),
        ("plain float Keras fit", stopwatch.seconds),
    ):
        counted = seconds[WARM_UP:]
        spread = f"{min(counted):.3f} to {max(counted):.3f}"
        print(f"  {label:37} {statistics.median(counted):7.3f} s an epoch ({spread})")
    print(f"  {'ratio':37} {median / median_plain:7.2f} (goal: at most {GOAL})")
    return {
        "dataset": dataset.name,
        "samples": len(y),
        "shape": shape,
        "batch_size": batch_size,
        "seconds": ours[WARM_UP:],
        "seconds_keras": stopwatch.seconds[WARM_UP:],
        "ratio_of_medians": median / median_plain,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data-dir", type=Path, default=os.environ.get("QAP_DATA_DIR"), help="folder with MNIST's IDX files"
    )
    parser.add_argument("--rounds", type=int, default=9, help="epochs that are counted")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--units", type=int, nargs="+", default=[64, 32], help="neurons of the hidden layers")
    add_out(parser)
    arguments = parser.parse_args()
    dataset = load("mnist", data_dir=arguments.data_dir) if arguments.data_dir else load("mnist-1v9")
    found = compare(dataset, arguments.units, arguments.batch_size, arguments.rounds)
    store("training", found, arguments.out)
    return int(found["ratio_of_medians"] > GOAL)


if __name__ == "__main__":
    raise SystemExit(main())
