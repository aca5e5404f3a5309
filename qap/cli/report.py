"""`qap report`: the page of a run, the report of a sweep, or what differs between runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qap.cli.options import DataDir, Force, Json, Seed, Set, open_run
from qap.errors import DataError, QapError

if TYPE_CHECKING:
    from qap.run import RunDirectory

Sources = Annotated[
    list[str], typer.Argument(metavar="SWEEP|RUN...", help="Folders of sweeps, or a run, or runs to compare.")
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder of the run; of runs that are compared, an HTML file.")
]


def report(
    sources: Sources,
    out: Out = None,
    seed: Seed = None,
    assignments: Set = None,
    data_dir: DataDir = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write the report of a run or of a sweep, or print what differs between runs; nothing is trained for it."""
    from qap.explore.sweep.records import RECORDS, SWEEP
    from qap.run import RECIPE

    asked = {"--seed": seed is not None, "--set": bool(assignments), "--force": force}
    given = [name for name, is_given in asked.items() if is_given]
    sweeps = [source for source in sources if _has(source, SWEEP) or _has(source, RECORDS)]
    if len(sources) == 1 and not sweeps:
        if _is_other_folder(sources[0]):
            raise DataError(f"{sources[0]} is neither a sweep's folder ({SWEEP}) nor a run's ({RECIPE})")
        _report_run(open_run(sources[0], out, seed, assignments, data_dir, force=force), force, as_json)
        return
    if given:
        raise QapError(f"{given[0]} is for the report of one run")
    if not sweeps:
        _compare([open_run(_run_folder(source), None, None, None, data_dir) for source in sources], out, as_json)
    elif len(sweeps) < len(sources):
        raise QapError("sweeps and runs cannot be compared: give folders of sweeps only, or of runs only")
    elif out is not None:
        raise QapError("--out is for runs; the report of a sweep lies beside its records")
    else:
        _report_sweeps(sweeps, as_json)


def _report_run(run: RunDirectory, force: bool, as_json: bool) -> None:
    from qap.cli.console import print_json, progress_bars
    from qap.flow import run_flow

    with progress_bars() as progress:
        records = run_flow(run, ["report"], force=force, progress=progress)
    if as_json:
        print_json({name: dict(record.result) for name, record in records.items()})
    else:
        typer.echo(run.path)


def _report_sweeps(folders: list[str], as_json: bool) -> None:
    from qap.cli.console import print_json
    from qap.explore.sweep.report import write_sweep_report

    pages = [str(write_sweep_report(Path(folder))) for folder in folders]
    if as_json:
        print_json({"reports": pages})
    else:
        typer.echo("\n".join(pages))


def _compare(runs: list[RunDirectory], out: Path | None, as_json: bool) -> None:
    from qap.cli.console import print_json
    from qap.report import write_differences
    from qap.report.differences import differences, differences_markdown

    found = differences(runs)
    if out is not None:
        write_differences(found, out)
    if as_json:
        print_json({"names": found.names, "recipe": found.recipe, "figures": found.amounts, "notes": found.notes})
    else:
        typer.echo(differences_markdown(found))


def _run_folder(source: str) -> str:
    """The folder of a run; only what has been run can be compared.

    Raises:
        DataError: it is none.
    """
    from qap.run import RECIPE

    if not _has(source, RECIPE):
        raise DataError(f"{source} is neither a sweep's folder nor a run's: it has no sweep.toml and no {RECIPE}")
    return source


def _has(source: str, name: str) -> bool:
    try:
        return (Path(source) / name).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _is_other_folder(source: str) -> bool:
    """Whether it is a folder, and neither a run nor named as a recipe."""
    from qap.recipe import builtin_recipes
    from qap.run import RECIPE

    return _has(source, "") and Path(source).is_dir() and not _has(source, RECIPE) and source not in builtin_recipes()
