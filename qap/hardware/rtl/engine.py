"""The engine that runs the core of generated Verilog."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import CheckFailed
from qap.fixed import IntArray
from qap.hardware.rtl.generate import write_rtl
from qap.hardware.rtl.options import RtlOptions
from qap.hardware.rtl.project import RtlProject, load_project
from qap.hardware.rtl.simulate import build, missing_simulator, run_core
from qap.hardware.tools import Tell, silent
from qap.network import IntegerNetwork

CORE_HARNESS = "simulate_core.cpp"


class RtlEngine:
    """Runs the Verilog of a network in Verilator.

    Args:
        project: the generated RTL; None generates the core for each network that is run.
        stage_depth: for a project made here.
    """

    name = "rtl"

    def __init__(self, project: RtlProject | None = None, *, stage_depth: int | None = None) -> None:
        self._project = project
        self._stage_depth = stage_depth

    @classmethod
    def load(cls, folder: str | Path) -> RtlEngine:
        """The engine of the project in a folder."""
        return cls(load_project(folder))

    def available(self) -> str | None:
        """What is missing, in one line, or None."""
        return missing_simulator()

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """Logits (n, n_out), in LSBs of the output format, of integer samples (n, n_in)."""
        if self._project is not None:
            return simulate(self._project, network, x_int)
        with tempfile.TemporaryDirectory(prefix="qap-") as folder:
            options = RtlOptions(interface="parallel", stage_depth=self._stage_depth or "auto", any_size=True)
            project = write_rtl(network, Path(folder) / "rtl", options)
            return simulate(project, network, x_int, cache=Path(folder))


def simulate(
    project: RtlProject,
    network: IntegerNetwork,
    x_int: npt.NDArray[Any],
    *,
    sources: Sequence[Path] | None = None,
    progress: Tell = silent,
    cache: Path | None = None,
) -> IntArray:
    """The logits that the core of a project computes.

    The class index that it gives must follow from its logits; anything else is an error.

    Args:
        project: the generated RTL.
        network: the network that it was generated from.
        x_int: integer samples (n, n_in).
        sources: other Verilog files of the same core (a netlist and its cells), None for the project's own.
        progress: told what is being done.
        cache: where simulators are kept; None is the user's cache.

    Raises:
        QapError: the project belongs to another network.
        CheckFailed: the class index contradicts the logits.
    """
    project.check_network(network)
    x_int = network.checked_input(x_int)
    program = build(sources or [project.core_source, *project.models], project.name, CORE_HARNESS, progress, cache)
    logits, classes = run_core(
        program, project.core_inputs(x_int), project.ports, project.latency_cycles, project.signed_logits
    )
    return consistent(network, logits, classes)


def consistent(network: IntegerNetwork, logits: IntArray, classes: IntArray) -> IntArray:
    """The logits, if the class indices (n,) that came with them follow from them.

    Raises:
        CheckFailed: one does not.
    """
    expected = network.decide(logits)
    if (expected != classes).any():
        sample = int(np.flatnonzero(expected != classes)[0])
        raise CheckFailed(
            f"the class index of sample {sample} is {classes[sample]}, but its logits {logits[sample].tolist()} "
            f"say {expected[sample]}"
        )
    return logits
