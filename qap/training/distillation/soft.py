"""Soft answers: the loss that all distillation methods share."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from qap.recipe import DistillRecipe
from qap.training.objective import Batch, cross_entropy


def soft_log(logits: Any, temperature: float) -> Any:
    """The logarithm of the softened answers, log softmax(logits / T), same shape."""
    return tf.nn.log_softmax(logits / temperature)


def soft_losses(distill: DistillRecipe, batch: Batch, log_soft: Any, logits: Any) -> Any:
    """The loss of each sample (batch,): alpha * T^2 * KL(soft || softmax(logits / T)) + (1 - alpha) * cross-entropy.

    After Hinton, Vinyals, Dean 2015 (arXiv:1503.02531). T^2 keeps the size of the soft gradients when T changes.

    Args:
        distill: temperature T, alpha and its decay.
        batch: labels and progress.
        log_soft: float32 (batch, n_classes), as `soft_log` gives it for whoever teaches.
        logits: float32 (batch, n_classes) of the one who learns.
    """
    temperature, alpha = distill.temperature, alpha_at(distill, batch.progress)
    log_student = soft_log(logits, temperature)
    divergence = tf.reduce_sum(tf.exp(log_soft) * (log_soft - log_student), axis=1)
    return alpha * temperature**2 * divergence + (1 - alpha) * cross_entropy(batch.labels, logits)


def alpha_at(distill: DistillRecipe, progress: Any) -> Any:
    """The weight of the soft answers at a progress from 0 to 1."""
    if distill.alpha_decay == "linear":
        return distill.alpha * (1 - progress)
    if distill.alpha_decay == "cosine":
        return distill.alpha * (1 + tf.cos(math.pi * progress)) / 2
    return distill.alpha
