"""The estimate of the RTL against Yosys (xc7), on random networks that nothing was fitted to.

    python benchmarks/rtl_estimator.py [--networks 20] [--seed 200] [--cache FOLDER]

Prints LUT, flip-flops and latency of each network as estimated and as synthesized, then how far the LUTs are off: by
the circuit that is built and counted, and by the law that builds nothing. Then the processor's time of an estimate,
the law's for 10,000 weights. All of it is stored. A synthesis takes 5 to 15 s; with --cache it is done once.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rtl_networks import random_classifier
from stored import add_out, store

from qap.fixed import FixedPoint
from qap.hardware.estimate.rtl import estimate_rtl
from qap.hardware.rtl import RtlOptions, write_rtl
from qap.hardware.synthesis import synthesize
from qap.network import IntegerNetwork, LayerSpec, connect

GOAL = 0.10
GOAL_S = 0.010
REPEATS = 20


def measure(seed: int, folder: Path) -> dict[str, Any]:
    """What Yosys, the circuit and the law say of a network, and the seconds of both estimates."""
    network = random_classifier(seed)
    project = write_rtl(network, folder / str(seed) / "rtl", RtlOptions(interface="parallel", any_size=True))
    synthesized = synthesize(project, "xc7")
    start = time.process_time()
    built = estimate_rtl(network, build=True)
    middle = time.process_time()
    law = estimate_rtl(network, build=False)
    end = time.process_time()
    shape = "-".join(str(n) for n in (network.n_in, *(layer.n_out for layer in network.layers)))
    print(
        f"{seed:>5} {shape:<18} {network.nonzeros:>5} "
        f"{synthesized.lut:>6} {built.lut:>6} {built.lut / synthesized.lut - 1:>+6.0%} "
        f"{law.lut:>6} {law.lut / synthesized.lut - 1:>+6.0%} "
        f"{synthesized.ff:>6} {built.ff:>6} {built.ff / synthesized.ff - 1:>+6.1%} "
        f"{project.latency_cycles:>4} {built.latency_cycles:>4}",
        flush=True,
    )
    return {
        "seed": seed,
        "shape": shape,
        "nonzeros": network.nonzeros,
        "yosys": {"lut": synthesized.lut, "ff": synthesized.ff, "latency_cycles": project.latency_cycles},
        "circuit": {
            "lut": built.lut,
            "ff": built.ff,
            "latency_cycles": built.latency_cycles,
            "cpu_seconds": middle - start,
        },
        "law": {"lut": law.lut, "cpu_seconds": end - middle},
    }


def large_network() -> IntegerNetwork:
    """64-96-32-20-10: 10,056 weights of six bits, half of which are 0."""
    rng = np.random.default_rng(0)
    shape = (64, 96, 32, 20, 10)
    form, bias_form = FixedPoint.parse("fixed<6,1>"), FixedPoint.parse("fixed<8,2>")
    specs = []
    for index, (n_in, n_out) in enumerate(itertools.pairwise(shape)):
        weight = rng.integers(-31, 32, (n_in, n_out)) * (rng.random((n_in, n_out)) < 0.5)
        bias = rng.integers(-50, 50, n_out)
        last = index == len(shape) - 2
        spec = LayerSpec(f"layer{index}", weight, form, bias, bias_form)
        if not last:
            spec = spec._replace(activation="relu", result_format=FixedPoint.parse("ufixed<6,3,RND_CONV,SAT>"))
        specs.append(spec)
    return connect(FixedPoint.parse("ufixed<8,0>"), specs, [str(index) for index in range(shape[-1])])


def off(rows: list[dict[str, Any]], by: str, what: str) -> list[float]:
    """How far an estimate is off, as a share of what was synthesized."""
    return [row[by][what] / row["yosys"][what] - 1 for row in rows]


def summary(rows: list[dict[str, Any]], by: str) -> None:
    """Print how far estimated LUTs are off."""
    errors = off(rows, by, "lut")
    within = sum(abs(error) <= GOAL for error in errors)
    print(
        f"LUT by the {by}: mean absolute error {statistics.mean(map(abs, errors)):.1%}, "
        f"median {statistics.median(errors):+.1%}, {within} of {len(errors)} within {GOAL:.0%}, "
        f"{statistics.median(row[by]['cpu_seconds'] for row in rows):.4f} s"
    )


def time_of_large() -> dict[str, Any]:
    """The time of an estimate of 10,000 weights."""
    network, times = large_network(), []
    for _ in range(REPEATS):
        start = time.process_time()
        report = estimate_rtl(network)
        times.append(time.process_time() - start)
    weights = sum(layer.weight.size for layer in network.layers)
    milliseconds = 1000 * statistics.median(times)
    print(
        f"{weights:,} weights: {milliseconds:.1f} ms by {report.tool} "
        f"(goal: {1000 * GOAL_S:.0f} ms), {report.lut:,} LUT"
    )
    return {"weights": weights, "milliseconds": milliseconds, "lut": report.lut, "by": report.tool}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=200)
    parser.add_argument("--cache", type=Path)
    add_out(parser)
    arguments = parser.parse_args()
    estimate_rtl(random_classifier(arguments.seed), build=True)  # compiles da4ml's code
    print(" seed shape              nonz.    LUT  built         law             FF  built        cycles")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.cache or Path(temporary)
        rows = [measure(arguments.seed + index, folder) for index in range(arguments.networks)]
    summary(rows, "circuit")
    summary(rows, "law")
    exact = sum(row["circuit"]["latency_cycles"] == row["yosys"]["latency_cycles"] for row in rows)
    flip_flops = statistics.mean(map(abs, off(rows, "circuit", "ff")))
    print(f"FF by the circuit: mean absolute error {flip_flops:.1%}; latency: {exact} of {len(rows)} exact")
    store("rtl_estimator", {"networks": rows, "large": time_of_large()}, arguments.out)


if __name__ == "__main__":
    main()
