"""The fast emulator: each layer of an `IntegerNetwork` compiled to exact matrix products.

BLAS multiplies integers exactly as long as no partial sum leaves the mantissa. The weights bound all
partial sums, so that bound picks the cheapest arithmetic that is exact: float32 below 2**24, float64
below 2**53, int64 above. Inputs that no weight reads are not even copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import IntArray
from qap.network import IntegerLayer, IntegerNetwork, Interval, partial_sum_bound

Program = Callable[[npt.NDArray[Any]], IntArray]
BLOCK = 8192  # samples at once: the copies of a block stay in the cache


def compile_network(network: IntegerNetwork) -> Iterator[Program]:
    """One program for each layer: (n, n_in) integers -> (n, n_out) int64."""
    low = np.full(network.n_in, network.input_format.min_int, np.int64)
    high = np.full(network.n_in, network.input_format.max_int, np.int64)
    fractional = network.input_format.fractional
    for layer, (_, reach) in zip(network.layers, network.intervals(), strict=True):
        yield compile_layer(layer, fractional, Interval(low, high))
        low, high = reach
        fractional = layer.result_format.fractional


def compile_layer(layer: IntegerLayer, input_fractional: int, reach: Interval) -> Program:
    """The program of one layer.

    Args:
        layer: the layer.
        input_fractional: fractional bits of its input.
        reach: the range of each input.
    """
    weight, bias = layer.aligned(input_fractional)
    columns = np.flatnonzero(weight.any(axis=1))
    dtype = exact_dtype(weight, bias, reach)
    reads_all = columns.size > 0.75 * layer.n_in
    used = (weight if reads_all else weight[columns]).astype(dtype)
    offset = bias.astype(dtype)

    def run(x: npt.NDArray[Any]) -> IntArray:
        picked = x if reads_all else x.take(columns, axis=1)
        return layer.activate((picked.astype(dtype) @ used + offset).astype(np.int64, copy=False))

    def blocks(x: npt.NDArray[Any]) -> IntArray:
        if len(x) <= BLOCK:
            return run(x)
        return np.concatenate([run(x[start : start + BLOCK]) for start in range(0, len(x), BLOCK)])

    return blocks


def exact_dtype(weight: IntArray, bias: IntArray, reach: Interval) -> type[np.floating[Any]] | type[np.int64]:
    """The cheapest type whose matrix product is exact: every partial sum is below its mantissa.

    Args:
        weight: (n_in, n_out) in LSBs of the accumulator.
        bias: (n_out,) in LSBs of the accumulator.
        reach: the range of each input.
    """
    bound = partial_sum_bound(weight, bias, reach)
    if bound < 2**24:
        return np.float32
    return np.float64 if bound < 2**53 else np.int64
