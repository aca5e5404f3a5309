"""`qap run`: the whole flow in one command."""

from __future__ import annotations

from typing import Annotated

import typer

from qap.cli.options import DataDir, Force, Json, Out, Seed, Set, Source, open_run, with_rtl


def run(
    source: Source,
    out: Out = None,
    seed: Seed = None,
    assignments: Set = None,
    data_dir: DataDir = None,
    force: Force = False,
    rtl: Annotated[
        bool | None,
        typer.Option("--rtl/--no-rtl", help="Make and measure RTL, too; on when the rtl extra is installed."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Data, teacher, student, freeze, HLS project, verification, report; finished stages are skipped."""
    from qap.cli.console import print_failures, print_json, print_metrics, print_warnings, progress_bars
    from qap.flow import run_flow
    from qap.run import HLS, REPORT
    from qap.run.measures import failed_checks, metrics, warnings

    directory = with_rtl(open_run(source, out, seed, assignments, data_dir, force=force), rtl)
    with progress_bars() as progress:
        run_flow(directory, force=force, progress=progress)
    content = metrics(directory)
    where = {"report": directory.file(REPORT), "HLS project": directory.file(HLS)}
    failures, doubts = failed_checks(content), warnings(content)
    if as_json:
        print_json({**content, "failed_checks": failures, "warnings": doubts, "report": str(where["report"])})
    else:
        print_metrics(content, where)
    print_warnings(doubts)
    print_failures(failures)
    raise typer.Exit(1 if failures else 0)
