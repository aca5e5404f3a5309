"""How integers on a grid are stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from qap.fixed import FixedPoint


def storage_dtype(input_format: FixedPoint) -> np.dtype[Any]:
    """The smallest integer type that holds every number of the format."""
    dtypes = (np.int8, np.int16, np.int32, np.int64) if input_format.signed else (np.uint8, np.uint16, np.uint32)
    for dtype in dtypes:
        limits = np.iinfo(dtype)
        if limits.min <= input_format.min_int and input_format.max_int <= limits.max:
            return np.dtype(dtype)
    return np.dtype(np.int64)  # 63 bits at most, so it always holds
