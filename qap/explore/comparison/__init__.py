"""Comparison of techniques: one table of what each gives and costs."""

from qap.explore.comparison.compare import Comparison, compare

__all__ = ["Comparison", "compare"]
