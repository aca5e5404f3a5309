"""Devices, parts and boards: what each device has, in the numbers of the vendors' product tables, and their names.

AMD: DS190 (Zynq-7000), DS180 (7 series), DS890 (UltraScale, UltraScale+ FPGAs), DS891 (Zynq UltraScale+), DS987 (K26),
DS962, DS963, DS965 (Alveo U200 and U250, U280, U50). Lattice: FPGA-DS-02012 (ECP5), FPGA-DS-02029 and -02008 (iCE40).
AMD's tables count block RAMs of 36 kbit; here each is two of 18 kbit, as in HLS reports.

A part is a device in a package with a speed grade. A device that is not in the table is still of a known series.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from qap.errors import QapError, nearest

Family = Literal["xc7", "xcup", "ecp5", "ice40"]
"""What is built alike, in Yosys' words: 7 series, UltraScale and UltraScale+, ECP5, iCE40."""
HLS_FAMILIES: tuple[Family, ...] = ("xc7", "xcup")
"""Those that Vivado HLS and Vitis HLS build for."""
Series = Literal["7 series", "UltraScale", "UltraScale+", "ECP5", "iCE40"]
"""What the vendors call it."""


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


@dataclass(frozen=True, slots=True)
class Part:
    """A part's name, read.

    Args:
        name: as the vendor's tools write it, with the package and the speed grade if they were given.
        device: what it is without package, speed and temperature grade, as `DEVICES` names it if it is there.
        series: of the device.
        family: what it is built like.
    """

    name: str
    device: str
    series: Series
    family: Family

    @property
    def content(self) -> Device | None:
        """What the device has; None where the table does not say."""
        return DEVICES.get(self.device)

    @property
    def unknown_share(self) -> str | None:
        """What a reader has to know of a part that is not in the table; None where it is."""
        if self.content is not None:
            return None
        return (
            f"{self.name} is not in the table of qap devices: it is taken as {self.series}, and what share of it is "
            "used is not known"
        )


COUNTED = ("lut", "ff", "dsp", "bram18", "uram")
"""What a device has and a design takes."""

DEVICES: dict[str, Device] = {
    "xc7a35t": Device("xc7", 20_800, 41_600, 90, 100),
    "xc7a100t": Device("xc7", 63_400, 126_800, 240, 270),
    "xc7a200t": Device("xc7", 134_600, 269_200, 740, 730),
    "xc7k325t": Device("xc7", 203_800, 407_600, 840, 890),
    "xc7z007s": Device("xc7", 14_400, 28_800, 66, 100),
    "xc7z010": Device("xc7", 17_600, 35_200, 80, 120),
    "xc7z020": Device("xc7", 53_200, 106_400, 220, 280),
    "xc7z045": Device("xc7", 218_600, 437_200, 900, 1_090),
    "xczu3eg": Device("xcup", 70_560, 141_120, 360, 432),
    "xczu7ev": Device("xcup", 230_400, 460_800, 1_728, 624, 96),
    "xczu9eg": Device("xcup", 274_080, 548_160, 2_520, 1_824),
    "xck26": Device("xcup", 117_120, 234_240, 1_248, 288, 64),
    "xcku5p": Device("xcup", 216_960, 433_920, 1_824, 960, 64),
    "xcku115": Device("xcup", 663_360, 1_326_720, 5_520, 4_320),
    "xcvu9p": Device("xcup", 1_182_240, 2_364_480, 6_840, 4_320, 960),
    "xcvu13p": Device("xcup", 1_728_000, 3_456_000, 12_288, 5_376, 1_280),
    "xcu50": Device("xcup", 871_680, 1_743_360, 5_952, 2_688, 640),
    "xcu200": Device("xcup", 1_182_240, 2_364_480, 6_840, 4_320, 960),
    "xcu250": Device("xcup", 1_728_000, 3_456_000, 12_288, 5_376, 1_280),
    "xcu280": Device("xcup", 1_303_680, 2_607_360, 9_024, 4_032, 960),
    "LFE5U-25F": Device("ecp5", 24_288, 24_288, 28, 56),
    "LFE5U-45F": Device("ecp5", 43_848, 43_848, 72, 108),
    "LFE5U-85F": Device("ecp5", 83_640, 83_640, 156, 208),
    "iCE40HX1K": Device("ice40", 1_280, 1_280, 0, 16),
    "iCE40UP5K": Device("ice40", 5_280, 5_280, 8, 30),
    "iCE40HX8K": Device("ice40", 7_680, 7_680, 0, 32),
}
"""The family of `xcku115`, an UltraScale device without the plus, is the one that Yosys synthesizes alike."""

