"""The AXI4-Stream: how samples and results are laid out in beats.

A sample is a frame of all inputs of the network in order, each in a slot of 1, 2, 4, ... 64 bits (the
next that holds its format), the first one lowest, as many to a beat as fit. Only the inputs that the
network reads are kept. A result is a frame of 1 + n_out integers, the class index and then the logits,
each in a field of 8, 16, 32 or 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import QapError
from qap.fixed import FixedPoint, IntArray
from qap.hardware.rtl.packing import from_bits, to_bits
from qap.hardware.rtl.verilog import CorePorts, Count, Width

WIDTHS = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class AxisFormat:
    """The layout of frames.

    Args:
        width: bits of tdata, both ways.
        inputs: inputs in a frame.
        slot: bits that an input takes.
        outputs: logits in a result.
        field: bits that the class index and each logit take.
    """

    width: Width
    inputs: Count
    slot: Width
    outputs: Count
    field: Width

    @property
    def lanes(self) -> int:
        """Inputs in a beat."""
        return self.width // self.slot

    @property
    def beats(self) -> int:
        """Beats of a sample."""
        return -(-self.inputs // self.lanes)

    @property
    def result_beats(self) -> int:
        """Beats of a result."""
        return -(-(1 + self.outputs) * self.field // self.width)

    def pack(self, x_int: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
        """Samples (n, inputs) as beats (n, beats)."""
        filled = np.zeros((len(x_int), self.beats * self.lanes), np.int64)
        filled[:, : self.inputs] = x_int
        return from_bits(to_bits(filled, self.slot), self.width, signed=self.width == 64).view(np.uint64)

    def unpack(self, beats: npt.NDArray[np.uint64], signed: bool) -> tuple[IntArray, IntArray]:
        """Results (n, result_beats) as logits (n, outputs) and class indices (n,)."""
        bits = to_bits(beats.astype(np.uint64).view(np.int64), self.width)[:, : (1 + self.outputs) * self.field]
        logits = from_bits(bits[:, self.field :], self.field, signed)
        return logits, from_bits(bits[:, : self.field], self.field, False)[:, 0]


def axis_format(width: int, inputs: int, input_format: FixedPoint, ports: CorePorts) -> AxisFormat:
    """The layout for a network.

    Raises:
        QapError: the width is not 8, 16, 32 or 64, or an input is wider than that.
    """
    if width not in WIDTHS:
        raise QapError(f"axis_width must be one of {', '.join(map(str, WIDTHS))}, but got axis_width={width}")
    slot = 1 << (input_format.width - 1).bit_length()
    if slot > width:
        raise QapError(
            f"an input of {input_format.width} bits ({input_format}) does not fit a beat of {width} bits; "
            f"use --axis-width {slot}"
        )
    field = next(size for size in WIDTHS if size >= max(ports.logit_width, ports.class_width))
    return AxisFormat(width, inputs, slot, ports.logits, field)
