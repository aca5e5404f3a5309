"""Cost-aware: what a weight is worth for each adder that it costs in hardware."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from qap.training.pruning.evidence import Evidence

SHIFT = 30
"""Weights are taken as whole multiples of 2**-30; a factor of two costs no adder."""


def cost(evidence: Evidence) -> list[Any]:
    """|weight| divided by its adders: the non-zero digits of its canonical signed-digit form, at least 1."""
    return [
        tf.abs(kernel) / tf.cast(tf.maximum(signed_digits(quantized), 1), tf.float32)
        for kernel, quantized in zip(evidence.kernels, evidence.quantized(), strict=True)
    ]


def signed_digits(weights: Any) -> Any:
    """The non-zero canonical signed digits of numbers on a binary grid, int32 of the same shape.

    The digits of n are where n and 3n differ, shifted by one (H. Prodinger, "On binary representations of
    integers with digits -1, 0, 1", Integers 0, 2000).
    """
    whole = tf.cast(tf.round(tf.abs(tf.cast(weights, tf.float64)) * 2.0**SHIFT), tf.int64)
    differ = tf.bitwise.bitwise_xor(whole, 3 * whole)
    return tf.cast(tf.raw_ops.PopulationCount(x=differ), tf.int32)
