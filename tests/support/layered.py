"""Networks by their weights alone, and samples for them."""

import numpy as np

from qap.data import Split
from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, LayerSpec, connect

WHOLE = FixedPoint.parse("ap_fixed<8,8>")


def network_of(*weights, inputs="ap_ufixed<4,4>", activation="relu", weight_format=WHOLE, result=None):
    """Layers without biases, the last one linear."""
    specs = [
        LayerSpec(f"layer_{index}", np.array(weight), weight_format, np.zeros(len(weight[0]), int), WHOLE)
        for index, weight in enumerate(weights)
    ]
    specs[:-1] = [spec._replace(activation=activation, result_format=result) for spec in specs[:-1]]
    return connect(FixedPoint.parse(inputs), specs, ["no", "yes"])


def column(*values):
    """The weights of one neuron."""
    return [[value] for value in values]


def random_case(seed: int) -> tuple[IntegerNetwork, Split]:
    """A random network of two layers, and samples with random labels."""
    rng = np.random.default_rng(seed)
    network = network_of(rng.integers(-7, 8, (6, 5)), rng.integers(-5, 6, (5, 2)))
    return network, Split(rng.integers(0, 16, (200, 6)).astype(np.uint8), rng.integers(0, 2, 200))
