"""Layers of tables and thresholds against plain Python, and the networks that they make."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.random_networks import random_inputs
from support.table_networks import BIT, by_hand, class_sums, random_table_network, random_tables

from qap.errors import DataError, NotExact, QapError
from qap.fixed import FixedPoint
from qap.network import (
    IntegerLayer,
    LayerSpec,
    TableLayer,
    ThresholdLayer,
    connect,
    load_network,
    save_network,
    simplify,
)
from qap.network.truth_tables import bits_of, ignored, normal_form, words_of

SEEDS = st.integers(0, 2**32 - 1)
WIRE, XOR, AND = 0xAAAA_AAAA_AAAA_AAAA, 0x6666_6666_6666_6666, 0x8888_8888_8888_8888
fmt = FixedPoint.parse


def tables(wires: list[list[int]], values: list[int], n_in: int, name: str = "tables") -> TableLayer:
    """Tables whose unused pins repeat their first wire."""
    filled = [row + [row[0]] * (6 - len(row)) for row in wires]
    return TableLayer(name, np.array(filled), np.array(values, np.uint64), n_in)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_network_of_tables_computes_what_its_bits_say(seed: int) -> None:
    network = random_table_network(np.random.default_rng(seed))
    x = random_inputs(network, 130)
    expected, fractional = x.astype(np.int64), network.input_format.fractional
    traced = network.trace(x)
    for layer, result in zip(network.layers, traced, strict=True):
        dense = isinstance(layer, IntegerLayer)
        expected = layer.forward(expected, fractional) if dense else np.array(by_hand(layer, expected))
        assert result.tolist() == expected.tolist(), layer.name
        fractional = layer.result_format.fractional
    assert network.forward(x).tolist() == expected.tolist()


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_simplify_keeps_every_output_and_ends(seed: int) -> None:
    network = random_table_network(np.random.default_rng(seed))
    x = random_inputs(network, 200)
    smaller, inputs = simplify(network)
    assert network.forward(x).tolist() == smaller.forward(x[:, inputs]).tolist()
    assert simplify(smaller).network.digest == smaller.digest
    for layer in smaller.layers[:-1]:
        if isinstance(layer, TableLayer):
            assert np.array_equal(layer.firsts, np.arange(layer.n_out)), "two tables are equal"


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_no_result_leaves_its_interval(seed: int) -> None:
    network = random_table_network(np.random.default_rng(seed))
    results = network.trace(random_inputs(network, 200))
    for result, (_, interval) in zip(results, network.intervals(), strict=True):
        assert (result >= interval.low).all() and (result <= interval.high).all()


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_the_normal_form_is_the_same_function(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layer = random_tables(rng, "any", 7, 20)
    mixed = TableLayer("any", rng.permuted(layer.wires, axis=1), layer.tables, 7)
    wires, bits = normal_form(mixed.wires, mixed.bits)
    formed = TableLayer("any", wires, words_of(bits), 7)
    every = (np.arange(128)[:, None] >> np.arange(7)) & 1
    assert formed.forward(every, 0).tolist() == mixed.forward(every, 0).tolist()
    again = normal_form(wires, bits)
    assert np.array_equal(again[0], wires) and np.array_equal(again[1], bits)
    unused = ignored(bits)
    assert (wires[unused] == np.repeat(wires[:, :1], 6, axis=1)[unused]).all()
    for row, skipped in zip(wires.tolist(), unused.tolist(), strict=True):
        read = [wire for wire, skip in zip(row, skipped, strict=True) if not skip]
        assert read == sorted(set(read))


def test_constants_equal_tables_and_tables_that_nobody_reads_go() -> None:
    first = tables([[0, 1], [0, 1], [1, 2], [3, 4]], [XOR, XOR, 2**64 - 1, AND], 5, "first")
    second = tables([[0, 1], [2, 0], [1, 0]], [AND, AND, WIRE], 4, "second")
    network = connect(BIT, [first, second, class_sums(3, 1)], ["a", "b"])
    smaller, inputs = simplify(network)
    # x0 ^ x1 three times: equal ones are one, the constant is folded away, x3 & x4 is read by nobody
    assert [layer.n_out for layer in smaller.layers] == [1, 1]
    assert inputs.tolist() == [0, 1]
    assert smaller.layers[-1].weight.tolist() == [[3]]
    every = (np.arange(32)[:, None] >> np.arange(5)) & 1
    assert network.forward(every)[:, 0].tolist() == (3 * (every[:, 0] ^ every[:, 1])).tolist()


def test_a_layer_of_wires_in_front_of_tables_is_left_out() -> None:
    wires = tables([[2], [0], [1]], [WIRE] * 3, 3, "wires")
    second = tables([[0, 1], [1, 2]], [XOR, AND], 3, "second")
    smaller, _ = simplify(connect(BIT, [wires, second, class_sums(2, 2)], ["a", "b"]))
    assert [layer.name for layer in smaller.layers] == ["second", "sums"]
    assert smaller.layers[0].wires[:, :2].tolist() == [[0, 2], [0, 1]]


def test_a_layer_of_wires_in_front_of_sums_is_left_out_where_the_lsb_is_the_same() -> None:
    layers = [tables([[2], [0], [2]], [WIRE] * 3, 3, "wires"), class_sums(3, 1)]
    smaller, inputs = simplify(connect(BIT, layers, ["a", "b"]))
    assert [layer.name for layer in smaller.layers] == ["sums"]
    assert smaller.layers[0].weight.ravel().tolist() == [1, 2] and inputs.tolist() == [0, 2]
    kept, _ = simplify(connect(fmt("ufixed<1,0>"), layers, ["a", "b"]))
    assert [layer.name for layer in kept.layers] == ["wires", "sums"]


def test_equal_thresholds_are_one_and_those_out_of_range_are_constants() -> None:
    bits = ThresholdLayer("bits", np.array([0, 0, 1, 1]), np.array([3, 3, 9, 0]), 2)
    second = tables([[0, 1, 2, 3]], [0xA5C3_0F1E_7788_1234], 4, "second")
    network = connect(fmt("ufixed<3,3>"), [bits, second, class_sums(1, 1)], ["a", "b"])
    smaller, inputs = simplify(network)
    assert inputs.tolist() == [0]
    assert [layer.n_out for layer in smaller.layers] == [1, 1, 1]
    assert smaller.layers[0].thresholds.tolist() == [3]


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_a_network_of_tables_is_stored_and_read_again(seed: int) -> None:
    network = random_table_network(np.random.default_rng(seed))
    with TemporaryDirectory() as folder:
        save_network(network, Path(folder) / "network.npz")
        again = load_network(Path(folder) / "network.npz")
    assert again.digest == network.digest
    x = random_inputs(network, 20)
    assert again.forward(x).tolist() == network.forward(x).tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "magic"}, "unknown kind of layer 'magic'"),
        ({"n_in": 4}, "a wire reads input 4, but it has 4 inputs"),
        ({"n_in": 1 << 40}, "not a number from 1"),
        ({"n_in": "5"}, "not a number from 1"),
        ({"name": 3}, "3 is not a name"),
        ({"wires": np.zeros((2, 5), np.int64)}, "each table needs 6 wires"),
        ({"wires": np.zeros((2, 6), np.int32)}, "int32"),
        ({"tables": np.zeros(2, np.int64)}, "the tables are int64"),
        ({"tables": np.zeros((2, 1), np.uint64)}, "the tables are uint64"),
        ({"tables": np.zeros(2, np.uint64)}, "digest"),
    ],
)
def test_a_file_whose_tables_are_not_what_they_should_be_is_refused(change, said: str, tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    save_network(connect(BIT, [tables([[0, 4], [1, 2]], [XOR, AND], 5), class_sums(2, 2)], ["a", "b"]), path)
    with np.load(path) as archive:
        content = dict(archive)
    header = json.loads(str(content.pop("header")))
    assert header["qap_network"] == 2
    for key, value in change.items():
        if isinstance(value, np.ndarray):
            content[f"{key}_0"] = value
        else:
            header["layers"][0][key] = value
    np.savez(path, header=np.array(json.dumps(header)), **content)
    with pytest.raises(DataError, match=said) as caught:
        load_network(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_network_of_weights_alone_is_written_as_before(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    save_network(connect(BIT, [class_sums(2, 2)], ["a", "b"]), path)
    with np.load(path) as archive:
        assert json.loads(str(archive["header"]))["qap_network"] == 1


@pytest.mark.parametrize("seed", range(12))
def test_one_bit_of_a_table_is_another_network(seed: int) -> None:
    layer = random_tables(np.random.default_rng(seed), "tables", 6, 4)
    flipped = TableLayer("tables", layer.wires, layer.tables ^ np.array([1, 0, 0, 0], np.uint64), 6)
    one, other = (connect(BIT, [each, class_sums(4, 2)], ["a", "b"]) for each in (layer, flipped))
    assert one.digest != other.digest


def test_sizes_say_what_they_count() -> None:
    layer = tables([[0, 1], [1, 2], [3, 4], [4, 0]], [XOR, AND, WIRE, XOR], 5)
    network = connect(BIT, [layer, class_sums(4, 2)], ["a", "b"])
    assert network.tables == 4
    assert (network.parameters, network.nonzeros, network.sparsity) == (10, 4, 0.5)
    assert layer.stored_bits == 4 * 64 + 4 * 6 * 3
    assert network.size_bytes == -(-(layer.stored_bits + 8 + 2) // 8)


@pytest.mark.parametrize("form", ["ufixed<2,0>", "fixed<1,1>", "fixed<2,2>", "ufixed<8,0>"])
def test_tables_on_inputs_of_more_than_one_bit_are_refused_by_name(form: str) -> None:
    with pytest.raises(NotExact, match=r"'tables'.*single bits.*put thresholds before it"):
        connect(fmt(form), [tables([[0, 1]], [XOR], 2), class_sums(1, 1)], ["a", "b"])


@pytest.mark.parametrize("lsb", ["ufixed<1,0>", "ufixed<1,-3>", "ufixed<1,5>"])
def test_what_the_lsb_of_a_bit_is_worth_changes_nothing(lsb: str) -> None:
    network = connect(fmt(lsb), [tables([[0, 1]], [XOR], 2), class_sums(1, 1)], ["a", "b"])
    assert network.forward(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]))[:, 0].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tables([[0, 7]], [XOR], 5), "a wire reads input 7, but it has 5"),
        (lambda: TableLayer("tables", np.zeros((2, 6), int), np.zeros(3, np.uint64), 4), "each table needs 6 wires"),
        (lambda: TableLayer("tables", np.zeros((0, 6), int), np.zeros(0, np.uint64), 4), "each table needs 6 wires"),
        (lambda: ThresholdLayer("tables", np.array([-1]), np.array([0]), 3), "compares input -1"),
        (lambda: ThresholdLayer("tables", np.array([0]), np.array([0, 1]), 3), "each threshold needs a feature"),
    ],
)
def test_layers_that_do_not_fit_together_are_refused(make, said: str) -> None:
    with pytest.raises(NotExact, match=said):
        make()


def test_what_knows_weights_alone_names_the_layer_of_tables() -> None:
    network = connect(BIT, [tables([[0, 1]], [XOR], 2), class_sums(1, 1)], ["a", "b"])
    with pytest.raises(QapError, match="sensitivity knows weights alone, but layer 'tables' has truth tables"):
        network.only_weighted("sensitivity")
    assert [layer.name for layer in network.weighted] == ["sums"]
    assert all(isinstance(spec, LayerSpec) for spec in connect(BIT, [class_sums(2, 2)], ["a", "b"]).specs())


def test_rows_of_a_network_name_tables_and_thresholds() -> None:
    bits = ThresholdLayer("bits", np.array([0, 1]), np.array([3, 4]), 2)
    network = connect(fmt("ufixed<3,3>"), [bits, tables([[0, 1]], [XOR], 2), class_sums(1, 1)], ["a", "b"])
    text = network.summary()
    assert "thresholds" in text and "tables" in text and "ap_ufixed<1,1>" in text


def test_bits_and_words_are_inverses() -> None:
    words = np.random.default_rng(0).integers(0, 2**64, 50, np.uint64)
    assert np.array_equal(words_of(bits_of(words)), words)
    assert bits_of(words)[7].tolist() == [bool(int(words[7]) >> row & 1) for row in range(64)]
