"""Layers made by hand, for the laws of the estimator."""

import itertools

import numpy as np

from qap.fixed import FixedPoint
from qap.hardware.estimate.description import LayerDescription, NetworkDescription
from qap.network import LayerSpec, connect


def layer(weight, *, source="ap_fixed<16,6>", weights="ap_fixed<16,6>", accum="ap_fixed<40,20>", **changes):
    """A dense layer; weights in LSBs, (n_in, n_out)."""
    weight = np.asarray(weight, np.int64)
    content = {
        "name": "dense",
        "weight": weight,
        "bias": np.zeros(weight.shape[1], np.int64),
        "input_format": FixedPoint.parse(source),
        "weight_format": FixedPoint.parse(weights),
        "bias_format": FixedPoint.parse(weights),
        "accum_format": FixedPoint.parse(accum),
        "result_format": FixedPoint.parse(accum),
        "activation": "linear",
        "activation_format": FixedPoint.parse(accum),
        "reuse_factor": 1,
        "strategy": "latency",
        "declared_zeros": int((weight == 0).sum()),
    }
    return LayerDescription(**{**content, **changes})


def described(*layers, tool="vitis", part="xcvu9p", clock_ns=5.0, uncertainty_ns=1.35):
    """A network of such layers."""
    return NetworkDescription(layers, tool, part, clock_ns, uncertainty_ns)


def network(bits=6, sizes=(16, 12, 5), seed=0, sparsity=0.0):
    """A network of random weights with ReLU."""
    random = np.random.default_rng(seed)
    form, outputs = FixedPoint(True, bits, 1), FixedPoint(False, 8, 4)
    specs = []
    for index, shape in enumerate(itertools.pairwise(sizes)):
        weight = random.integers(form.min_int, form.max_int + 1, shape) * (random.random(shape) >= sparsity)
        bias = random.integers(form.min_int, form.max_int + 1, shape[1])
        specs.append(LayerSpec(f"dense{index}", weight, form, bias, form, "relu", outputs))
    return connect(FixedPoint(False, 8, 0), specs, [f"c{index}" for index in range(max(2, sizes[-1]))])
