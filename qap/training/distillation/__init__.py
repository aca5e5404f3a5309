"""Distillation: what a student learns from besides labels. One file for each method, all on the one training loop.

A method is a function that gets a `Lesson` and returns the trained student. It decides which `Objective`
the loop minimizes, and how often a student is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qap.training.distillation.born_again import born_again
from qap.training.distillation.lesson import Lesson, Taught
from qap.training.distillation.offline import offline
from qap.training.distillation.online import online
from qap.training.distillation.snapshots import snapshots

__all__ = ["DISTILLERS", "Lesson", "Taught"]

DISTILLERS: Mapping[str, Callable[[Lesson], Taught]] = {
    "offline": offline,
    "online": online,
    "born-again": born_again,
    "snapshots": snapshots,
}
"""`distill.method` -> how the student is taught."""
