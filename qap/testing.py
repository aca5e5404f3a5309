"""Engines for tests: they agree, differ where they are told to, or are not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qap.fixed import IntArray
from qap.network import IntegerNetwork
from qap.verification import EmulatorEngine, Engine


class ReplayEngine:
    """Gives logits that were computed elsewhere, whatever the network and the inputs.

    Args:
        logits: (n, n_out) integers in LSBs of the output format.
        name: of the engine.
    """

    def __init__(self, logits: npt.NDArray[Any], name: str = "replay") -> None:
        self.name = name
        self._logits = np.asarray(logits, np.int64)

    def available(self) -> str | None:
        """None: it is always there."""
        return None

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits that it was made with."""
        return self._logits


class FlippedEngine:
    """Another engine, with one logit that is off.

    Args:
        engine: what is right.
        sample: index of the input.
        output: index of the logit.
        lsb: what is added to it.
        name: of the engine.
    """

    def __init__(
        self, engine: Engine, *, sample: int = 0, output: int = 0, lsb: int = 1, name: str = "flipped"
    ) -> None:
        self.name = name
        self._engine = engine
        self._where = sample, output
        self._lsb = lsb

    def available(self) -> str | None:
        """What the other engine misses."""
        return self._engine.available()

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits (n, n_out) of the other engine but for one."""
        logits = self._engine.run(network, x_int).copy()
        logits[self._where] += self._lsb
        return logits


class NetworkEngine(EmulatorEngine):
    """Computes a network of its own instead of the one that it is given, layers included.

    Args:
        network: what it computes; None computes the one that it is given.
        name: of the engine.
    """

    def __init__(self, network: IntegerNetwork | None = None, name: str = "twin") -> None:
        self.name = name
        self._network = network

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits (n, n_out) of its network."""
        return super().run(self._network or network, x_int)

    def trace(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The layers of its network."""
        return super().trace(self._network or network, x_int)


class MissingEngine(EmulatorEngine):
    """Cannot run.

    Args:
        reason: what is missing, in one line.
        name: of the engine.
    """

    def __init__(self, reason: str, name: str = "missing") -> None:
        self.name = name
        self._reason = reason

    def available(self) -> str | None:
        """What is missing."""
        return self._reason
