"""The products of a layer: which of them HLS builds as wires, additions, LUT multipliers or DSP blocks.

HLS knows the weights as constants. A product by a constant is a sum of shifted inputs, one for each non-zero
digit of the constant's canonical signed form (CSD: no two neighbouring digits are both non-zero). With one or two
digits HLS builds that sum; with more it keeps a multiplier, in a DSP block when the operands are wide enough.
Equal products (same input, same weight) are built once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qap.fixed import BoolArray, IntArray
from qap.hardware.estimate.description import LayerDescription, Tool
from qap.network.csd import csd_digits

FloatArray = npt.NDArray[np.float64]

DSP_INPUT_BITS = 12
"""Inputs of at least so many bits go to DSP blocks: 13 did and 11 did not in the calibration rows."""
VIVADO_CONSTANT_BITS = 5
"""Vivado HLS builds a multiplication by a shorter constant (without sign: 11 and 13) from LUTs."""
WIRE, ADDED_ONCE, ADDED_TWICE, LUT_MULTIPLIER, DSP = range(5)


class Products(NamedTuple):
    """Arrays of shape (n_out, n_in); what is not there (a zero weight) has width 0.

    Args:
        kind: WIRE, ADDED_ONCE, ADDED_TWICE, LUT_MULTIPLIER or DSP.
        first: whether the product is the first of its input with this weight, so that it is counted once.
        additions: additions and negations in the product.
        full_width: bits of the product without the zeros below it.
        width: bits in the accumulator, the zeros below it included.
        low: zeros below it in the accumulator.
        truncated: whether the accumulator drops low bits of products.
        chain: whether HLS adds them one after another instead of in a tree.
    """

    kind: npt.NDArray[np.int8]
    first: BoolArray
    additions: IntArray
    full_width: IntArray
    width: IntArray
    low: IntArray
    truncated: bool
    chain: bool

    def count(self, kind: int) -> int:
        """Different products of a kind."""
        return int(np.count_nonzero(self.first & (self.kind == kind)))


def bit_length(values: IntArray) -> IntArray:
    """Bits of the absolute value; 0 for 0."""
    return np.frexp(np.abs(values).astype(np.float64))[1].astype(np.int64)


def trailing_zeros(values: IntArray) -> IntArray:
    """Zeros below the lowest bit that is set; -1 for 0."""
    return bit_length(values & -values) - 1


def products(layer: LayerDescription, weight: IntArray, tool: Tool) -> Products:
    """Classify the products of a layer.

    Args:
        layer: formats and what is forced.
        weight: (n_in, n_out), without what HLS removes.
        tool: which release.
    """
    codes = np.ascontiguousarray(weight.T)
    exists = codes != 0
    digits, length, zeros = csd_digits(codes), bit_length(codes), trailing_zeros(codes)
    kind, additions = _kinds(layer, codes, digits, length, tool)
    kind[~exists] = WIRE
    source, accum = layer.input_format, layer.accum_format
    dropped = max(0, source.fractional + layer.weight_format.fractional - accum.fractional)
    added = np.where(digits == 1, length - 1, length)  # a power of two moves the input, it makes it no wider
    width = np.where(exists, np.clip(source.width + added - dropped, 1, accum.width), 0)
    low = np.where(exists, np.minimum(np.clip(zeros - dropped, 0, None), width - 1), 0)
    full = np.where(exists, source.width + added - zeros, 0)
    product_width = source.width + max(layer.weight_format.width, 2) - (1 if layer.weight_format.width <= 2 else 0)
    chain = tool != "vivado_hls" and not dropped and accum.width <= product_width and _chained(layer, exists)
    return Products(kind, _first(codes, exists), additions * exists, full, width, low, dropped > 0, chain)


def _kinds(
    layer: LayerDescription, codes: IntArray, digits: IntArray, length: IntArray, tool: Tool
) -> tuple[npt.NDArray[np.int8], IntArray]:
    multiplied = digits > 2
    absolute = np.abs(codes)
    positive = np.where(codes > 0, 3 * absolute & ~absolute, absolute & ~(3 * absolute)) != 0  # a digit without sign
    additions = np.where(multiplied, 0, digits - positive)
    kind = np.minimum(additions, ADDED_TWICE).astype(np.int8)
    in_dsp = multiplied
    if layer.multiplier == "lut" or (layer.multiplier == "auto" and layer.input_format.width < DSP_INPUT_BITS):
        in_dsp = np.zeros_like(multiplied)
    elif tool == "vivado_hls" and layer.multiplier == "auto":
        in_dsp = multiplied & ((codes < 0) | (length >= VIVADO_CONSTANT_BITS))
    kind[multiplied] = LUT_MULTIPLIER
    kind[in_dsp] = DSP
    return kind, additions


def _chained(layer: LayerDescription, exists: BoolArray) -> bool:
    """HLS turns `sum + -x` into `sum - x`, and does not rearrange subtractions into a tree.

    Seen in rows of binary and ternary weights, and in one layer of several hundred inputs.
    """
    return layer.weight_format.width <= 2 or int(exists.sum(axis=1).max(initial=0)) > 256


def _first(codes: IntArray, exists: BoolArray) -> BoolArray:
    """Whether a code is the first of its kind in its column."""
    order = np.argsort(codes, axis=0, kind="stable")
    ordered = np.take_along_axis(codes, order, 0)
    new = np.ones(codes.shape, bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first = np.empty(codes.shape, bool)
    np.put_along_axis(first, order, new, 0)
    return first & exists
