"""Small networks and checks that several hardware tests share."""

from __future__ import annotations

import numpy as np
from support.needs import needing, needs

from qap.fixed import FixedPoint, IntArray
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.verification import adversarial_vectors

needs("da4ml", "jinja2")

needs_simulator = needing("verilator")


def vectors(network: IntegerNetwork, count: int = 300, seed: int = 0) -> IntArray:
    """Adversarial and random inputs."""
    form = network.input_format
    random = np.random.default_rng(seed).integers(form.min_int, form.max_int, (count, network.n_in), endpoint=True)
    return np.concatenate([adversarial_vectors(form, network.n_in, seed), random])


def dense(
    weight: list[list[int]], bias: list[int], input_format: str = "ufixed<4,4>", result: str | None = None
) -> IntegerNetwork:
    """One layer with integer weights."""
    matrix = np.array(weight)
    form = FixedPoint.parse("fixed<12,12>")
    activation = "linear" if result is None else "relu"
    spec = LayerSpec(
        "layer", matrix, form, np.array(bias), form, activation, None if result is None else FixedPoint.parse(result)
    )
    return connect(FixedPoint.parse(input_format), [spec], [str(i) for i in range(max(2, matrix.shape[1]))])


def sparse_classifier(seed: int = 0, inputs: int = 40, hidden: int = 3) -> IntegerNetwork:
    """Like a pruned image classifier: one-bit inputs, most of which are not read, 3-bit weights, two classes."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-3, 4, (inputs, hidden)) * (rng.random((inputs, hidden)) < 0.2)
    first = LayerSpec(
        "first", weight, FixedPoint.parse("fixed<3,1>"), rng.integers(-8, 8, hidden), FixedPoint.parse("fixed<6,4>"),
        "relu", FixedPoint.parse("ufixed<4,2,RND_CONV,SAT>"),
    )  # fmt: skip
    last = LayerSpec(
        "last", rng.integers(-7, 8, (hidden, 2)), FixedPoint.parse("fixed<4,2>"), rng.integers(-8, 8, 2),
        FixedPoint.parse("fixed<6,2>"),
    )  # fmt: skip
    return connect(FixedPoint.parse("ufixed<1,1>"), [first, last], ["one", "nine"])
