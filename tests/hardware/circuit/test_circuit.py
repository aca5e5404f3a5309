from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.any_network import random_network
from support.hardware_cases import dense, sparse_classifier, vectors

from qap.errors import QapError
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.hardware.circuit import Circuit, lower_network
from qap.hardware.circuit import lowering as rtl
from qap.hardware.circuit.activations import at_least, greater
from qap.hardware.circuit.arithmetic import Add
from qap.hardware.circuit.builder import Builder
from qap.hardware.circuit.operations import Input
from qap.hardware.circuit.pipeline import fastest_pipeline, pipelined
from qap.hardware.circuit.sums import adder_sum, digit_terms, table_sum
from qap.hardware.circuit.tables import TruthTable
from qap.hardware.circuit.wires import Range
from qap.network import IntegerNetwork, LayerSpec, StepTable, connect, simplify


def check(network: IntegerNetwork, seed: int = 0) -> Circuit:
    smaller, kept = simplify(network)
    circuit = lower_network(smaller)
    x = vectors(network, seed=seed)
    logits, classes = circuit.evaluate(x[:, kept])
    expected = network.forward(x)
    assert np.array_equal(logits, expected)
    assert np.array_equal(classes, network.decide(expected))
    return circuit


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_are_lowered_exactly(seed: int) -> None:
    check(random_network(np.random.default_rng(seed)), seed)


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("signed", [False, True])
def test_every_mode_for_every_accumulator(
    rounding: Rounding, overflow: Overflow, activation: Any, signed: bool
) -> None:
    """One input of 13 bits runs through every accumulator; the widths rule a single table out."""
    source = FixedPoint(True, 13, 7)
    result = FixedPoint(signed, 7, 4, rounding, overflow)
    one = FixedPoint.parse("fixed<3,3>")
    spec = LayerSpec("layer", np.array([[1]]), one, np.array([1]), FixedPoint(True, 3, -1), activation, result)
    network = connect(source, [spec], ["a", "b"])
    x = np.arange(source.min_int, source.max_int + 1)[:, None]
    assert np.array_equal(lower_network(network).evaluate(x)[0], network.forward(x))


def test_wide_accumulators_and_weights_beyond_float32_are_exact() -> None:
    form, wide = FixedPoint.parse("fixed<30,30>"), FixedPoint.parse("fixed<16,16>")
    weight = np.array([[2**28 + 1, -(2**27) - 3], [12345677, 2**29 - 1]])
    network = connect(wide, [LayerSpec("layer", weight, form, np.array([5, -5]), form)], ["a", "b"])
    check(network)


