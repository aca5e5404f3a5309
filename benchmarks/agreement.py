"""Do all engines agree? Random networks of every kind, as many as one likes.

    python benchmarks/agreement.py --networks 1000 --jobs 2
    python benchmarks/agreement.py --networks 200 --engines keras,emulator,csim,rtl,axis,netlist --jobs 2
    python benchmarks/agreement.py --networks 1000 --jobs 2 --resume

A share of the networks has layers of truth tables (--tables), with and without thresholds, 1 to 3 of them.
With keras all activations are linear or ReLU: it has no staircases. Streams get a random width, pipelines a random
depth.
Every network's result is a line of --records as soon as it is known; --resume goes on behind it. Networks, vectors and
mismatches of every pair are stored under the names of the engines; the exit code is 1 if any pair ever parted.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agreement_network import Draw, compare
from platformdirs import user_cache_dir
from stored import add_out, store

from qap.run.engines import ENGINES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--vectors", type=int, default=500, help="random vectors of each, beside adversarial ones")
    parser.add_argument("--seed", type=int, default=0, help="network i has the seed SEED + i")
    parser.add_argument("--engines", default="emulator,rtl,axis", help=f"of {','.join(ENGINES)}")
    parser.add_argument("--max-inputs", type=int, default=16)
    parser.add_argument("--max-units", type=int, default=8)
    parser.add_argument("--tables", type=float, default=0.2, help="the share of networks of truth tables")
    parser.add_argument("--jobs", type=int, default=1, help="networks at the same time")
    parser.add_argument("--records", type=Path, help="a line a network (runs/agreement-ENGINES.jsonl)")
    parser.add_argument("--resume", action="store_true", help="go on behind --records")
    add_out(parser)
    arguments = parser.parse_args()
    names = tuple(arguments.engines.split(","))
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        parser.error(f"no engine {unknown[0]!r}; there are: {', '.join(ENGINES)}")
    if len(names) < 2:
        parser.error("two engines are needed")
    draw = Draw(names, arguments.vectors, arguments.max_inputs, arguments.max_units, arguments.tables)
    name = f"agreement-{'-'.join(names)}"
    path = arguments.records or Path("runs") / f"{name}.jsonl"
    if path.exists() and not arguments.resume:
        parser.error(f"{path} is there already; --resume goes on behind it")

    done = read_records(path, draw)
    seeds = range(arguments.seed, arguments.seed + arguments.networks)
    start = time.monotonic()
    with path.open("a", encoding="utf-8") as file:
        for found in compared(draw, [seed for seed in seeds if seed not in done], arguments.jobs):
            done[found["seed"]] = found
            file.write(json.dumps(found) + "\n")
            file.flush()
            for line in found["failed"]:
                print(f"seed {found['seed']}: {line}", flush=True)
            if len(done) % 10 == 0:
                print(f"{len(done)} networks, {time.monotonic() - start:.0f} s", flush=True)
    results = summary([done[seed] for seed in seeds])
    print(json.dumps(results, indent=1))
    store(name, results, arguments.out)
    return 1 if results["failed"] else 0


def read_records(path: Path, draw: Draw) -> dict[int, dict[str, Any]]:
    """What earlier calls found, by seed; a line that was cut off is taken away.

    Raises:
        SystemExit: they asked something else.
    """
    header = json.dumps(asdict(draw)) + "\n"
    if not path.exists() or not path.stat().st_size:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header, encoding="utf-8")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines[0] != header:
        raise SystemExit(
            f"{path} was begun with {lines[0].strip()}, this is {header.strip()}; choose another --records"
        )
    if not lines[-1].endswith("\n"):
        lines.pop()
        path.write_text("".join(lines), encoding="utf-8")
    return {found["seed"]: found for found in map(json.loads, lines[1:])}


def compared(draw: Draw, seeds: list[int], jobs: int) -> Iterator[dict[str, Any]]:
    """The results of networks as they come, in processes that keep their builds for themselves."""
    with (
        tempfile.TemporaryDirectory(prefix="qap-agreement-") as cache,
        ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _prepare, (cache, draw)) as pool,
    ):
        waiting: list[Future[dict[str, Any]]] = [pool.submit(compare, draw, seed) for seed in seeds]
        try:
            yield from (future.result() for future in as_completed(waiting))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _prepare(cache: str, draw: Draw) -> None:
    os.environ["QAP_CACHE_DIR"] = str(Path(cache) / str(os.getpid()))
    os.environ.setdefault("YOWASP_CACHE_DIR", user_cache_dir("YoWASP", appauthor=False))  # filling it takes minutes
    compare(draw, 0)  # builds what all networks share


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Networks, vectors and mismatches of every pair, over all networks."""
    mismatches = Counter[str]()
    for each in found:
        mismatches.update(each["mismatches"])
    return {
        "networks": len(found),
        "compared": sum(bool(each["mismatches"]) for each in found),
        "vectors": sum(each["vectors"] for each in found if each["mismatches"]),
        "mismatches": dict(sorted(mismatches.items())),
        "refused": [each["refused"] for each in found if each["refused"]],
        "failed": [f"seed {each['seed']}: {line}" for each in found for line in each["failed"]],
    }


if __name__ == "__main__":
    sys.exit(main())
