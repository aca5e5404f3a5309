"""`qap sensitivity`: what each layer of a frozen network could do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qap.cli.options import DataDir, Json
from qap.errors import DataError
from qap.extras import extra

if TYPE_CHECKING:
    from qap.data import Dataset, Split
    from qap.explore.sensitivity.measure import Sensitivity
    from qap.explore.sensitivity.suggestion import Suggestion
    from qap.network import IntegerNetwork
    from qap.run import RunDirectory


def sensitivity(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run that is frozen.")],
    budget: Annotated[
        float, typer.Option(metavar="POINTS", help="Percentage points of validation accuracy that may be lost.")
    ] = 0.5,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="RECIPE.toml", help="Write the suggestion as a recipe.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Accuracy of the frozen network against sparsity and bits, layer by layer, and a suggestion for a budget."""
    from qap.explore.sensitivity.measure import sensitivity as measure
    from qap.explore.sensitivity.suggestion import checked_budget, suggest, suggested_recipe
    from qap.files import user_path, write_text
    from qap.run import RECIPE, SENSITIVITY, SENSITIVITY_FIGURE, RunDirectory

    checked_budget(budget)
    target = user_path(write) if write else None
    directory = RunDirectory.open(user_path(run), data_dir)
    if target and target.suffix != ".toml":
        raise DataError(f"--write {target}: the name of a recipe must end in .toml")
    if target and target.resolve() == directory.file(RECIPE).resolve():
        raise DataError(f"--write {target}: this is the recipe that the run was made with; choose another name")
    network = _network(directory)
    with extra("report"):
        from qap.explore.sensitivity.heat_map import write_sensitivity
    validation = _judged_on(network, directory.dataset)
    found = measure(network, validation)
    suggestion = suggest(network, found, validation, budget, recipe=directory.recipe)
    if target:
        write_text(target, suggested_recipe(directory.recipe, network, suggestion, target.stem).to_toml())
    with directory.lock():
        write_sensitivity(found, directory.file(SENSITIVITY), directory.file(SENSITIVITY_FIGURE))
    files = {"table": directory.file(SENSITIVITY), "figure": directory.file(SENSITIVITY_FIGURE)}
    if target:
        files["recipe"] = target
    if as_json:
        _print_json(network, found, suggestion, files)
    else:
        _print_tables(found, suggestion, files, labels=directory.dataset.has_labels)


def _judged_on(network: IntegerNetwork, data: Dataset) -> Split:
    """The validation part; without labels the network's own decisions are what a changed one is compared with."""
    from qap.data import Split

    part = data.validation
    return part if data.has_labels else Split(part.x, network.classify(part.x))


def _network(run: RunDirectory) -> IntegerNetwork:
    """The network of a run, for the data that it was trained on.

    Raises:
        DataError: the run is not frozen, or its data have changed.
    """
    from qap.network import load_network
    from qap.run import NETWORK

    if not run.file(NETWORK).exists():
        raise DataError(f"{run.path} is not frozen yet, it has no {NETWORK}; qap train and qap freeze make it")
    if run.data_set.digest != run.dataset.digest:
        raise DataError(f"the data of {run.path} have changed since it was made; qap run trains it again")
    return load_network(run.file(NETWORK))


def _print_json(network: IntegerNetwork, found: Sensitivity, suggestion: Suggestion, files: Mapping[str, Path]) -> None:
    from qap.cli.console import print_json

    layers = [
        {"layer": layer.name, **change._asdict()}
        for layer, change in zip(network.layers, suggestion.changes, strict=True)
    ]
    print_json(
        {
            "accuracy": found.accuracy,
            "samples": found.samples,
            "layers": [
                {"layer": each.name, "weights": each.weights, "sparsity": each.sparsity, "bits": each.bits}
                for each in found.layers
            ],
            "measured": list(found.rows()),
            "suggestion": {**asdict(suggestion), "changes": layers},
            "files": {name: str(path) for name, path in files.items()},
        }
    )


def _print_tables(found: Sensitivity, suggestion: Suggestion, files: Mapping[str, Path], *, labels: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from qap.cli.console import print_line, results

    if labels:
        print_line(f"validation accuracy as trained: {found.accuracy:.2%} of {found.samples:,} samples")
    else:
        print_line(f"no labels: accuracy is the share of {found.samples:,} random vectors that keep their class")
    for kind, what in (("sparsity", "its pruned weights"), ("bits", "the bits of its weights")):
        print_line(f"points of accuracy when one layer is changed, against {what}:")
        results.print(_drops(found, kind))
    print_line(f"suggested for a budget of {suggestion.budget_points:g} points:")
    table = Table()
    for head in ("layer", "sparsity", "bits", "as trained"):
        table.add_column(head, justify="left" if head == "layer" else "right")
    for each, change in zip(found.layers, suggestion.changes, strict=True):
        share = "as trained" if change.sparsity is None else f"{change.sparsity:.1%}"
        bits = "as trained" if change.bits is None else str(change.bits)
        table.add_row(Text(each.name), share, bits, f"{each.sparsity:.1%}, {each.bits} bits")
    results.print(table)
    print_line(
        f"all together, without training again: validation accuracy {suggestion.accuracy:.2%} "
        f"({_signed(-suggestion.measured_points)} points; the single drops add up to {suggestion.summed_points:.2f}), "
        f"{suggestion.adders:,} adders instead of {suggestion.adders_as_trained:,}, "
        f"{suggestion.nonzeros:,} non-zero parameters instead of {suggestion.nonzeros_as_trained:,}"
    )
    for label, path in files.items():
        print_line(f"{label}: {path}")


def _drops(found: Sensitivity, kind: str) -> Any:
    """Points lost by each layer, a column each; a blank cell changes nothing."""
    from rich.table import Table
    from rich.text import Text

    percent = kind == "sparsity"
    columns = [
        {each.value: _signed(-found.drop(each)) for each in (layer.by_sparsity if percent else layer.by_bits)}
        for layer in found.layers
    ]
    table = Table()
    table.add_column("pruned" if percent else "bits", justify="right")
    for layer in found.layers:
        table.add_column(Text(layer.name), justify="right")
    for value in sorted({value for column in columns for value in column}, reverse=not percent):
        head = f"{100 * value:g} %" if percent else f"{value:g}"
        table.add_row(head, *(column.get(value, "") for column in columns))
    return table


def _signed(points: float) -> str:
    return f"{points:+.2f}" if points else "0"
