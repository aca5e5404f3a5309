"""Sums by counters: exact for any weights, and as cheap as counters can be."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support.hardware_cases import needs_simulator, vectors

from qap.fixed import FixedPoint
from qap.hardware.circuit.activations import winner
from qap.hardware.circuit.builder import Builder
from qap.hardware.circuit.counters import counted_sum, planned
from qap.hardware.devices import Family
from qap.hardware.rtl import RtlEngine, RtlOptions, write_rtl
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.verification import EmulatorEngine, agree


def class_sums(inputs: int, classes: int) -> IntegerNetwork:
    """One-bit inputs, each of which votes for one class."""
    weight = np.zeros((inputs * classes, classes), np.int64)
    weight[np.arange(inputs * classes), np.arange(inputs * classes) // inputs] = 1
    one, none = FixedPoint.parse("ufixed<1,1>"), np.zeros(classes, np.int64)
    return connect(one, [LayerSpec("sums", weight, one, none, one)], [str(index) for index in range(classes)])


@pytest.mark.parametrize("seed", range(20))
def test_a_sum_by_counters_is_the_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, count = int(rng.integers(1, 7)), int(rng.integers(1, 30))
    low, high = ((0, (1 << width) - 1), (-(1 << width - 1), (1 << width - 1) - 1))[seed % 2]
    builder = Builder(count, low, high, slices=True)
    weights = [int(weight) or 1 for weight in rng.integers(-20, 21, count)]
    total = counted_sum(builder, dict(zip(builder.inputs, weights, strict=True)))
    circuit = builder.finish([total.node], builder.inputs[0])
    x = np.concatenate([rng.integers(low, high + 1, (500, count)), np.full((1, count), low), np.full((1, count), high)])
    assert np.array_equal(circuit.evaluate(x)[0][:, 0] + total.offset, x @ np.array(weights))
    assert circuit.ranges[circuit.logits[0]].low == 0


@pytest.mark.parametrize(
    "bits, luts", [(7, 2), (8, 5), (30, 14), (60, 30), (100, 51), (130, 68), (200, 103), (340, 172)]
)
def test_counters_take_about_half_a_lut_for_each_bit(bits: int, luts: int) -> None:
    assert planned((bits,)).luts == luts
    builder = Builder(bits, 0, 1, slices=True)
    counted_sum(builder, dict.fromkeys(builder.inputs, 1))
    assert builder.luts_since(0, range(builder.mark())) == luts


def test_bits_that_all_count_negatively_cost_inverters_alone() -> None:
    builder = Builder(7, 0, 1, slices=True)
    total = counted_sum(builder, dict.fromkeys(builder.inputs, -1))
    circuit = builder.finish([total.node], builder.inputs[0])
    x = np.arange(128)[:, None] >> np.arange(7) & 1
    assert np.array_equal(circuit.evaluate(x)[0][:, 0] + total.offset, -x.sum(axis=1))
    # the carry that comes in and the sixth of six bits are never inverted in a slice
    assert circuit.luts() == 2 + 2


def test_the_winner_of_ten_counts_takes_64_luts() -> None:
    builder = Builder(10, 0, 100, slices=True)
    circuit = builder.finish(builder.inputs, winner(builder, builder.inputs))
    assert circuit.luts() == 9 * 3 + 8 * 4 + 5
    x = np.random.default_rng(0).integers(90, 101, (2_000, 10))
    assert np.array_equal(circuit.evaluate(x)[1], x.argmax(axis=1))


@pytest.mark.parametrize("classes", range(2, 18))
def test_the_winner_of_any_number_is_the_first_of_the_largest(classes: int) -> None:
    for slices in (False, True):
        builder = Builder(classes, -2, 2, slices=slices)
        circuit = builder.finish(builder.inputs, winner(builder, builder.inputs))
        x = np.random.default_rng(classes).integers(-2, 3, (500, classes))
        assert np.array_equal(circuit.evaluate(x)[1], x.argmax(axis=1))


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_other_families_have_no_slices(family: Family, tmp_path: Path) -> None:
    network = class_sums(12, 3)
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface="parallel", family=family))
    assert project.cells_of is None and project.models == [] and project.plain_source == project.core_source
    assert "LUT6_2" not in project.core_source.read_text() and not (project.folder / "sim").exists()


@needs_simulator
@pytest.mark.parametrize("family, cell", [("xc7", "CARRY4"), ("xcup", "CARRY8")])
def test_a_wrong_cell_is_seen(family: Family, cell: str, tmp_path: Path) -> None:
    network = class_sums(12, 3)
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface="parallel", family=family))
    core, x = project.core_source.read_text(), vectors(network)
    assert project.cells_of == family and f"{cell} n" in core and cell not in project.plain_source.read_text()
    engines = [EmulatorEngine(), RtlEngine(project)]
    assert agree(engines, network, x)[0].mismatches == 0
    digit = re.search(r"INIT\(64'h([0-9a-f])", core)
    assert digit is not None
    place, flipped = digit.start(1), f"{int(digit[1], 16) ^ 8:x}"
    project.core_source.write_text(core[:place] + flipped + core[place + 1 :])
    assert agree(engines, network, x)[0].mismatches > 0
