"""A network with staircases of each neuron's own."""

from __future__ import annotations

import numpy as np

from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, LayerSpec, StepTable, connect


def stepped_classifier(seed: int, levels: int, inputs: int = 6, hidden: int = 5) -> IntegerNetwork:
    """8-bit inputs, a hidden layer that ends in `levels` thresholds a neuron, three classes.

    Some thresholds are equal, some lie beyond what the accumulator reaches.
    """
    rng = np.random.default_rng(seed)
    form = FixedPoint.parse("fixed<6,1>")
    weights = [rng.integers(form.min_int, form.max_int + 1, shape) for shape in ((inputs, hidden), (hidden, 3))]
    biases = [rng.integers(form.min_int, form.max_int + 1, count) for count in (hidden, 3)]
    thresholds = np.sort(rng.integers(-3000, 3000, (hidden, levels)), axis=1)
    thresholds[:, levels // 2 :] = np.maximum(thresholds[:, levels // 2 :], 0)
    thresholds[-1, -1] = 100_000
    steps = StepTable(thresholds, np.arange(levels + 1))
    specs = [
        LayerSpec("first", weights[0], form, biases[0], form, steps, FixedPoint.smallest(0, levels, 0)),
        LayerSpec("last", weights[1], form, biases[1], form),
    ]
    return connect(FixedPoint.parse("fixed<8,3>"), specs, ["x", "y", "z"])
