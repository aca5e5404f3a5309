"""BinaryDense and TernaryDense, the dense layers of binary networks before QKeras: what they make of their kernels.

Layers of that name come from one source (binary_layers.py and ternary_layers.py, which the examples of hls4ml took
over): a kernel is brought to -H, H or -H, 0, H whenever it is used, in the numbers of the model.
Here that is done once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qap.importing.keras_config import LayerConfig

Kernel = npt.NDArray[np.floating[Any]]


def binary_kernel(kernel: Kernel, scale: np.floating[Any]) -> Kernel:
    """1 where `2 round(clip((w / H + 1) / 2, 0, 1)) - 1` is, half to even, else -1; (n_in, n_out)."""
    halves = np.clip((kernel / scale + 1) / 2, 0, 1)
    binary: Kernel = 2 * np.round(halves) - 1
    return binary


def ternary_kernel(kernel: Kernel, scale: np.floating[Any]) -> Kernel:
    """1 above H/2, -1 at -H/2 and below, else 0; (n_in, n_out)."""
    shares = kernel / scale
    return np.where(shares > 0.5, 1, np.where(shares <= -0.5, -1, 0)).astype(kernel.dtype)


def scale_of(layer: LayerConfig, kernel: Kernel) -> np.floating[Any]:
    """The H of a layer, 1 by default; `Glorot` stands for sqrt(1.5 / (n_in + n_out)).

    Raises:
        DataError: it is not a number above 0.
    """
    value: Any = layer.settings.get("H", 1)
    if value == "Glorot":
        return kernel.dtype.type(np.sqrt(1.5 / sum(kernel.shape)))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < np.inf:
        raise layer.error(f"its H is {value!r}, it must be a number above 0, or 'Glorot'")
    return kernel.dtype.type(value)
