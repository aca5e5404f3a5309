"""The commands, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import typer

from qap.cli import (
    compare,
    condense,
    diagnose,
    estimate,
    export,
    hardware,
    imports,
    info,
    parts,
    predict,
    report,
    run,
    sensitivity,
    stages,
    sweep,
    validate,
)
from qap.errors import QapError

USAGE_ERROR: Any = typer.BadParameter.__base__  # of click: typer carries its own copy of it, or does not

COMMANDS: dict[str, Callable[..., None]] = {
    "run": run.run,
    "import": imports.import_model,
    "data": stages.stage_command(("data",), "Load and check the data, and record its splits and its scaling."),
    "teacher": stages.stage_command(("data", "teacher"), "Train the float teacher."),
    "student": stages.stage_command(("data", "student"), "Train the quantized, pruned, distilled student."),
    "train": stages.stage_command(("data", "teacher", "student"), "Train the teacher and the student."),
    "freeze": stages.stage_command(("data", "freeze"), "Turn the student into the exact integer network."),
    "hls": stages.stage_command(("data", "hls"), "Write the HLS project of the integer network."),
    "verify": stages.verify,
    "report": report.report,
    "predict": predict.predict,
    "export": export.export,
    "rtl": hardware.rtl,
    "synth": hardware.synth,
    "sensitivity": sensitivity.sensitivity,
    "validate": validate.validate,
    "compare": compare.compare,
    "diagnose": diagnose.diagnose,
    "condense": condense.condense,
    "estimate": estimate.estimate,
    "stats": estimate.stats,
    "devices": parts.devices,
    "vendor": parts.vendor,
    "fit": parts.fit,
    "sweep": sweep.sweep,
    "recipes": info.recipes,
    "datasets": info.datasets,
    "doctor": info.doctor,
}
"""Name -> what it does, in the order of the help."""

app = typer.Typer(
    name="qap",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Quantization-aware pruning, from a float teacher to a verified FPGA classifier.",
    epilog="--debug after any command shows the traceback of an error.",
)
app.callback()(info.options)
for name, command in COMMANDS.items():
    app.command(name)(command)


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
