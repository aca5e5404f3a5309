"""Synthesis by Yosys, and its cells counted as the vendor counts them.

A LUT that works as a shift register or as memory is a LUT. An inverter that is left over is counted as
one as well, since nothing says that it will be absorbed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qap.errors import QapError, ReportError
from qap.hardware.devices import Family
from qap.hardware.resources import ResourceReport, check_fits
from qap.hardware.rtl import RtlProject
from qap.hardware.tools import Tell, digest_of, run_tool, silent, version_of, yosys
from qap.products import is_intact, made_folder

Module = Literal["core", "top"]
SYNTHESIS_TIMEOUT_S = 3600.0

SCRIPTS: dict[str, str] = {
    "xc7": "synth_xilinx -family xc7 -top {top} -flatten -noiopad -noclkbuf",
    "xcup": "synth_xilinx -family xcup -top {top} -flatten -noiopad -noclkbuf",
    "ecp5": "synth_ecp5 -top {top}",
    "ice40": "synth_ice40 -top {top}",
}
CELL_MODELS = {"xc7": "xilinx", "xcup": "xilinx", "ecp5": "ecp5", "ice40": "ice40"}

XILINX_LUTS = {**{f"LUT{n}": 1 for n in range(1, 7)}, "LUT6_2": 1, "INV": 1}
XILINX_SHIFT = {"SRL16": 1, "SRL16E": 1, "SRLC16": 1, "SRLC16E": 1, "SRLC32E": 1}
XILINX_MEMORY = {
    "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4, "RAM512X1S": 8, "RAM32X1D": 2, "RAM64X1D": 2,
    "RAM128X1D": 4, "RAM256X1D": 8, "RAM32M": 4, "RAM64M": 4, "RAM32M16": 8, "RAM64M8": 8, "ROM128X1": 2,
    "ROM256X1": 4, "ROM32X1": 1, "ROM64X1": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CellKinds:
    """Which cells of a family count as what, with how many each counts; a name that ends in * is a prefix."""

    lut: Mapping[str, int]
    shift: Mapping[str, int]
    memory: Mapping[str, int]
    ff: Mapping[str, int]
    carry: Mapping[str, int]
    dsp: Mapping[str, int]
    bram18: Mapping[str, int]
    uram: Mapping[str, int]
    wiring: frozenset[str]


_XILINX_KINDS = CellKinds(
    XILINX_LUTS, XILINX_SHIFT, XILINX_MEMORY, {"FD*": 1, "LD*": 1}, {"CARRY4": 1, "CARRY8": 1}, {"DSP48*": 1},
    {"RAMB18*": 1, "RAMB36*": 2}, {"URAM*": 1}, frozenset({"MUXF7", "MUXF8", "MUXF9", "BUFG"}),
)  # fmt: skip
CELL_KINDS: dict[str, CellKinds] = {
    "xc7": _XILINX_KINDS,
    "xcup": _XILINX_KINDS,
    "ecp5": CellKinds(
        {"LUT4": 1, "CCU2C": 2}, {}, {"TRELLIS_DPR16X4": 4}, {"TRELLIS_FF": 1}, {"CCU2C": 1}, {"MULT18X18D": 1},
        {"DP16KD": 1, "PDPW16KD": 1}, {}, frozenset({"PFUMX", "L6MUX21"}),
    ),
    "ice40": CellKinds(
        {"SB_LUT4": 1}, {}, {}, {"SB_DFF*": 1}, {"SB_CARRY": 1}, {"SB_MAC16": 1}, {"SB_RAM40_4K*": 1}, {}, frozenset()
    ),
}  # fmt: skip


def synthesis_folder(project: RtlProject, target: str, module: Module) -> Path:
    """Where the synthesis of a project goes."""
    return project.folder.parent / "synth" / f"{target}-{module}"


def synthesize(
    project: RtlProject,
    target: str,
    *,
    module: Module = "core",
    device: str | None = None,
    timeout_s: float = SYNTHESIS_TIMEOUT_S,
    progress: Tell = silent,
) -> ResourceReport:
    """Synthesize the core or the top of a project with Yosys and count its cells.

    The folder, with `netlist.v`, `netlist.json`, `yosys.log` and `report.json`, appears whole or not at all;
    while the Verilog, Yosys and the target are the same and nobody changed what lies there, it is not done again.

    Args:
        project: the generated RTL.
        target: xc7, xcup, ecp5 or ice40.
        module: "core", or "top" with the stream around it.
        device: the part that it must fit, None to only count.
        timeout_s: Yosys is ended after so many seconds.
        progress: told what is being done.

    Raises:
        QapError: the target is unknown, or the design does not fit the device.
        ToolFailed: Yosys failed or took too long.
        ToolMissing: Yosys is not installed.
    """
    family = checked_target(target)
    folder = synthesis_folder(project, target, module)
    program = yosys()
    sources = project.sources_for(family)[: None if module == "top" else 1]
    top = project.top if module == "top" else project.name
    key = digest_of([SCRIPTS[family], version_of(program), top, *(path.read_bytes() for path in sources)])
    if not is_done(folder, key):
        progress(f"Yosys synthesizes {top} for {family}")
        with made_folder(folder) as temporary:
            for path in sources:
                shutil.copy(path, temporary)
            script = _script(family, top, [path.name for path in sources])
            (temporary / "synth.ys").write_text(script, encoding="utf-8")
            run_tool(
                [program, "-q", "-l", "yosys.log", "-s", "synth.ys"], temporary, timeout_s=timeout_s, progress=progress
            )
            cells = read_cells(temporary / "stat.json", top)
            report = report_of(cells, family, top, version_of(program), project, of_core=module == "core")
            report.save(temporary / "report.json")
            (temporary / "digest").write_text(key, encoding="utf-8")
    report = ResourceReport.load(folder / "report.json")
    if device is not None:
        check_fits(report, device)
    return report


def checked_target(target: str) -> Family:
    """The target, if Yosys can synthesize for it here.

    Raises:
        QapError: it cannot.
    """
    if target not in SCRIPTS:
        raise QapError(f"no synthesis target {target!r}; there are: {', '.join(SCRIPTS)}")
    return target  # type: ignore[return-value]


def read_cells(path: Path, top: str) -> dict[str, int]:
    """How many cells of each kind, from `stat -json`.

    Raises:
        ReportError: the file is missing or not what Yosys writes.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        cells = content["modules"]["\\" + top]["num_cells_by_type"]
        return {str(kind): int(count) for kind, count in cells.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{path.name} is not the statistics of Yosys: {error!r}") from error


def report_of(
    cells: Mapping[str, int],
    family: Family,
    design: str,
    tool: str,
    project: RtlProject | None = None,
    *,
    of_core: bool = True,
) -> ResourceReport:
    """Count cells as the vendor counts them.

    Args:
        cells: how many of each kind.
        family: of the cells.
        design: the module.
        tool: its name and version.
        project: that was synthesized, for its clock.
        of_core: whether the latency and the II are those of the core; a stream around it has to be measured.

    Raises:
        ReportError: there is a cell of a kind that nobody has told how to count.
    """
    kinds = CELL_KINDS[family]

    def total(of: Mapping[str, int]) -> int:
        return sum(count * _counts(of, kind) for kind, count in cells.items())

    every = (kinds.lut, kinds.shift, kinds.memory, kinds.ff, kinds.carry, kinds.dsp, kinds.bram18, kinds.uram)
    wiring = kinds.wiring | {"$scopeinfo"}  # a remark of Yosys about flattened modules
    unknown = [kind for kind in cells if kind not in wiring and not any(_counts(of, kind) for of in every)]
    if unknown:
        raise ReportError(f"Yosys used cells that are not known for {family}: {', '.join(sorted(unknown))}")
    shift, memory = total(kinds.shift), total(kinds.memory)
    return ResourceReport(
        source="yosys",
        tool=tool,
        part=family,
        design=design,
        lut=total(kinds.lut) + shift + memory,
        lut_shift=shift,
        lut_memory=memory,
        ff=total(kinds.ff),
        carry=total(kinds.carry),
        dsp=total(kinds.dsp),
        bram18=total(kinds.bram18),
        uram=total(kinds.uram),
        latency_cycles=project.latency_cycles if project and of_core else None,
        ii_cycles=1 if project and of_core else None,
        clock_ns=project.clock_ns if project else None,
    )


def _counts(of: Mapping[str, int], kind: str) -> int:
    for name, count in of.items():
        if kind == name or (name.endswith("*") and kind.startswith(name[:-1])):
            return count
    return 0


def _script(family: Family, top: str, sources: list[str]) -> str:
    technology = " -tech xilinx" if CELL_MODELS[family] == "xilinx" else ""
    return "\n".join(
        [
            *(f"read_verilog {source}" for source in sources),
            SCRIPTS[family].format(top=top),
            f"tee -q -o stat.json stat -json{technology}",
            "write_json netlist.json",
            "write_verilog -noattr netlist.v",
            "",
        ]
    )


def is_done(folder: Path, key: str) -> bool:
    """Whether a folder holds, unchanged, what was made for this key."""
    try:
        return (folder / "digest").read_text(encoding="utf-8") == key and is_intact(folder)
    except (OSError, ValueError):
        return False
