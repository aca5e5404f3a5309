"""What a recipe can name is what there is: every schema against its registry."""

from __future__ import annotations

from typing import get_args

import pytest
from support.needs import needs

needs("tensorflow")

from qap.recipe import DistillRecipe, PruneRecipe, QuantizeRecipe
from qap.training.calibration import CALIBRATIONS
from qap.training.distillation import DISTILLERS
from qap.training.post_training import QUANTIZERS
from qap.training.pruning import PRUNERS, SCHEDULES


def choices(annotation) -> set[str]:
    """The words of a Literal, which may be inside of `X | None`."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return {word for part in parts for word in (choices(part) if get_args(part) else {part})}


@pytest.mark.parametrize(
    ("part", "key", "registry"),
    [
        (PruneRecipe, "method", PRUNERS),
        (PruneRecipe, "schedule", SCHEDULES),
        (QuantizeRecipe, "method", QUANTIZERS),
        (QuantizeRecipe, "calibration", CALIBRATIONS),
        (DistillRecipe, "method", DISTILLERS),
    ],
)
def test_what_a_recipe_can_name_is_what_there_is(part, key, registry):
    assert choices(part.model_fields[key].annotation) == set(registry)
