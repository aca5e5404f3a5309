"""The engine that runs a synthesized netlist: what was counted is what is proven."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy.typing as npt

from qap.errors import ToolMissing
from qap.fixed import IntArray
from qap.hardware.rtl import RtlOptions, RtlProject, load_project, write_rtl
from qap.hardware.rtl.engine import simulate
from qap.hardware.rtl.simulate import missing_simulator
from qap.hardware.synthesis.yosys import CELL_MODELS, checked_target, synthesis_folder, synthesize
from qap.hardware.tools import Tell, silent, yosys, yosys_share
from qap.network import IntegerNetwork


class NetlistEngine:
    """Runs the synthesized netlist of a network's core in Verilator, with Yosys' own models of the cells.

    Args:
        project: the generated RTL; None generates and synthesizes the core for each network that is run.
        target: what it is synthesized for.
        progress: told what is being done.
    """

    name = "netlist"

    def __init__(self, project: RtlProject | None = None, *, target: str = "xc7", progress: Tell = silent) -> None:
        self._project = project
        self._target = target
        self._progress = progress

    @classmethod
    def load(cls, folder: str | Path, *, target: str = "xc7") -> NetlistEngine:
        """The engine of the RTL project in a folder, synthesized for a target."""
        return cls(load_project(folder), target=target)

    def available(self) -> str | None:
        """What is missing, in one line, or None."""
        try:
            yosys()
        except ToolMissing as error:
            return str(error)
        return missing_simulator()

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """Logits (n, n_out), in LSBs of the output format, of integer samples (n, n_in)."""
        if self._project is not None:
            return simulate_netlist(self._project, network, x_int, target=self._target, progress=self._progress)
        with tempfile.TemporaryDirectory(prefix="qap-") as folder:
            options = RtlOptions(interface="parallel", family=checked_target(self._target), any_size=True)
            project = write_rtl(network, Path(folder) / "rtl", options)
            return simulate_netlist(
                project, network, x_int, target=self._target, progress=self._progress, cache=Path(folder)
            )


def simulate_netlist(
    project: RtlProject,
    network: IntegerNetwork,
    x_int: npt.NDArray[Any],
    *,
    target: str = "xc7",
    progress: Tell = silent,
    cache: Path | None = None,
) -> IntArray:
    """The logits that the synthesized core computes: what was counted is what is proven.

    Args:
        project: the generated RTL; it is synthesized if it has not been yet.
        network: the network that it was generated from.
        x_int: integer samples (n, n_in).
        target: what it is synthesized for.
        progress: told what is being done.
        cache: where simulators are kept; None is the user's cache.

    Raises:
        QapError: the project belongs to another network.
        ToolFailed: synthesis or simulation failed.
    """
    family = checked_target(target)
    synthesize(project, family, progress=progress)
    netlist = synthesis_folder(project, family, "core") / "netlist.v"
    cells = yosys_share() / CELL_MODELS[family] / "cells_sim.v"
    return simulate(project, network, x_int, sources=[netlist, cells], progress=progress, cache=cache)
