"""`qap diagnose`: where an hls4ml project differs from its model, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qap.cli.options import DataDir, Json
from qap.errors import QapError

if TYPE_CHECKING:
    from qap.explore.diagnosis.results import Diagnosis, Widened


def diagnose(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A Keras or QKeras model, or a network.npz.")],
    project: Annotated[
        Path | None, typer.Option("--project", metavar="HLS_DIR", help="Folder of the hls4ml project, with firmware/.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="SOURCE", help="A data set, npz:FILE or csv:FILE?label=COLUMN.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="W.h5", help="The weights, where MODEL is a JSON file.")
    ] = None,
    divisor: Annotated[
        int, typer.Option("--divide", min=1, help="What pixels are divided by; 255 if the model was trained on that.")
    ] = 256,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Compile an hls4ml project, run it and its model on the test samples, and say where and why they differ."""
    if project is None:
        raise QapError("there is nothing to diagnose; name the hls4ml project: --project HLS_DIR")
    if data is None:
        raise QapError("there are no samples to compare on; name a data set: --data SOURCE (qap datasets lists them)")
    from qap.cli.console import errors, print_json
    from qap.explore.diagnosis import UserModel, read_samples, read_source
    from qap.explore.diagnosis import diagnose as run_diagnosis
    from qap.files import user_path

    def tell(line: str) -> None:
        errors.print(line, soft_wrap=True, markup=False)

    source = read_source(user_path(project))
    samples = read_samples(data, data_dir, divisor)
    read = UserModel(user_path(model), user_path(weights) if weights else None)
    found = run_diagnosis(read, source, samples, str(project), tell)
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)
    if not found.equal:
        raise typer.Exit(1)


def _print(found: Diagnosis) -> None:
    from rich.table import Table
    from rich.text import Text

    from qap.cli.console import print_line, results

    print_line(_verdict(found))
    for note in found.notes:
        print_line(f"note: {note}")
    if found.first:
        first = found.first
        print_line(
            f"first layer that differs: {first.layer}, {first.numbers:,} of {first.of:,} results; "
            f"sample {first.sample}, neuron {first.neuron}: {first.hardware:g}, the model has {first.model:g}"
        )
    shown = [each for each in found.types if each.matters(found.base)]
    if shown:
        table = Table()
        for head in ("type", "occurred / smallest", "overflow / rounding", "left if it is wide"):
            table.add_column(head)
        for each in shown:
            table.add_row(*(Text(cell) for cell in _cells(each)))
        results.print(table)
    print_line(f"types that lose nothing on these samples: {len(found.types) - len(shown)} of {len(found.types)}")
    for cause in found.causes:
        mark = "" if cause.effective else " (no effect on these samples)"
        print_line(f"{cause.kind}, {cause.place}: {cause.text}; {cause.remedy}{mark}")
    if found.configuration:
        print_line("the smallest types that make all outputs equal, compiled: 0 mismatches")
        print_line(found.configuration.rstrip())


def _verdict(found: Diagnosis) -> str:
    if found.equal:
        return f"the hardware equals the model: {found.logits:,} outputs of {found.samples:,} samples"
    return (
        f"the hardware differs from the model: {found.gap.outputs:,} of {found.logits:,} outputs, "
        f"{found.gap.decisions:,} of {found.samples:,} decisions; accuracy {_percent(found.accuracy_hardware)}, "
        f"of the model {_percent(found.accuracy_model)}"
    )


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.2%}"


def _cells(each: Widened) -> list[str]:
    use, judged = each.use, each.use.judged
    occurred = f"{judged.low:g} to {judged.high:g}" if judged else ""
    lost = f"{judged.overflow:.2%}\n{judged.rounding:.3g}" if judged else ""
    left = f"{each.gap.outputs:,} outputs\n{each.gap.decisions:,} decisions"
    return [f"{use.site}\n{use.text}", f"{occurred}\n{use.exact or ''}", lost, left]
