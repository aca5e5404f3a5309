"""`distribution-matching`: samples that random networks see as they see the data."""

from __future__ import annotations

import math
from typing import Any

from qap.errors import missing_extra
from qap.training.condensation.matching import Matching
from qap.training.condensation.source import Floats, Source

try:
    import tensorflow as tf
except ImportError as error:
    raise missing_extra("train", error) from error

STEPS, LEARNING_RATE = 1000, 0.05
BATCH = 256  # real samples of each class
FEATURES, BIAS = 256, 0.3  # neurons of each random network, and the deviation of their thresholds


def match_distributions(source: Source) -> Floats:
    """In each step a new random network embeds both, and the means of each class are drawn together.

    B. Zhao, H. Bilen, "Dataset condensation with distribution matching", WACV 2023; the network is one layer of
    ReLU neurons here, and nothing is augmented.
    """
    matching = Matching(source)

    def distance(x: Any) -> Any:
        weight = matching.random.normal((matching.n_in, FEATURES), stddev=math.sqrt(2 / matching.n_in))
        bias = matching.random.normal((FEATURES,), stddev=BIAS)
        real, made = (
            tf.reduce_mean(tf.nn.relu(samples @ weight + bias), axis=1) for samples in (matching.batch(BATCH), x)
        )
        return tf.reduce_sum((real - made) ** 2)

    return matching.descend(distance, STEPS, LEARNING_RATE)
