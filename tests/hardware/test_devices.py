from __future__ import annotations

import itertools

import pytest

from qap.errors import QapError
from qap.hardware.devices import (
    BOARDS,
    DEFAULT_DEVICE,
    DEVICES,
    SEVEN_SERIES,
    ULTRASCALE,
    Device,
    boards_of,
    find_device,
    find_part,
    hls_part,
    matching_devices,
)

SLICES = {  # slices, DSP, block RAMs of 36 kbit: DS180 and DS190; a slice has 4 LUTs and 8 flip-flops
    "xc7a35t": (5_200, 90, 50),
    "xc7a100t": (15_850, 240, 135),
    "xc7a200t": (33_650, 740, 365),
    "xc7k325t": (50_950, 840, 445),
    "xc7z007s": (3_600, 66, 50),
    "xc7z010": (4_400, 80, 60),
    "xc7z020": (13_300, 220, 140),
    "xc7z045": (54_650, 900, 545),
}
CLBS = {  # CLBs of 8 LUTs and 16 flip-flops, DSP, block RAMs of 36 kbit, URAM: DS890, DS891, DS962, DS963, DS965, DS987
    "xczu3eg": (8_820, 360, 216, 0),
    "xczu7ev": (28_800, 1_728, 312, 96),
    "xczu9eg": (34_260, 2_520, 912, 0),
    "xck26": (14_640, 1_248, 144, 64),
    "xcku5p": (27_120, 1_824, 480, 64),
    "xcku115": (82_920, 5_520, 2_160, 0),
    "xcvu9p": (147_780, 6_840, 2_160, 960),
    "xcvu13p": (216_000, 12_288, 2_688, 1_280),
    "xcu50": (108_960, 5_952, 1_344, 640),
    "xcu200": (147_780, 6_840, 2_160, 960),
    "xcu250": (216_000, 12_288, 2_688, 1_280),
    "xcu280": (162_960, 9_024, 2_016, 960),
}
LATTICE = {  # LUTs, multipliers, memory blocks: FPGA-DS-02012, -02029, -02008; a flip-flop for each LUT
    "LFE5U-25F": (24_288, 28, 56),
    "LFE5U-45F": (43_848, 72, 108),
    "LFE5U-85F": (83_640, 156, 208),
    "iCE40HX1K": (1_280, 0, 16),
    "iCE40UP5K": (5_280, 8, 30),
    "iCE40HX8K": (7_680, 0, 32),
}


@pytest.mark.parametrize("name", DEVICES)
def test_every_device_has_what_its_product_table_says(name: str) -> None:
    device = DEVICES[name]
    if name in SLICES:
        slices, dsp, blocks = SLICES[name]
        assert device == Device("xc7", 4 * slices, 8 * slices, dsp, 2 * blocks)
    elif name in CLBS:
        clbs, dsp, blocks, uram = CLBS[name]
        assert device == Device("xcup", 8 * clbs, 16 * clbs, dsp, 2 * blocks, uram)
    else:
        luts, multipliers, blocks = LATTICE[name]
        family = "ecp5" if name.startswith("LFE5U") else "ice40"
        assert device == Device(family, luts, luts, multipliers, blocks)
    assert len(SLICES) + len(CLBS) + len(LATTICE) == len(DEVICES)


def test_parts_are_found_by_the_start_of_their_name() -> None:
    assert find_device("xc7z020clg400-1")[0] == "xc7z020"
    assert find_device("xc7z020-clg400-1")[0] == "xc7z020"
    assert find_device("lfe5u-85f")[1].lut == 83_640
    assert all(DEVICES[name].family == family for family, name in DEFAULT_DEVICE.items())
    assert all(find_device(name)[0] == name for name in DEVICES)


CARRIED = {
    "PYNQ-Z2": "xc7z020", "ZedBoard": "xc7z020", "Arty A7-35": "xc7a35t", "Arty A7-100": "xc7a100t",
    "Basys 3": "xc7a35t", "ZCU102": "xczu9eg", "ZCU104": "xczu7ev", "KV260": "xck26", "AUP-ZU3": "xczu3eg",
    "VCU118": "xcvu9p", "Alveo U50": "xcu50", "Alveo U200": "xcu200", "Alveo U250": "xcu250", "Alveo U280": "xcu280",
    "ULX3S": "LFE5U-85F",
}  # fmt: skip


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_becomes_the_whole_part_that_it_carries(board: str) -> None:
    device = CARRIED[board]
    for name in (board, board.upper(), board.lower(), board.replace(" ", "-"), board.replace("-", "").replace(" ", "")):
        part = find_part(name)
        assert (part.device, part.name) == (device, BOARDS[board])
        assert find_device(name) == (device, DEVICES[device])
    assert part.name not in DEVICES and board in boards_of(device), "a tool wants the package and the speed grade"


