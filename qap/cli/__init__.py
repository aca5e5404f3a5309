"""The command line: one file for each group of commands, thin; heavy imports happen inside of them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from qap.cli.interrupt import INTERRUPT
from qap.errors import CheckFailed, QapError

INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended
STOPPED = "interrupted; the same command continues where it stopped"
EXPECTED = (QapError, OSError, MemoryError)  # and TensorFlow's own error for the last, which is not imported here


def main() -> None:
    """The entry point of the `qap` program."""
    INTERRUPT.listen()
    _open_streams()
    status = call(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes once more when it ends
        status = 2 if isinstance(error, BrokenPipeError) else _say(f"error: standard output: {error.strerror}", 2)
    sys.exit(status)


def call(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: without the name of the program.

    Returns:
        0: done and verified; 1: a check failed; 2: wrong usage, bad input or a missing tool; 130: interrupted.
    """
    debug = "--debug" in arguments or bool(os.environ.get("QAP_DEBUG"))
    try:
        from qap.cli.app import invoke  # here, so that Ctrl-C is heard while it is imported

        status = invoke([argument for argument in arguments if argument != "--debug"])
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as error:
        if INTERRUPT.asked:
            return _say(STOPPED, INTERRUPTED)
        if not isinstance(error, EXPECTED) and type(error).__name__ != "ResourceExhaustedError":
            raise
        if debug:
            traceback.print_exception(error)
        return _say(f"error: {_one_line(error)}", 1 if isinstance(error, CheckFailed) else 2)
    if status == INTERRUPTED:
        return _say(STOPPED, INTERRUPTED)
    return status if isinstance(status, int) else int(bool(status))


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    return str(error) if isinstance(error, QapError) else "not enough memory"


def _say(text: str, status: int) -> int:
    """Print one line, whatever a path or a file may have brought into it."""
    line = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    print(f"qap: {line}", file=sys.stderr)
    return status


def _open_streams() -> None:
    """Make the standard streams safe to write to.

    The number of one that is closed (`2>&-`) would go to the next file that is opened, and libraries would
    write their warnings into it. Names that are no text (any bytes can be a path) are printed escaped. A standard
    error that cannot be written must not end the work.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (it stays open)
    else:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    encoding = sys.stderr.encoding if sys.stderr else "utf-8"
    raw: Any = _Optional(io.FileIO(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(raw, encoding, "backslashreplace", line_buffering=True, write_through=True)


class _Optional(io.RawIOBase):
    """A stream that nobody has to hear: what cannot be written (a full disk, a closed pipe) is dropped.

    Args:
        stream: where it goes.
    """

    def __init__(self, stream: io.FileIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write, or do not; all of it counts as written."""
        with contextlib.suppress(OSError):
            self._stream.write(data)
        return len(data)

    def writable(self) -> bool:
        """Yes."""
        return True

    def fileno(self) -> int:
        """Of the stream."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """As the stream is."""
        return self._stream.isatty()
