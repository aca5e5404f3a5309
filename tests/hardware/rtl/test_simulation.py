from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support.any_network import random_network
from support.hardware_cases import dense, needs_simulator, sparse_classifier, vectors

from qap.errors import CheckFailed, QapError, ToolFailed
from qap.hardware.rtl import RtlEngine, RtlOptions, RtlProject, write_rtl
from qap.hardware.rtl.engine import simulate
from qap.hardware.rtl.simulate import build
from qap.network import IntegerNetwork
from qap.verification import EmulatorEngine, agree

pytestmark = needs_simulator


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_agree_in_rtl(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    depth = int(rng.integers(1, 9))
    found = agree([EmulatorEngine(), RtlEngine(stage_depth=depth)], network, vectors(network))
    assert [agreement.mismatches for agreement in found] == [0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_more_random_networks_agree_in_rtl(seed: int) -> None:
    network = random_network(np.random.default_rng(seed), max_inputs=40, max_units=12)
    assert agree([EmulatorEngine(), RtlEngine()], network, vectors(network))[0].exact


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> tuple[IntegerNetwork, RtlProject]:
    network = sparse_classifier()
    return network, write_rtl(network, tmp_path_factory.mktemp("streamed") / "rtl", RtlOptions(axis_width=16))


def test_one_flipped_bit_in_the_verilog_is_caught(tmp_path: Path) -> None:
    network = sparse_classifier(seed=5)
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface="parallel"))
    x = vectors(network)
    engines = [EmulatorEngine(), RtlEngine(project)]
    assert agree(engines, network, x)[0].mismatches == 0
    source = project.core_source.read_text()
    # the last digit of a truth table's first column, one bit of which changes
    table = re.search(r"localparam \[\d+:0\] \w+ = \d+'h(\w+);", source)
    assert table is not None
    end = table.end() - 2
    project.core_source.write_text(source[:end] + f"{int(source[end], 16) ^ 1:x}" + source[end + 1 :])
    assert agree(engines, network, x)[0].mismatches > 0


def test_a_class_index_that_contradicts_the_logits_is_caught(tmp_path: Path) -> None:
    network = dense([[1, -1]], [0, 1])
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface="parallel"))
    source = project.core_source.read_text()
    project.core_source.write_text(re.sub(r"assign class_index = (.*);", r"assign class_index = ~\1;", source))
    with pytest.raises(CheckFailed, match=r"class index of sample 0 is \d, but its logits"):
        simulate(project, network, vectors(network))


def test_a_project_of_another_network_is_refused(streamed: tuple[IntegerNetwork, RtlProject]) -> None:
    other = sparse_classifier(seed=9)
    with pytest.raises(QapError, match="generated from another network"):
        simulate(streamed[1], other, vectors(other))


def test_broken_verilog_says_where(tmp_path: Path) -> None:
    broken = tmp_path / "core.v"
    broken.write_text("module core (input wire clk; endmodule\n")
    with pytest.raises(ToolFailed, match=r"verilator_bin failed.*core\.v:1"):
        build([broken], "core", "simulate_core.cpp")


def test_programs_are_cached_by_their_sources(streamed: tuple[IntegerNetwork, RtlProject], tmp_path: Path) -> None:
    _, project = streamed
    first = build([project.core_source, *project.models], project.name, "simulate_core.cpp")
    made = first.stat().st_mtime_ns
    assert build([project.core_source, *project.models], project.name, "simulate_core.cpp") == first
    assert first.stat().st_mtime_ns == made
    first.write_bytes(first.read_bytes()[:5000])
    assert build([project.core_source, *project.models], project.name, "simulate_core.cpp") == first
    assert len(first.read_bytes()) > 5000, "a damaged one is built again"
    changed = tmp_path / project.core_source.name
    changed.write_text(project.core_source.read_text() + "// changed\n")
    assert build([changed, *project.models], project.name, "simulate_core.cpp") != first
