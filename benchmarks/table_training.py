"""CPU seconds of an epoch of truth tables, while pins move and after that.

    python benchmarks/table_training.py [--data-dir FOLDER] [--tables 1300] [--epochs 3]

One layer of tables on the top bits of MNIST's pixels, 50,000 samples, batches of 256, on one thread; medians over the
epochs of each half of the training, the first not counted: it compiles. A training moves pins in 70 % of its epochs;
their weighted mean is set beside the goal. CPU time, not wall time, so that other work on the machine counts little.
FOLDER holds MNIST's IDX files (or QAP_DATA_DIR does); without it the embedded digits 1 and 9 are used, and no goal.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from pathlib import Path
from typing import Any

from stored import add_out, store

from qap.data import Dataset, load
from qap.quiet import quiet_stderr
from qap.recipe import StudentRecipe

with quiet_stderr():
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)  # before Keras computes anything
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from qap.training import EpochRecord
    from qap.training.fit import fit
    from qap.training.tables import build_tables, logit_scale, scaled
    from qap.training.wiring import SHARE

GOAL_S, SAMPLES = 6.0, 50_000


def cpu_seconds(dataset: Dataset, tables: int, epochs: int) -> dict[str, list[float]]:
    """CPU seconds of each epoch: with pins that move, and as many with pins that stay."""
    count = 2 * epochs + 1
    student = StudentRecipe(kind="tables", tables=(tables,), epochs=count, wiring_share=(epochs + 1) / count)
    model = scaled(build_tables(student, dataset), logit_scale(student, dataset.n_classes))
    marks = []

    def tell(record: EpochRecord) -> None:
        marks.append(time.process_time())
        print(f"  epoch {record.epoch}: validation {record.validation_accuracy:.2%}", flush=True)

    fit(model, dataset, student, seed=0, progress=tell)
    seconds = [after - before for before, after in itertools.pairwise(marks)]
    return {"moving": seconds[:epochs], "still": seconds[epochs:]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data-dir", type=Path, default=os.environ.get("QAP_DATA_DIR"), help="folder with MNIST's IDX files"
    )
    parser.add_argument("--tables", type=int, default=1300)
    parser.add_argument("--epochs", type=int, default=3, help="that are counted, of each kind")
    add_out(parser)
    arguments = parser.parse_args()
    name = "mnist" if arguments.data_dir else "mnist-1v9"
    dataset = load(name, input_format="ap_ufixed<1,0>", validation=1 / 6, data_dir=arguments.data_dir)
    seconds = cpu_seconds(dataset, arguments.tables, arguments.epochs)
    medians = {kind: statistics.median(each) for kind, each in seconds.items()}
    mean = SHARE * medians["moving"] + (1 - SHARE) * medians["still"]
    samples = len(dataset.train)
    print(f"{name}: {samples:,} samples, {arguments.tables} tables, one thread, medians of {arguments.epochs} epochs")
    for kind, median in medians.items():
        print(f"  pins {'move' if kind == 'moving' else 'stay'}: {median:.2f} s of CPU an epoch")
    print(f"  a training with {SHARE:.0%} of both: {mean:.2f} s (goal: at most {GOAL_S:g} at {SAMPLES:,} samples)")
    found: dict[str, Any] = {"dataset": name, "samples": samples, "tables": arguments.tables, "cpu_seconds": seconds}
    store("table_training", {**found, "medians": medians, "mean": mean}, arguments.out)
    return int(samples >= SAMPLES and mean > GOAL_S)


if __name__ == "__main__":
    raise SystemExit(main())
