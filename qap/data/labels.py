"""Labels of the user's own data: any text, made into class indices."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from qap.errors import DataError
from qap.fixed import IntArray


def class_order(labels: Iterable[str]) -> tuple[str, ...]:
    """The different labels, sorted: as numbers when all of them are finite numbers, else as text."""
    names = set(labels)
    try:
        numbers = {name: float(name) for name in names}
    except ValueError:
        return tuple(sorted(names))
    if not np.isfinite(list(numbers.values())).all():
        return tuple(sorted(names))
    return tuple(sorted(names, key=lambda name: (numbers[name], name)))


def encode(labels: Sequence[str], class_names: Sequence[str]) -> IntArray:
    """The index of each label among the class names, int64 (n,)."""
    index = {name: position for position, name in enumerate(class_names)}
    return np.fromiter((index[label] for label in labels), np.int64, len(labels))


def check_names(source: str, class_names: Iterable[str]) -> None:
    """Refuse names that no file and no page can hold.

    Raises:
        DataError: a name holds a control character or half of a surrogate pair.
    """
    for name in class_names:
        wrong = next((character for character in name if unicodedata.category(character) in ("Cc", "Cs")), None)
        if wrong:
            raise DataError(
                f"{source}: the name of class {name!a} holds {wrong!a}, which is not text; "
                "control characters and halves of surrogate pairs are not possible"
            )
