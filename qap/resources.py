"""What a design takes and what devices have: reports, a table of devices, and whether one fits the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from qap.errors import QapError, ReportError
from qap.files import write_text

Source = Literal["estimate", "yosys", "nextpnr", "csynth", "vivado_synth", "vivado_route"]
Family = Literal["xc7", "xcup", "ecp5", "ice40"]


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
        carry: carry blocks (CARRY4, CARRY8, CCU2C, SB_CARRY).
        dsp: DSP blocks.
        bram18: block RAMs of 18 kbit (16 kbit on ECP5, 4 kbit on iCE40).
        uram: UltraRAMs.
        latency_cycles: cycles from an input to its output.
        ii_cycles: cycles from one input to the next.
        clock_ns: the clock that was asked for.
        fmax_mhz: the fastest clock.
        power_w: total power.
    """

    source: Source
    tool: str
    part: str
    design: str = ""
    lut: int | None = None
    lut_shift: int | None = None
    lut_memory: int | None = None
    ff: int | None = None
    carry: int | None = None
    dsp: int | None = None
    bram18: int | None = None
    uram: int | None = None
    latency_cycles: int | None = None
    ii_cycles: int | None = None
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
            ReportError: the file is missing, cut short or of another kind.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(**content)
        except FileNotFoundError:
            raise ReportError(f"there is no report {path}") from None
        except (OSError, ValueError, TypeError) as error:
            raise ReportError(f"{path} is no resource report: {error}") from error


@dataclass(frozen=True, slots=True)
class Device:
    """What a device has; numbers from the vendors' product tables.

    Args:
        family: what Yosys synthesizes for.
        lut: 6-input LUTs (4-input on ECP5 and iCE40).
        ff: flip-flops.
        dsp: DSP blocks.
        bram18: block RAMs, in the unit of `ResourceReport.bram18`.
        uram: UltraRAMs.
    """

    family: Family
    lut: int
    ff: int
    dsp: int
    bram18: int
    uram: int = 0


DEVICES: dict[str, Device] = {
    "xc7a35t": Device("xc7", 20_800, 41_600, 90, 100),
    "xc7a100t": Device("xc7", 63_400, 126_800, 240, 270),
    "xc7a200t": Device("xc7", 134_600, 269_200, 740, 730),
    "xc7k325t": Device("xc7", 203_800, 407_600, 840, 890),
    "xc7z010": Device("xc7", 17_600, 35_200, 80, 120),
    "xc7z020": Device("xc7", 53_200, 106_400, 220, 280),
    "xc7z045": Device("xc7", 218_600, 437_200, 900, 1_090),
    "xczu3eg": Device("xcup", 70_560, 141_120, 360, 432),
    "xczu7ev": Device("xcup", 230_400, 460_800, 1_728, 624, 96),
    "xczu9eg": Device("xcup", 274_080, 548_160, 2_520, 1_824),
    "xcku5p": Device("xcup", 216_960, 433_920, 1_824, 960, 64),
    "xcvu9p": Device("xcup", 1_182_240, 2_364_480, 6_840, 4_320, 960),
    "LFE5U-25F": Device("ecp5", 24_288, 24_288, 28, 56),
    "LFE5U-45F": Device("ecp5", 43_848, 43_848, 72, 108),
    "LFE5U-85F": Device("ecp5", 83_640, 83_640, 156, 208),
    "iCE40HX1K": Device("ice40", 1_280, 1_280, 0, 16),
    "iCE40UP5K": Device("ice40", 5_280, 5_280, 8, 30),
    "iCE40HX8K": Device("ice40", 7_680, 7_680, 0, 32),
}
"""By the start of the part's name: `xc7z020clg400-1` is an `xc7z020`."""

DEFAULT_DEVICE: dict[Family, str] = {
    "xc7": "xc7z020",
    "xcup": "xczu7ev",
    "ecp5": "LFE5U-85F",
    "ice40": "iCE40HX8K",
}


def find_device(part: str) -> tuple[str, Device]:
    """The name and the content of the device of a part.

    Raises:
        QapError: it is not in the table.
    """
    for name, device in DEVICES.items():
        if part.lower().startswith(name.lower()):
            return name, device
    raise QapError(f"no device {part!r}; there are: {', '.join(DEVICES)}")


def shortfalls(report: ResourceReport, device: Device) -> Iterator[str]:
    """What does not fit, each with the numbers."""
    for field in fields(Device):
        if field.name == "family":
            continue
        has, needs = getattr(device, field.name), getattr(report, field.name)
        if needs is not None and needs > has:
            over = f"{needs / has:.1f} times as many" if has else "but has none"
            yield f"{needs:,} {field.name.upper()} of {has:,} ({over})"


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