BOARDS: dict[str, str] = {
    "Arty A7-35": "xc7a35ticsg324-1L",
    "Arty A7-100": "xc7a100tcsg324-1",
    "Basys 3": "xc7a35tcpg236-1",
    "PYNQ-Z2": "xc7z020clg400-1",
    "ZedBoard": "xc7z020clg484-1",
    "AUP-ZU3": "xczu3eg-sfvc784-2-e",
    "ZCU102": "xczu9eg-ffvb1156-2-e",
    "ZCU104": "xczu7ev-ffvc1156-2-e",
    "KV260": "xck26-sfvc784-2LV-c",
    "VCU118": "xcvu9p-flga2104-2L-e",
    "Alveo U50": "xcu50-fsvh2104-2-e",
    "Alveo U200": "xcu200-fsgd2104-2-e",
    "Alveo U250": "xcu250-figd2104-2L-e",
    "Alveo U280": "xcu280-fsvh2892-2L-e",
    "ULX3S": "LFE5U-85F-6BG381C",
}
"""The part on each, as the board's maker names it. ULX3S boards are sold with smaller ECP5 devices, too."""

DEFAULT_DEVICE: dict[Family, str] = {
    "xc7": "xc7z020",
    "xcup": "xczu7ev",
    "ecp5": "LFE5U-85F",
    "ice40": "iCE40HX8K",
}

SEVEN_SERIES = (
    "7s6", "7s15", "7s25", "7s50", "7s75", "7s100", "7a12t", "7a15t", "7a25t", "7a35t", "7a50t", "7a75t", "7a100t",
    "7a200t", "7k70t", "7k160t", "7k325t", "7k355t", "7k410t", "7k420t", "7k480t", "7v585t", "7v2000t", "7vx330t",
    "7vx415t", "7vx485t", "7vx550t", "7vx690t", "7vx980t", "7vx1140t", "7vh580t", "7vh870t", "7z007s", "7z010",
    "7z012s", "7z014s", "7z015", "7z020", "7z030", "7z035", "7z045", "7z100",
)  # fmt: skip
ULTRASCALE = (
    "ku025", "ku035", "ku040", "ku060", "ku085", "ku095", "ku115", "vu065", "vu080", "vu095", "vu125", "vu160",
    "vu190", "vu440",
)  # fmt: skip
"""All devices of both series; UltraScale+ still grows, so its devices are known by how they are named."""
ULTRASCALE_PLUS = (
    r"(?:ku|vu|au)\d{1,2}p|su\d{2,3}p|zu\d{1,2}(?:t?[ce]g|ev|dr)|k2[46]|u(?:25n?|26|30|50|55[cn]|200|250|280|x35)"
)
_LATTICE: dict[Family, Series] = {"ecp5": "ECP5", "ice40": "iCE40"}
_SERIES = "7 series, UltraScale, UltraScale+, ECP5 and iCE40"
_VERSAL = re.compile(r"x[acq]r?(?:v[cehmnp]\d{4}|v[78]0|2v[emp]\d{4})\b")


def _amd(devices: str, kind: str = "") -> re.Pattern[str]:
    """Commercial, automotive, defence or space, which is the same silicon; then the kind of it, as low power."""
    return re.compile(f"x(?P<market>c|a|qr?)(?P<device>{devices})(?!\\d)(?P<kind>{kind})(?P<ending>.*)")


_AMD: tuple[tuple[Series, Family, re.Pattern[str]], ...] = (
    ("7 series", "xc7", _amd("|".join(SEVEN_SERIES), kind="[il]?")),
    ("UltraScale", "xcup", _amd("|".join(ULTRASCALE))),
    ("UltraScale+", "xcup", _amd(ULTRASCALE_PLUS)),
)
_ENDING = re.compile(
    r"(?:-?(?P<package>[a-z]{2,4}\d{3,4}))?(?:-(?P<speed>[123][a-z]{0,2}))?(?:-(?P<range>[ceimq]))?(?P<sample>-es\d?)?"
)


