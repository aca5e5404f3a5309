"""Staircases with thresholds of each neuron's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.staircases import stepped_classifier

from qap.errors import NotExact, QapError
from qap.fixed import FixedPoint
from qap.network import LayerSpec, StepTable, connect, load_network, save_network, simplify

OWN = StepTable(np.array([[-2, 0, 0], [1, 4, 9]]), np.array([0, 1, 2, 3]))


def test_every_neuron_climbs_its_own_steps_and_jumps_over_values() -> None:
    accumulators = np.array([[-3, 0], [-2, 1], [-1, 3], [0, 4], [5, 8], [6, 9]])
    assert OWN(accumulators).tolist() == [[0, 0], [1, 1], [1, 1], [3, 2], [3, 2], [3, 3]]
    assert OWN(accumulators[3]).tolist() == [3, 2]


def test_a_neuron_alone_climbs_the_same_steps_without_equal_thresholds() -> None:
    alone = OWN.alone(0)
    assert alone.thresholds.tolist() == [-2, 0] and alone.values.tolist() == [0, 1, 3]
    every = np.arange(-5, 12)
    for neuron in range(2):
        assert np.array_equal(OWN.alone(neuron)(every), OWN(np.stack([every, every], axis=1))[:, neuron])


@pytest.mark.parametrize(
    "thresholds, values", [([[1, 0]], [0, 1, 2]), ([[0, 1], [0, 1]], [0, 1]), ([[0, 1]], [0, 1, 0])]
)
def test_thresholds_that_fall_or_do_not_fit_are_refused(thresholds: list[list[int]], values: list[int]) -> None:
    with pytest.raises(QapError, match="step table"):
        StepTable(np.array(thresholds), np.array(values))


def test_a_layer_needs_thresholds_of_all_its_neurons() -> None:
    one = FixedPoint.parse("fixed<3,3>")
    spec = LayerSpec("layer", np.ones((2, 3), int), one, np.zeros(3, int), one, OWN, FixedPoint.parse("ufixed<2,2>"))
    with pytest.raises(NotExact, match="thresholds of 2 neurons, but 3 neurons"):
        connect(one, [spec], "abc")


def test_a_network_on_disk_keeps_them(tmp_path: Path) -> None:
    network = stepped_classifier(seed=0, levels=7)
    save_network(network, tmp_path / "network.npz")
    again = load_network(tmp_path / "network.npz")
    steps = again.layers[0].activation
    assert isinstance(steps, StepTable) and steps.thresholds.shape == (5, 7)
    assert again.digest == network.digest
    shared = network.specs()
    shared[0] = shared[0]._replace(activation=StepTable(np.arange(7), steps.values))
    assert connect(network.input_format, shared, network.class_names).digest != network.digest


def test_neurons_that_nobody_reads_take_their_thresholds_along() -> None:
    network = stepped_classifier(seed=1, levels=7)
    specs = network.specs()
    weight = specs[1].weight.copy()
    weight[[0, 3]] = 0
    specs[1] = specs[1]._replace(weight=weight)
    network = connect(network.input_format, specs, network.class_names)
    smaller, kept = simplify(network)
    assert smaller.layers[0].n_out == 3
    x = np.random.default_rng(0).integers(-128, 128, (500, network.n_in))
    assert np.array_equal(smaller.forward(x[:, kept]), network.forward(x))


def test_floating_point_needs_no_bits_for_what_thresholds_hold() -> None:
    network = stepped_classifier(seed=2, levels=7)
    specs = network.specs()
    finer = FixedPoint.parse("ufixed<3,-20>")
    own = connect(network.input_format, [specs[0]._replace(result_format=finer), specs[1]], network.class_names)
    assert own.float_bits()[0] == network.float_bits()[0] < 24
