"""One random network in all engines of a run: it becomes a small run of its own, and their table makes them of it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from qap.errors import CheckFailed, NotExact
from qap.fixed import IntArray
from qap.flow.engines import make_engine
from qap.hardware.hls import write_project
from qap.hardware.rtl import RtlOptions, write_rtl
from qap.network import IntegerNetwork, save_network
from qap.network.coverage import row_vectors
from qap.quiet import quiet_stderr
from qap.recipe import TargetRecipe, load_recipe
from qap.run import HLS, NETWORK, RTL, STUDENT, RunDirectory
from qap.run.engines import ENGINES
from qap.verification import adversarial_vectors, agree

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.any_network import random_network
from support.table_networks import random_table_network

AXIS_WIDTHS = (8, 16, 32, 64)
STAGE_DEPTHS: tuple[int | Literal["auto"], ...] = ("auto", 1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Draw:
    """Which networks are drawn and what is asked of them.

    Args:
        engines: names out of `ENGINES`.
        vectors: random vectors of each network, beside adversarial ones.
        max_inputs: of a network, at most.
        max_units: of a layer, at most.
        tables: the share of networks of truth tables.
    """

    engines: tuple[str, ...]
    vectors: int
    max_inputs: int
    max_units: int
    tables: float

    def network(self, seed: int, rng: np.random.Generator) -> IntegerNetwork:
        """A random network; Keras has no staircases."""
        if np.random.default_rng((seed, 1)).random() < self.tables:
            return random_table_network(rng, max_inputs=max(2, self.max_inputs), max_units=max(2, self.max_units))
        activations = ("linear", "relu") if "keras" in self.engines else ("linear", "relu", "steps")
        return random_network(rng, max_inputs=self.max_inputs, max_units=self.max_units, activations=activations)


def compare(draw: Draw, seed: int) -> dict[str, Any]:
    """The agreement of all engines on the network of a seed, as JSON-like content.

    `mismatches` counts them by pair, `failed` says what else is wrong, `refused` which engine takes no such network.
    """
    rng = np.random.default_rng(seed)
    network = draw.network(seed, rng)
    form = network.input_format
    random = rng.integers(form.min_int, form.max_int, (draw.vectors, network.n_in), endpoint=True)
    x = np.concatenate([adversarial_vectors(form, network.n_in, seed), row_vectors(network, seed), random])
    found: dict[str, Any] = {"seed": seed, "vectors": len(x), "mismatches": {}, "failed": [], "refused": None}
    with tempfile.TemporaryDirectory(prefix="qap-agreement-") as folder, _own_builds():
        try:
            run = _run_of(network, Path(folder), draw.engines, x, rng)
            engines = [make_engine(run, name) for name in draw.engines]
            agreements = agree(engines, network, x, f"seed {seed}")
        except CheckFailed as error:
            return {**found, "failed": [str(error)]}
        except NotExact as error:
            return {**found, "refused": str(error)}
    found["mismatches"] = {f"{each.engine_a} == {each.engine_b}": each.mismatches for each in agreements}
    found["failed"] = [str(each) for each in agreements if not each.exact]
    return found


def _run_of(
    network: IntegerNetwork, folder: Path, engines: Sequence[str], x_int: IntArray, rng: np.random.Generator
) -> RunDirectory:
    """A run with the files that engines read, made of a network instead of a training."""
    run = RunDirectory(folder, load_recipe("digits").override(["rtl.enabled=true"]))
    save_network(network, run.file(NETWORK))
    width, depth = int(rng.choice(AXIS_WIDTHS)), STAGE_DEPTHS[rng.integers(len(STAGE_DEPTHS))]
    options = RtlOptions(axis_width=width, stage_depth=depth, any_size=True)
    makers: dict[str, Callable[[Path], object]] = {
        STUDENT: lambda path: _save_twin(network, path),
        HLS: lambda path: write_project(network, path, name="any", target=TargetRecipe(), x_int=x_int),
        RTL: lambda path: write_rtl(network, path, options, test_vectors=x_int[:1]),
    }
    read = {name for engine in engines for name in ENGINES[engine].reads}
    for name, make in makers.items():
        if name in read:
            make(run.file(name))
    return run


def _save_twin(network: IntegerNetwork, path: Path) -> None:
    """The Keras model that freezes into a network."""
    with quiet_stderr():
        from support.keras_twin import keras_twin

        from qap.training.networks import save_model
    save_model(keras_twin(network), path)


@contextmanager
def _own_builds() -> Iterator[None]:
    """Remove what is built for one network; what all of them share stays."""
    builds = Path(os.environ["QAP_CACHE_DIR"]) / "builds"
    before = set(builds.iterdir()) if builds.is_dir() else None
    yield
    for folder in builds.iterdir() if before else ():
        if folder not in before:
            shutil.rmtree(folder, ignore_errors=True)