def test_da4ml_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong answer of da4ml costs adders, never a bit."""
    network = dense([[5, 7], [9, -11], [13, 3]], [1, 2], "fixed<8,8>")
    honest: Callable[..., Any] = rtl._solve
    calls = []

    def lie(weight: Any, ranges: Any) -> Any:
        calls.append(weight)
        wrong = weight.copy()
        wrong[0, 0] += 1
        return honest(wrong, ranges)

    monkeypatch.setattr(rtl, "_solve", lie)
    monkeypatch.setattr(rtl, "SHARING", 0.0)
    check(network)
    assert calls


def test_a_neuron_of_six_bits_is_one_table() -> None:
    network = dense([[3], [-5], [7], [11], [-2], [1]], [-4], "ufixed<1,1>", "ufixed<1,3,RND_CONV,SAT>")
    circuit = check(network)
    tables = [operation for operation in circuit.operations if isinstance(operation, TruthTable)]
    assert len(tables) == 1 and circuit.luts() == 1
    assert not any(isinstance(operation, Add) for operation in circuit.operations)


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (-3, 5)])
def test_an_answer_of_two_numbers_is_one_bit(low: int, high: int) -> None:
    """The sums behind 64 such neurons cost what they cost behind 64 bits, whatever the two numbers are."""
    rng = np.random.default_rng(0)
    form, sign = FixedPoint(True, 4, 4), FixedPoint(True, 2, 2)
    zero = np.zeros(64, np.int64)

    def with_values(low: int, high: int) -> Circuit:
        steps = StepTable(np.array([0]), np.array([low, high]))
        first = LayerSpec("first", signs[0], sign, zero, sign, steps, form)
        return check(connect(form, [first, LayerSpec("last", signs[1], sign, zero[:3], sign)], ["a", "b", "c"]))

    signs = [rng.choice([-1, 1], shape) for shape in ((8, 64), (64, 3))]
    assert with_values(low, high).luts() <= 1.05 * with_values(0, 1).luts()


def test_only_inputs_that_are_read_reach_the_circuit() -> None:
    network = sparse_classifier()
    circuit = check(network)
    read = int(network.layers[0].weight.any(axis=1).sum())
    assert 0 < circuit.inputs <= read < network.n_in
    assert sum(isinstance(operation, Input) for operation in circuit.operations) == circuit.inputs


def test_equal_logits_give_the_lowest_class() -> None:
    network = dense([[1, 1, 1, 1, 1]], [0, 3, 3, 2, 3], "ufixed<2,2>")
    assert set(lower_network(network).evaluate(np.arange(4)[:, None])[1]) == {1}


@pytest.mark.parametrize("low, high", [(0, 255), (-128, 127), (-3, 900), (0, 1), (-1, 0), (-700, 20)])
def test_comparison_with_a_constant(low: int, high: int) -> None:
    for threshold in {low - 1, low, low + 1, 0, 1, 6, 64, high, high + 1}:
        builder = Builder(1, low, high)
        node = at_least(builder, builder.inputs[0], threshold)
        circuit = builder.finish([node], node)
        x = np.arange(low, high + 1)[:, None]
        assert np.array_equal(circuit.evaluate(x)[1], (x[:, 0] >= threshold).astype(int))


@pytest.mark.parametrize("low, high", [(0, 7), (-8, 7), (-20, 21), (0, 40), (-300, 5)])
def test_comparison_of_two_numbers(low: int, high: int) -> None:
    builder = Builder(2, low, high)
    node = greater(builder, *builder.inputs)
    x = np.random.default_rng(1).integers(low, high, (3000, 2), endpoint=True)
    assert np.array_equal(builder.finish([node], node).evaluate(x)[1], (x[:, 0] > x[:, 1]).astype(int))


def test_sums_by_tables_and_by_adders_are_equal() -> None:
    rng = np.random.default_rng(3)
    for width in (1, 2, 3, 6):
        builder = Builder(20, 0, 2**width - 1)
        weights = {node: int(w) for node, w in zip(builder.inputs, rng.integers(-9, 10, 20), strict=True) if w}
        by_tables, by_adders = table_sum(builder, weights), adder_sum(builder, weights)
        circuit = builder.finish([by_tables.node, by_adders.node], by_tables.node)
        x = rng.integers(0, 2**width, (200, 20))
        sums = circuit.evaluate(x)[0] + [by_tables.offset, by_adders.offset]
        expected = x @ np.array([weights.get(node, 0) for node in builder.inputs])
        assert np.array_equal(sums, np.stack([expected, expected], axis=1))


def test_signed_digits_are_few_and_exact() -> None:
    for weight in range(-300, 301):
        terms = digit_terms(0, weight)
        assert sum((-1 if term.negative else 1) << term.shift for term in terms) == weight
        assert len(terms) <= (abs(weight).bit_length() + 2) // 2


def test_ranges_hold_what_can_happen() -> None:
    """Every node's value must lie inside of its proven range, which the widths in Verilog come from."""
    for seed in range(20):
        smaller = simplify(random_network(np.random.default_rng(1000 + seed))).network
        circuit = lower_network(smaller)
        everything = replace(circuit, logits=tuple(range(len(circuit.operations))))
        values = everything.evaluate(vectors(smaller))[0]
        for bounds, column in zip(circuit.ranges, values.T, strict=True):
            assert bounds.low <= column.min() and column.max() <= bounds.high


def test_pipelines_respect_the_depth_and_the_order() -> None:
    circuit = lower_network(simplify(sparse_classifier()).network, "ecp5")
    latencies = []
    for depth in range(1, 30):
        pipeline = pipelined(circuit, depth)
        latencies.append(pipeline.latency)
        slowest = max(
            operation.levels([circuit.ranges[a] for a in arguments], bounds)
            for operation, arguments, bounds in zip(circuit.operations, circuit.arguments, circuit.ranges, strict=True)
        )
        assert pipeline.longest <= max(depth, slowest)
        for node, arguments in enumerate(circuit.arguments):
            assert all(pipeline.stage[a] <= pipeline.stage[node] for a in arguments)
    assert latencies == sorted(latencies, reverse=True) and latencies[0] > latencies[-1] == 1
    with pytest.raises(QapError, match=r"stage_depth >= 1 must hold, but got stage_depth=0"):
        pipelined(circuit, 0)


def test_the_fastest_pipeline_keeps_the_budget() -> None:
    circuit = lower_network(simplify(sparse_classifier()).network)
    everything = [pipelined(circuit, depth) for depth in range(1, 30)]
    chosen = fastest_pipeline(circuit)
    least = min(pipeline.luts(circuit) for pipeline in everything)
    assert chosen.luts(circuit) <= 1.1 * least
    affordable = [s for s in everything if s.luts(circuit) <= 1.1 * least]
    assert chosen.longest == min(pipeline.longest for pipeline in affordable)
    generous = fastest_pipeline(circuit, lut_budget=10**6)
    assert generous.longest <= chosen.longest and generous.longest == min(s.longest for s in everything)


def test_ranges_count_bits() -> None:
    assert [Range(*ends).width for ends in ((0, 0), (0, 1), (0, 255), (-1, 0), (-128, 127), (-129, 0), (-1, 255))] == [
        1, 1, 8, 1, 8, 9, 9,
    ]  # fmt: skip
