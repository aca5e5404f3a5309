"""Freezing: the only room that reads a trained Keras model, to make integers of it and to answer as it does.

graph -> layers -> folding -> freezing -> integer network
                      |          |
                      |       engine (walk): the model called as a whole, which is the check of all the others
        activations, staircases, scales, endings, final
"""

from qap.extras import load_tensorflow

load_tensorflow()
from qap.freezing.engine import KerasEngine  # noqa: E402
from qap.freezing.freezing import freeze  # noqa: E402

__all__ = ["KerasEngine", "freeze"]
