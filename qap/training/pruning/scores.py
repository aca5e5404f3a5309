"""What a weight, or a hidden neuron, is worth: the methods of pruning, each a function of the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from qap.training.pruning.evidence import Evidence

SHIFT = 30
"""`cost` takes weights as whole multiples of 2**-30; a factor of two costs no adder."""


def magnitude(evidence: Evidence) -> list[Any]:
    """The absolute value of each weight; summed up over a neuron, its L1 norm (arXiv:1506.02626)."""
    return [tf.abs(kernel) for kernel in evidence.kernels]


def l2(evidence: Evidence) -> list[Any]:
    """The square of each weight: single ones rank as by `magnitude`, a neuron by the L2 norm of its weights."""
    return [tf.square(kernel) for kernel in evidence.kernels]


def random(evidence: Evidence) -> list[Any]:
    """The control: numbers that say nothing."""
    return evidence.noise()


def taylor(evidence: Evidence) -> list[Any]:
    """|weight * gradient|, the first term of the Taylor series of the loss around weight = 0 (arXiv:1611.06440)."""
    return [tf.abs(kernel * slope) for kernel, slope in zip(evidence.kernels, evidence.gradients(), strict=True)]


def cost(evidence: Evidence) -> list[Any]:
    """|weight| divided by its adders in hardware: the non-zero canonical signed digits, at least 1."""
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


def zeros(evidence: Evidence) -> list[Any]:
    """For each hidden neuron the share of validation samples that it does not answer with 0 (1 - APoZ).

    APoZ, the average percentage of zeros: arXiv:1607.03250.
    """
    return [tf.reduce_mean(tf.cast(answers != 0, tf.float32), axis=0) for answers in evidence.answers()]


def activation(evidence: Evidence) -> list[Any]:
    """For each hidden neuron the mean size of its answer to validation samples."""
    return [tf.reduce_mean(tf.abs(answers), axis=0) for answers in evidence.answers()]


PRUNERS: Mapping[str, Callable[[Evidence], list[Any]]] = {
    "magnitude": magnitude,
    "l2": l2,
    "random": random,
    "taylor": taylor,
    "cost": cost,
    "zeros": zeros,
    "activation": activation,
}
"""`prune.method` -> what each weight of each kernel, or each hidden neuron, is worth; the lowest go."""
