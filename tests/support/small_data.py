"""Small data sets and recipes for the tests of the training."""

from __future__ import annotations

from typing import Any

import numpy as np

from qap.data import Dataset, Split
from qap.fixed import FixedPoint
from qap.recipe import Recipe, parse_recipe


def blobs(n_in: int = 12, n_classes: int = 3, samples: int = 300, seed: int = 0) -> Dataset:
    """Noisy copies of one random pattern per class, as 6-bit pixels; easy to learn."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 64, (n_classes, n_in))

    def split(size: int) -> Split:
        y = np.arange(size) % n_classes
        x = np.clip(patterns[y] + rng.integers(-12, 13, (size, n_in)), 0, 63)
        return Split(x.astype(np.uint8), y)

    names = tuple(str(index) for index in range(n_classes))
    form = FixedPoint.parse("ap_ufixed<6,0>")
    return Dataset("blobs", split(samples), split(60), split(60), names, form, None, None)


def small_recipe(**parts: Any) -> Recipe:
    """A student of two layers and a small teacher; `parts` replace the tables of the recipe."""
    content: dict[str, Any] = {
        "name": "small",
        "teacher": {"units": [16], "epochs": 4, "batch_size": 32, "learning_rate": 0.01},
        "student": {"epochs": 6, "batch_size": 32, "learning_rate": 0.01, "layers": layers()},
        "prune": {"sparsity": 0.5, "every": 7},
        "distill": {},
    }
    return parse_recipe({**content, **{key: part for key, part in parts.items() if part is not None}}, "test")


def layers() -> list[dict[str, Any]]:
    """10 neurons, then one for each of three classes."""
    return [
        {"units": 10, "weight": "quantized_bits(4,0,alpha=1)", "activation": "quantized_relu(6,3)"},
        {"units": 3, "weight": "ap_fixed<6,2,AP_RND_CONV,AP_SAT>", "bias": "ap_fixed<8,3,AP_RND,AP_SAT>"},
    ]
