"""Small weights go first; a neuron counts by the L1 or by the L2 norm of its weights (arXiv:1506.02626)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from qap.training.pruning.evidence import Evidence


def magnitude(evidence: Evidence) -> list[Any]:
    """The absolute value of each weight; summed up over a neuron, its L1 norm."""
    return [tf.abs(kernel) for kernel in evidence.kernels]


def l2(evidence: Evidence) -> list[Any]:
    """The square of each weight: single ones rank as by `magnitude`, a neuron by the L2 norm of its weights."""
    return [tf.square(kernel) for kernel in evidence.kernels]
