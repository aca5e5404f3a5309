"""`qap sweep`: the same recipe at many points."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qap.cli.options import DataDir, Json

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the sweep; sweeps/NAME if not given.")]


def sweep(
    source: Annotated[str, typer.Argument(metavar="SWEEP", help="A built-in sweep, or a TOML file.")],
    out: Out = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes of one thread each.")] = 1,
    dask: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="Dask scheduler that runs already, instead of --jobs."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on; no finished point is done again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do more than 100,000 points, too.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Train, freeze, judge and estimate a recipe at every point of a grid; the records survive an interruption."""
    from qap.cli.console import print_json, progress_bars
    from qap.errors import QapError, ToolMissing
    from qap.explore.sweep import DaskWorkers, LocalProcesses, load_sweep, run_sweep
    from qap.explore.sweep.report import write_sweep_report
    from qap.files import slug

    wanted = load_sweep(source)
    if dask is not None and jobs != 1:
        raise QapError("--jobs and --dask exclude each other: the scheduler knows its workers")
    folder = out or Path("sweeps") / slug(wanted.name, "sweep")
    workers = LocalProcesses(jobs) if dask is None else DaskWorkers(dask)
    with progress_bars() as progress, workers as executor:
        records = run_sweep(wanted, folder, executor, resume=resume, any_size=yes, data_dir=data_dir, progress=progress)
    try:
        page, why_not = str(write_sweep_report(folder)), None
    except ToolMissing as error:  # the records are what matters
        page, why_not = None, str(error)
    if as_json:
        print_json({"folder": str(folder), "report": page, "records": records})
    else:
        failed = sum(record["error"] is not None for record in records)
        typer.echo(f"{folder}: {len(records)} points" + (f", {failed} of them failed" if failed else ""))
        typer.echo(f"report: {page or f'not written: {why_not}'}")
