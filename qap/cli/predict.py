"""`qap predict`: new samples, classified by any engine of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qap.cli.options import DataDir, open_run


def predict(
    source: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run that is frozen.")],
    file: Annotated[str, typer.Argument(help="A table (CSV), an NPZ or an IDX file; labels are not needed.")],
    engine: Annotated[str, typer.Option(help="One of keras, onnx, emulator, csim, rtl, axis, netlist.")] = "emulator",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A CSV file; standard output if not given.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Classify new samples, and write their classes and logits as CSV."""
    from qap.files import write_text
    from qap.flow import predict as classify

    found = classify(open_run(source, None, None, None, data_dir), file, engine).to_csv()
    if out is None:
        typer.echo(found, nl=False)
    else:
        write_text(out, found)
