"""Staircases with thresholds of each neuron's own, in circuits and in every engine of the hardware."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.hardware_cases import vectors
from support.needs import needing
from support.staircases import stepped_classifier

from qap.hardware.circuit import lower_network
from qap.hardware.circuit.activations import searched, stepped
from qap.hardware.circuit.builder import Builder
from qap.hardware.hls import CsimEngine, write_project
from qap.hardware.rtl import RtlEngine, write_rtl
from qap.hardware.synthesis import NetlistEngine
from qap.network import simplify
from qap.recipe import TargetRecipe
from qap.verification import EmulatorEngine, verify


@pytest.mark.parametrize("low, high", [(0, 255), (-128, 127), (-1000, 24), (-4000, 4095)])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 15, 16, 40])
def test_comparisons_and_bisection_climb_the_same_steps(low: int, high: int, count: int) -> None:
    rng = np.random.default_rng(count)
    thresholds = np.sort(rng.choice(np.arange(low + 1, high + 1), count, replace=False))
    values = np.cumsum(rng.integers(0, 4, count + 1)) - 3
    x = np.arange(low, high + 1)[:, None]
    for climb in (stepped, searched):
        builder = Builder(1, low, high)
        node = climb(builder, builder.inputs[0], thresholds, values)
        logits, _ = builder.finish([node], builder.constant(0)).evaluate(x)
        assert np.array_equal(logits[:, 0], values[np.searchsorted(thresholds, x[:, 0], side="right")])


def test_many_steps_cost_what_bisection_costs() -> None:
    thresholds, values = np.arange(-2000, 2080, 16), np.arange(256)
    luts = {}
    for climb in (stepped, searched):
        builder = Builder(1, -(1 << 15), (1 << 15) - 1)
        start = builder.mark()
        luts[climb] = builder.luts_since(start, [climb(builder, builder.inputs[0], thresholds, values)])
    assert luts[searched] * 5 < luts[stepped]


@pytest.mark.parametrize("levels", [1, 3, 7, 20, 60])
def test_circuits_of_networks_are_exact(levels: int) -> None:
    network = stepped_classifier(levels, levels)
    smaller, kept = simplify(network)
    x = vectors(network)
    assert np.array_equal(lower_network(smaller).evaluate(x[:, kept])[0], network.forward(x))


@needing("hls4ml", "g++", "verilator")
def test_the_c_simulation_and_rtl_climb_the_same_steps(tmp_path: Path) -> None:
    network = stepped_classifier(3, 7)
    x = vectors(network)
    hls = write_project(network, tmp_path / "hls", name="stairs", target=TargetRecipe(), x_int=x)
    rtl = write_rtl(network, tmp_path / "rtl", test_vectors=x[:10])
    found = verify([EmulatorEngine(), CsimEngine(hls.folder), RtlEngine(rtl)], network, {"vectors": x})
    assert found.exact and not found.unavailable, [str(agreement) for agreement in found.agreements]


@pytest.mark.slow
@needing("verilator", "yosys")
@pytest.mark.parametrize("levels", [15, 40])
def test_their_netlists_climb_the_same_steps(levels: int) -> None:
    network = stepped_classifier(4, levels)
    found = verify([EmulatorEngine(), NetlistEngine()], network, {"vectors": vectors(network)})
    assert found.exact and not found.unavailable, [str(agreement) for agreement in found.agreements]
