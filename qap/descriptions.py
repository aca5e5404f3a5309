"""Descriptions that are read from disk: JSON that a pydantic model has checked, or one line that says what is wrong."""

from __future__ import annotations

import stat
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from qap.errors import DataError, did_you_mean

Content = TypeVar("Content")
Model = TypeVar("Model", bound=BaseModel)
MAX_BYTES = 64 << 20
"""The largest description that is read; the files of a run have some kilobytes."""
SHOWN = 100  # characters of a wrong value


class Description(BaseModel):
    """What files are checked by: immutable, no unknown key, no text for a number, neither NaN nor infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def read_description(path: Path, model: type[Content], *, missing: str, remedy: str = "") -> Content:
    """The content of a JSON file, checked.

    Args:
        path: the file.
        model: what it should hold, a `Description` or a dataclass with the `__pydantic_config__` of one.
        missing: the error when there is no such file.
        remedy: what to do about a file that is damaged, as the end of its error.

    Raises:
        DataError: it is missing, too large, no JSON or nested too deep, or a key is wrong, which is named.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"cannot read {path}: it is not a file")
        if (size := about.st_size) > MAX_BYTES:
            raise DataError(f"{path} is damaged: it has {size:,} bytes, at most {MAX_BYTES:,} are read{remedy}")
        return TypeAdapter(model).validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DataError(missing) from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except ValidationError as error:
        raise DataError(f"{path} is damaged: {first_problem(error, model)}{remedy}") from None


def first_problem(error: ValidationError, model: type[Any]) -> str:
    """The first key that is wrong and what is allowed.

    Args:
        error: what pydantic found.
        model: what was read; its keys are suggested for one that is unknown.
    """
    problem = error.errors()[0]
    location = problem["loc"]
    key = _dotted(location)
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):  # of a model, of a dataclass
        unknown = ".".join(str(part) for part in location)
        return f"unknown key {unknown!r}{did_you_mean(str(location[-1]), _known_keys(model, location[:-1]))}"
    if problem["type"] == "missing":
        return f"the key {key!r} is missing"
    where = f"{key}: " if location else ""
    if problem["type"] == "value_error":  # our own checks: they repeat what they got
        return where + problem["msg"].removeprefix("Value error, ").replace("\n", " ")
    messages = " or ".join(dict.fromkeys(each["msg"] for each in error.errors() if _dotted(each["loc"]) == key))
    return f"{where}{messages} (got {shown(problem['input'])})".replace("\n", " ")


def shown(value: Any) -> str:
    """A wrong value as an error repeats it."""
    try:
        text = repr(value)
    except ValueError:  # Python does not print whole numbers of thousands of digits
        return "a number that is too long to be printed"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _dotted(location: tuple[int | str, ...]) -> str:
    """The key; where several types are possible pydantic adds the one that it tried, as in `constrained-int`."""
    return ".".join(str(part) for part in location if "-int" not in str(part) and "literal[" not in str(part))


def _known_keys(model: type[Any], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        if isinstance(part, str):
            model = _model_in(_annotations(model)[part])
    return list(_annotations(model))


def _annotations(model: type[Any]) -> dict[str, Any]:
    if issubclass(model, BaseModel):
        return {name: field.annotation for name, field in model.model_fields.items()}
    return get_type_hints(model)


def _model_in(annotation: Any) -> type[Any]:
    """The model or dataclass inside of `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_dataclass(annotation)):
        return annotation
    for inner in get_args(annotation):
        if inner is not type(None) and inner is not Ellipsis:
            return _model_in(inner)
    raise TypeError(f"no model in {annotation!r}")
