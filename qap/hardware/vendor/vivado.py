"""Reports of Vivado: utilisation (`report_utilization`) and timing (`report_timing_summary`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qap.errors import ReportError
from qap.hardware.resources import ResourceReport, Source
from qap.hardware.vendor.text import count, cut, decimal, field, megahertz, rows, underlined

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
    """Read the report of `report_utilization`, of the 7 series, UltraScale, UltraScale+ and Versal.

    Args:
        text: its content.
        name: of the file, for errors.

    Raises:
        ReportError: it is cut, or of a hierarchy only.
    """
    lines = text.splitlines()
    logic = _table(lines, "Slice Logic") or _table(lines, "CLB Logic") or _table(lines, "Netlist Logic")
    memory = _table(lines, "Memory") or _table(lines, "BLOCKRAM")
    blocks = _table(lines, "DSP") or _table(lines, "ARITHMETIC")
    if not logic and "-hier" in (field(lines, "Command") or ""):
        raise ReportError(f"{name} lists a hierarchy; make it with report_utilization without -hierarchical")
    if not logic:
        raise cut(name, "table of Slice Logic, CLB Logic or Netlist Logic")
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
        ff=_number(logic, ("Slice Registers", "CLB Registers", "Registers"), name),
        carry=count(logic.get("CARRY8") or logic.get("LOOKAHEAD8", "")),
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
    periods = _periods(lines)
    known = [(slack, periods[clock]) for clock, slack in _slacks(lines).items() if clock in periods]
    for title in ("Design Timing Summary", "Inter Clock Table"):  # the first and the last of what is read
        if not any(line.strip() == f"| {title}" for line in lines):
            raise cut(name, title)
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


def _periods(lines: list[str]) -> dict[str, float]:
    """The period of every clock."""
    cells = (re.sub(r"\{[^}]*\}", " ", line).split() for line in _body(lines, "Clock Summary")[1:])
    return {row[0]: period for row in cells if len(row) == 3 and (period := decimal(row[1]))}


def _slacks(lines: list[str]) -> dict[str, float]:
    """The worst slack of every clock that has paths; the columns of one that has none are blank."""
    body = _body(lines, "Intra Clock Table")
    if not body:
        return {}
    first, second = list(re.finditer(r"-+", body[0]))[:2]
    found = {}
    for line in body[1:]:
        name = line.split()[0]
        behind = max(first.end(), line.index(name) + len(name))
        slack = decimal(line[behind : second.end()])
        if slack is not None:
            found[name] = slack
    return found


def _body(lines: list[str], title: str) -> list[str]:
    """The rule under a table's header and the rows below it, of a table in columns of blanks."""
    start = next((at for at, line in enumerate(lines) if line.strip() == f"| {title}"), len(lines))
    rest = lines[start + 3 :]
    first = next((at for at, line in enumerate(rest) if line.strip() and set(line.strip()) == {"-", " "}), len(rest))
    last = next((at for at, line in enumerate(rest) if at > first and not line.strip()), len(rest))
    return rest[first:last]


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
