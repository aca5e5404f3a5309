"""Inputs for the rows of tables: all that the wiring allows are reached, and what is counted is there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.table_networks import BIT, class_sums, random_table_network, random_tables

from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, TableLayer, ThresholdLayer, connect
from qap.network.coverage import coverage, row_vectors

fmt = FixedPoint.parse


def every_input(network: IntegerNetwork) -> np.ndarray:
    form = network.input_format
    return np.array(list(itertools.product(range(form.min_int, form.max_int + 1), repeat=network.n_in)))


def thresholds_and_tables(seed: int) -> IntegerNetwork:
    rng = np.random.default_rng(seed)
    form = fmt("fixed<3,3>")
    bits = ThresholdLayer("bits", rng.integers(0, 4, 10), rng.integers(-5, 6, 10), 4)
    return connect(form, [bits, random_tables(rng, "tables", 10, 5), class_sums(5, 1)], ["a", "b"])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_all_rows_that_any_input_addresses_are_counted_and_reached(seed: int) -> None:
    network = thresholds_and_tables(seed)
    (found,), (best,) = coverage(network, row_vectors(network)), coverage(network, every_input(network))
    assert found.proven
    assert found.reached == found.possible == best.reached


def test_a_row_that_chance_never_meets_is_aimed_at() -> None:
    """Six inputs of 24 bits, each at its largest alone."""
    bits = ThresholdLayer("bits", np.arange(6), np.full(6, 2**24 - 1), 6)
    table = TableLayer("tables", np.arange(6)[None], np.array([1 << 63], np.uint64), 6)
    network = connect(fmt("ufixed<24,24>"), [bits, table, class_sums(1, 1)], ["a", "b"])
    x = row_vectors(network)
    assert [found.reached for found in coverage(network, x)] == [64]
    assert network.forward(x).sum() >= 1
    assert [found.reached for found in coverage(network, x[:100])] == [1]  # chance alone


def test_a_thousand_tables_are_reached_in_every_row() -> None:
    rng = np.random.default_rng(4)
    wires = np.stack([rng.choice(784, 6, replace=False) for _ in range(1000)])
    layer = TableLayer("tables", wires, rng.integers(0, 2**64, 1000, np.uint64), 784)
    network = connect(fmt("ufixed<1,0>"), [layer, class_sums(1000, 10)], [str(index) for index in range(10)])
    x = row_vectors(network)
    assert len(x) <= 600
    (found,) = coverage(network, x)
    assert (found.reached, found.possible) == (64_000, 64_000)
    assert str(found) == ("the vectors reach 64,000 of 64,000 rows that its wiring allows of the tables of 'tables'")


@pytest.mark.parametrize("seed", range(6))
def test_further_layers_are_met_by_chance_and_say_so(seed: int) -> None:
    network = random_table_network(np.random.default_rng(seed))
    x = row_vectors(network)
    found = coverage(network, x)
    assert {each.layer for each in found} == {layer.name for layer in network.layers if isinstance(layer, TableLayer)}
    assert all(0 < each.reached <= each.possible for each in found)
    assert all("may reach" in str(each) for each in found if not each.proven)


def test_a_network_without_tables_needs_none() -> None:
    network = connect(BIT, [class_sums(4, 2)], ["a", "b"])
    assert row_vectors(network).shape == (0, 4)
    assert coverage(network, np.zeros((1, 4), np.int64)) == []
