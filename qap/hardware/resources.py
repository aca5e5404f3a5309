"""What a design takes: reports, and whether they fit a device."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from qap.descriptions import Description, read_description
from qap.errors import QapError
from qap.files import write_text
from qap.hardware.devices import COUNTED, DEVICES, Device, find_device

RESOURCE_NAMES = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM18",
    "uram": "URAM",
    "latency_cycles": "latency (cycles)",
    "ii_cycles": "II (cycles)",
    "fmax_mhz": "fastest clock (MHz)",
}
"""Fields of a `ResourceReport`, as people name them."""
COUNTS = ("lut", "ff", "dsp", "bram18")
"""The counts that every tool reports."""
AMOUNTS = (*COUNTS, "latency_cycles", "ii_cycles")
"""What estimators and HLS reports say of a design."""
SOURCE_NAMES = {
    "csynth": "in the HLS report",
    "yosys": "after Yosys' synthesis",
    "nextpnr": "after nextpnr's routing",
    "vivado_synth": "after Vivado's synthesis",
    "vivado_route": "after Vivado's routing",
}
"""Where the numbers of a report come from, and the stages of estimates, as people name them."""
Source = Literal["estimate", "yosys", "nextpnr", "csynth", "vivado_synth", "vivado_route"]

Amount = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class ResourceReport:
    """What a design takes; None is "not measured", never 0.

    Args:
        source: what kind of tool says so.
        tool: its name and version.
        part: the device or family.
        design: the module that was measured.
        lut: LUTs as the vendor counts them: logic, shift registers and memories together.
        lut_shift: of these, LUTs used as shift registers.
        lut_memory: of these, LUTs used as memory.
        ff: flip-flops.
        carry: carry blocks (CARRY4, CARRY8, LOOKAHEAD8, CCU2C, SB_CARRY).
        dsp: DSP blocks.
        bram18: block RAMs of 18 kbit (16 kbit on ECP5, 4 kbit on iCE40).
        uram: UltraRAMs.
        latency_cycles: cycles from an input to its output.
        ii_cycles: cycles from one input to the next.
        clock_ns: the clock that was asked for.
        fmax_mhz: the fastest clock.
        power_w: total power.
    """

    __pydantic_config__ = Description.model_config

    source: Source
    tool: str
    part: str
    design: str = ""
    lut: Amount | None = None
    lut_shift: Amount | None = None
    lut_memory: Amount | None = None
    ff: Amount | None = None
    carry: Amount | None = None
    dsp: Amount | None = None
    bram18: Amount | None = None
    uram: Amount | None = None
    latency_cycles: Amount | None = None
    ii_cycles: Amount | None = None
    clock_ns: float | None = None
    fmax_mhz: float | None = None
    power_w: float | None = None

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_text(path, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> ResourceReport:
        """Read what `save` wrote.

        Raises:
            DataError: the file is missing or damaged.
        """
        remedy = "; delete it, and it is measured again"
        return read_description(path, cls, missing=f"there is no report {path}", remedy=remedy)


def resource_names(*fields: str) -> dict[str, str]:
    """Some of `RESOURCE_NAMES`, in the order of the fields."""
    return {name: RESOURCE_NAMES[name] for name in fields}


def shortfalls(report: ResourceReport, device: Device) -> Iterator[str]:
    """What does not fit, each with the numbers."""
    for kind in COUNTED:
        has, needs = getattr(device, kind), getattr(report, kind)
        if needs is not None and needs > has:
            over = f"{needs / has:.1f} times as many" if has else "but has none"
            yield f"{needs:,} {kind.upper()} of {has:,} ({over})"


def fits(report: ResourceReport, part: str) -> bool:
    """Whether a design fits a part."""
    return not list(shortfalls(report, find_device(part)[1]))


def check_fits(report: ResourceReport, part: str) -> None:
    """Refuse a design that does not fit.

    Raises:
        QapError: it says by how much, and which device would do.
    """
    name, device = find_device(part)
    missing = list(shortfalls(report, device))
    if not missing:
        return
    larger = [
        other for other, content in DEVICES.items()
        if content.family == device.family and not list(shortfalls(report, content))
    ]  # fmt: skip
    smallest = min(larger, key=lambda other: DEVICES[other].lut, default=None)
    advice = f"take {smallest}, or fewer bits" if smallest else "prune it or use fewer bits"
    raise QapError(f"{report.design or 'the design'} does not fit {name}: it needs {'; '.join(missing)}; {advice}")
