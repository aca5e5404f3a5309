"""Options that several commands share, and what they mean."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qap.errors import RecipeError

if TYPE_CHECKING:
    from qap.recipe import Recipe
    from qap.run import RunDirectory

MODELS = (".keras", ".h5", ".hdf5", ".json", ".onnx", ".npz")
Source = Annotated[str, typer.Argument(metavar="RECIPE|RUN", help="A built-in recipe, a TOML file, or a run's folder.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the run; runs/NAME-seedN if not given.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Instead of the recipe's seed.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe, as in prune.sparsity=0.9.")
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="QAP_DATA_DIR", help="Folder of IDX files, for mnist.")
]
Force = Annotated[bool, typer.Option("--force", help="Run finished stages again; take over a run of another recipe.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def open_run(
    source: str,
    out: Path | None,
    seed: int | None,
    assignments: list[str] | None,
    data_dir: Path | None,
    *,
    force: bool = False,
) -> RunDirectory:
    """The run that RECIPE|RUN and the options mean.

    Raises:
        RecipeError: there is no such recipe, or an override is not possible.
        DataError: the folder cannot be used, or another recipe's data cannot be loaded.
    """
    from qap.recipe import load_recipe
    from qap.run import RunDirectory

    changes = [*(assignments or []), *([f"seed={seed}"] if seed is not None else [])]
    if _is_folder(source):
        run = RunDirectory.open(source, data_dir)
        if not changes and out is None:
            return run
        recipe, data_dir = run.recipe.override(changes), data_dir or run.data_dir
        return RunDirectory.create(out or run.path, recipe, data_dir, force=force)
    if _is_model(source):
        raise RecipeError(f"{source} is a model, not a recipe or a run; qap import {source} makes a run of it first")
    recipe = load_recipe(source)
    changed = recipe.override(changes)
    return RunDirectory.create(out or default_folder(changed, plain=not assignments), changed, data_dir, force=force)


def _is_folder(source: str) -> bool:
    """Whether a folder is meant; one that is named as a built-in recipe must be a run to be."""
    from qap.recipe import builtin_recipes
    from qap.run import RECIPE

    try:
        return (Path(source) / RECIPE).exists() or (Path(source).is_dir() and source not in builtin_recipes())
    except OSError:  # a name that no file can have
        return False


def _is_model(source: str) -> bool:
    """Whether a file is meant that `qap import` takes."""
    try:
        return Path(source).suffix.lower() in MODELS and Path(source).is_file()
    except (OSError, ValueError):
        return False


def default_folder(recipe: Recipe, *, plain: bool) -> Path:
    """`runs/NAME-seedN`; a recipe that was changed by --set gets a folder of its own.

    Args:
        recipe: the recipe with all changes.
        plain: whether nothing but the seed was changed.
    """
    from qap.files import slug

    suffix = "" if plain else "-" + hashlib.sha256(recipe.to_toml().encode()).hexdigest()[:8]
    return Path("runs") / f"{slug(recipe.name, 'run')}-seed{recipe.seed}{suffix}"


def with_rtl(run: RunDirectory, wanted: bool | None) -> RunDirectory:
    """The run with RTL as part of it or not; its recipe remembers that.

    Args:
        run: the run.
        wanted: None takes what the recipe says; where it says nothing, whether the rtl extra is installed.
    """
    from qap.doctor import can_make_rtl
    from qap.run import RunDirectory

    if wanted is None:
        if run.recipe.rtl is not None:
            return run
        wanted = can_make_rtl()
    if run.recipe.makes_rtl == wanted:
        return run
    return RunDirectory.create(run.path, run.recipe.override([f"rtl.enabled={str(wanted).lower()}"]), run.data_dir)
