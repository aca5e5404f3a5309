"""Random vectors for a model that comes without data: no labels, so no accuracy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qap.data.dataset import Dataset, Split
from qap.data.grid import storage_dtype
from qap.errors import DataError
from qap.fixed import FixedPoint

KIND = "random"
SAMPLES = {"train": 1024, "validation": 256, "test": 2048}
MOST_INPUTS = 1 << 16
VECTORS = FixedPoint.parse("ap_fixed<16,6>")
"""The grid where nobody names one; hls4ml's own."""


def random_vectors(argument: str, input_format: FixedPoint | None, seed: int) -> Dataset:
    """Vectors over the whole input format, small ones among them, without labels.

    Args:
        argument: how many inputs a vector has, as a text.
        input_format: the grid; None takes `VECTORS`.
        seed: of the numbers.

    Raises:
        DataError: the number of inputs is not possible.
    """
    if not argument.isdecimal() or not 0 < int(argument[:9]) <= MOST_INPUTS:
        raise DataError(
            f"{KIND}:{argument[:40]} needs the number of inputs, from 1 to {MOST_INPUTS:,}, as in random:16"
        )
    form = input_format or VECTORS
    rng = np.random.default_rng(seed)
    train, validation, test = (_split(rng, form, samples, int(argument)) for samples in SAMPLES.values())
    return Dataset(f"{KIND}:{argument}", train, validation, test, (), form, None, None)


def _split(rng: np.random.Generator, form: FixedPoint, samples: int, inputs: int) -> Split:
    """Each sample has a range of its own, from one LSB to all of the format: one range alone would saturate."""
    x = rng.integers(form.min_int, form.max_int, (samples, inputs), endpoint=True)
    shift: npt.NDArray[np.int64] = rng.integers(0, form.width, (samples, 1))
    return Split((x >> shift).astype(storage_dtype(form)), np.zeros(samples, np.int64))
