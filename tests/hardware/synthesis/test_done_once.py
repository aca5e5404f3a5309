"""What was synthesized and placed is done again when anything changes that decides it, and not otherwise.

The tools are stood in for here: what is tested is when they are called, and what is read of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.hardware_cases import dense

from qap.errors import QapError
from qap.hardware.rtl import RtlOptions, RtlProject, write_rtl
from qap.hardware.synthesis import nextpnr, place_and_route, synthesize, yosys
from qap.hardware.synthesis.yosys import synthesis_folder

CLOCKS = {"clk_slow": {"achieved": 91.5}, "clk": {"achieved": 60.25}, "clk_fast": {"achieved": 250.0}}


class Tools:
    """Stands in for Yosys and nextpnr: counts calls, and writes what they would."""

    def __init__(self) -> None:
        self.synthesized = self.placed = 0
        self.version, self.cells, self.clocks = "1.0", {"LUT4": 3, "TRELLIS_FF": 2}, CLOCKS

    def run(self, command: list[Any], folder: Path, **_: object) -> str:
        if "nextpnr" in str(command[0]):
            self.placed += 1
            used = {"TRELLIS_COMB": 5, "TRELLIS_FF": 2, "MULT18X18D": 0, "DP16KD": 0}
            content = {"utilization": {kind: {"used": n} for kind, n in used.items()}, "fmax": self.clocks}
            (folder / "nextpnr.json").write_text(json.dumps(content))
            return "placed"
        self.synthesized += 1
        (top,) = re.findall(r"^synth_\S+.* -top (\w+)", (folder / "synth.ys").read_text(), re.MULTILINE)
        statistics = {"modules": {"\\" + top: {"num_cells_by_type": self.cells}}}
        (folder / "stat.json").write_text(json.dumps(statistics))
        for name in ("netlist.v", "netlist.json", "yosys.log"):
            (folder / name).write_text(f"{name} of {top}, call {self.synthesized}")
        return ""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Tools:
    found = Tools()
    monkeypatch.setattr(yosys, "run_tool", found.run)
    monkeypatch.setattr(yosys, "yosys", lambda: Path("yosys"))
    monkeypatch.setattr(yosys, "version_of", lambda program: f"{program} {found.version}")
    monkeypatch.setattr(nextpnr, "run_tool", found.run)
    monkeypatch.setattr(nextpnr, "script", lambda name: Path(name))
    monkeypatch.setattr(nextpnr, "version_of", lambda program: f"{program} {found.version}")
    return found


@pytest.fixture
def project(tmp_path: Path) -> RtlProject:
    return write_rtl(dense([[1, 2]], [0, 0]), tmp_path / "rtl", RtlOptions(axis_width=8))


def edited(path: Path) -> None:
    path.write_text(path.read_text() + "// one line more\n")


CHANGES: dict[str, Callable[[RtlProject, Tools, pytest.MonkeyPatch], object]] = {
    "the core": lambda project, tools, patch: edited(project.plain_source),
    "the top": lambda project, tools, patch: edited(project.folder / f"{project.top}.v"),
    "the version": lambda project, tools, patch: setattr(tools, "version", "1.1"),
    "the script": lambda project, tools, patch: patch.setitem(yosys.SCRIPTS, "ecp5", "synth_ecp5 -abc9 -top {top}"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("module", ["core", "top"])
def test_a_synthesis_is_done_again_when_anything_changes(
    project: RtlProject, tools: Tools, monkeypatch: pytest.MonkeyPatch, change: str, module: Any
) -> None:
    first = synthesize(project, "ecp5", module=module)
    assert synthesize(project, "ecp5", module=module) == first and tools.synthesized == 1
    tools.cells = {"LUT4": 7}
    CHANGES[change](project, tools, monkeypatch)
    again = synthesize(project, "ecp5", module=module)
    if (change, module) == ("the top", "core"):
        assert again == first and tools.synthesized == 1, "the core does not hold the stream around it"
    else:
        assert again.lut == 7 and tools.synthesized == 2
    calls = tools.synthesized
    assert synthesize(project, "ecp5", module=module) == again and tools.synthesized == calls


def test_every_target_and_module_has_its_own_synthesis(project: RtlProject, tools: Tools) -> None:
    tools.cells = {}
    for count, (target, module) in enumerate(
        ((target, module) for target in yosys.SCRIPTS for module in ("core", "top")), start=1
    ):
        report = synthesize(project, target, module=module)  # type: ignore[arg-type]
        assert tools.synthesized == count
        assert (report.part, report.design) == (target, project.top if module == "top" else project.name)
    assert (
        len({synthesis_folder(project, target, module) for target in yosys.SCRIPTS for module in ("core", "top")}) == 8
    )


@pytest.mark.parametrize("again", [False, True])
def test_what_does_not_fit_the_device_is_refused_when_it_is_measured_and_later(
    project: RtlProject, tools: Tools, again: bool
) -> None:
    tools.cells = {"LUT4": 24_289}
    if again:
        assert synthesize(project, "ecp5").lut == 24_289
    with pytest.raises(QapError, match=r"does not fit LFE5U-25F: .* 24,289 LUT of 24,288 .*; take LFE5U-45F"):
        synthesize(project, "ecp5", device="LFE5U-25F")
    assert synthesize(project, "ecp5", device="LFE5U-45F").lut == 24_289
    with pytest.raises(QapError, match="does not fit LFE5U-25F"):
        place_and_route(project, "25k")
    assert tools.placed == 0


def test_the_slowest_clock_is_the_designs(project: RtlProject, tools: Tools) -> None:
    assert place_and_route(project, "45k").fmax_mhz == 60.25
    for order in (sorted(CLOCKS), sorted(CLOCKS, reverse=True)):
        tools.clocks, tools.version = {name: CLOCKS[name] for name in order}, str(order)
        assert place_and_route(project, "45k").fmax_mhz == 60.25
    tools.clocks, tools.version = {}, "none"
    assert place_and_route(project, "45k").fmax_mhz is None


PLACINGS: dict[str, Callable[[RtlProject, Tools], Any]] = {
    "nothing": lambda project, tools: place_and_route(project, "85k"),
    "the seed": lambda project, tools: place_and_route(project, "85k", seed=2),
    "the clock": lambda project, tools: place_and_route(project.model_copy(update={"clock_ns": 9.0}), "85k"),
    "the device": lambda project, tools: place_and_route(project, "25k"),
    "the netlist": lambda project, tools: (edited(project.plain_source), place_and_route(project, "85k")),
    "the version": lambda project, tools: (setattr(tools, "version", "1.1"), place_and_route(project, "85k")),
}


@pytest.mark.parametrize("change", PLACINGS)
def test_a_placement_is_done_again_when_anything_changes(project: RtlProject, tools: Tools, change: str) -> None:
    place_and_route(project, "85k")
    PLACINGS[change](project, tools)
    calls = 1 if change == "nothing" else 2
    assert tools.placed == calls
    PLACINGS[change](project, tools) if change not in ("the netlist",) else place_and_route(project, "85k")
    assert tools.placed == calls
