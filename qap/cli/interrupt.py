"""Ctrl-C that is not lost.

Python raises `KeyboardInterrupt` wherever the program happens to be. Inside of TensorFlow that can be a
weak reference's callback, where every exception is ignored, or a place that makes another error of it. So
it is also remembered, and raised again the next time that the progress is told.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any


@dataclass
class Interrupt:
    """Whether Ctrl-C was pressed.

    Args:
        asked: true from then on.
    """

    asked: bool = False

    def listen(self) -> None:
        """Take over Ctrl-C, unless the one who started the program has it ignored."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._remember)
            sys.unraisablehook = _unless_interrupted

    def check(self) -> None:
        """Raise `KeyboardInterrupt` if one was lost."""
        if self.asked:
            raise KeyboardInterrupt

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        raise KeyboardInterrupt


INTERRUPT = Interrupt()


def _unless_interrupted(ignored: Any) -> None:
    """Report an exception that was ignored, as Python does; a lost Ctrl-C is raised again anyway."""
    if not isinstance(ignored.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(ignored)
