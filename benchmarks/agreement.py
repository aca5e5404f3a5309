"""Do all engines agree? Random networks of every kind, as many as one likes.

    python benchmarks/agreement.py --networks 1000
    python benchmarks/agreement.py --networks 50 --engines emulator,rtl,netlist

Prints networks, vectors and mismatches of every pair while it runs; ends with exit code 1 if any pair ever parted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from qap.hardware.engines import NetlistEngine, RtlEngine
from qap.verify import EmulatorEngine, Engine, adversarial_vectors, agree

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "hardware"))
from any_network import random_network

ENGINES: dict[str, Callable[[], Engine]] = {
    "emulator": EmulatorEngine,
    "rtl": RtlEngine,
    "netlist": NetlistEngine,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument(
        "--vectors", type=int, default=500, help="random vectors of each network, beside adversarial ones"
    )
    parser.add_argument("--seed", type=int, default=0, help="network i has the seed SEED + i")
    parser.add_argument("--engines", default="emulator,rtl", help=f"of {','.join(ENGINES)}")
    parser.add_argument("--max-inputs", type=int, default=16)
    parser.add_argument("--max-units", type=int, default=8)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.engines.split(",") if name not in ENGINES]
    if unknown:
        parser.error(f"no engine {unknown[0]!r}; there are: {', '.join(ENGINES)}")
    engines = [ENGINES[name]() for name in arguments.engines.split(",")]
    missing = {engine.name: why for engine in engines if (why := engine.available()) is not None}
    if missing or len(engines) < 2:
        parser.error("; ".join(f"{name}: {why}" for name, why in missing.items()) or "two engines are needed")

    start, vectors, mismatches = time.monotonic(), 0, Counter[str]()
    for index in range(arguments.networks):
        seed = arguments.seed + index
        rng = np.random.default_rng(seed)
        network = random_network(rng, max_inputs=arguments.max_inputs, max_units=arguments.max_units)
        form = network.input_format
        random = rng.integers(form.min_int, form.max_int, (arguments.vectors, network.n_in), endpoint=True)
        x = np.concatenate([adversarial_vectors(form, network.n_in, seed), random])
        vectors += len(x)
        for found in agree(engines, network, x, f"seed {seed}"):
            mismatches[f"{found.engine_a} == {found.engine_b}"] += found.mismatches
            if not found.exact:
                print(found, flush=True)
        if (index + 1) % 10 == 0 or index + 1 == arguments.networks:
            pairs = ", ".join(f"{pair}: {count} mismatches" for pair, count in sorted(mismatches.items()))
            print(f"{index + 1} networks, {vectors:,} vectors, {time.monotonic() - start:.0f} s; {pairs}", flush=True)
    return 1 if any(mismatches.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
