"""Silence for libraries that write to the terminal behind Python's back."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from qap.errors import QapError

EXPECTED = (QapError, OSError, ImportError)  # one line will say it


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere; what was written is shown after all when the block fails unexpectedly.

    TensorFlow greets every import with warnings in C++ that no setting stops and no user can act on.
    """
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as log:
        _flush()
        os.dup2(log.fileno(), 2)
        unexpected = False
        try:
            yield
        except Exception as error:
            unexpected = not isinstance(error, EXPECTED)
            raise
        finally:
            _flush()
            os.dup2(saved, 2)
            os.close(saved)
            if unexpected:
                log.seek(0)
                os.write(2, log.read())


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
