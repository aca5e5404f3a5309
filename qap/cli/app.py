"""The commands, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from qap.cli import compare, condense, estimate, hardware, info, parts, report, run, sensitivity, stages, sweep
from qap.errors import QapError

USAGE_ERROR: Any = typer.BadParameter.__base__  # of click: typer carries its own copy of it, or does not

app = typer.Typer(
    name="qap",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Quantization-aware pruning, from a float teacher to a verified FPGA classifier.",
    epilog="--debug after any command shows the traceback of an error.",
)
run.add_to(app)
stages.add_to(app)
report.add_to(app)
hardware.add_to(app)
sensitivity.add_to(app)
compare.add_to(app)
condense.add_to(app)
estimate.add_to(app)
parts.add_to(app)
sweep.add_to(app)
info.add_to(app)


def invoke(arguments: Sequence[str]) -> Any:
    """Run one command and return its exit status; no arguments ask for help.

    Raises:
        QapError: wrong usage, or what the command raises.
    """
    try:
        return app(list(arguments) or ["--help"], prog_name="qap", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except USAGE_ERROR as error:
        command = error.ctx.command_path if error.ctx else "qap"
        raise QapError(f"{error.format_message().rstrip('.')}; see {command} --help") from error
