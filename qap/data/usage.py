"""How much of the input format each feature uses: outliers, marks of what is missing and decades leave few codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.data.grid import outside
from qap.fixed import FixedPoint

SAMPLES = 4096
"""Of the training part that are looked at, evenly spread."""
FEW_CODES, MERGED = 16, 4
"""A feature of fewer codes is doubtful where each stands for more than so many different numbers."""
CROWDED = 0.5
"""A feature is doubtful where one code stands for this share of the samples, and no number for half of that."""
SATURATED = 0.05
"""And where more than this share of the samples is outside of the range."""


class FeatureUse(NamedTuple):
    """A feature on the training part.

    Args:
        name: of the feature, or its number.
        values: different raw numbers.
        codes: different numbers on the grid of the input.
        commonest_value: the largest share of samples of one raw number.
        commonest_code: the largest share of samples of one code.
        saturated: the share of samples outside of the range of the input format.
    """

    name: str
    values: int
    codes: int
    commonest_value: float
    commonest_code: float
    saturated: float

    @property
    def doubt(self) -> str | None:
        """What is wrong with it, None if nothing is."""
        merged = self.codes < FEW_CODES and self.values > MERGED * self.codes
        crowded = self.commonest_code > CROWDED and self.commonest_value < CROWDED / 2
        if self.saturated > SATURATED:
            return (
                f"feature {self.name!r}: {self.saturated:.1%} of the training samples are outside of the input format"
            )
        if merged or crowded:
            return (
                f"feature {self.name!r}: its {self.values:,} different numbers are {self.codes} codes, one of them for "
                f"{self.commonest_code:.0%} of the samples; "
                'data.scaling = "robust" ignores outliers, &missing= names a mark, and decades are better as logarithms'
            )
        return None


def usage_of(
    names: Sequence[str],
    raw: npt.NDArray[Any],
    scaled: npt.NDArray[np.float64],
    x_int: npt.NDArray[Any],
    form: FixedPoint,
) -> tuple[FeatureUse, ...]:
    """How each feature uses the format.

    Args:
        names: of the features; none numbers them.
        raw: (n, n_in), as they were found.
        scaled: (n, n_in), before they came onto the grid.
        x_int: (n, n_in), on the grid.
        form: the grid.
    """
    rows = np.unique(np.linspace(0, len(raw) - 1, SAMPLES).astype(np.int64))
    saturated = outside(scaled, form).mean(axis=0)
    found = []
    for index, name in enumerate(names or [str(index) for index in range(raw.shape[1])]):
        values, codes = (np.unique(part[rows, index], return_counts=True)[1] for part in (raw, x_int))
        commonest_value, commonest_code = (float(counts.max() / rows.size) for counts in (values, codes))
        found.append(
            FeatureUse(name, values.size, codes.size, commonest_value, commonest_code, float(saturated[index]))
        )
    return tuple(found)
