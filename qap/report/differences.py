"""What differs between runs: recipe, accuracy, size, resources; read from what they left, nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qap.errors import QapError
from qap.hardware.estimate import ESTIMATORS
from qap.hardware.resources import RESOURCE_NAMES, SOURCE_NAMES
from qap.network import load_network
from qap.recipe import Recipe
from qap.report.markdown import escaped, markdown_table
from qap.report.tables import NOT_MEASURED, Rows, Table, count, numbers, percent, table, texts
from qap.run import NETWORK, RunDirectory
from qap.run.measures import metrics

ESTIMATOR = "hls4ml"
ABSENT = "none"


@dataclass(frozen=True, slots=True)
class Differences:
    """What runs have in common and what not.

    Args:
        names: of the runs.
        recipe: by key of the recipe, the value in each run; only what differs.
        amounts: by what is measured, or estimated, the number in each run; None where there is none.
        notes: what could not be compared, one line each.
    """

    names: tuple[str, ...]
    recipe: Mapping[str, tuple[Any, ...]]
    amounts: Mapping[str, tuple[float | None, ...]]
    notes: tuple[str, ...]


def differences(runs: Sequence[RunDirectory]) -> Differences:
    """Compare runs.

    Args:
        runs: at least two, finished or not.

    Raises:
        DataError: a file of a run is damaged.
    """
    notes: list[str] = []
    recipes = [_flat(run.recipe.model_dump(mode="json", exclude_none=True)) for run in runs]
    parts = list(Recipe.model_fields)
    keys = sorted(
        dict.fromkeys(key for recipe in recipes for key in recipe), key=lambda key: parts.index(key.split(".")[0])
    )
    values = {key: tuple(recipe.get(key) for recipe in recipes) for key in keys}
    found = [dict(_amounts(run, notes)) for run in runs]
    names = dict.fromkeys(name for each in found for name in each)
    return Differences(
        names=tuple(str(run.path) for run in runs),
        recipe={key: each for key, each in values.items() if any(value != each[0] for value in each)},
        amounts={name: tuple(each.get(name) for each in found) for name in names},
        notes=tuple(dict.fromkeys(notes)),
    )


def tables(found: Differences) -> list[Table]:
    """The differences for people: what differs in the recipe, then all amounts."""
    recipe: Rows = [[key, *map(_shown, values)] for key, values in found.recipe.items()]
    caption = "What differs in the recipes." if recipe else "The recipes do not differ."
    amounts: Rows = [[name, *_cells(name, values)] for name, values in found.amounts.items()]
    heads = [*found.names, *(["difference"] if len(found.names) == 2 else [])]
    return [
        table(caption, texts("key", *found.names), recipe),
        table("What the runs found; what is not named an estimate was measured.", texts("") + numbers(*heads), amounts),
    ]


def differences_markdown(found: Differences) -> str:
    """The differences as Markdown."""
    shown = [markdown_table(each) if each.rows else escaped(each.caption) for each in tables(found)]
    return "\n\n".join([f"# {escaped(' and '.join(found.names))}", *shown, *(f"- {escaped(n)}" for n in found.notes)])


def differences_page(found: Differences) -> str:
    """The differences as HTML."""
    from qap.report.markup import render

    return render("differences.html.j2", names=found.names, tables=tables(found), notes=found.notes)


def _amounts(run: RunDirectory, notes: list[str]) -> Iterator[tuple[str, float | None]]:
    content = metrics(run)
    for model, accuracy in content["accuracy"].items():
        for part in ("validation", "test"):
            if accuracy and part in accuracy:
                yield f"{part} accuracy, {model}", accuracy[part]
    yield "parameters", content["parameters"]
    yield "parameters that are not 0", content["nonzeros"]
    yield "weights that are 0", content["sparsity"]
    yield "size (bytes, zeros included)", content["size_bytes"]
    for report in content["resources"] or []:
        for key, label in RESOURCE_NAMES.items():
            if report[key] is not None:
                yield f"{label}: {report['design']} on {report['part']}, measured ({report['source']})", report[key]
    yield from _estimated(run, notes)


def _estimated(run: RunDirectory, notes: list[str]) -> Iterator[tuple[str, float | None]]:
    if not run.file(NETWORK).exists():
        notes.append(f"{run.path} has no {NETWORK}, so nothing is estimated for it")
        return
    try:
        stages = ESTIMATORS[ESTIMATOR](load_network(run.file(NETWORK)), run.recipe.target).stages
    except QapError as error:
        notes.append(f"{run.path}: nothing is estimated: {error}")
        return
    for name, stage in stages.items():
        for key, label in RESOURCE_NAMES.items():
            if getattr(stage.report, key) is not None:
                yield f"{label}: {SOURCE_NAMES.get(name, name)}, estimated", getattr(stage.report, key)


def _flat(content: Any, key: str = "") -> dict[str, Any]:
    """Nested mappings and lists by their dotted keys, as `--set` has them."""
    parts = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    flat: dict[str, Any] = {}
    for name, value in parts:
        flat |= _flat(value, f"{key}.{name}" if key else str(name))
    return flat or {key: content}


def _shown(value: Any) -> str:
    return ABSENT if value is None else str(value)


def _cells(name: str, values: tuple[float | None, ...]) -> Iterator[str]:
    share = "accuracy" in name or name == "weights that are 0"
    for value in values:
        yield NOT_MEASURED if value is None else percent(value) if share else _number(value)
    if len(values) == 2:
        first, second = values
        if first is None or second is None:
            yield ""
        elif share:
            yield f"{100 * (second - first):+.2f} points" if second != first else "0"
        else:
            yield _change(first, second)


def _number(value: float) -> str:
    return count(int(value)) if value == int(value) else f"{value:,.1f}"


def _change(first: float, second: float) -> str:
    if first == second:
        return "0"
    sign = "+" if second > first else "-"
    relative = f" ({100 * (second - first) / first:+.0f} %)" if first else ""
    return f"{sign}{_number(abs(second - first))}{relative}"
