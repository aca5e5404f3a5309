"""Which call of the hardware is which layer of the network, and where the two differ.

A layer of the network is an affine map with its activation; in hls4ml these are several calls: `dense`, perhaps
`normalize`, an activation. A block is the row of calls that make one layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.source import Call, HlsSource
from qap.explore.diagnosis.weights import Weights
from qap.fixed import IntArray
from qap.network import IntegerLayer, IntegerNetwork, StepTable
from qap.network.emulator import ExactProduct
from qap.network.interval import format_interval

FACTOR_ERROR = 1e-6
FINAL = ("softmax", "sigmoid", "tanh", "hard_sigmoid", "hard_tanh")
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Block:
    """The calls of one layer.

    Args:
        calls: their indices in the source, in order.
        dense: the index of its dense call; None for an activation of the inputs.
        folded: whether its weights hold a scale that the network has in its thresholds, so that sums are not the same.
    """

    calls: tuple[int, ...]
    dense: int | None
    folded: bool = False

    @property
    def last(self) -> int:
        """The index of the call that gives the layer's result."""
        return self.calls[-1]


class Reference(NamedTuple):
    """What the model gives, as real numbers.

    Args:
        network: the model in integers.
        x: the inputs that it was given, (n, n_in).
        accumulators: (n, neurons) for each layer.
        results: (n, neurons) for each layer; the last are the logits.
        classes: (n,).
    """

    network: IntegerNetwork
    x: FloatArray
    accumulators: list[FloatArray]
    results: list[FloatArray]
    classes: IntArray

    @property
    def layers(self) -> tuple[IntegerLayer, ...]:
        """The layers of the network."""
        return self.network.weighted


class Difference(NamedTuple):
    """The first layer that differs.

    Args:
        number: of the layer of the network, from 0.
        layer: the name of the hardware's layer.
        numbers: results of it that differ.
        of: results that were compared.
        sample: the first sample where it does.
        neuron: and the first neuron.
        model: what the model has there.
        hardware: what the hardware has there.
    """

    number: int
    layer: str
    numbers: int
    of: int
    sample: int
    neuron: int
    model: float
    hardware: float


def blocks_of(source: HlsSource) -> tuple[list[Block], int | None]:
    """The blocks of a project, and the index of the softmax or the like at its end."""
    calls = source.calls
    final = len(calls) - 1 if calls[-1].function in FINAL and len(calls) > 1 else None
    indices = range(len(calls) if final is None else final)
    starts = [index for index in indices if calls[index].function.startswith("dense")]
    blocks = []
    if starts and starts[0] > 0:
        blocks.append(Block(tuple(range(starts[0])), None))
    for start, end in zip(starts, [*starts[1:], indices.stop], strict=True):
        blocks.append(Block(tuple(range(start, end)), start))
    return blocks, final


def reference_of(network: IntegerNetwork, x: FloatArray) -> Reference:
    """What the network gives for real inputs, each brought onto its input format."""
    x_int = network.input_format.quantize(x)
    accumulators, results = [], []
    fractional = network.input_format.fractional
    y: IntArray = x_int
    ranges = [format_interval(network.input_format, network.n_in), *(results for _, results in network.intervals())]
    for layer, inputs in zip(network.only_weighted("qap diagnose"), ranges, strict=False):
        weight, bias = layer.aligned(fractional)
        accumulator = ExactProduct(weight, bias, inputs)(y)
        y = layer.activate(accumulator)
        fractional = layer.result_format.fractional
        accumulators.append(layer.accum_format.to_float(accumulator))
        results.append(layer.result_format.to_float(y))
    return Reference(network, network.input_format.to_float(x_int), accumulators, results, network.decide(y))


def layer_alone(layer: IntegerLayer, inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Accumulators and results of one layer for real inputs, which may lie on another grid than the model's."""
    weight, bias = real_weights(layer)
    accumulator = inputs @ weight + bias
    form = layer.result_format
    if isinstance(layer.activation, StepTable):
        lsbs = np.floor(np.ldexp(accumulator, layer.accum_format.fractional)).astype(np.int64)
        return accumulator, form.to_float(layer.activation(lsbs))
    rectified = np.maximum(accumulator, 0) if layer.activation == "relu" else accumulator
    return accumulator, rectified if form == layer.accum_format else form.to_float(form.quantize(rectified))


def real_weights(layer: IntegerLayer) -> tuple[FloatArray, FloatArray]:
    """Weight (n_in, n_out) and bias (n_out,) of a layer as real numbers."""
    return layer.weight_format.to_float(layer.weight), layer.bias_format.to_float(layer.bias)


def first_difference(
    reference: Reference, source: HlsSource, blocks: Sequence[Block], traces: Sequence[FloatArray]
) -> Difference | None:
    """The first layer whose results differ, None where all are equal."""
    for index, (block, expected) in enumerate(zip(blocks, reference.results, strict=True)):
        got = traces[block.last]
        differs = np.argwhere(got != expected)
        if len(differs):
            sample, neuron = (int(each) for each in differs[0])
            return Difference(
                index, source.calls[block.last].name, len(differs), got.size, sample, neuron,
                float(expected[sample, neuron]), float(got[sample, neuron]),
            )  # fmt: skip
    return None


def classes_of(source: HlsSource, network: IntegerNetwork, outputs: FloatArray) -> IntArray:
    """The class that the hardware's last outputs (n, n_out) decide: the largest, the lowest index wins ties."""
    if network.n_out > 1:
        return np.asarray(outputs.argmax(axis=1), np.int64)
    threshold = 0.5 if source.calls[-1].function.endswith("sigmoid") else 0
    return np.asarray(outputs[:, 0] > threshold, np.int64)


def logit_classes(network: IntegerNetwork, logits: FloatArray) -> IntArray:
    """The class that real logits (n, n_out) decide, as `IntegerNetwork.decide` does."""
    return np.asarray(network.decide(logits), np.int64)  # type: ignore[arg-type]


def has_common_scale(source: HlsSource, block: Block, layer: IntegerLayer, weights: Mapping[str, Weights]) -> bool:
    """Whether the weights of a layer are the network's times one positive factor other than 1."""
    if block.dense is None:
        return False
    call = source.calls[block.dense]
    own = weights[call.arguments[2]].simulated if call.arguments[2] in weights else None
    model = real_weights(layer)[0]
    model = (model.T if is_transposed(source, call) else model).ravel()
    if own is None or own.size != model.size or not model.any() or (own[model == 0] != 0).any():
        return False
    factors = own[model != 0] / model[model != 0]
    factor = float(np.median(factors))
    return factor > 0 and abs(factor - 1) > FACTOR_ERROR and bool((abs(factors / factor - 1) < FACTOR_ERROR).all())


def is_transposed(source: HlsSource, call: Call) -> bool:
    """Whether the weights of a dense call stand in the order of hls4ml's resource strategy: (n_out, n_in)."""
    return "resource" in source.constants.get(call.config, {}).get("strategy", "")
