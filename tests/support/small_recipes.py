"""A small recipe, and the line that refuses a wrong one."""

import pytest

from qap.errors import RecipeError
from qap.recipe import parse_recipe


def content(**changes):
    """What a small recipe says, with other tables."""
    layers = [{"units": 8, "weight": 4, "activation": "quantized_relu(4,1)"}, {"units": 10, "weight": 6}]
    return {"name": "mine", "teacher": {}, "student": {"layers": layers}, **changes}


def recipe(**changes):
    """The small recipe, with other tables."""
    return parse_recipe(content(**changes), "mine.toml")


def refused(*assignments, **changes):
    """The message of a recipe that is not possible."""
    with pytest.raises(RecipeError) as caught:
        recipe(**changes).override(assignments)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message
