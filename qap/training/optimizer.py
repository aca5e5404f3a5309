"""The optimizer of all trainings: Adam with decoupled weight decay."""

from __future__ import annotations

import math
from typing import Any

import keras

from qap.recipe import TrainingRecipe


def steps_of(training: TrainingRecipe, samples: int) -> int:
    """The optimizer steps of a whole training on so many samples; the last batch of an epoch may be smaller."""
    return math.ceil(samples / training.batch_size) * training.epochs


def adam(model: keras.Model, training: TrainingRecipe, total_steps: int) -> keras.optimizers.Optimizer:
    """Adam, ready for the variables of the model; biases do not decay.

    Args:
        model: what is trained.
        training: learning rate, its decay, and weight decay.
        total_steps: over which the rate decays.
    """
    rate: Any = training.learning_rate
    if training.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, total_steps)
    optimizer = keras.optimizers.Adam(rate, weight_decay=training.weight_decay or None)
    optimizer.exclude_from_weight_decay([variable for variable in model.trainable_variables if variable.ndim == 1])
    optimizer.build(model.trainable_variables)
    return optimizer
