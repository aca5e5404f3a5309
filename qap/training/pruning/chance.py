"""The control: weights go by chance."""

from __future__ import annotations

from typing import Any

from qap.training.pruning.evidence import Evidence


def random(evidence: Evidence) -> list[Any]:
    """Numbers that say nothing."""
    return evidence.noise()
