"""The estimate of the RTL against Yosys (xc7), on random networks that nothing was fitted to.

    python benchmarks/rtl_estimator.py [--networks 20] [--seed 200] [--cache FOLDER]

Prints LUT, flip-flops and latency of each network as estimated and as synthesized, then how far the LUTs are off: by
the circuit that is built and counted, and by the law that builds nothing. Then the time that an estimate takes, the
law's for 10,000 weights. A synthesis takes 5 to 15 s; with --cache it is done once.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from rtl_networks import random_classifier

from qap.fixed import FixedPoint
from qap.hardware.estimate.rtl import estimate_rtl
from qap.hardware.resources import ResourceReport
from qap.hardware.rtl import write_rtl
from qap.hardware.synthesis import synthesize
from qap.network import IntegerNetwork, LayerSpec, connect

GOAL = 0.10
GOAL_S = 0.010
Row = tuple[ResourceReport, ResourceReport, ResourceReport, float, float]


def measure(seed: int, folder: Path) -> Row:
    """What Yosys, the circuit and the law say of a network, and the seconds of both estimates."""
    network = random_classifier(seed)
    project = write_rtl(network, folder / str(seed) / "rtl", interface="parallel", whatever_size=True)
    synthesized = synthesize(project, "xc7")
    start = time.perf_counter()
    built = estimate_rtl(network, build=True)
    middle = time.perf_counter()
    law = estimate_rtl(network, build=False)
    shape = [network.n_in, *(layer.n_out for layer in network.layers)]
    print(
        f"{seed:>5} {'-'.join(map(str, shape)):<18} {network.nonzeros:>5} "
        f"{synthesized.lut:>6} {built.lut:>6} {built.lut / synthesized.lut - 1:>+6.0%} "
        f"{law.lut:>6} {law.lut / synthesized.lut - 1:>+6.0%} "
        f"{synthesized.ff:>6} {built.ff:>6} {built.ff / synthesized.ff - 1:>+6.1%} "
        f"{project.latency_cycles:>4} {built.latency_cycles:>4}",
        flush=True,
    )
    return synthesized, built, law, middle - start, time.perf_counter() - middle


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


def summary(label: str, errors: list[float]) -> None:
    """Print how far estimates are off."""
    off = [abs(error) for error in errors]
    within = sum(each <= GOAL for each in off)
    print(
        f"LUT by {label}: mean absolute error {statistics.mean(off):.1%}, median {statistics.median(errors):+.1%}, "
        f"{within} of {len(off)} within {GOAL:.0%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=200)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    estimate_rtl(random_classifier(arguments.seed), build=True)  # compiles da4ml's code
    print(" seed shape              nonz.    LUT  built         law             FF  built        cycles")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.cache or Path(temporary)
        rows = [measure(arguments.seed + index, folder) for index in range(arguments.networks)]
    summary("the circuit", [built.lut / real.lut - 1 for real, built, *_ in rows])
    summary("the law", [law.lut / real.lut - 1 for real, _, law, *_ in rows])
    ff = [abs(built.ff / real.ff - 1) for real, built, *_ in rows]
    exact = sum(real.latency_cycles == built.latency_cycles for real, built, *_ in rows)
    print(f"FF by the circuit: mean absolute error {statistics.mean(ff):.1%}; latency: {exact} of {len(rows)} exact")
    print(
        f"seconds, median: circuit {statistics.median(row[3] for row in rows):.3f}, "
        f"law {statistics.median(row[4] for row in rows):.4f}"
    )
    network = large_network()
    times = []
    for _ in range(20):
        start = time.perf_counter()
        report = estimate_rtl(network)
        times.append(time.perf_counter() - start)
    weights = sum(layer.weight.size for layer in network.layers)
    print(
        f"{weights:,} weights: {1000 * statistics.median(times):.1f} ms by {report.tool} "
        f"(goal: {1000 * GOAL_S:.0f} ms), {report.lut:,} LUT"
    )


if __name__ == "__main__":
    main()
