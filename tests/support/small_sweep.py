"""A small sweep for tests: blobs of 12 pixels, a student of two layers."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import numpy as np

from qap.explore.sweep import Sweep, load_sweep

RECIPE = """
name = "small"

[data]
name = "npz:{data}"

[teacher]
units = [16]
epochs = 2
batch_size = 32

[student]
epochs = 3
batch_size = 32
learning_rate = 0.01

[[student.layers]]
units = 6
weight = "quantized_bits(4,0,alpha=1)"
activation = "quantized_relu(4,2)"

[[student.layers]]
units = 3
weight = "quantized_bits(4,0,alpha=1)"

[prune]
sparsity = 0.5
every = 5

[distill]
"""
SWEEP = """
name = "small-sweep"
recipe = "small.toml"
training = "{training}"

[axes]
weight_bits = {bits}
hardware = [{{ strategy = "latency", reuse_factor = 1 }}, {{ strategy = "resource", reuse_factor = 4 }}]
{more}
"""


def small_sweep(folder: Path, training: str = "ptq", bits: Any = (3, 6), more: str = "") -> Sweep:
    """Write data, recipe and sweep into a folder, and read the sweep."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 256, (3, 12))

    def split(samples: int) -> tuple[Any, Any]:
        y = np.arange(samples) % 3
        return np.clip(patterns[y] + rng.integers(-40, 41, (samples, 12)), 0, 255).astype(np.uint8), y

    (x, y), (x_test, y_test) = split(240), split(60)
    np.savez(folder / "blobs.npz", x=x, y=y, x_test=x_test, y_test=y_test)
    (folder / "small.toml").write_text(RECIPE.format(data=folder / "blobs.npz"))
    path = folder / "sweep.toml"
    path.write_text(SWEEP.format(training=training, bits=list(bits), more=more))
    return load_sweep(str(path))


def limits(task: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker may use: bytes of memory, and threads of each library."""
    threads = {name: os.environ.get(name) for name in task["names"]}
    return [{"memory": resource.getrlimit(resource.RLIMIT_DATA)[0], "threads": threads}]


def dies(task: dict[str, Any]) -> list[dict[str, Any]]:
    """A worker that is gone, as one that has used up its memory."""
    os._exit(9)
