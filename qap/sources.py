"""Where the samples of a data set come from, as a recipe writes it: `digits`, `npz:FILE`, `csv:FILE?label=COLUMN`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from qap.errors import DataError
from qap.files import user_path

ScalingMethod = Literal["none", "standard", "min-max", "robust", "per-sample"]
"""What `data.scaling` may be."""
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
"""What may stand between the fields of a table, by the names that `&separator=` takes."""
OPTIONS = ("label", "test", "drop", "columns", "missing", "separator")
LISTS = ("drop", "columns", "missing")
"""Options of several names with commas between them; each is quoted by itself, as the commas in it are (%2C)."""
USAGE = (
    "write csv:FILE?label=COLUMN, with &test=FILE2 for a test table, &drop=A,B or &columns=A,B, &missing=-999, "
    "&separator=tab; in names write %26 for &, %3F for ?, %2C for a comma and %25 for %"
)


def in_folder(name: str, folder: Path) -> str:
    """The name of a data set with its files made absolute.

    Args:
        name: as in a recipe.
        folder: what relative paths belong to.
    """
    kind, _, argument = name.partition(":")
    try:
        if kind == "npz" and argument:
            return f"npz:{file_in_folder(argument, folder)}"
        if kind == "csv":
            file, options = read_table_source(argument)
            if "test" in options:
                options["test"] = file_in_folder(options["test"], folder)
            query = "&".join(
                f"{key}={value if key in LISTS else quote(value, safe='/')}" for key, value in options.items()
            )
            return f"csv:{file_in_folder(file, folder)}?{query}"
    except DataError:  # whoever loads it says what is wrong
        pass
    return name


def read_table_source(argument: str) -> tuple[str, dict[str, str]]:
    """The file and the options of what follows `csv:`; of `LISTS` the text, which `names_of` takes apart.

    Raises:
        DataError: it is not written as `USAGE` says.
    """
    name, mark, query = argument.rpartition("?")
    if not mark or not name:
        raise DataError(f"csv:{argument} does not say which file and which column is the label; {USAGE}")
    options: dict[str, str] = {}
    for item in query.split("&"):
        key, equals, value = item.partition("=")
        if key not in OPTIONS or not equals or not value or key in options:
            raise DataError(f"csv:{argument}: {item!r} cannot be understood; {USAGE}")
        options[key] = value if key in LISTS else unquote(value)
    if "label" not in options:
        raise DataError(f"csv:{argument} does not say which column is the label; {USAGE}")
    return name, options


def names_of(options: Mapping[str, str], key: str) -> list[str]:
    """The names of one of `LISTS`, in order; none where it is left out."""
    return [unquote(item) for item in options[key].split(",")] if key in options else []


def file_in_folder(file: str, folder: Path) -> str:
    """The path of a file made absolute, as it is where a recipe could not hold that.

    Args:
        file: as in a recipe.
        folder: what relative paths belong to.
    """
    path = user_path(file)
    if path.is_absolute():
        return file
    text = str(folder.absolute() / path)
    try:
        text.encode()
    except UnicodeEncodeError:  # a recipe is UTF-8, which not every path is
        return file
    return text
