"""Prunings of kernels that are written by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from qap.training.pruning import Evidence, Pruning
from qap.training.pruning.ranking import Weights


def kernel(values: Any) -> keras.Variable:
    """The weights of a layer."""
    return keras.Variable(np.array(values, np.float32))


def _nothing():
    raise AssertionError("nobody asked for this")


def evidence_of(kernels, **given) -> Evidence:
    """Hand-made kernels; gradients or answers as given, and a failure when others are asked for."""
    found = {name: (lambda value=value: [tf.constant(v, tf.float32) for v in value]) for name, value in given.items()}
    quantized = found.get("quantized", lambda: [tf.convert_to_tensor(each) for each in kernels])
    return Evidence(kernels, quantized, found.get("gradients", _nothing), found.get("answers", _nothing), seed=3)


def pruning_of(kernels, sparsities, prune, total_steps, **given) -> Pruning:
    """The weights of all kernels together at one sparsity, or each kernel at its own."""
    shapes = tuple(tuple(each.shape) for each in kernels)
    if isinstance(sparsities, float):
        ranked = [Weights(tuple(range(len(kernels))), shapes, sparsities)]
    else:
        ranked = [Weights((i,), (shapes[i],), share) for i, share in enumerate(sparsities)]
    return Pruning(evidence_of(kernels, **given), ranked, prune, total_steps, kernels)


def update(pruning: Pruning, *steps: int) -> None:
    """Let a pruning see these steps."""
    for step in steps:
        pruning.update(tf.constant(step, tf.int64))
