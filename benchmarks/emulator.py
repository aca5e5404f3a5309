"""The emulator against hls4ml's compiled C simulation: samples per second on the same network, in one process.

    python benchmarks/emulator.py [RUN ...] [--rounds 7]

Each RUN is a run's folder with an HLS project (`qap run mnist-1v9`); after them a network of the
course's shape (784-5-7-10-2, 8-bit weights, 16-bit activations) with random weights is measured.
Rounds alternate between the two, the medians and their ratio are printed and stored.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from stored import add_out, store

from qap.fixed import FixedPoint
from qap.hardware.hls import CsimEngine, write_project
from qap.network import IntegerNetwork, LayerSpec, connect, load_network
from qap.recipe import TargetRecipe
from qap.run import RunDirectory

GOAL = 100


def course_shape() -> IntegerNetwork:
    """A dense network of the course's shape and formats."""
    rng = np.random.default_rng(0)
    sizes, form = (784, 5, 7, 10, 2), FixedPoint.parse("fixed<8,4>")
    result = FixedPoint.from_qkeras(16, 6)
    specs = []
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        weight, bias = rng.integers(-128, 128, (n_in, n_out)), rng.integers(-128, 128, n_out)
        specs.append(LayerSpec(f"dense_{index}", weight, form, bias, form, "linear", result))
    return connect(FixedPoint.parse("ufixed<8,0>"), specs, ("1", "9"))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(label: str, network: IntegerNetwork, engine: CsimEngine, x: np.ndarray, rounds: int) -> dict[str, Any]:
    """Print and return the microseconds a sample of both, and their ratio."""
    assert (engine.run(network, x) == network.forward(x)).all(), "the engines do not agree"  # warms both up, too
    repeats = 20  # the emulator is so fast that one pass is too short to time
    csim, emulator = [], []
    for _ in range(rounds):
        csim.append(seconds(lambda: engine.run(network, x)) / len(x))
        emulator.append(seconds(lambda: [network.forward(x) for _ in range(repeats)]) / len(x) / repeats)
    ratio = statistics.median(csim) / statistics.median(emulator)
    print(
        f"{label}: C simulation {1e6 * statistics.median(csim):.2f} us a sample, "
        f"emulator {1e6 * statistics.median(emulator):.3f} us a sample, "
        f"ratio {ratio:.0f} (goal: at least {GOAL}), {len(x)} samples, medians of {rounds}"
    )
    return {
        "network": label,
        "samples": len(x),
        "rounds": rounds,
        "csim_us": [1e6 * each for each in csim],
        "emulator_us": [1e6 * each for each in emulator],
        "ratio_of_medians": ratio,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    add_out(parser)
    arguments = parser.parse_args()
    rows = []
    for folder in arguments.runs:
        run = RunDirectory.open(folder)
        network = load_network(run.file("network.npz"))
        engine = CsimEngine(run.file("hls"))
        rows.append(compare(run.recipe.name, network, engine, run.dataset.test.x, arguments.rounds))
    network = course_shape()
    x = np.random.default_rng(1).integers(0, 256, (2144, 784)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(network, Path(folder) / "hls", name="course", target=TargetRecipe(), x_int=x)
        rows.append(compare("784-5-7-10-2", network, CsimEngine(project.folder), x, arguments.rounds))
    store("emulator", rows, arguments.out)


if __name__ == "__main__":
    main()
