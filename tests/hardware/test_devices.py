from __future__ import annotations

import pytest

from qap.errors import QapError
from qap.hardware.devices import DEFAULT_DEVICE, DEVICES, find_device, matching_devices


def test_parts_are_found_by_the_start_of_their_name() -> None:
    assert find_device("xc7z020clg400-1")[0] == "xc7z020"
    assert find_device("xc7z020-clg400-1")[0] == "xc7z020"
    assert find_device("lfe5u-85f")[1].lut == 83_640
    assert all(DEVICES[name].family == family for family, name in DEFAULT_DEVICE.items())
    assert all(find_device(name)[0] == name for name in DEVICES)


BOARDS = {
    "PYNQ-Z2": "xc7z020", "ZedBoard": "xc7z020", "Arty A7-35": "xc7a35t", "Arty A7-100": "xc7a100t",
    "Basys 3": "xc7a35t", "ZCU102": "xczu9eg", "ZCU104": "xczu7ev", "KV260": "xck26", "AUP-ZU3": "xczu3eg",
    "Alveo U50": "xcu50", "Alveo U200": "xcu200", "Alveo U250": "xcu250", "Alveo U280": "xcu280", "ULX3S": "LFE5U-85F",
}  # fmt: skip


@pytest.mark.parametrize(("board", "part"), BOARDS.items())
def test_boards_are_parts_too(board: str, part: str) -> None:
    for name in (board, board.lower(), board.replace(" ", "-"), board.replace("-", "").replace(" ", "")):
        assert find_device(name)[0] == part


def test_an_unknown_part_names_the_nearest() -> None:
    with pytest.raises(QapError, match=r"no part or board 'xc7z02'; the nearest are: xc7z020, "):
        find_device("xc7z02")
    with pytest.raises(QapError, match=r"no part or board 'pynk-z2'; the nearest are: PYNQ-Z2"):
        find_device("pynk-z2")
    with pytest.raises(QapError, match=r"the nearest are: .*xcvu9p"):
        find_device("xcvu9-flga2104-2L-e")
    with pytest.raises(QapError, match=r"no part or board '!!'; see qap devices"):
        find_device("!!")
    with pytest.raises(QapError, match="no part or board ''"):
        find_device("")


def test_numbers_of_the_product_tables_hang_together() -> None:
    """Two flip-flops for each LUT of AMD's parts; an Alveo card has at most what its FPGA has."""
    for name, device in DEVICES.items():
        if device.family in ("xc7", "xcup"):
            assert device.ff == 2 * device.lut, name
        assert device.bram18 % 2 == 0 and device.dsp % 2 == 0, name
    assert DEVICES["xcu250"].lut <= DEVICES["xcvu13p"].lut
    boards = [board for device in DEVICES.values() for board in device.boards]
    assert len(boards) == len(set(boards))


def test_a_filter_reads_parts_boards_and_families() -> None:
    assert list(matching_devices("alveo")) == ["xcu50", "xcu200", "xcu250", "xcu280"]
    assert list(matching_devices("pynq z2")) == ["xc7z020"]
    assert set(matching_devices("ecp5")) == {"LFE5U-25F", "LFE5U-45F", "LFE5U-85F"}
    assert matching_devices() == DEVICES and matching_devices("virtex-2") == {}
