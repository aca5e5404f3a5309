"""Cross-validation: how far the accuracy of a recipe depends on the samples and on chance."""

from __future__ import annotations

from qap.explore.validation.folds import CrossValidation, cross_validate

__all__ = ["CrossValidation", "cross_validate"]
