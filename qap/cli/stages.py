"""One command for each stage of the flow, on a run's folder or a recipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from qap.cli.options import DataDir, Force, Json, Out, Seed, Set, Source, open_run


def stage_command(stages: tuple[str, ...], text: str) -> Callable[..., None]:
    """A command that runs stages of the flow.

    Args:
        stages: their names.
        text: what it says of itself.
    """

    def command(
        source: Source,
        out: Out = None,
        seed: Seed = None,
        assignments: Set = None,
        data_dir: DataDir = None,
        force: Force = False,
        as_json: Json = False,
    ) -> None:
        from qap.cli.console import print_json, progress_bars
        from qap.flow import run_flow

        directory = open_run(source, out, seed, assignments, data_dir, force=force)
        with progress_bars() as progress:
            records = run_flow(directory, stages, force=force, progress=progress)
        if as_json:
            print_json({name: dict(record.result) for name, record in records.items()})
        else:
            typer.echo(directory.path)

    command.__doc__ = text
    return command


def verify(
    source: Source,
    engines: Annotated[
        str | None, typer.Option(help="Names with commas between: keras,onnx,emulator,csim,rtl,axis,netlist.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Compare every pair of engines, bit for bit, on all test samples and on adversarial vectors."""
    from qap.cli.console import print_failures, print_json, print_line, progress_bars
    from qap.flow import verify_stage
    from qap.run.engines import engines_of

    directory = open_run(source, None, None, None, data_dir)
    names = tuple(name.strip() for name in engines.split(",")) if engines else engines_of(directory.recipe)
    with progress_bars() as progress:
        found = verify_stage(directory, names, required=engines is not None, progress=progress)
    failures = [str(agreement) for agreement in found.agreements if not agreement.exact]
    if as_json:
        print_json(found.to_dict())
    else:
        for agreement in found.agreements:
            print_line(str(agreement))
        for name, reason in found.unavailable.items():
            print_line(f"{name} was not run: {reason}")
        for note in found.notes:
            print_line(f"note: {note}")
    print_failures(failures)
    raise typer.Exit(1 if failures else 0)
