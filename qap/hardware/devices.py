"""Devices and boards: what each part has, in the numbers of the vendors' product tables.

AMD: DS190 (Zynq-7000), DS180 (7 series), DS890 (UltraScale, UltraScale+ FPGAs), DS891 (Zynq UltraScale+), DS987 (K26),
DS962, DS963, DS965 (Alveo U200 and U250, U280, U50). Lattice: FPGA-DS-02012 (ECP5), FPGA-DS-02029 and -02008 (iCE40).
AMD's tables count block RAMs of 36 kbit; here each is two of 18 kbit, as in HLS reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qap.errors import QapError, nearest

Family = Literal["xc7", "xcup", "ecp5", "ice40"]
"""What is built alike, in Yosys' words: 7 series, UltraScale and UltraScale+, ECP5, iCE40."""
HLS_FAMILIES: tuple[Family, ...] = ("xc7", "xcup")
"""Those that Vivado HLS and Vitis HLS build for."""


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
        boards: boards that carry it.
    """

    family: Family
    lut: int
    ff: int
    dsp: int
    bram18: int
    uram: int = 0
    boards: tuple[str, ...] = ()


COUNTED = ("lut", "ff", "dsp", "bram18", "uram")
"""What a device has and a design takes."""

DEVICES: dict[str, Device] = {
    "xc7a35t": Device("xc7", 20_800, 41_600, 90, 100, boards=("Arty A7-35", "Basys 3")),
    "xc7a100t": Device("xc7", 63_400, 126_800, 240, 270, boards=("Arty A7-100",)),
    "xc7a200t": Device("xc7", 134_600, 269_200, 740, 730),
    "xc7k325t": Device("xc7", 203_800, 407_600, 840, 890),
    "xc7z007s": Device("xc7", 14_400, 28_800, 66, 100),
    "xc7z010": Device("xc7", 17_600, 35_200, 80, 120),
    "xc7z020": Device("xc7", 53_200, 106_400, 220, 280, boards=("PYNQ-Z2", "ZedBoard")),
    "xc7z045": Device("xc7", 218_600, 437_200, 900, 1_090),
    "xczu3eg": Device("xcup", 70_560, 141_120, 360, 432, boards=("AUP-ZU3",)),
    "xczu7ev": Device("xcup", 230_400, 460_800, 1_728, 624, 96, boards=("ZCU104",)),
    "xczu9eg": Device("xcup", 274_080, 548_160, 2_520, 1_824, boards=("ZCU102",)),
    "xck26": Device("xcup", 117_120, 234_240, 1_248, 288, 64, boards=("KV260",)),
    "xcku5p": Device("xcup", 216_960, 433_920, 1_824, 960, 64),
    "xcku115": Device("xcup", 663_360, 1_326_720, 5_520, 4_320),
    "xcvu9p": Device("xcup", 1_182_240, 2_364_480, 6_840, 4_320, 960, boards=("VCU118",)),
    "xcvu13p": Device("xcup", 1_728_000, 3_456_000, 12_288, 5_376, 1_280),
    "xcu50": Device("xcup", 871_680, 1_743_360, 5_952, 2_688, 640, boards=("Alveo U50",)),
    "xcu200": Device("xcup", 1_182_240, 2_364_480, 6_840, 4_320, 960, boards=("Alveo U200",)),
    "xcu250": Device("xcup", 1_728_000, 3_456_000, 12_288, 5_376, 1_280, boards=("Alveo U250",)),
    "xcu280": Device("xcup", 1_303_680, 2_607_360, 9_024, 4_032, 960, boards=("Alveo U280",)),
    "LFE5U-25F": Device("ecp5", 24_288, 24_288, 28, 56),
    "LFE5U-45F": Device("ecp5", 43_848, 43_848, 72, 108),
    "LFE5U-85F": Device("ecp5", 83_640, 83_640, 156, 208, boards=("ULX3S",)),
    "iCE40HX1K": Device("ice40", 1_280, 1_280, 0, 16),
    "iCE40UP5K": Device("ice40", 5_280, 5_280, 8, 30),
    "iCE40HX8K": Device("ice40", 7_680, 7_680, 0, 32),
}
"""By the start of the part's name: `xc7z020clg400-1` is an `xc7z020`. The family of `xcku115`, an UltraScale device
without the plus, is the one that Yosys synthesizes alike. ULX3S boards are sold with smaller ECP5 devices, too."""

DEFAULT_DEVICE: dict[Family, str] = {
    "xc7": "xc7z020",
    "xcup": "xczu7ev",
    "ecp5": "LFE5U-85F",
    "ice40": "iCE40HX8K",
}


def find_device(part: str) -> tuple[str, Device]:
    """The name and the content of the device of a part or a board.

    Args:
        part: `xc7z020`, `xc7z020clg400-1`, `xc7z020-clg400-1` or `PYNQ-Z2`; case and, in a board's name, blanks
            and hyphens do not matter.

    Raises:
        QapError: it is not in the table; the nearest names are.
    """
    wanted = part.strip()
    for name, device in DEVICES.items():
        if wanted.lower().startswith(name.lower()) or _plain(wanted) in map(_plain, device.boards):
            return name, device
    known = {_plain(name): name for name, device in DEVICES.items() for name in (name, *device.boards)}
    # the start of a part is its device, so a package behind it must not count
    near = nearest(_plain(wanted)[:12], known, 4)
    advice = f"the nearest are: {', '.join(known[name] for name in near)}" if near else "see qap devices"
    raise QapError(f"no part or board {part[:80]!r}; {advice}")


def matching_devices(text: str = "") -> dict[str, Device]:
    """The devices whose name, family or a board's name holds a text."""
    wanted = _plain(text)
    return {
        name: device
        for name, device in DEVICES.items()
        if any(wanted in _plain(each) for each in (name, device.family, *device.boards))
    }


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
