"""Real numbers that are exact in binary: their integers, and products of them that lose nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import FixedPoint, IntArray

FloatArray = npt.NDArray[np.float64]
MAX_PARAMETER_BITS = 32  # wider numbers come from a float scale, not from a fixed-point format
MAX_SCALE_BITS = 16  # a scale with more is a float that was learned


def to_integers(layer: str, what: str, values: FloatArray) -> tuple[IntArray, FixedPoint]:
    """Integers and the narrowest format that hold these real numbers exactly.

    Args:
        layer: the name of the layer, for the error.
        what: "kernel" or "bias", for the error.
        values: any shape.

    Raises:
        NotExact: a number is not finite, or the format would be wider than 32 bits.
    """
    refuse_infinite(layer, what, values)
    if not values.any():
        return np.zeros(values.shape, np.int64), FixedPoint(False, 1, 1)
    fractional = fractional_bits(values)
    largest = math.ldexp(np.abs(values).max(), fractional)
    if largest >= 2.0**MAX_PARAMETER_BITS:
        raise NotExact(
            layer,
            f"its {what} needs {int(math.log2(largest)) + 2} bits, at most {MAX_PARAMETER_BITS} are allowed; "
            "a float scale (alpha='auto') is the usual cause",
        )
    integers = np.ldexp(values, fractional).astype(np.int64)
    return integers, FixedPoint.smallest(int(integers.min()), int(integers.max()), fractional)


def fractional_bits(values: FloatArray) -> int:
    """Bits behind the point with which all these numbers are whole; negative when all are multiples of 2."""
    if not values.any():
        return 0
    digits, exponent = _digits(values[values != 0])
    trailing = np.log2(digits & -digits).astype(np.int64)  # exact: the operand is a power of two
    return int((53 - exponent - trailing).max())


def are_powers_of_two(numbers: npt.ArrayLike) -> bool:
    """Whether all numbers are powers of two, or their negatives."""
    return bool((np.frexp(np.abs(np.asarray(numbers, np.float64)))[0] == 0.5).all())


def refuse_infinite(layer: str, what: str, values: FloatArray) -> None:
    """Refuse numbers that are infinite or none at all.

    Raises:
        NotExact: a number is one.
    """
    if not np.isfinite(values).all():
        raise NotExact(layer, f"its {what} holds a number that is not finite")


def refuse_long(layer: str, what: str, values: FloatArray, advice: str) -> None:
    """Refuse numbers of more than 16 significant bits.

    Raises:
        NotExact: a number is one, or not finite.
    """
    if refused := long(layer, what, values, advice):
        raise refused


def long(layer: str, what: str, values: FloatArray, advice: str) -> NotExact | None:
    """The error for numbers of more than 16 significant bits (nobody chose them), None if there is none.

    Raises:
        NotExact: a number is not finite.
    """
    refuse_infinite(layer, what, values)
    numbers = values[values != 0]
    digits, _ = _digits(numbers)
    are_long = digits & -digits < 1 << (53 - MAX_SCALE_BITS)
    if not are_long.any():
        return None
    return NotExact(layer, f"its {what} {numbers[are_long][0]:.6g} is not a short binary number; {advice}")


def exact_product(layer: str, a: FloatArray, b: FloatArray, plus: FloatArray | None = None) -> FloatArray:
    """`a @ b + plus` without any rounding.

    Raises:
        NotExact: float64 does not hold every partial sum.
    """
    total = np.abs(a) @ np.abs(b)
    fractional = fractional_bits(a) + fractional_bits(b)
    if plus is not None:
        total = total + np.abs(plus)
        fractional = max(fractional, fractional_bits(plus))
    if not np.isfinite(total).all() or math.frexp(total.max(initial=0))[1] + fractional > 53:
        raise NotExact(layer, "folding it into its neighbours needs numbers of more than 53 bits")
    product: FloatArray = a @ b
    return product if plus is None else product + plus


def first_reached(rising: Callable[[IntArray], IntArray], values: IntArray, low: IntArray, high: IntArray) -> IntArray:
    """The least integers at which functions that never fall reach each value, by bisection.

    Args:
        rising: integers (k, n) -> the results of n functions, (k, n).
        values: rising, (k,).
        low: the least integer of each function, (n,).
        high: the largest, (n,); it is asked for no other integers.

    Returns:
        (k, n), `high + 1` where a function reaches a value nowhere.
    """
    first = np.broadcast_to(low, (values.size, low.size)).copy()
    last = np.broadcast_to(high + 1, first.shape).copy()
    while (first < last).any():
        middle = (first + last) >> 1
        reached = rising(np.minimum(middle, high)) >= values[:, None]
        last = np.where(reached, np.minimum(middle, last), last)
        first = np.where(reached, first, np.minimum(middle + 1, last))
    return first


def _digits(numbers: FloatArray) -> tuple[IntArray, Any]:
    mantissa, exponent = np.frexp(numbers)
    return np.ldexp(mantissa, 53).astype(np.int64), exponent
