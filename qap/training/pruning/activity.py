"""Neurons that say little go first, judged by what they answer on validation data (arXiv:1607.03250)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from qap.training.pruning.evidence import Evidence


def zeros(evidence: Evidence) -> list[Any]:
    """For each hidden neuron the share of samples that it does not answer with 0 (1 - APoZ)."""
    return [tf.reduce_mean(tf.cast(answers != 0, tf.float32), axis=0) for answers in evidence.answers()]


def activation(evidence: Evidence) -> list[Any]:
    """For each hidden neuron the mean size of its answer."""
    return [tf.reduce_mean(tf.abs(answers), axis=0) for answers in evidence.answers()]
