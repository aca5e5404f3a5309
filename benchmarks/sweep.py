"""What a second process gives a sweep: the built-in sweep of 12 trainings with one and with two jobs.

    python benchmarks/sweep.py [--sweep qat-mnist-1v9] [--rounds 1]

Every round runs the whole sweep with `--jobs 1` and then with `--jobs 2`, each into a new folder, start-up of the
workers included. Medians and their ratio are printed and stored. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from stored import add_out, store

from qap.explore.sweep import LocalProcesses, Sweep, load_sweep, run_sweep

GOAL = 1.7


def seconds(sweep: Sweep, jobs: int) -> float:
    """Wall time of a sweep into a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with LocalProcesses(jobs) as executor:
            records = run_sweep(sweep, Path(folder) / "sweep", executor)
        failed = [record["error"] for record in records if record["error"] is not None]
        if failed:
            raise SystemExit(f"a point failed: {failed[0]}")
        return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweep", default="qat-mnist-1v9")
    parser.add_argument("--rounds", type=int, default=1)
    add_out(parser)
    arguments = parser.parse_args()
    sweep = load_sweep(arguments.sweep)
    found: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(arguments.rounds):
        for jobs, times in found.items():
            times.append(seconds(sweep, jobs))
            print(f"{sweep.name}, {sweep.size} points, --jobs {jobs}: {times[-1]:.1f} s", flush=True)
    ratio = statistics.median(found[1]) / statistics.median(found[2])
    content = {"sweep": sweep.name, "points": sweep.size, "seconds_by_jobs": found, "ratio_of_medians": ratio}
    store(f"sweep-{sweep.name}", content, arguments.out)
    print(f"two jobs are {ratio:.2f} times as fast as one (goal: at least {GOAL})")
    return int(ratio < GOAL)


if __name__ == "__main__":
    raise SystemExit(main())
