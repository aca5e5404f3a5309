"""Reports of Vivado: utilisation (`report_utilization`) and timing (`report_timing_summary`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qap.errors import ReportError
from qap.hardware.vendor.text import count, cut, decimal, field, megahertz, rows, underlined
from qap.resources import ResourceReport, Source

STATES = {"synth": "vivado_synth", "optimized": "vivado_synth", "plac": "vivado_route", "rout": "vivado_route"}
"""By what the report's `Design State` holds: Synthesized, Optimized, Fully Placed, Physopt postRoute, Routed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a timing summary says.

    Args:
        tool: Vivado and its version.
        part: the device, with its `xc` and without its speed grade.
        design: the top.
        source: whether it was made after synthesis or after routing; None where the report does not tell.
        clock_ns: the period of the clock with the least slack.
        wns_ns: its worst slack.
    """

    tool: str
    part: str
    design: str
    source: Source | None
    clock_ns: float
    wns_ns: float

    @property
    def fmax_mhz(self) -> float | None:
        """The fastest clock that would leave no negative slack."""
        return megahertz(self.clock_ns - self.wns_ns)


def read_utilization(text: str, name: str) -> ResourceReport:
    """Read the report of `report_utilization`.

    Args:
        text: its content.
        name: of the file, for errors.

    Raises:
        ReportError: it is cut, or of a hierarchy only.
    """
    lines = text.splitlines()
    logic = _table(lines, "Slice Logic") or _table(lines, "CLB Logic")
    memory = _table(lines, "Memory") or _table(lines, "BLOCKRAM")
    blocks = _table(lines, "DSP") or _table(lines, "ARITHMETIC")
    if not logic:
        raise cut(name, "table of Slice Logic or CLB Logic")
    if not memory or not blocks:
        raise cut(name, f"table of {'DSP' if memory else 'Memory'}")
    state = field(lines, "Design State")
    if state is None:
        raise cut(name, "Design State")
    tiles = decimal(_cell(memory, ("Block RAM Tile",), name))
    return ResourceReport(
        source=_source(state) or "vivado_synth",
        tool=f"{_tool(lines)}, {state.lower()}",
        part=_part(lines),
        design=field(lines, "Design") or "",
        lut=_number(logic, ("Slice LUTs", "CLB LUTs"), name),
        lut_shift=count(logic.get("LUT as Shift Register", "")),
        lut_memory=count(logic.get("LUT as Distributed RAM", "")),
        ff=_number(logic, ("Slice Registers", "CLB Registers"), name),
        carry=count(logic.get("CARRY8", "")),
        dsp=_number(blocks, ("DSPs", "DSP Slices"), name),
        bram18=None if tiles is None else round(2 * tiles),
        uram=count(memory.get("URAM", "0")),
    )


def read_timing(text: str, name: str) -> Timing:
    """Read the report of `report_timing_summary`.

    Args:
        text: its content.
        name: of the file, for errors.

    Raises:
        ReportError: it is cut, or no clock is constrained.
    """
    lines = text.splitlines()
    periods = {row[0]: float(row[-2]) for row in _columns(lines, "Clock Summary") if decimal(row[-2])}
    slacks = {row[0]: decimal(row[1]) for row in _columns(lines, "Intra Clock Table") if len(row) > 1}
    known = [(slack, periods[clock]) for clock, slack in slacks.items() if slack is not None and clock in periods]
    if not any("Design Timing Summary" in line for line in lines):
        raise cut(name, "Design Timing Summary")
    if not known:
        raise ReportError(f"{name} has no clock with a slack: it is cut, or the design has no clock constraint")
    slack, period = min(known)
    state = field(lines, "Design State") or field(lines, "Command") or name
    return Timing(_tool(lines), _part(lines), field(lines, "Design") or "", _source(state), period, slack)


def _table(lines: list[str], title: str) -> dict[str, str]:
    """What a section's `Site Type` table says is used, by the name of the site."""
    used: dict[str, str] = {}
    column = None
    for row in rows(underlined(lines, title)):
        if row[0] == "Site Type" and "Used" in row:
            column = row.index("Used")
        elif column is not None and len(row) > column:
            used.setdefault(row[0].rstrip("*"), row[column])
    return used


def _cell(table: dict[str, str], names: tuple[str, ...], report: str) -> str:
    for name in names:
        if name in table:
            return table[name]
    raise cut(report, f"row {' or '.join(names)}")


def _number(table: dict[str, str], names: tuple[str, ...], report: str) -> int:
    number = count(_cell(table, names, report))
    if number is None:
        raise cut(report, f"number for {' or '.join(names)}")
    return number


def _columns(lines: list[str], title: str) -> list[list[str]]:
    """The rows of a table in columns of blanks, below the rule of its header."""
    start = next((at for at, line in enumerate(lines) if line.strip() == f"| {title}"), None)
    if start is None:
        return []
    found: list[list[str]] = []
    body = False
    for line in lines[start + 3 :]:
        cells = line.split()
        if cells and all(set(cell) == {"-"} for cell in cells) and len(cells) > 1:
            body = True
        elif body and not cells:
            break
        elif body:
            found.append(_without_waveform(line).split())
    return found


def _without_waveform(line: str) -> str:
    return re.sub(r"\{[^}]*\}", " ", line)


def _source(state: str) -> Source | None:
    for part, source in STATES.items():
        if part in state.lower():
            return source  # type: ignore[return-value]
    return None


def _tool(lines: list[str]) -> str:
    version = re.search(r"Vivado v\.(\S+)", field(lines, "Tool Version") or "")
    return f"Vivado {version[1]}" if version else "Vivado"


def _part(lines: list[str]) -> str:
    device = field(lines, "Device") or ""
    return f"xc{device}" if device[:1].isdecimal() else device
