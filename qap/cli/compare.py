"""`qap compare`: the same recipe by several techniques, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qap.cli.options import DataDir, Json, Set
from qap.extras import extra

if TYPE_CHECKING:
    from qap.recipe import Recipe


def compare(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A built-in recipe or a TOML file.")],
    techniques: Annotated[
        str | None,
        typer.Option(
            metavar="A,B+C",
            help="float, pruned, structured, ptq, dq, fiq, qat, qap, kd, online, self, snapshots, ensemble-kd; "
            "joined by + they combine. If not given: float to kd, and qap+kd.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds, from the recipe's on.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the runs and the table; runs/compare-NAME if not given."),
    ] = None,
    synth: Annotated[bool, typer.Option("--synth", help="Measure LUTs with Yosys instead of estimating them.")] = False,
    assignments: Set = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train the recipe by several techniques and compare accuracy, memory and hardware; continues where it stopped."""
    import sys

    from qap.cli.console import errors, print_json, print_line, progress_bars
    from qap.explore.comparison.compare import compare as run_comparison
    from qap.explore.comparison.techniques import DEFAULT, possible_techniques
    from qap.recipe import load_recipe

    base = load_recipe(recipe).override(assignments or [])
    names = techniques.split(",") if techniques is not None else []
    if techniques is None:
        names, impossible = possible_techniques(base, DEFAULT)
        for why in impossible.values():
            errors.print(f"left out: {why}", soft_wrap=True, markup=False)
    with extra("report"):
        from qap.explore.comparison.table import comparison_text, write_comparison
    folder = out or _default_folder(base, plain=not assignments)
    with progress_bars() as bars:
        found = run_comparison(base, names, seeds, folder, data_dir=data_dir, synth=synth, progress=bars.of_run)
    paths = write_comparison(found, folder)
    if as_json:
        print_json({**found.to_dict(), "files": {what: str(path) for what, path in paths.items()}})
        return
    sys.stdout.write(comparison_text(found))
    for what, path in paths.items():
        print_line(f"{what}: {path}")


def _default_folder(base: Recipe, *, plain: bool) -> Path:
    """`runs/compare-NAME`; a recipe that was changed by --set gets a folder of its own."""
    from qap.cli.options import default_folder

    folder = default_folder(base, plain=plain)
    return folder.with_name(f"compare-{folder.name}")
