"""Reports of HLS synthesis, Vivado HLS 2018 to Vitis HLS 2024: `csynth.xml`, `TOP_csynth.rpt` and `csynth.rpt`."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from qap.errors import ReportError
from qap.hardware.resources import ResourceReport
from qap.hardware.vendor.text import Row, count, cut, cycles, decimal, field, headed, megahertz, rows, section

RESOURCES = {"LUT": "lut", "FF": "ff", "DSP": "dsp", "DSP48E": "dsp", "BRAM_18K": "bram18", "URAM": "uram"}
"""Their names in HLS reports; Vitis HLS writes DSP where Vivado HLS wrote DSP48E."""
NEEDED = ("lut", "ff", "dsp", "bram18")


def read_xml(text: str, name: str) -> ResourceReport:
    """Read a `csynth.xml`.

    Args:
        text: its content.
        name: of the file, for errors.

    Raises:
        ReportError: it is cut, no report of HLS, or declares entities.
    """
    if re.search(r"<!\s*(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ReportError(f"{name} declares a document type, which no report does; it is not read")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ReportError(f"{name} is cut or damaged: {error}") from error
    if root.tag != "profile":
        raise ReportError(f"{name} is not a report of HLS: it begins with <{root.tag}>, not <profile>")

    def value(path: str) -> str:
        return (root.findtext(path) or "").strip()

    used = root.find("AreaEstimates/Resources")
    if used is None:
        raise cut(name, "AreaEstimates/Resources")
    taken = {RESOURCES[cell.tag]: count(cell.text or "") for cell in used if cell.tag in RESOURCES}
    family = "Vivado" if used.find("DSP48E") is not None else "Vitis"
    overall = "PerformanceEstimates/SummaryOfOverallLatency"
    if root.find(overall) is None:
        raise cut(name, overall)
    return ResourceReport(
        source="csynth",
        tool=f"{family} HLS {value('ReportVersion/Version')}".strip(),
        part=value("UserAssignments/Part"),
        design=value("UserAssignments/TopModelName"),
        latency_cycles=cycles(value(f"{overall}/Worst-caseLatency")),
        ii_cycles=cycles(value(f"{overall}/Interval-max")),
        clock_ns=decimal(value("UserAssignments/TargetClockPeriod")),
        fmax_mhz=megahertz(decimal(value("PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"))),
        **_complete(name, taken),
    )


def read_module_text(text: str, name: str) -> ResourceReport:
    """Read the report of one function, `TOP_csynth.rpt`.

    Args:
        text: its content.
        name: of the file, for errors.

    Raises:
        ReportError: it is cut.
    """
    lines = text.splitlines()
    title = re.search(r"== (Vivado|Vitis) HLS Report for '([^']+)'", text)
    if title is None:
        raise cut(name, "title")
    clocks = [row for row in rows(section(lines, "+ Timing", "+ Latency")) if len(row) == 4 and decimal(row[1])]
    if not clocks:
        raise cut(name, "clock in its Timing summary")
    latency = [row for row in rows(section(lines, "+ Latency", "+ Detail")) if len(row) >= 5 and _is_latency(row)]
    if not latency:
        raise cut(name, "Latency summary")
    table = list(rows(section(lines, "== Utilization Estimates", "+ Detail")))
    total = next((row for row in table if row[0] == "Total"), None)
    if total is None or len(total) != len(table[0]):
        raise cut(name, "Total in its Utilization Estimates")
    taken = {
        RESOURCES[column]: count(cell) for column, cell in zip(table[0], total, strict=True) if column in RESOURCES
    }
    return ResourceReport(
        source="csynth",
        tool=f"{title[1]} HLS {_version(lines)}",
        part=field(lines, "Target device") or "",
        design=title[2],
        latency_cycles=cycles(latency[0][1]),
        ii_cycles=cycles(latency[0][-2]),
        clock_ns=decimal(clocks[0][1]),
        fmax_mhz=megahertz(decimal(clocks[0][2])),
        **_complete(name, taken),
    )


def read_summary_text(text: str, name: str) -> ResourceReport:
    """Read the summary of a whole synthesis by Vitis HLS, `csynth.rpt`: its first module is the top; it has no clock.

    Args:
        text: its content.
        name: of the file, for errors.

    Raises:
        ReportError: it is cut.
    """
    lines = text.splitlines()
    title = re.search(r"== Synthesis Summary Report of '([^']+)'", text)
    table = [row for row in rows(section(lines, "Performance & Resource Estimates", "=====")) if len(row) > 8]
    top = next((row for row in table if row[0].startswith("+")), None)
    if title is None or top is None or len(table[0]) != len(top):
        raise cut(name, "row of the top function in its Performance & Resource Estimates")
    columns = headed([row for row in table if len(row) == len(top)], 2)
    cells = dict(zip(columns, top, strict=True))
    names = {"bram": "bram18", "dsp": "dsp", "ff": "ff", "lut": "lut", "uram": "uram"}
    return ResourceReport(
        source="csynth",
        tool=f"Vitis HLS {_version(lines)}",
        part=field(lines, "Target device") or "",
        design=title[1],
        latency_cycles=cycles(cells.get("latency(cycles)", "")),
        ii_cycles=cycles(cells.get("interval", "")),
        **_complete(name, {names[column]: count(cell) for column, cell in cells.items() if column in names}),
    )


def _version(lines: list[str]) -> str:
    return (field(lines, "Version") or "").partition(" ")[0]


def _is_latency(row: Row) -> bool:
    """Whether it is the row of numbers: min, max (each also in time since 2019.2), interval min, max, kind."""
    return all(cell.isdecimal() or cell in ("?", "-", "undef") for cell in (row[0], row[1], row[-3], row[-2]))


def _complete(name: str, taken: dict[str, int | None]) -> dict[str, int | None]:
    """What a design takes, if the report says all that is needed."""
    missing = [kind for kind in NEEDED if taken.get(kind) is None]
    if missing:
        raise cut(name, f"number for {missing[0].upper()}")
    return taken
