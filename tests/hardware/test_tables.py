"""Truth tables in every engine: they agree, and one wrong bit of a table is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.needs import needs
from support.random_networks import random_inputs
from support.table_networks import class_sums, random_table_network, random_tables

needs("keras", "qkeras", "hls4ml", "da4ml", "jinja2", "verilator", "yosys", "g++")

from support.keras_twin import keras_twin

from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.hardware.circuit import lower_network
from qap.hardware.hls import CsimEngine, write_project
from qap.hardware.rtl import AxisEngine, RtlEngine, RtlOptions, write_rtl
from qap.hardware.synthesis import NetlistEngine
from qap.network import IntegerNetwork, StepTable, ThresholdLayer, connect, simplify
from qap.network.coverage import row_vectors
from qap.recipe import TargetRecipe
from qap.verification import EmulatorEngine, adversarial_vectors, agree, verify

BIT = FixedPoint.parse("ufixed<1,0>")


def vectors(network: IntegerNetwork) -> dict[str, np.ndarray]:
    adversarial = np.concatenate([adversarial_vectors(network.input_format, network.n_in), row_vectors(network)])
    return {"random": random_inputs(network, 200), "adversarial": adversarial}


@pytest.mark.parametrize("seed", [4, 9])
def test_six_engines_agree(seed: int, tmp_path: Path) -> None:
    drawn = random_table_network(np.random.default_rng(seed))
    model = keras_twin(drawn)
    network = freeze(model, drawn.input_format)
    hls = write_project(network, tmp_path / "hls", name="t", target=TargetRecipe(), x_int=random_inputs(network, 10))
    rtl = write_rtl(network, tmp_path / "rtl", RtlOptions(axis_width=8), test_vectors=random_inputs(network, 10))
    engines = [
        KerasEngine(model), EmulatorEngine(), CsimEngine(hls.folder, tmp_path / "cache"), RtlEngine(rtl),
        AxisEngine(rtl), NetlistEngine(rtl),
    ]  # fmt: skip
    found = verify(engines, network, vectors(network))
    assert len(found.agreements) == 2 * 15
    assert found.exact, [str(agreement) for agreement in found.agreements if not agreement.exact]


def small_network() -> IntegerNetwork:
    tables = random_tables(np.random.default_rng(2), "tables", 7, 6)
    return connect(BIT, [tables, class_sums(6, 2)], ["a", "b"])


def test_one_bit_of_one_table_in_the_hls_project_is_found_and_its_layer_named(tmp_path: Path) -> None:
    network = small_network()
    project = write_project(
        network, tmp_path / "hls", name="t", target=TargetRecipe(backend="Vivado"), x_int=random_inputs(network, 10)
    )
    header = project.folder / "firmware" / "parameters.h"
    table = f"0x{int(network.layers[0].tables[2]):016x}ULL"
    assert table in header.read_text()
    wrong = f"0x{int(network.layers[0].tables[2]) ^ 1 << 37:016x}ULL"
    header.write_text(header.read_text().replace(table, wrong, 1))
    found = agree([EmulatorEngine(), CsimEngine(project.folder, tmp_path / "cache")], network, row_vectors(network))[0]
    assert not found.exact and found.first is not None
    assert found.first.layer == "tables"


@pytest.mark.parametrize("seed", range(25))
def test_circuits_of_random_tables_agree(seed: int) -> None:
    network = random_table_network(np.random.default_rng(seed))
    smaller, kept = simplify(network)
    x = np.concatenate(list(vectors(network).values()))
    logits, classes = lower_network(smaller).evaluate(x[:, kept])
    assert np.array_equal(logits, network.forward(x))
    assert np.array_equal(classes, network.classify(x))


@pytest.mark.parametrize("low, high", [(-1, 1), (0, 1), (-4, 3)])
def test_thresholds_stand_behind_activations_of_two_numbers(low: int, high: int) -> None:
    """The circuit holds such an activation as one bit."""
    rng = np.random.default_rng(high - low)
    form = FixedPoint.parse("fixed<4,4>")
    steps = StepTable(np.array([1]), np.array([low, high]))
    first = class_sums(6, 6)._replace(name="signs", activation=steps, result_format=form)
    bits = ThresholdLayer("bits", rng.integers(0, 6, 12), rng.integers(-5, 5, 12), 6)
    network = connect(BIT, [first, bits, random_tables(rng, "tables", 12, 4), class_sums(4, 1)], ["a", "b"])
    every = (np.arange(64)[:, None] >> np.arange(6)) & 1
    smaller, kept = simplify(network)
    assert np.array_equal(lower_network(smaller).evaluate(every[:, kept])[0], network.forward(every))


def test_a_table_is_one_lut_of_the_circuit() -> None:
    rng = np.random.default_rng(0)
    wires = np.stack([rng.choice(40, 6, replace=False) for _ in range(20)])
    layer = random_tables(rng, "tables", 40, 20)
    layer = type(layer)("tables", wires, rng.integers(0, 2**64, 20, np.uint64), 40)
    circuit = lower_network(connect(BIT, [layer], [str(index) for index in range(20)]))
    assert len(set(circuit.logits)) == 20
    assert circuit.luts(circuit.logits) == 20
