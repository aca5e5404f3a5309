"""The doors of the optional extras: what lies behind one imports plainly, and what is missing is named here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from qap.errors import missing_extra
from qap.quiet import quiet_stderr


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Imports inside of the block need an extra.

    Args:
        name: of the extra, as in pyproject.toml.

    Raises:
        ToolMissing: one of its packages is not installed; the message says what to type.
    """
    try:
        yield
    except ImportError as error:
        raise missing_extra(name, error) from error


def silence_tensorflow() -> None:
    """Have TensorFlow log errors only; it greets with warnings that no user can act on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def load_tensorflow() -> None:
    """Import TensorFlow, Keras and QKeras without their greetings, before anything else imports them.

    Raises:
        ToolMissing: one of them is not installed.
    """
    silence_tensorflow()
    with extra("train"), quiet_stderr():
        import tensorflow as tf

        tf.constant(0)
        tf.get_logger().setLevel("ERROR")
        import keras  # noqa: F401
        import qkeras  # noqa: F401
