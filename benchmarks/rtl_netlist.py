"""Verilog of any origin through the Yosys command line of the project: its cells, and its longest path in levels."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

from qap.hardware.circuit.wires import CARRY_BITS_PER_LEVEL
from qap.hardware.synthesis.yosys import SCRIPTS, SYNTHESIS_TIMEOUT_S, read_cells, report_of
from qap.hardware.tools import digest_of, run_tool, version_of, yosys

FAMILY = "xc7"
LEVELS = {"CARRY4": 4 / CARRY_BITS_PER_LEVEL, "MUXF7": 0.0, "MUXF8": 0.0}
"""Levels of cells; those that are not named, LUTs and inverters, are one."""
CLOCKED = ("FD", "SRL")


class Netlist(NamedTuple):
    """What Yosys made of some Verilog.

    Args:
        lut: LUTs, shift registers included.
        ff: flip-flops, without those that hold nothing but an input.
        ff_of_inputs: flip-flops that hold an input.
        levels: of the longest path between two registers or ports, a bit of a carry chain as in `CARRY_BITS_PER_LEVEL`.
    """

    lut: int
    ff: int
    ff_of_inputs: int
    levels: float


def synthesized(sources: Sequence[Path], top: str, folder: Path) -> Netlist:
    """Synthesize some Verilog, once for the same text."""
    key = digest_of([SCRIPTS[FAMILY], version_of(yosys()), top, *(path.read_bytes() for path in sources)])
    kept = folder / f"{key[:16]}.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for path in sources:
            shutil.copy(path, folder)
        script = [
            *(f"read_verilog {path.name}" for path in sources),
            SCRIPTS[FAMILY].format(top=top),
            "tee -q -o stat.json stat -json -tech xilinx",
            "write_json netlist.json",
        ]
        (folder / "synth.ys").write_text("\n".join(script) + "\n", encoding="utf-8")
        run_tool([yosys(), "-q", "-s", "synth.ys"], folder, timeout_s=SYNTHESIS_TIMEOUT_S)
        report = report_of(read_cells(folder / "stat.json", top), FAMILY, top, version_of(yosys()))
        module = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))["modules"][top]
        inputs = _of_inputs(module)
        found = Netlist(report.lut or 0, (report.ff or 0) - inputs, inputs, longest_path(module))
        kept.write_text(json.dumps(found._asdict()), encoding="utf-8")
    return Netlist(**json.loads(kept.read_text(encoding="utf-8")))


def longest_path(module: dict[str, Any]) -> float:
    """The levels of the longest path through a flat netlist."""
    drivers: dict[Any, str] = {}
    reads: dict[str, set[Any]] = {}
    for name, cell in module["cells"].items():
        if cell["type"].startswith(CLOCKED):
            continue
        ports: defaultdict[str, set[Any]] = defaultdict(set)
        for port, bits in cell["connections"].items():
            ports[cell["port_directions"][port]].update(bits)
        drivers.update(dict.fromkeys(ports["output"], name))
        reads[name] = ports["input"]
    before = {name: {drivers[bit] for bit in bits if bit in drivers} for name, bits in reads.items()}
    done: dict[str, float] = {}
    for name in TopologicalSorter(before).static_order():
        own = LEVELS.get(module["cells"][name]["type"], 1.0)
        done[name] = own + max((done[each] for each in before[name]), default=0.0)
    return max(done.values(), default=0.0)


def _of_inputs(module: dict[str, Any]) -> int:
    """Flip-flops whose data is an input."""
    ports = {bit for port in module["ports"].values() if port["direction"] == "input" for bit in port["bits"]}
    cells = [cell for cell in module["cells"].values() if cell["type"].startswith("FD")]
    return sum(cell["connections"]["D"][0] in ports for cell in cells)
