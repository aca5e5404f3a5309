"""Floats behind the last layer, where no quantizer brings them back: dropped, or quantized and named, or refused.

A scale that all outputs have in common keeps their order, and so does a common offset: the class is that of the
integers before them. A single output is decided at 0, which an offset moves. Numbers of each output's own change the
class; they can be quantized, which changes the model, and whoever asks for it is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from qap.errors import NotExact
from qap.fixed import FixedPoint, IntArray
from qap.freezing.elements import Curve, Line
from qap.freezing.exact import FloatArray
from qap.freezing.scales import ROUNDING, Rounding
from qap.network import LayerSpec
from qap.network.interval import Interval

NEAR = 0.25
"""So far, in LSBs of the sums, may rounding move them and still be undone."""


class Ending(NamedTuple):
    """`sums * scale + offset`, computed in float32 behind the sums of the last layer.

    Args:
        names: the layers that compute it.
        line: the scale and the offset of each output, all of them multiplied out.
        fractional: fractional bits of the sums.
        rounds: whether float32 rounds the sums, so that chance decides between two that are equal.
        refused: the error where it can be neither dropped nor quantized.
    """

    names: tuple[str, ...]
    line: Line
    fractional: int
    rounds: bool
    refused: NotExact

    @property
    def keeps_class(self) -> bool:
        """Whether the class of the sums is the class of the answers."""
        return self.is_common and not self.rounds

    @property
    def is_common(self) -> bool:
        """Whether all outputs have it in common, so that it keeps their order."""
        scale, offset = self.line
        common = scale[0] > 0 and (scale == scale[0]).all() and (offset == offset[0]).all()
        return bool(common) and (scale.size > 1 or not offset.any())

    @property
    def where(self) -> str:
        """Its layers, for a message."""
        return " and ".join(repr(name) for name in self.names)

    def undo(self, answers: FloatArray) -> IntArray:
        """The sums (n, outputs), in LSBs, of the model's answers.

        Raises:
            NotExact: the answers are not those of sums.
        """
        sums = np.ldexp((answers - self.line.offset) / self.line.scale, self.fractional)
        integers = np.rint(sums)
        off = np.abs(sums - integers) > NEAR
        if off.any():
            raise NotExact(
                self.names[-1],
                f"without its scale the model answers {sums[off][0]:.6g} LSB, which no sum of integers is",
            )
        return integers.astype(np.int64)

    def quantized(self, bits: int, name: str) -> LayerSpec:
        """A layer of its scale and offset in numbers of so many bits."""
        scale, scale_format = _rounded(self.line.scale, bits)
        offset, offset_format = _rounded(self.line.offset, bits)
        return LayerSpec(name, np.diag(scale), scale_format, offset, offset_format)


class Start(NamedTuple):
    """What stands at the sums of the last layer.

    Args:
        refused: the error where the floats behind them can be neither dropped nor quantized.
        scale: (n_out,) of the sums, 1 where they are exact numbers.
        rounding: how far the model's float32 sums may be off; None where they are exact.
    """

    refused: NotExact
    scale: FloatArray
    rounding: Rounding | None


def ending_of(name: str, start: Start, curves: Sequence[Curve], sums: Interval, fractional: int) -> Ending:
    """What a scale and these curves compute together.

    Args:
        name: of the last layer.
        start: its scale.
        curves: behind the last layer, in the model's order.
        sums: the proven range of each sum of the last layer.
        fractional: fractional bits of the sums.

    Raises:
        NotExact: they are no straight lines, or float32 rounds until sums cannot be told apart.
    """
    scale, offset, rounds = start.scale, np.zeros(sums.low.size), start.rounding is not None
    error = np.zeros(sums.low.size) if start.rounding is None else start.rounding.largest
    largest = np.ldexp(np.maximum(np.abs(sums.low), np.abs(sums.high)).astype(np.float64), -fractional) * scale
    for curve in curves:
        if curve.line is None:
            raise curve.refused
        scale, offset = scale * curve.line.scale, offset * curve.line.scale + curve.line.offset
        product = largest * np.abs(curve.line.scale)
        largest = product + np.abs(curve.line.offset)
        error = error * np.abs(curve.line.scale) + ROUNDING * (product + largest)
    if not scale.all():
        raise start.refused
    if (error > NEAR * np.ldexp(np.abs(scale), -fractional)).any():
        raise NotExact(
            curves[-1].name if curves else name,
            "its scale and offset are so far apart, or the sums before it so wide, that float32 cannot tell two of "
            "them from one another; quantize its results",
        )
    names = dict.fromkeys([*([name] if rounds else []), *(curve.name for curve in curves)])
    return Ending(tuple(names) or (name,), Line(scale, offset), fractional, rounds, start.refused)


def _rounded(values: FloatArray, bits: int) -> tuple[IntArray, FixedPoint]:
    """The nearest integers of so many bits, and their format."""
    if not values.any():
        return np.zeros(values.shape, np.int64), FixedPoint(False, 1, 1)
    signed = bool((values < 0).any())
    fractional = bits - signed - int(np.frexp(np.abs(values).max())[1])
    most = 2 ** (bits - signed) - 1
    integers = np.clip(np.rint(np.ldexp(values, fractional)), -most, most).astype(np.int64)
    return integers, FixedPoint.smallest(int(integers.min()), int(integers.max()), fractional)
