"""What condensed data sets are worth: every method, ten samples and one sample of each class.

    python benchmarks/condensation.py [--dataset digits] [--seeds 5] [--seeds-of-one 3]

The same float model is trained with three seeds on the full training part and on every condensed one, as `qap condense`
does; a seed decides the validation split and the method. For one set of made samples there is the whole report of
`qap condense`, and the quantized, pruned student of the recipe of the same name is trained on it (`qap run`).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from stored import add_out, qap, store

from qap.data import Dataset, load
from qap.quiet import quiet_stderr

with quiet_stderr():
    import keras

    from qap.training.condensation import CONDENSERS, condense
    from qap.training.condensation.evaluation import SEEDS, evaluate, train_and_judge
    from qap.training.condensation.file import save_condensed

PER_CLASS = 10
SELECTIONS = ("random", "k-means", "k-center", "herding")
"""Those that are also tried with one sample of each class."""
MADE = "gradient-matching"
EPOCHS = ("student.epochs=400", "teacher.epochs=400", "teacher.patience=400", "teacher.batch_size=32")


def judged(data: Dataset, **row: Any) -> dict[str, Any]:
    """A row with what three models reach that are trained on a data set."""
    keras.utils.clear_session()
    outcomes = [asdict(train_and_judge(data, seed)) for seed in SEEDS]
    models = [{part: each[part] for part in ("train", "validation", "test")} for each in outcomes]
    row |= {"samples": len(data.train), "models": models}
    print(row, flush=True)
    return row


def full_part(dataset: str, seeds: int) -> Iterator[dict[str, Any]]:
    """The whole training part."""
    for seed in range(seeds):
        yield judged(load(dataset, seed=seed), method="full", seed=seed)


def condensed_parts(dataset: str, per_class: int, methods: tuple[str, ...], seeds: int) -> Iterator[dict[str, Any]]:
    """Every method with every seed."""
    for seed in range(seeds):
        full = load(dataset, seed=seed)
        for method in methods:
            start = time.process_time()  # of all threads, whatever else the machine does
            condensed = condense(full, per_class, method, seed)
            seconds = round(time.process_time() - start, 3)
            row = {"per_class": per_class, "seed": seed, "cpu_seconds": seconds, "rounding_lsb": condensed.rounding_lsb}
            yield judged(replace(full, train=condensed.train), method=method, **row)


def one_report(dataset: str, folder: Path) -> dict[str, Any]:
    """What `qap condense` reports for one made set, and the whole flow on it."""
    full, path = load(dataset), folder / "made.npz"
    condensed = condense(full, PER_CLASS, MADE, seed=0)
    record = save_condensed(path, full, condensed, MADE, seed=0)
    report = {**record, **evaluate(full, load(f"npz:{path}"), condensed)}
    settings = [word for each in (f"data.name=npz:{path}", *EPOCHS) for word in ("--set", each)]
    found = qap("run", dataset, "--no-rtl", "--out", folder / "run", *settings)
    return {"report": report, "student": {"epochs": EPOCHS, "accuracy": found["accuracy"], "exact": found["exact"]}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="digits", help="a data set that is also the name of a recipe")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seeds-of-one", type=int, default=3, help="of one sample of each class")
    add_out(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = one_report(arguments.dataset, Path(folder))
    full = list(full_part(arguments.dataset, arguments.seeds))
    several = list(condensed_parts(arguments.dataset, PER_CLASS, tuple(CONDENSERS), arguments.seeds))
    one = list(condensed_parts(arguments.dataset, 1, SELECTIONS, arguments.seeds_of_one))
    store("condensation", {"full": full, "condensed": [*several, *one], "made": made}, arguments.out)


if __name__ == "__main__":
    main()
