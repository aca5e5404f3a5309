"""Reading recipes: TOML, the check of its keys, and keys that are set by name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from qap.descriptions import Model, first_problem
from qap.errors import RecipeError
from qap.files import encoding_of

NOT_TOML = (ValueError, RecursionError)  # no TOML, no UTF-8, or nested too deep to be read


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file in UTF-8, or in what its byte-order mark says.

    Args:
        path: the file.
        what: what it should be, for the error.

    Raises:
        RecipeError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding=encoding_of(path)))
    except OSError as error:
        raise RecipeError(f"cannot read the {what} {path}: {error.strerror or error}") from error
    except NOT_TOML as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from error


def checked(model: type[Model], content: Mapping[str, Any], source: str) -> Model:
    """Content as a model.

    Args:
        model: what it should be.
        content: the nested mapping, as TOML gives it.
        source: where it comes from, for the error.

    Raises:
        RecipeError: one line that names the first key that is wrong and what is allowed.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{source}: {first_problem(error, model)}") from None


def assign(content: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; the check of the whole recipe afterwards finds a key that does not exist."""
    *path, last = key.split(".")
    place: Any = content
    for part in path:
        if isinstance(place, dict) and (part in place or value is not None):
            place = place.setdefault(part, {})
        else:
            place = place[_index(place, part, key)]
    if not isinstance(place, dict):
        place[_index(place, last, key)] = value
        if value is None:
            place.remove(None)
    elif value is None and last in place:
        del place[last]
    else:
        place[last] = value


def _index(place: Any, part: str, key: str) -> int:
    """The position in a list that a part of a dotted key means."""
    if not (isinstance(place, list) and part.isdecimal() and int(part) < len(place)):
        raise RecipeError(f"--set {key}: there is no {part!r} in it")
    return int(part)


def toml_value(text: str) -> Any:
    """TOML's reading of a value; nothing at all removes the key; what is not TOML is plain text."""
    if not text:
        return None
    try:
        content = tomllib.loads(f"value = {text}")
    except NOT_TOML:
        return text
    return content["value"] if len(content) == 1 else text
