"""Born-again networks: each generation learns from the one before, of the same architecture (arXiv:1805.04770)."""

from __future__ import annotations

from qap.training.distillation.lesson import Lesson, Taught
from qap.training.distillation.offline import FixedAnswers
from qap.training.fit import predict_logits


def born_again(lesson: Lesson) -> Taught:
    """Train a student on labels, then as many generations as asked for; the last one is returned."""
    data = lesson.dataset
    taught = lesson.train()
    for generation in range(1, lesson.recipe.trainings):
        logits = lesson.scale * predict_logits(taught.model, data.train.x, data.input_format.lsb)
        taught = lesson.train(FixedAnswers(lesson.distill, logits), generation=generation)
    return taught
