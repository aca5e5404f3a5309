"""The schedule of a layer: adder trees or chains cut into clock cycles, and the registers at the cuts.

HLS places every operation into the first cycle in which its operands are ready and the rest of the cycle is long
enough. A value that is read in a later cycle than it is made lies in registers for the cycles between.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.fixed import IntArray
from qap.hardware.estimate.products import DSP, FloatArray, Products

LAST_ADDITIONS = 3
"""Levels of the tree that are left when the last product of a shared multiplier is there."""
LONG_LIFE = 3
"""Cycles from which on HLS delays a value in shift registers, which are LUTs."""
_EPSILON = 1e-9


class Delays(NamedTuple):
    """Delays of HLS' operators on one family of parts, in ns.

    Args:
        add: an addition in a tree.
        add_bit: more of it for each bit.
        product_add: an addition or a negation inside of a product.
        lut_multiplier: a multiplier in LUTs.
        dsp: a DSP block.
        chained: an addition in a chain.
    """

    add: float
    add_bit: float
    product_add: float
    lut_multiplier: float
    dsp: float
    chained: float

    def of_products(self, cycle: float) -> tuple[FloatArray, FloatArray]:
        """By kind of product: when it is ready, and for how many cycles its inputs are inside of a multiplier."""
        ready = np.array([0.0, self.product_add, 2 * self.product_add, min(self.lut_multiplier, cycle), self.dsp])
        inside = np.zeros(len(ready))
        if self.dsp > cycle:  # pipelined, with registers before and behind it
            inside[DSP] = np.ceil(self.dsp / cycle - _EPSILON)
            ready[DSP] = (inside[DSP] + 1) * cycle
        return ready, inside


class HlsSchedule(NamedTuple):
    """What a layer's additions take.

    Args:
        additions: two-operand additions, biases included.
        addition_bits: their widths, summed.
        register_bits: bits that are kept from one cycle to the next.
        delayed_bits: bits of values that wait so long that shift registers hold them.
        latency: cycles from the inputs to the outputs.
    """

    additions: int
    addition_bits: int
    register_bits: float
    delayed_bits: float
    latency: int


class _Values(NamedTuple):
    """Values that wait to be added, as arrays of (n_out, n)."""

    width: IntArray
    low: IntArray
    ready: FloatArray
    own: FloatArray  # 1, or 0 where another value is the same one

    def each(self, change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> _Values:
        """The same change in every array."""
        return _Values(change(self.width), change(self.low), change(self.ready), change(self.own))


def schedule(
    made: Products, bias_width: IntArray, accum_width: int, cycle: float, delays: Delays, ii: int
) -> HlsSchedule:
    """Schedule the sums of a layer.

    Args:
        made: its products.
        bias_width: bits of each bias, 0 where it is 0.
        accum_width: bits of the accumulator.
        cycle: ns of a cycle that logic can use.
        delays: of the operators on this part.
        ii: cycles from one input to the next; a register is free again after so many.
    """
    if made.chain:
        return _chain(made, bias_width, accum_width, cycle, delays, ii)
    return _tree(made, bias_width, accum_width, cycle, delays, ii)


def _leaves(made: Products, bias_width: IntArray, cycle: float, delays: Delays) -> tuple[_Values, FloatArray]:
    ready, inside = delays.of_products(cycle)
    delay, extra = ready[made.kind], inside[made.kind]
    nothing = np.zeros((len(bias_width), 1))
    leaves = _Values(
        np.concatenate([made.width, bias_width[:, None]], axis=1),
        np.concatenate([made.low, nothing.astype(np.int64)], axis=1),
        np.concatenate([delay, nothing], axis=1),
        np.concatenate([made.first, nothing], axis=1),
    )
    return leaves, extra


def _tree(made: Products, bias_width: IntArray, accum_width: int, cycle: float, delays: Delays, ii: int) -> HlsSchedule:
    values, extra = _leaves(made, bias_width, cycle, delays)
    kept = float((np.ceil(extra / ii) * made.first * made.full_width).sum())
    order = np.argsort(np.where(values.width > 0, values.ready, np.inf), axis=1, kind="stable")
    longest = int((values.width > 0).sum(axis=1).max(initial=0))
    values = values.each(lambda array: np.take_along_axis(array, order, 1)[:, :longest])
    additions = bits = 0
    delayed = 0.0
    while values.width.shape[1] > 1:
        values, counted = _level(values, accum_width, cycle, delays, ii)
        additions, bits = additions + counted.additions, bits + counted.addition_bits
        kept, delayed = kept + counted.register_bits, delayed + counted.delayed_bits
    end = _cycle_of(values.ready, cycle)
    latency = int(end.max(initial=0))
    return HlsSchedule(additions, bits, kept, delayed, latency)


def _level(values: _Values, accum_width: int, cycle: float, delays: Delays, ii: int) -> tuple[_Values, HlsSchedule]:
    """Add neighbours to each other."""
    if values.width.shape[1] % 2:
        values = values.each(lambda array: np.concatenate([array, np.zeros((len(array), 1), array.dtype)], axis=1))
    left, right = values.each(lambda array: array[:, ::2]), values.each(lambda array: array[:, 1::2])
    both = (left.width > 0) & (right.width > 0)
    low = np.minimum(left.low, right.low)
    width = np.minimum(accum_width, np.maximum(left.width, right.width) + 1)
    delay = np.minimum(delays.add + delays.add_bit * (width - low), cycle)
    start = np.maximum(left.ready, right.ready)
    begun = np.floor(start / cycle + _EPSILON)
    start = np.where(start - begun * cycle + delay > cycle + _EPSILON, (begun + 1) * cycle, start)
    used = np.floor(start / cycle + _EPSILON)
    kept = delayed = 0.0
    for side in (left, right):
        life = np.clip(used - _cycle_of(side.ready, cycle), 0, None) * both * side.own
        copies, own_bits = np.ceil(life / ii), side.width - side.low
        kept += float((np.minimum(copies, LONG_LIFE + 1) * own_bits).sum())
        delayed += float(((copies >= LONG_LIFE) * own_bits).sum())
    single = np.where(left.width > 0, left.low, right.low)
    merged = _Values(
        np.where(both, width, np.maximum(left.width, right.width)),
        np.where(both, low, single),
        np.where(both, start + delay, np.maximum(left.ready, right.ready)),
        np.where(both, 1.0, np.maximum(left.own, right.own)),
    )
    counted = HlsSchedule(int(np.count_nonzero(both)), int(((width - low) * both).sum()), kept, delayed, 0)
    return merged, counted


def _cycle_of(ready: FloatArray, cycle: float) -> FloatArray:
    """The cycle in which a value is made."""
    return np.floor(np.maximum(ready - 1e-6, 0.0) / cycle)


def _chain(
    made: Products, bias_width: IntArray, accum_width: int, cycle: float, delays: Delays, ii: int
) -> HlsSchedule:
    """Sums that are made one after another: as many additions in a cycle as fit into it."""
    exists = made.width > 0
    terms = exists.sum(axis=1)
    per_cycle = max(1, int(cycle / delays.chained + _EPSILON))
    position = np.cumsum(exists, axis=1) - 1
    when = np.where(exists, position // per_cycle, 0)
    latency = int(when.max(initial=0))
    additions = int(np.maximum(terms + (bias_width > 0) - 1, 0).sum())
    kept = float((np.minimum(terms // per_cycle, latency) * accum_width).sum())
    copies = np.ceil(when / ii)
    waiting = made.first * made.full_width  # products are made at once and wait for their turn
    kept += float((np.minimum(copies, LONG_LIFE + 1) * waiting).sum())
    delayed = float(((copies >= LONG_LIFE) * waiting).sum())
    return HlsSchedule(additions, additions * accum_width, kept, delayed, latency)


def shared_latency(multiplications: int, multipliers: int, kind: int, cycle: float, delays: Delays) -> int:
    """The latency when fewer multipliers than multiplications are there: they are used one after another.

    The last product is followed by its multiplier and by the last additions.
    """
    last = -(-multiplications // multipliers) - 1
    ready = float(delays.of_products(cycle)[0][kind])
    delay = min(delays.add + 16 * delays.add_bit, cycle)
    for _ in range(LAST_ADDITIONS):
        begun = math.floor(ready / cycle + _EPSILON)
        if ready - begun * cycle + delay > cycle + _EPSILON:
            ready = (begun + 1) * cycle
        ready += delay
    return last + math.floor(max(ready - 1e-6, 0.0) / cycle)