READ = [  # text, name, device, series, family, whether the table has it
    ("xc7vx690tffg1761-2", "xc7vx690tffg1761-2", "xc7vx690t", "7 series", "xc7", False),
    ("xc7s50csga324-1", "xc7s50csga324-1", "xc7s50", "7 series", "xc7", False),
    ("XC7S6-FTGB196-2", "xc7s6ftgb196-2", "xc7s6", "7 series", "xc7", False),
    ("xc7k410tffg900-2L", "xc7k410tffg900-2L", "xc7k410t", "7 series", "xc7", False),
    ("xc7vh580thcg1155-2G", "xc7vh580thcg1155-2G", "xc7vh580t", "7 series", "xc7", False),
    ("xc7z012s", "xc7z012s", "xc7z012s", "7 series", "xc7", False),
    ("xc7z007s-clg225-2", "xc7z007sclg225-2", "xc7z007s", "7 series", "xc7", True),
    ("xc7a35ticsg324-1l", "xc7a35ticsg324-1L", "xc7a35t", "7 series", "xc7", True),
    ("xc7a100tlcsg324-2L", "xc7a100tlcsg324-2L", "xc7a100t", "7 series", "xc7", True),
    ("xa7z020clg484-1Q", "xa7z020clg484-1Q", "xc7z020", "7 series", "xc7", True),
    ("XQ7K325TRF676-1M", "xq7k325trf676-1M", "xc7k325t", "7 series", "xc7", True),
    (" xc7z020clg400-1 ", "xc7z020clg400-1", "xc7z020", "7 series", "xc7", True),
    ("xcku060-ffva1156-2-e", "xcku060-ffva1156-2-e", "xcku060", "UltraScale", "xcup", False),
    ("xcvu440-flga2892-1-c", "xcvu440-flga2892-1-c", "xcvu440", "UltraScale", "xcup", False),
    ("xqrku060", "xqrku060", "xcku060", "UltraScale", "xcup", False),
    ("xcku115-flvb2104-2-i", "xcku115-flvb2104-2-i", "xcku115", "UltraScale", "xcup", True),
    ("xczu28dr-ffvg1517-2-e", "xczu28dr-ffvg1517-2-e", "xczu28dr", "UltraScale+", "xcup", False),
    ("XCZU19EG-FFVC1760-3-E", "xczu19eg-ffvc1760-3-e", "xczu19eg", "UltraScale+", "xcup", False),
    ("xczu2cg-sbva484-1-i", "xczu2cg-sbva484-1-i", "xczu2cg", "UltraScale+", "xcup", False),
    ("xck24-ubva530-2LV-c", "xck24-ubva530-2LV-c", "xck24", "UltraScale+", "xcup", False),
    ("xck26-sfvc784-2lv-C", "xck26-sfvc784-2LV-c", "xck26", "UltraScale+", "xcup", True),
    ("xcau25p-ffvb676-1-e", "xcau25p-ffvb676-1-e", "xcau25p", "UltraScale+", "xcup", False),
    ("xcsu35p-sbvb625-1-e", "xcsu35p-sbvb625-1-e", "xcsu35p", "UltraScale+", "xcup", False),
    ("xcvu37p-fsvh2892-2L-e", "xcvu37p-fsvh2892-2L-e", "xcvu37p", "UltraScale+", "xcup", False),
    ("xcvu9p-flgb2104-2-e", "xcvu9p-flgb2104-2-e", "xcvu9p", "UltraScale+", "xcup", True),
    ("xcku3p-ffva676-2-e-es1", "xcku3p-ffva676-2-e-es1", "xcku3p", "UltraScale+", "xcup", False),
    ("xazu3eg-sfvc784-1-i", "xazu3eg-sfvc784-1-i", "xczu3eg", "UltraScale+", "xcup", True),
    ("xcu55c-fsvh2892-2L-e", "xcu55c-fsvh2892-2L-e", "xcu55c", "UltraScale+", "xcup", False),
    ("xcu250-figd2104-2L-e", "xcu250-figd2104-2L-e", "xcu250", "UltraScale+", "xcup", True),
    ("lfe5u-45f-8bg381i", "LFE5U-45F-8BG381I", "LFE5U-45F", "ECP5", "ecp5", True),
    ("ICE40UP5K-SG48", "iCE40UP5K-SG48", "iCE40UP5K", "iCE40", "ice40", True),
]


