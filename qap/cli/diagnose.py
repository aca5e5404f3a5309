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
    config: Annotated[
        Path | None, typer.Option("--config", metavar="YML", help="hls4ml's configuration instead of a project.")
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
    fix: Annotated[
        Path | None, typer.Option("--fix", metavar="OUT", help="Write the exact project into this folder.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of page and JSON; runs/diagnose-NAME if not given.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Compile an hls4ml project, run it and its model on the test samples, and say where and why they differ."""
    if (project is None) == (config is None):
        raise QapError("name either the hls4ml project, --project HLS_DIR, or its configuration, --config hls4ml.yml")
    if data is None:
        raise QapError("there are no samples to compare on; name a data set: --data SOURCE (qap datasets lists them)")
    import tempfile

    from qap.cli.console import errors, print_json, print_line
    from qap.explore.diagnosis import (
        UserModel,
        read_samples,
        read_source,
        write_diagnosis,
        write_fix,
        write_of_configuration,
    )
    from qap.explore.diagnosis import diagnose as run_diagnosis
    from qap.files import user_path

    def tell(line: str) -> None:
        errors.print(line, soft_wrap=True, markup=False)

    source = read_source(user_path(project)) if project else None
    samples = read_samples(data, data_dir, divisor)
    read = UserModel(user_path(model), user_path(weights) if weights else None)
    with tempfile.TemporaryDirectory(prefix="qap-diagnose-") as temporary:
        if source is None:
            write_of_configuration(read, user_path(config or ""), Path(temporary) / "hls")
            source = read_source(Path(temporary) / "hls")
        found = run_diagnosis(read, source, samples, str(project or config), tell)
        compared = write_fix(found.network, source, samples.x, user_path(fix), read.path.stem) if fix else None
    paths = write_diagnosis(found, user_path(out) if out else _default_folder(project or config))
    if fix:
        paths["exact project"] = user_path(fix)
    if as_json:
        print_json({**found.to_dict(), "files": {what: str(path) for what, path in paths.items()}})
    else:
        _print(found)
        if compared is not None:
            print_line(f"the exact project: 0 of {compared:,} outputs differ")
        for what, path in paths.items():
            print_line(f"{what}: {path}")
    if not found.equal:
        raise typer.Exit(1)


def _default_folder(name: Path | None) -> Path:
    """`runs/diagnose-NAME`, of the project's folder or of the configuration."""
    from qap.files import slug

    return Path("runs") / f"diagnose-{slug(Path(name or '').absolute().stem, 'project')}"


def _print(found: Diagnosis) -> None:
    from rich.table import Table
    from rich.text import Text

    from qap.cli.console import print_line, results
    from qap.explore.diagnosis.page import first_line, verdict

    print_line(verdict(found))
    print_line(first_line(found))
    for note in found.notes:
        print_line(f"note: {note}")
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


def _cells(each: Widened) -> list[str]:
    use, judged = each.use, each.use.judged
    occurred = f"{judged.low:g} to {judged.high:g}" if judged else ""
    lost = f"{judged.overflow:.2%}\n{judged.rounding:.3g}" if judged else ""
    left = f"{each.gap.outputs:,} outputs\n{each.gap.decisions:,} decisions"
    return [f"{use.site}\n{use.text}", f"{occurred}\n{use.exact or ''}", lost, left]
