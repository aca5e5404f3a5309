"""Freezing: the only room that reads a trained Keras model, to make integers of it and to answer as it does."""

from qap.freezing.engine import KerasEngine
from qap.freezing.freezing import freeze

__all__ = ["KerasEngine", "freeze"]
