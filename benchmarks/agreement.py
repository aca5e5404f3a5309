"""Do all engines agree? Random networks of every kind, as many as one likes.

    python benchmarks/agreement.py --networks 1000
    python benchmarks/agreement.py --networks 50 --engines keras,emulator,csim,rtl,netlist

With keras all activations are linear or ReLU: it has no staircases.
Prints networks, vectors and mismatches of every pair while it runs, and stores them under the names of the engines;
ends with exit code 1 if any pair ever parted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from stored import add_out, store

from qap.fixed import IntArray
from qap.hardware.hls import CsimEngine, write_project
from qap.hardware.rtl import RtlEngine
from qap.hardware.synthesis import NetlistEngine
from qap.network import IntegerNetwork
from qap.quiet import quiet_stderr
from qap.recipe import TargetRecipe
from qap.verification import EmulatorEngine, Engine, adversarial_vectors, agree

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.any_network import random_network


class TwinEngine(EmulatorEngine):
    """Keras, with a model that is built from each network."""

    name = "keras"

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits of the model."""
        with quiet_stderr():
            from support.keras_twin import keras_twin

            from qap.freezing import KerasEngine
        return KerasEngine(keras_twin(network)).run(network, x_int)

    def trace(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The layers of the model."""
        from support.keras_twin import keras_twin

        from qap.freezing import KerasEngine

        return KerasEngine(keras_twin(network)).trace(network, x_int)


class ProjectEngine:
    """hls4ml's C simulation, with a project that is written for each network."""

    name = "csim"

    def available(self) -> str | None:
        """None, or the one line that says what is missing."""
        return CsimEngine("").available()

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits of the project's C simulation."""
        with tempfile.TemporaryDirectory() as folder:
            project = write_project(network, Path(folder) / "hls", name="any", target=TargetRecipe(), x_int=x_int)
            return CsimEngine(project.folder, cache=Path(folder)).run(network, x_int)


ENGINES: dict[str, Callable[[], Engine]] = {
    "keras": TwinEngine,
    "emulator": EmulatorEngine,
    "csim": ProjectEngine,
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
    add_out(parser)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.engines.split(",") if name not in ENGINES]
    if unknown:
        parser.error(f"no engine {unknown[0]!r}; there are: {', '.join(ENGINES)}")
    engines = [ENGINES[name]() for name in arguments.engines.split(",")]
    missing = {engine.name: why for engine in engines if (why := engine.available()) is not None}
    if missing or len(engines) < 2:
        parser.error("; ".join(f"{name}: {why}" for name, why in missing.items()) or "two engines are needed")

    activations = ("linear", "relu") if "keras" in arguments.engines.split(",") else ("linear", "relu", "steps")
    start, vectors, mismatches = time.monotonic(), 0, Counter[str]()
    for index in range(arguments.networks):
        seed = arguments.seed + index
        rng = np.random.default_rng(seed)
        network = random_network(
            rng, max_inputs=arguments.max_inputs, max_units=arguments.max_units, activations=activations
        )
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
    found = {"networks": arguments.networks, "vectors": vectors, "mismatches": dict(sorted(mismatches.items()))}
    store(f"agreement-{arguments.engines.replace(',', '-')}", found, arguments.out)
    return 1 if any(mismatches.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
