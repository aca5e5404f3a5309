"""The integer network against exact fractions, and the proofs of its accumulators."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from support.random_networks import Choice, choices, every_mode, exact_outputs, random_inputs, random_network

from qap.errors import NotExact, QapError
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.network import LayerSpec, StepTable, connect, simplify
from qap.network.emulator import ExactProduct, exact_dtype
from qap.network.interval import Interval

fmt = FixedPoint.parse
EMPTY = Choice(1, (4, 3, 2), 1.0, (Rounding.RND_CONV, Overflow.SAT), ("relu", "linear"), False)


def layer(weight: list[list[int]], bias: list[int], **changes: object) -> LayerSpec:
    spec = LayerSpec("only", np.array(weight), fmt("fixed<5,5>"), np.array(bias), fmt("fixed<5,5>"))
    return spec._replace(**changes)


@settings(max_examples=150, deadline=None)
@given(choices())
@example(EMPTY)
def test_forward_equals_exact_fractions(choice: Choice) -> None:
    network = random_network(choice)
    x = random_inputs(network, 12)
    expected = exact_outputs(network, x)
    assert network.forward(x).tolist() == expected
    assert network.trace(x)[-1].tolist() == expected


@pytest.mark.parametrize("choice", every_mode(("linear", "relu"), seed=7), ids=str)
def test_every_rounding_and_overflow_equals_exact_fractions(choice: Choice) -> None:
    network = random_network(choice)
    x = random_inputs(network, 60)
    assert network.forward(x).tolist() == exact_outputs(network, x)


@settings(max_examples=100, deadline=None)
@given(choices())
@example(EMPTY)
def test_no_accumulator_and_no_result_leaves_its_interval(choice: Choice) -> None:
    network = random_network(choice)
    x = random_inputs(network, 200).astype(np.int64)
    fractional = network.input_format.fractional
    for each, (accumulators, results) in zip(network.layers, network.intervals(), strict=True):
        weight, bias = each.aligned(fractional)
        accumulator = x @ weight + bias
        assert (accumulator >= accumulators.low).all() and (accumulator <= accumulators.high).all()
        assert each.accum_format.holds(accumulator)
        x = each.activate(accumulator)
        assert (x >= results.low).all() and (x <= results.high).all()
        fractional = each.result_format.fractional


@settings(max_examples=100, deadline=None)
@given(choices())
def test_the_first_accumulator_is_minimal(choice: Choice) -> None:
    """The inputs that reach the ends of the interval overflow a format that is one bit narrower."""
    network = random_network(choice)
    first, form = network.layers[0], network.input_format
    weight, bias = first.aligned(form.fractional)
    largest = np.where(weight > 0, form.max_int, form.min_int)  # column j: the input that drives neuron j highest
    smallest = np.where(weight > 0, form.min_int, form.max_int)
    reached = np.concatenate([np.diag(v.T @ weight) + bias for v in (largest, smallest)])
    assert first.accum_format.holds(reached)
    if first.accum_format.width == 1:
        return
    narrower = FixedPoint(first.accum_format.signed, first.accum_format.width - 1, first.accum_format.integer - 1)
    assert not narrower.holds(reached)
    wrapped = narrower.requantize(reached, narrower.fractional)
    assert (wrapped != reached).any()


@settings(max_examples=100, deadline=None)
@given(choices())
@example(EMPTY)
def test_simplify_keeps_every_output(choice: Choice) -> None:
    network = random_network(choice)
    x = random_inputs(network, 100)
    smaller, inputs = simplify(network)
    assert (smaller.forward(x[:, inputs]) == network.forward(x)).all()
    assert smaller.n_out == network.n_out and smaller.n_in <= network.n_in
    assert sum(each.n_out for each in smaller.layers) <= sum(each.n_out for each in network.layers)
    again = simplify(smaller)
    assert again.network.digest == smaller.digest


def test_simplify_drops_what_nobody_reads_and_folds_constants() -> None:
    weight = np.array([[1, 0, 0], [0, 0, 0], [2, 0, 3]])
    hidden = LayerSpec("hidden", weight, fmt("fixed<4,4>"), np.array([0, 5, 0]), fmt("fixed<4,4>"), "relu")
    out = LayerSpec("out", np.array([[1, 2], [3, 4], [0, 0]]), fmt("fixed<4,4>"), np.array([0, 0]), fmt("fixed<4,4>"))
    smaller, inputs = simplify(connect(fmt("ufixed<2,2>"), [hidden, out], "ab"))
    assert inputs.tolist() == [0, 2]
    assert smaller.layers[0].weight.tolist() == [[1], [2]]
    assert smaller.layers[1].weight.tolist() == [[1, 2]]
    assert smaller.layers[1].bias.tolist() == [15, 20]


def test_forward_takes_int64_where_no_float_is_exact() -> None:
    wide = LayerSpec(
        "wide", np.array([[2**30], [-(2**30) + 1]]), fmt("fixed<32,32>"), np.array([1]), fmt("fixed<2,2>")
    )  # fmt: skip
    network = connect(fmt("fixed<28,28>"), [wide], "ab")
    x = np.array([[2**27 - 1, -(2**27)], [-(2**27), 2**27 - 1]])
    assert network.forward(x).tolist() == exact_outputs(network, x)
    inputs = Interval(np.full(2, -(2**27)), np.full(2, 2**27 - 1))
    assert exact_dtype(network.layers[0].weight, network.layers[0].bias, inputs) is np.int64


@pytest.mark.parametrize(("bound", "dtype"), [(2**24 - 1, np.float32), (2**24, np.float64), (2**53, np.int64)])
def test_the_cheapest_exact_arithmetic_is_chosen(bound: int, dtype: type) -> None:
    inputs = Interval(np.array([0]), np.array([1]))
    assert exact_dtype(np.array([[bound - 1]]), np.array([1]), inputs) is dtype


@pytest.mark.parametrize("sign", [1, -1])
def test_inputs_that_reach_further_below_zero_decide_the_arithmetic(sign: int) -> None:
    """-4096 * 4096 - 1 * 4096 is beyond the 24 bits of float32; 4095 * 4097, the largest sum above 0, is not."""
    spec = LayerSpec("only", sign * np.array([[4096], [1]]), fmt("fixed<14,14>"), np.array([0]), fmt("fixed<2,2>"))
    network = connect(fmt("fixed<13,13>"), [spec], "ab")
    x = np.array([[-4096, -1], [-4096, -3], [4095, 4095], [-4096, -4096]])
    assert network.forward(x)[:, 0].tolist() == [sign * (4096 * a + b) for a, b in x.tolist()]
    inputs = Interval(np.full(2, -4096), np.full(2, 4095))
    assert exact_dtype(network.layers[0].weight, network.layers[0].bias, inputs) is np.float64


def test_a_result_finer_than_its_accumulator_takes_more_bits_of_a_mantissa() -> None:
    """Sums up to 9 in whole LSBs are 4 bits; as multiples of a sixteenth they are 8, of a half LSB coarser still 4."""
    for form, bits in ((None, 4), ("ufixed<12,8>", 8), ("ufixed<3,4>", 4)):
        result = None if form is None else fmt(form)
        network = connect(fmt("ufixed<2,2>"), [layer([[3]], [0], activation="relu", result_format=result)], "ab")
        assert network.float_bits() == [bits]


@pytest.mark.parametrize("units", [1, 64, 100])
def test_rows_beyond_the_first_chunk_are_computed_as_the_first(units: int) -> None:
    """Chunks of 2,048 rows for a wide layer, shorter ones for a small one: bias and ReLU reach all of them."""
    rng = np.random.default_rng(units)
    weight, bias = rng.integers(-16, 16, (units, units)), rng.integers(-16, 0, units)
    network = connect(
        fmt("ufixed<3,3>"), [layer(weight, bias, activation="relu")], [str(k) for k in range(max(2, units))]
    )
    product = ExactProduct(weight, bias, Interval(np.zeros(units, int), np.full(units, 7)))
    assert product._rows in (2**18, 64, 2048)
    x = rng.integers(0, 8, (max(product._rows, 2048) + 3, units))
    accumulator = x @ weight + bias
    assert np.array_equal(product(x), accumulator)
    assert np.array_equal(network.forward(x), np.maximum(accumulator, 0))


def test_an_accumulator_of_64_bits_is_refused_with_the_name_of_the_layer() -> None:
    spec = LayerSpec("huge", np.full((8, 1), 2**31 - 1), fmt("fixed<32,32>"), np.array([0]), fmt("fixed<1,1>"))
    with pytest.raises(NotExact, match=r"'huge'.*accumulator needs 67 bits"):
        connect(fmt("ufixed<32,32>"), [spec], "ab")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (layer([[16]], [0]), "a weight is outside of ap_fixed<5,5>"),
        (layer([[1]], [-17]), "a bias is outside of ap_fixed<5,5>"),
        (layer([[1, 2]], [0]), "do not fit"),
        (layer([[1]], [0, 1]), "do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(spec: LayerSpec, message: str) -> None:
    with pytest.raises(NotExact, match=message):
        connect(fmt("ufixed<2,2>"), [spec], "ab")


def test_layers_must_fit_to_each_other_and_have_different_names() -> None:
    with pytest.raises(NotExact, match="do not fit to 1 inputs"):
        connect(fmt("ufixed<2,2>"), [layer([[1]], [0]), layer([[1], [1]], [0], name="second")], "ab")
    with pytest.raises(QapError, match="different names"):
        connect(fmt("ufixed<2,2>"), [layer([[1]], [0]), layer([[1]], [0])], "ab")
    with pytest.raises(QapError, match="class names"):
        connect(fmt("ufixed<2,2>"), [layer([[1]], [0])], "abc")


def test_inputs_outside_of_the_format_are_refused() -> None:
    network = connect(fmt("ufixed<2,0>"), [layer([[1], [1]], [0])], "ab")
    with pytest.raises(QapError, match=r"must be in 0\.\.3"):
        network.forward(np.array([[0, 4]]))
    with pytest.raises(QapError, match=r"shape \(n, 2\)"):
        network.forward(np.array([[0]]))
    with pytest.raises(QapError, match="float64"):
        network.forward(np.array([[0.0, 0.5]]))
    with pytest.raises(QapError, match=r"input 1 of sample 0 is .*0\.3"):
        network.predict(np.array([[0.25, 0.3]]))


def test_the_class_is_the_first_largest_logit_and_one_logit_is_decided_at_zero() -> None:
    two = connect(fmt("ufixed<2,2>"), [layer([[1, 1]], [0, 0])], "ab")
    assert two.predict(np.array([[3.0]])).tolist() == [0]
    one = connect(fmt("ufixed<2,2>"), [layer([[1]], [-1])], "ab")
    assert one.predict(np.array([[0.0], [1.0], [2.0]])).tolist() == [0, 0, 1]


def test_the_digest_changes_with_every_part() -> None:
    base = connect(fmt("ufixed<2,2>"), [layer([[1, 2]], [3, 4])], "ab")
    others = [
        connect(fmt("ufixed<2,1>"), [layer([[1, 2]], [3, 4])], "ab"),
        connect(fmt("ufixed<2,2>"), [layer([[1, 3]], [3, 4])], "ab"),
        connect(fmt("ufixed<2,2>"), [layer([[1, 2]], [3, 5])], "ab"),
        connect(fmt("ufixed<2,2>"), [layer([[1, 2]], [3, 4])], "ac"),
        connect(fmt("ufixed<2,2>"), [layer([[1, 2]], [3, 4], name="x")], "ab"),
        connect(fmt("ufixed<2,2>"), [layer([[1, 2]], [3, 4], activation="relu")], "ab"),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 7
    assert connect(fmt("ufixed<2,2>"), base.specs(), "ab").digest == base.digest


def test_counts() -> None:
    network = connect(fmt("ufixed<2,2>"), [layer([[1, 0], [0, 0]], [3, 0])], "ab")
    assert (network.parameters, network.nonzeros, network.sparsity) == (6, 2, 0.75)
    assert network.size_bytes == 4  # 6 numbers of 5 bits


def test_arrays_cannot_be_changed() -> None:
    network = connect(fmt("ufixed<2,2>"), [layer([[1, 0]], [3, 0])], "ab")
    with pytest.raises(ValueError, match="read-only"):
        network.layers[0].weight[0, 0] = 2


def test_a_step_table_must_rise() -> None:
    with pytest.raises(QapError, match="rising"):
        StepTable(np.array([1, 1]), np.array([0, 1, 2]))
    with pytest.raises(QapError, match="must not fall"):
        StepTable(np.array([1]), np.array([1, 0]))
    with pytest.raises(NotExact, match="a step of its activation is outside"):
        steps = StepTable(np.array([1]), np.array([0, 9]))
        spec = layer([[1]], [0])._replace(activation=steps, result_format=fmt("fixed<2,2>"))
        connect(fmt("ufixed<2,2>"), [spec], "ab")
    with pytest.raises(QapError, match="one value more"):
        StepTable(np.array([1]), np.array([0]))
