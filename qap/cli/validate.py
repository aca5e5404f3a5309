"""`qap validate`: k-fold cross-validation of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from qap.cli.options import DataDir, Json, Seed, Set

if TYPE_CHECKING:
    from qap.explore.validation import CrossValidation


def validate(
    source: Annotated[str, typer.Argument(metavar="RECIPE", help="A built-in recipe or a TOML file.")],
    folds: Annotated[int, typer.Option(help="Parts of the training samples, each held out once.")] = 5,
    seeds: Annotated[int, typer.Option(help="How often, with other folds and other initial weights.")] = 1,
    seed: Seed = None,
    assignments: Set = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Cross-validate a recipe: mean and spread of teacher, student and integer network; the test part is not read."""
    from qap.cli.console import errors, print_json
    from qap.explore.validation import cross_validate
    from qap.recipe import load_recipe

    changes = [*(assignments or []), *([f"seed={seed}"] if seed is not None else [])]
    recipe = load_recipe(source).override(changes)
    found = cross_validate(
        recipe,
        folds,
        seeds,
        data_dir,
        lambda each: errors.print(
            f"  seed {each.seed}, fold {each.fold + 1} of {folds}: {each.scores['integer']['accuracy']:.2%}"
        ),
    )
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)


def _print(found: CrossValidation) -> None:
    from rich.table import Table
    from rich.text import Text

    from qap.cli.console import results

    title = f"{found.recipe}: {found.folds} folds, seeds {', '.join(map(str, found.seeds))}; on held-out samples"
    table = Table(title=Text(title, style="table.title"), title_justify="left")
    for head in ("", "accuracy", "lowest to highest", "balanced accuracy"):
        table.add_column(head)
    for model, measures in found.summary().items():
        accuracy, balanced = measures["accuracy"], measures["balanced_accuracy"]
        table.add_row(
            model,
            f"{accuracy['mean']:.2%} ± {accuracy['spread']:.2%}",
            f"{accuracy['lowest']:.2%} to {accuracy['highest']:.2%}",
            f"{balanced['mean']:.2%} ± {balanced['spread']:.2%}",
        )
    results.print(table)
