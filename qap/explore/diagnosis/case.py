"""What a diagnosis compares: the model on its samples, and the hardware taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.hardware import Block, Reference, classes_of
from qap.explore.diagnosis.results import Gap
from qap.explore.diagnosis.samples import Grid, RealSamples
from qap.explore.diagnosis.source import HlsSource
from qap.explore.diagnosis.weights import Weights
from qap.fixed import IntArray

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """What is compared.

    Args:
        source: the hardware.
        weights: its arrays.
        blocks: its layers.
        final: index of its softmax, None where it has none.
        reference: the model on the samples.
        grid: of the inputs.
        samples: what is compared on.
        scaled: whether the hardware's logits are the network's times one factor, which keeps the decision.
    """

    source: HlsSource
    weights: Mapping[str, Weights]
    blocks: Sequence[Block]
    final: int | None
    reference: Reference
    grid: Grid
    samples: RealSamples
    scaled: bool

    def gap(self, traces: Sequence[FloatArray]) -> Gap:
        """How far traces of the first samples are from the model."""
        count = len(traces[0])
        logits = self.reference.results[-1][:count]
        differs = traces[self.blocks[-1].last] != logits
        outputs = 0 if self.scaled else int(differs.sum())
        return Gap(outputs, int((self.classes(traces) != self.reference.classes[:count]).sum()))

    def classes(self, traces: Sequence[FloatArray]) -> IntArray:
        """What the hardware decides."""
        return classes_of(self.source, self.reference.network, traces[-1])
