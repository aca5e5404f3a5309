"""TensorFlow, imported without its greetings."""

from __future__ import annotations

import os

from qap.errors import missing_extra
from qap.quiet import quiet_stderr


def load_tensorflow() -> None:
    """Import TensorFlow without its greetings, before anything else imports it.

    Raises:
        ToolMissing: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet_stderr():
            import tensorflow as tf

            tf.constant(0)
            tf.get_logger().setLevel("ERROR")
    except ImportError as error:
        raise missing_extra("train", error) from error
