"""Everything that causes are found in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.case import Case
from qap.explore.diagnosis.configuration import model_weights
from qap.explore.diagnosis.hardware import layer_alone, logit_classes
from qap.explore.diagnosis.ranges import array_of
from qap.explore.diagnosis.results import Gap, Widened
from qap.fixed import IntArray

FloatArray = npt.NDArray[np.float64]
MOST_DIGITS = 9
"""hls4ml writes a weight with as many digits behind the point as its type has fractional bits, up to about so many."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the causes are found in.

    Args:
        case: what is compared.
        traces: what every call of the hardware gave.
        types: every type, and what is left when it is wide.
        gaps: what is left in every version that was compiled, by name.
        base: the gap on the same samples as it is.
    """

    case: Case
    traces: Sequence[FloatArray]
    types: Sequence[Widened]
    gaps: Mapping[str, Gap]
    base: Gap

    @property
    def classes(self) -> IntArray:
        """What the hardware decides."""
        return self.case.classes(self.traces)

    def inputs_of(self, index: int) -> FloatArray:
        """What a block of the hardware reads, as its calls gave it."""
        if index:
            return self.traces[self.case.blocks[index - 1].last]
        form = self.case.source.format(self.case.source.inputs.type)
        return self.case.samples.x if form is None else form.to_float(form.quantize(self.case.samples.x))

    def guilty(self, index: int) -> bool:
        """Whether a block gives something else than the model's layer does for the same inputs."""
        expected = layer_alone(self.case.reference.layers[index], self.inputs_of(index))[1]
        return bool((self.traces[self.case.blocks[index].last] != expected).any())

    def gap_for_its_own_inputs(self) -> Gap:
        """The gap to the model when that is given the inputs as the hardware's type rounds them."""
        y = self.inputs_of(0)
        for layer in self.case.reference.layers:
            y = layer_alone(layer, y)[1]
        classes = logit_classes(self.case.reference.network, y)
        differs = self.traces[self.case.blocks[-1].last] != y
        return Gap(int(differs.sum()), int((classes != self.classes).sum()))

    def block_of(self, call: int | None) -> int | None:
        """The index of the block that a call belongs to."""
        return next((i for i, block in enumerate(self.case.blocks) if call in block.calls), None)

    def model_values(self, array: str) -> FloatArray | None:
        """The model's numbers for an array, in its own order; None where they are not known."""
        return model_weights(self.case.source, self.case.blocks, self.case.reference, self.case.weights).get(array)

    def is_models(self, array: str) -> bool:
        """Whether an array holds the model's numbers; true where these are not known."""
        model, own = self.model_values(array), self.case.weights[array].simulated
        return model is None or own is None or bool((np.abs(own - model) <= self.printed(array)).all())

    def printed(self, array: str) -> float:
        """How far a number of an array may be from the model's because of the digits that it is written with."""
        uses = (each.use for each in self.types if array_of(self.case.source, each.use.site) == array)
        digits = min([MOST_DIGITS, *(max(0, use.form.fractional) for use in uses if use.form)])
        return 0.51 * 10.0**-digits
