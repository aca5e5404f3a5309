"""Sensitivity: accuracy against sparsity and bits, layer by layer, without training, and what a budget allows."""

from qap.explore.sensitivity.measure import Sensitivity, sensitivity
from qap.explore.sensitivity.suggestion import suggest

__all__ = ["Sensitivity", "sensitivity", "suggest"]
