"""Cells of every kind, counted as the vendors' libraries say: one row for every key of the tables."""

from __future__ import annotations

from typing import Any

import pytest

from qap.errors import ReportError
from qap.hardware.devices import Family
from qap.hardware.synthesis.yosys import CELL_KINDS, SCRIPTS, report_of

LIBRARY: dict[Family, dict[str, dict[str, int]]] = {
    # UG953 and UG974 (7 series and UltraScale libraries), UG474 and UG574 (how many LUTs a memory takes)
    "xc7": {
        **{f"LUT{inputs}": {"lut": 1} for inputs in (1, 2, 3, 4, 5, 6)},
        "LUT6_2": {"lut": 1},
        "INV": {"lut": 1},
        **{name: {"lut": 1, "lut_shift": 1} for name in ("SRL16", "SRL16E", "SRLC16", "SRLC16E", "SRLC32E")},
        **{name: {"lut": 1, "lut_memory": 1} for name in ("RAM32X1S", "RAM64X1S", "ROM32X1", "ROM64X1")},
        **{name: {"lut": 2, "lut_memory": 2} for name in ("RAM128X1S", "RAM32X1D", "RAM64X1D", "ROM128X1")},
        **{name: {"lut": 4, "lut_memory": 4} for name in ("RAM256X1S", "RAM128X1D", "RAM32M", "RAM64M", "ROM256X1")},
        **{name: {"lut": 8, "lut_memory": 8} for name in ("RAM512X1S", "RAM256X1D", "RAM32M16", "RAM64M8")},
        **{name: {"ff": 1} for name in ("FDRE", "FDSE", "FDCE", "FDPE", "FDRE_1", "LDCE", "LDPE")},
        "CARRY4": {"carry": 1},
        "CARRY8": {"carry": 1},
        "DSP48E1": {"dsp": 1},
        "DSP48E2": {"dsp": 1},
        "RAMB18E1": {"bram18": 1},
        "RAMB18E2": {"bram18": 1},
        "RAMB36E1": {"bram18": 2},
        "RAMB36E2": {"bram18": 2},
        "URAM288": {"uram": 1},
        "URAM288_BASE": {"uram": 1},
        **{name: {} for name in ("MUXF7", "MUXF8", "MUXF9", "BUFG")},
    },
    # FPGA-TN-02204 (memory: a RAM of 16 x 4 in four LUTs), FPGA-DS-02012 (a carry cell is two LUTs of a slice)
    "ecp5": {
        "LUT4": {"lut": 1},
        "CCU2C": {"lut": 2, "carry": 1},
        "TRELLIS_DPR16X4": {"lut": 4, "lut_memory": 4},
        "TRELLIS_FF": {"ff": 1},
        "MULT18X18D": {"dsp": 1},
        "DP16KD": {"bram18": 1},
        "PDPW16KD": {"bram18": 1},
        "PFUMX": {},
        "L6MUX21": {},
    },
    # FPGA-TN-02026 (iCE40 technology library)
    "ice40": {
        "SB_LUT4": {"lut": 1},
        **{name: {"ff": 1} for name in ("SB_DFF", "SB_DFFE", "SB_DFFSR", "SB_DFFESR", "SB_DFFN", "SB_DFFNESS")},
        "SB_CARRY": {"carry": 1},
        "SB_MAC16": {"dsp": 1},
        **{name: {"bram18": 1} for name in ("SB_RAM40_4K", "SB_RAM40_4KNR", "SB_RAM40_4KNW", "SB_RAM40_4KNRNW")},
    },
}
LIBRARY["xcup"] = LIBRARY["xc7"]
COUNTED = ("lut", "lut_shift", "lut_memory", "ff", "carry", "dsp", "bram18", "uram")
CELLS = [(family, cell) for family, cells in LIBRARY.items() for cell in cells]


@pytest.mark.parametrize(("family", "cell"), CELLS, ids=[f"{family}-{cell}" for family, cell in CELLS])
def test_a_cell_counts_as_its_library_says(family: Family, cell: str) -> None:
    report = report_of({cell: 3}, family, "core", "Yosys")
    assert {kind: getattr(report, kind) for kind in COUNTED} == {
        kind: 3 * LIBRARY[family][cell].get(kind, 0) for kind in COUNTED
    }
    one: dict[str, Any] = {cell: 1, "$scopeinfo": 5}
    assert report_of(one, family, "core", "Yosys").lut == LIBRARY[family][cell].get("lut", 0)


@pytest.mark.parametrize("family", CELL_KINDS)
def test_every_key_of_the_tables_has_its_row(family: Family) -> None:
    kinds = CELL_KINDS[family]
    tables = (kinds.lut, kinds.shift, kinds.memory, kinds.ff, kinds.carry, kinds.dsp, kinds.bram18, kinds.uram)
    keys = {key for table in tables for key in table} | kinds.wiring
    rows = LIBRARY[family]
    assert all(any(row == key or row.startswith(key.removesuffix("*")) for row in rows) for key in keys)
    named = {key for key in keys if not key.endswith("*")}
    assert named <= set(rows)
    assert set(SCRIPTS) == set(CELL_KINDS) == set(LIBRARY)


@pytest.mark.parametrize("family", CELL_KINDS)
def test_sums_over_all_cells_of_a_family(family: Family) -> None:
    cells = {cell: place for place, cell in enumerate(LIBRARY[family], start=1)}
    report = report_of(cells, family, "core", "Yosys")
    for kind in COUNTED:
        assert getattr(report, kind) == sum(LIBRARY[family][cell].get(kind, 0) * many for cell, many in cells.items())


@pytest.mark.parametrize("family", CELL_KINDS)
def test_a_cell_of_another_family_is_not_guessed(family: Family) -> None:
    with pytest.raises(ReportError, match=f"not known for {family}: ADDF, LUT9"):
        report_of({"LUT9": 1, "ADDF": 1}, family, "core", "Yosys")
