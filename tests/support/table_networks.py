"""Random networks of truth tables, and what they compute in plain Python."""

from __future__ import annotations

import numpy as np
from support.any_network import random_format, random_layer

from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, LayerSpec, Spec, TableLayer, ThresholdLayer, connect

PINS = 6
BIT = FixedPoint(False, 1, 1)
ODD = np.array(
    [0, 2**64 - 1, 0xAAAA_AAAA_AAAA_AAAA, 0xCCCC_CCCC_CCCC_CCCC, 0x8888_8888_8888_8888, 0x6996_9669_9669_6996],
    np.uint64,
)
"""Both constants, two wires, an AND of two, and an XOR of six."""


def random_table_network(rng: np.random.Generator, *, max_inputs: int = 12, max_units: int = 8) -> IntegerNetwork:
    """Bits of inputs, thresholds or activations, 1 to 3 layers of tables, and class sums or an ordinary layer.

    Args:
        rng: decides everything.
        max_inputs: at most so many inputs.
        max_units: at most so many tables in a layer.
    """
    n_in = int(rng.integers(2, max_inputs + 1))
    first = str(rng.choice(["bits", "thresholds", "activations"]))
    input_format = FixedPoint(False, 1, int(rng.integers(-1, 3))) if first == "bits" else random_format(rng, 8)
    specs: list[Spec] = []
    if first == "thresholds":
        specs.append(random_thresholds(rng, input_format, n_in, int(rng.integers(2, 2 * max_units + 1))))
    elif first == "activations":
        one_bit = FixedPoint(False, 1, int(rng.integers(-1, 4)))
        specs.append(random_layer(rng, "activations", n_in, int(rng.integers(1, max_units + 1)))._replace(
            activation="relu", result_format=one_bit))  # fmt: skip
    for index in range(int(rng.integers(1, 4))):
        before = specs[-1].n_out if specs else n_in
        specs.append(random_tables(rng, f"tables{index}", before, int(rng.integers(2, max_units + 1))))
    last = specs[-1].n_out
    divisors = [classes for classes in range(1, last + 1) if last % classes == 0]
    if rng.random() < 0.6:
        specs.append(class_sums(last, int(rng.choice(divisors))))
    else:
        specs.append(random_layer(rng, "dense", last, int(rng.integers(1, 5))))
    return connect(input_format, specs, [str(index) for index in range(max(2, specs[-1].n_out))])


def random_thresholds(rng: np.random.Generator, form: FixedPoint, n_in: int, count: int) -> ThresholdLayer:
    """Thresholds in and just outside of a format, some of them equal."""
    values = rng.integers(form.min_int - 1, form.max_int + 2, count, endpoint=True)
    return ThresholdLayer("thresholds", rng.integers(0, n_in, count), values, n_in)


def random_tables(rng: np.random.Generator, name: str, n_in: int, units: int) -> TableLayer:
    """Tables of 2 to 6 inputs; constants, wires, equal ones and ones that ignore a pin come up."""
    fan_in = min(int(rng.integers(2, PINS + 1)), n_in)
    wires = np.stack([rng.choice(n_in, fan_in, replace=False) for _ in range(units)])
    wires = np.hstack([wires, np.repeat(wires[:, :1], PINS - fan_in, axis=1)])
    tables = rng.integers(0, 2**64, units, np.uint64, endpoint=False)
    odd = rng.random(units) < 0.3
    tables[odd] = rng.choice(ODD, odd.sum())
    if units > 2 and rng.random() < 0.5:
        wires[-1], tables[-1] = wires[0], tables[0]
    return TableLayer(name, wires, tables, n_in)


def class_sums(n_in: int, classes: int) -> LayerSpec:
    """Sums of equal consecutive blocks of bits."""
    weight = np.repeat(np.eye(classes, dtype=np.int64), n_in // classes, axis=0)
    return LayerSpec("sums", weight, BIT, np.zeros(classes, np.int64), BIT)


def by_hand(layer: TableLayer | ThresholdLayer, x_int: np.ndarray) -> list[list[int]]:
    """What a layer of tables or thresholds answers, a bit at a time."""
    if isinstance(layer, ThresholdLayer):
        pairs = list(zip(layer.features.tolist(), layer.thresholds.tolist(), strict=True))
        return [[int(row[feature] >= threshold) for feature, threshold in pairs] for row in x_int.tolist()]
    answers = []
    for row in x_int.tolist():
        addresses = [sum(row[wire] << pin for pin, wire in enumerate(wires)) for wires in layer.wires.tolist()]
        answers.append([table >> address & 1 for table, address in zip(layer.tables.tolist(), addresses, strict=True)])
    return answers
