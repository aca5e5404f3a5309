"""What there is, and what is missing: recipes, data sets, the doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from qap.cli.options import Json


def _version(asked: bool) -> None:
    if asked:
        from qap import __version__

        typer.echo(f"qap {__version__}")
        raise typer.Exit()


def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options of `qap` itself; the help of the program stands in `qap.cli`."""


def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this recipe as TOML, to start your own from.")] = None,
) -> None:
    """List the built-in recipes, or print one."""
    from qap.recipe import builtin_recipes, load_recipe

    if name is not None:
        typer.echo(load_recipe(name).to_toml(), nl=False)
        return
    for each in builtin_recipes():
        recipe = load_recipe(each)
        teacher = "distilled" if recipe.distill else "no teacher"
        units = recipe.what.removeprefix("student ")
        typer.echo(f"{each:<20} {recipe.data.name}: {units}, {recipe.prune.sparsity:.0%} pruned, {teacher}")


def datasets() -> None:
    """List the data sets."""
    from qap.data import DESCRIPTIONS

    for each in DESCRIPTIONS:
        typer.echo(f"{each.name}\n    {each.what}\n    {each.size}\n    {each.origin}")


def doctor(as_json: Json = False) -> None:
    """Say which packages and programs are there, what needs them, and how to get what is missing."""
    from qap.cli.console import print_json
    from qap.doctor import examine, examine_cache

    found = [*examine(), examine_cache()]
    if as_json:
        print_json({check.name: {"version": check.version, "needed_for": check.needed_for} for check in found})
        return
    for check in found:
        state = check.version or f"missing: {check.remedy}"
        typer.echo(f"{check.name:<14} {state:<40} {check.needed_for}")
