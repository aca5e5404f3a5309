"""The command line: one file for each group of commands, thin; heavy imports happen inside of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from qap.cli import info, run, stages
from qap.errors import QapError

app = typer.Typer(
    name="qap",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Quantization-aware pruning, from a float teacher to a verified FPGA classifier.",
    epilog="--debug after any command shows the traceback of an error.",
)
run.add_to(app)
stages.add_to(app)
info.add_to(app)

INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended


def main() -> None:
    """The entry point of the `qap` program."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: without the name of the program.

    Returns:
        0: done and verified; 1: a check failed; 2: wrong usage, bad input or a missing tool; 130: interrupted.
    """
    debug = "--debug" in arguments or bool(os.environ.get("QAP_DEBUG"))
    rest = [argument for argument in arguments if argument != "--debug"]
    try:
        app(rest)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except KeyboardInterrupt:
        return _say("interrupted; the same command continues where it stopped", INTERRUPTED)
    except QapError as error:
        if debug:
            raise
        return _say(f"error: {error}", 2)
    except OSError as error:
        if debug:
            raise
        return _say(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", 2)
    except MemoryError:
        return _say("error: not enough memory", 2)
    return 0


def _say(text: str, code: int) -> int:
    print(f"qap: {text}".replace("\n", " "), file=sys.stderr)
    return code
