"""A network in da4ml's own flow: its adder graphs, its pipeline, its Verilog (LGPL, imported only)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from da4ml.codegen import RTLModel
from da4ml.trace import FixedVariableArrayInput, HWConfig, comb_trace
from rtl_netlist import Netlist, synthesized

from qap.fixed import FixedPoint
from qap.network import IntegerNetwork

NAME = "peer"
LEVELS_OF_AN_ADDER = 2.0
"""About; where the search for a cutoff begins."""


class Peer(NamedTuple):
    """A pipeline of da4ml.

    Args:
        cutoff: adders in a stage, at most, as it was asked for.
        cycles: from an input to its output; the register in front of the first stage is not counted.
        netlist: of its Verilog.
    """

    cutoff: int
    cycles: int
    netlist: Netlist


def traced(network: IntegerNetwork) -> Any:
    """The network as da4ml's combinational logic, an adder being one step of delay as in its own flow."""
    inputs = FixedVariableArrayInput(network.n_in, HWConfig(1, -1, -1))
    values = inputs.quantize(*_kif(network.input_format))
    for layer in network.only_weighted("da4ml"):
        form = layer.result_format
        values = values @ (layer.weight * layer.weight_format.lsb) + layer.bias * layer.bias_format.lsb
        if layer.activation == "relu":
            values = values.relu(None, np.full(layer.n_out, form.fractional), _mode(form.rounding))
        elif layer.activation != "linear":
            raise SystemExit(f"layer {layer.name!r}: a staircase is not for da4ml")
        values = values.quantize(*_kif(form), _mode(form.overflow), _mode(form.rounding))
    return comb_trace(inputs, values)


def check_equal(logic: Any, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> None:
    """Compare da4ml's answers with the integer network's.

    Raises:
        SystemExit: they differ.
    """
    answers = logic.predict(x_int * network.input_format.lsb) / network.output_format.lsb
    wrong = int((answers != network.forward(x_int)).any(axis=1).sum())
    if wrong:
        raise SystemExit(f"da4ml answers {wrong} of {len(x_int)} vectors otherwise than the integer network")


def peer_at(logic: Any, levels: float, folder: Path) -> Peer:
    """The pipeline of the fewest cycles whose netlist is no deeper than so many levels; if none is, the flattest.

    Args:
        logic: what `traced` gave.
        levels: of the longest path that is allowed.
        folder: keeps what was synthesized.
    """
    best = _peer(logic, max(1, round(levels / LEVELS_OF_AN_ADDER)), folder)
    while best.netlist.levels > levels and best.cutoff > 1:
        best = _peer(logic, best.cutoff - 1, folder)
    found = best
    while found.netlist.levels <= levels and found.cycles > 1:
        best, found = found, _peer(logic, found.cutoff + 1, folder)
    return found if found.netlist.levels <= levels else best


def _peer(logic: Any, cutoff: int, folder: Path) -> Peer:
    place = folder / f"cutoff{cutoff}"
    model = RTLModel(logic, NAME, place, latency_cutoff=cutoff, print_latency=False)
    model.write()
    sources = [path for path in sorted((place / "src").glob("*.v")) if path.stem != f"{NAME}_wrapper"]
    # the tables' module reads a file that only designs with tables have
    sources += [path for path in sorted((place / "src" / "static").glob("*.v")) if path.stem != "lookup_table"]
    return Peer(cutoff, len(model._pipe.solutions), synthesized(sources, NAME, place / "yosys"))


def _kif(form: FixedPoint) -> tuple[int, int, int]:
    """Sign, bits before the point without the sign, bits behind it."""
    return int(form.signed), form.integer - form.signed, form.fractional


def _mode(mode: Any) -> str:
    return str(mode).removeprefix("AP_")
