"""`qap export`: the network of a run as software."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qap.cli.options import DataDir, open_run

VECTORS = 64


def export(
    source: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run that is frozen.")],
    c: Annotated[Path, typer.Option("--c", metavar="FILE.c", help="One C99 file with its test vectors.")],
    data_dir: DataDir = None,
) -> None:
    """Write the integer network as one C file that needs nothing but the standard library."""
    from qap.network import load_network
    from qap.run import NETWORK
    from qap.software import write_c

    run = open_run(source, None, None, None, data_dir)
    network = load_network(run.file(NETWORK))
    typer.echo(write_c(network, c, name=run.recipe.name, x_int=run.dataset.test.x[:VECTORS]))
