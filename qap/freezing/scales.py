"""Kernels that are integers times a float scale, and how far float32 rounds their sums.

A quantizer with `alpha="auto"` gives whole multiples of a float number of each neuron. The integers are found in the
numbers themselves, whatever the quantizer says of its scale. The sums of such a kernel round in float32, in an order
that nobody promises; how far is bounded for every order, and measured on the model's own sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from qap.errors import NotExact
from qap.fixed import IntArray
from qap.freezing.exact import FloatArray
from qap.network.interval import Interval

ROUNDING = 2.0**-24
"""What one operation of float32 may be off, as a share of its result."""
NOISE = 2.0**-21
"""How far a quantizer may be off a whole multiple, as a share of the largest: some last bits of float32."""
MEASURED, SINGLY = 4096, 64
"""Inputs whose sums are measured together, and by themselves, where other code may run."""
GUARD = 2.0
"""Times the largest rounding that was measured, a sum may be off."""


class Codes(NamedTuple):
    """`codes * scale`: whole numbers (n_in, n_out) and a positive number of each neuron, (n_out,)."""

    codes: FloatArray
    scale: FloatArray


class Sums(NamedTuple):
    """The products and sums of a layer as its model computes them.

    Args:
        call: the model's own, of float32 tensors (n, n_in).
        kernel: the kernel that it takes, (n_in, n_out) numbers of float32.
    """

    call: Callable[[Any], Any]
    kernel: FloatArray


def codes_of(layer: str, kernel: FloatArray, most: int) -> Codes:
    """The whole numbers and scales of a kernel (n_in, n_out): one scale for all neurons, or else one for each.

    Args:
        layer: the name of the layer, for the error.
        kernel: as the quantizer gives it.
        most: the largest whole number that the quantizer has.

    Raises:
        NotExact: the numbers of a neuron are not whole multiples of one number.
    """
    if (unit := _unit(kernel, most)) is not None:
        return Codes(np.rint(kernel / unit), np.full(kernel.shape[1], unit))
    units = [_unit(column, most) for column in kernel.T]
    if None in units:
        raise NotExact(
            layer,
            f"the kernel of its neuron {units.index(None)} has a float scale, but its numbers are not whole multiples, "
            f"up to {most}, of one number",
        )
    scale = np.array(units, np.float64)
    return Codes(np.rint(kernel / scale), scale)


@dataclass(frozen=True, slots=True)
class Rounding:
    """How far the float32 sums of a layer may be from `codes * scale * inputs`.

    In any order every product and every sum is off by at most its own rounding, and the kernel by what it is no whole
    multiple. No partial sum is larger than all products of one sign together; and the nearer a sum is to an end of its
    range, the nearer its inputs are to their ends.

    Args:
        codes: the whole numbers and the scale.
        sums: the range of the sums, in LSBs.
        fractional: fractional bits of the sums.
        at_low: magnitudes of all products together where a sum is the least it can be, (n_out,) in LSBs.
        at_high: the same where it is the largest.
        one_sign: products of one sign together can be no larger, (n_out,) in LSBs.
        off: of the kernel, as a share.
        measured: twice the largest rounding that was measured, (n_out,).
        computed: the sums of the model.
        inputs: the range of each input, in LSBs.
    """

    codes: Codes
    sums: Interval
    fractional: int
    at_low: FloatArray
    at_high: FloatArray
    one_sign: FloatArray
    off: float
    measured: FloatArray
    computed: Sums
    inputs: Interval

    def __call__(self, accumulators: IntArray) -> FloatArray:
        """Of each sum (n, n_out), in real numbers; the accumulators are what the sums are in LSBs."""
        magnitude = np.minimum(
            self.at_low + np.abs(accumulators - self.sums.low), self.at_high + np.abs(self.sums.high - accumulators)
        )
        terms = (self.codes.codes != 0).sum(axis=0)
        magnitude = np.where(terms == 1, np.abs(accumulators), magnitude)
        rounded = magnitude + np.maximum(terms - 1, 0) * np.minimum(magnitude, self.one_sign)
        share = ROUNDING * (1 + len(self.codes.codes) * ROUNDING) ** 2
        bound = np.ldexp(share * rounded + self.off * magnitude, -self.fractional) * self.codes.scale
        off: FloatArray = np.minimum(bound, self.measured)
        return off

    @property
    def largest(self) -> FloatArray:
        """The most that any sum may be off, (n_out,)."""
        return self.measured

    def computed_at(self, neuron: int, accumulator: int) -> FloatArray:
        """What the model computes, (m,), for seeded inputs whose exact sum at a neuron is this one."""
        x_int = inputs_of_sum(self.codes.codes[:, neuron].astype(np.int64), self.inputs, accumulator)
        if not len(x_int):
            return np.zeros(0)
        fractional = self.fractional
        tensor = keras.ops.convert_to_tensor(np.ldexp(x_int.astype(np.float64), -fractional), "float32")
        single = [np.asarray(self.computed.call(tensor[row : row + 1])) for row in range(min(SINGLY, len(x_int)))]
        return np.concatenate([np.asarray(self.computed.call(tensor)), *single])[:, neuron].astype(np.float64)


def rounding(sums: Sums, codes: Codes, inputs: Interval, fractional: int) -> Rounding:
    """How far the float32 sums of each neuron may be off: bounded, and measured on seeded inputs.

    Args:
        sums: of the model.
        codes: the whole numbers and the scale that they are compared with.
        inputs: the range of each input, in LSBs.
        fractional: fractional bits of the inputs.
    """
    low, high = (end.astype(np.float64)[:, None] for end in inputs)
    numbers = codes.codes
    least, most = np.minimum(low * numbers, high * numbers), np.maximum(low * numbers, high * numbers)
    exact = numbers * codes.scale
    off = np.abs(sums.kernel - exact)[numbers != 0] / np.abs(exact[numbers != 0])
    return Rounding(
        codes,
        Interval(least.sum(axis=0).astype(np.int64), most.sum(axis=0).astype(np.int64)),
        fractional,
        np.abs(least).sum(axis=0),
        np.abs(most).sum(axis=0),
        np.maximum(np.maximum(most, 0).sum(axis=0), np.maximum(-least, 0).sum(axis=0)),
        float(off.max(initial=0)),
        _measured(sums, codes, inputs, fractional),
        sums,
        inputs,
    )


def _unit(values: FloatArray, most: int) -> float | None:
    """The number of which all values are multiples by at most so much; None without one, 1 if all are 0."""
    sizes = np.unique(np.abs(values))
    sizes = sizes[sizes > 0]
    if not sizes.size:
        return 1.0
    for largest in range(1, most + 1):
        multiples = sizes * (largest / sizes[-1])
        whole = np.rint(multiples)
        if (np.abs(multiples - whole) <= largest * NOISE).all():
            return float(sizes @ whole / (whole @ whole))
    return None


def _measured(sums: Sums, codes: Codes, inputs: Interval, fractional: int) -> FloatArray:
    x_int = some_inputs(inputs, MEASURED)
    real = np.ldexp(x_int.astype(np.float64), -fractional)
    exact = real @ codes.codes * codes.scale
    tensor = keras.ops.convert_to_tensor(real, "float32")
    single = np.concatenate([np.asarray(sums.call(tensor[row : row + 1])) for row in range(SINGLY)])
    off = np.abs(np.asarray(sums.call(tensor), np.float64) - exact).max(axis=0)
    measured: FloatArray = GUARD * np.maximum(off, np.abs(single.astype(np.float64) - exact[:SINGLY]).max(axis=0))
    return measured


def some_inputs(inputs: Interval, count: int) -> IntArray:
    """Seeded inputs (count, n) in their ranges: half of them anywhere, a quarter on the ends, a quarter sparse."""
    rng = np.random.default_rng(0)
    shape = (count, inputs.low.size)
    anywhere = rng.integers(inputs.low, inputs.high, shape, endpoint=True)
    ends = np.where(rng.random(shape) < 0.5, inputs.low, inputs.high)
    sparse = np.where(rng.random(shape) < 0.2, anywhere, np.clip(0, inputs.low, inputs.high))
    kind = np.arange(count)[:, None] % 4
    return np.where(kind < 2, anywhere, np.where(kind == 2, ends, sparse)).astype(np.int64)


def inputs_of_sum(codes: IntArray, inputs: Interval, total: int) -> IntArray:
    """Seeded inputs (m, n) in their ranges with `x @ codes == total`, as many as are found.

    Some inputs of any kind are brought there number by number, in a random order.
    """
    rng, x_int = np.random.default_rng(0), some_inputs(inputs, MEASURED)
    missing = total - x_int @ codes
    for index in [*rng.permutation(codes.size), *rng.permutation(codes.size), *np.argsort(-np.abs(codes))]:
        if codes[index]:
            moved = x_int[:, index] + np.trunc(missing / codes[index]).astype(np.int64)
            moved = np.clip(moved, inputs.low[index], inputs.high[index])
            missing -= (moved - x_int[:, index]) * codes[index]
            x_int[:, index] = moved
    return np.unique(x_int[missing == 0], axis=0)
