"""Sensitivity: what the loss would change without a weight, to first order (arXiv:1611.06440)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from qap.training.pruning.evidence import Evidence


def taylor(evidence: Evidence) -> list[Any]:
    """|weight * gradient|, the first term of the Taylor series of the loss around weight = 0."""
    return [tf.abs(kernel * slope) for kernel, slope in zip(evidence.kernels, evidence.gradients(), strict=True)]