@pytest.mark.parametrize(("text", "name", "device", "series", "family", "listed"), READ, ids=[each[0] for each in READ])
def test_a_part_is_read_with_its_package_and_grade(
    text: str, name: str, device: str, series: str, family: str, listed: bool
) -> None:
    part = find_part(text)
    assert (part.name, part.device, part.series, part.family) == (name, device, series, family)
    assert part.content == (DEVICES[device] if listed else None)
    assert find_part(part.name) == part, "what is written is read as the same part"
    if listed:
        assert part.unknown_share is None and find_device(text) == (device, DEVICES[device])
    else:
        assert part.unknown_share is not None
        assert part.unknown_share.startswith(
            f"{name} is not in the table of qap devices: it is taken as {series}, and "
        )
        with pytest.raises(QapError, match=f"{name} is a part of the {series}.* not in the table .*what it has is not"):
            find_device(text)


def test_every_device_of_the_complete_series_is_a_part() -> None:
    for device, series in itertools.chain(
        ((device, "7 series") for device in SEVEN_SERIES), ((device, "UltraScale") for device in ULTRASCALE)
    ):
        for text, name in ((f"xc{device}", f"xc{device}"), (f"XC{device.upper()}-FFG900-2", f"xc{device}")):
            assert (find_part(text).device, find_part(text).series) == (name, series)


@pytest.mark.parametrize(
    "text",
    [
        "xcve2302-sfva784-1LP-e-S", "xcvc1902-vsva2197-2MP-e-S", "xcvm1802", "XCVP1202-VSVA2785-2MHP-E-S", "xcvh1582",
        "xcvn3716", "xcv80-lsva4737-2MHP-e-S", "xc2ve3858-ssva2112-2MP-e-S", "xqrvc1902",
    ],
)  # fmt: skip
def test_versal_is_named_as_not_known(text: str) -> None:
    with pytest.raises(
        QapError, match=f"'{text}' is a Versal part, a series that qap does not know; it knows 7 series"
    ):
        find_part(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("xc7z02", r"no part or board 'xc7z02'; the nearest are: xc7z020, "),
        ("xc7z021", r"no part or board 'xc7z021'; the nearest are: xc7z020, "),
        ("xc7a35", r"no part or board 'xc7a35'; the nearest are: xc7a35t, "),
        ("xczu7", r"no part or board 'xczu7'; the nearest are: xczu7ev"),
        ("xcu500", r"no part or board 'xcu500'; the nearest are: xcu50, "),
        ("xcvu9-flga2104-2L-e", r"no part or board 'xcvu9-flga2104-2L-e'; the nearest are: .*xcvu9p"),
        ("pynk-z2", r"no part or board 'pynk-z2'; the nearest are: PYNQ-Z2"),
        ("basys 4", r"no part or board 'basys 4'; the nearest are: Basys 3"),
        ("nonsense", r"no part or board 'nonsense'; see qap devices"),
        ("!!", r"no part or board '!!'; see qap devices"),
        ("", r"no part or board ''"),
        ("x" * 5000, r"no part or board 'x{80}'"),
        (
            "xc7z020clg4oo-1",
            r"no part 'xc7z020clg4oo-1': 'clg4oo-1' behind xc7z020 is not a package with a speed grade",
        ),
        (
            "xc7z020clg400-9",
            r"'clg400-9' behind xc7z020 is not a package with a speed grade; they are written as in xc7",
        ),
        ("xc7z020; rm", r"'; rm' behind xc7z020"),
        ('xc7z020" } {exec', r"behind xc7z020"),
        ("xc7z020\n", None),
        ("xc7z020\nclg400-1", r"no part or board 'xc7z020\\nclg400-1'"),
        ("LFE5U-85F;rm", r"no part or board 'LFE5U-85F;rm'; the nearest are: LFE5U-85F"),
        ("LFE5U-85F-\u0661", r"no part or board"),
    ],
)
def test_what_is_no_part_names_the_nearest_in_one_line(text: str, message: str | None) -> None:
    if message is None:  # a blank at the end is no other name
        assert find_part(text).name == text.strip()
        return
    with pytest.raises(QapError, match=message) as refused:
        find_part(text)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300


def test_hls_is_for_the_parts_of_amd_alone() -> None:
    assert hls_part("Basys 3").name == "xc7a35tcpg236-1"
    for name, device in DEVICES.items():
        if device.family in ("ecp5", "ice40"):
            with pytest.raises(QapError, match=f"{name} has no HLS flow in qap; qap synth --target {device.family}"):
                hls_part(name)
        else:
            assert hls_part(name).content == device


def test_a_filter_reads_parts_boards_and_families() -> None:
    assert list(matching_devices("alveo")) == ["xcu50", "xcu200", "xcu250", "xcu280"]
    assert list(matching_devices("pynq z2")) == ["xc7z020"]
    assert set(matching_devices("ecp5")) == {"LFE5U-25F", "LFE5U-45F", "LFE5U-85F"}
    assert matching_devices() == DEVICES and matching_devices("virtex-2") == {}