def find_part(text: str) -> Part:
    """Read the name of a part or a board; the only place that knows how they are written.

    Args:
        text: `xc7z020`, `xc7z020clg400-1`, `XC7Z020-CLG400-1`, `xczu28dr-ffvg1517-2-e` or `PYNQ-Z2`; case and, in a
            board's name, blanks and hyphens do not matter.

    Raises:
        QapError: it is neither; the nearest names are told.
    """
    wanted = text.strip()
    by_board = {_plain(board): part for board, part in BOARDS.items()}
    wanted = by_board.get(_plain(wanted), wanted)
    found = _amd_part(wanted.lower()) or _lattice_part(wanted)
    if found is not None:
        return found
    if _VERSAL.match(wanted.lower()):
        raise QapError(f"{text[:80]!r} is a Versal part, a series that qap does not know; it knows {_SERIES}")
    names = [*DEVICES, *BOARDS, *(f"xc{device}" for device in (*SEVEN_SERIES, *ULTRASCALE))]
    known = {_plain(name): name for name in names}
    # the start of a part is its device, so a package behind it must not count
    near = nearest(_plain(wanted)[:12], known, 4)
    advice = f"the nearest are: {', '.join(known[name] for name in near)}" if near else "see qap devices"
    raise QapError(f"no part or board {text[:80]!r}; {advice}")


def hls_part(text: str) -> Part:
    """A part or a board that Vivado HLS and Vitis HLS build for.

    Raises:
        QapError: there is no such part, or it is another vendor's.
    """
    part = find_part(text)
    if part.family not in HLS_FAMILIES:
        raise QapError(
            f"{part.device} has no HLS flow in qap; qap synth --target {part.family} measures the RTL instead"
        )
    return part


def find_device(text: str) -> tuple[str, Device]:
    """The name and the content of the device of a part or a board, see `find_part`.

    Raises:
        QapError: there is no such part, or its device is not in the table.
    """
    part = find_part(text)
    if part.content is None:
        raise QapError(
            f"{part.name} is a part of the {part.series} that is not in the table of qap devices: "
            "what it has is not known, so nothing can be fitted into it"
        )
    return part.device, part.content


def boards_of(device: str) -> list[str]:
    """The boards that carry a device."""
    return [board for board, part in BOARDS.items() if find_part(part).device == device]


def matching_devices(text: str = "") -> dict[str, Device]:
    """The devices whose name, family or a board's name holds a text."""
    wanted = _plain(text)
    return {
        name: device
        for name, device in DEVICES.items()
        if any(wanted in _plain(each) for each in (name, device.family, *boards_of(name)))
    }


def _amd_part(text: str) -> Part | None:
    """A part of AMD, its name in small letters.

    Raises:
        QapError: behind the device stands what is neither a package nor a grade.
    """
    for series, family, pattern in _AMD:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        device = f"x{found['market']}{found['device']}"
        ending = _ENDING.fullmatch(found["ending"])
        if ending is None:
            raise QapError(
                f"no part {text[:80]!r}: {found['ending'][:60]!r} behind {device} is not a package with a speed grade; "
                "they are written as in xc7z020clg400-1 and xczu7ev-ffvc1156-2-e"
            )
        package, speed = ending["package"] or "", (ending["speed"] or "").upper()
        start = device + found["kind"]
        first = [start + package] if family == "xc7" else [start, package]
        name = "-".join(each for each in (*first, speed, ending["range"]) if each) + (ending["sample"] or "")
        return Part(name, f"xc{found['device']}", series, family)
    return None


def _lattice_part(text: str) -> Part | None:
    for name, device in DEVICES.items():
        series = _LATTICE.get(device.family)
        if series and re.fullmatch(rf"{name}(-\w+)?", text, re.IGNORECASE | re.ASCII):
            return Part(name + text[len(name) :].upper(), name, series, device.family)
    return None


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
