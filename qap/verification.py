"""Verification: every pair of engines, every output bit, integers compared with `==`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from qap.errors import QapError
from qap.fixed import FixedPoint, IntArray
from qap.network import IntegerNetwork

ADVERSARIAL_RANDOM = 256


class Engine(Protocol):
    """Something that computes the logits of an integer network."""

    @property
    def name(self) -> str:
        """Short and unique, as in `--engines`."""

    def available(self) -> str | None:
        """None, or the one line that says what is missing."""

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits (n, n_out) in LSBs of the output format, for inputs (n, n_in) in LSBs of the input format."""


@runtime_checkable
class TracingEngine(Protocol):
    """An engine that can also show what happens inside."""

    def trace(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The results of every layer, (n, neurons) each, in LSBs of the layer's result format."""


class EmulatorEngine:
    """The integer network itself."""

    name = "emulator"

    def available(self) -> str | None:
        """None: it is always there."""
        return None

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits of `IntegerNetwork.forward`."""
        return network.forward(x_int)

    def trace(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The layers of `IntegerNetwork.trace`."""
        return network.trace(x_int)


@runtime_checkable
class NotingEngine(Protocol):
    """An engine that has something to say about how it computes a network."""

    def notes(self, network: IntegerNetwork) -> tuple[str, ...]:
        """What a reader of the verification should know, for example that Keras ran in float64."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first output in which two engines part.

    Args:
        sample: index of the input.
        output: index of the logit.
        value_a: what the first engine says, in LSBs.
        value_b: what the second engine says, in LSBs.
        layer: the first layer whose results part, None where an engine cannot show its layers.
    """

    sample: int
    output: int
    value_a: int
    value_b: int
    layer: str | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two engines agree on one set of vectors.

    Args:
        vectors: the name of the set.
        engine_a: the first engine.
        engine_b: the second engine.
        samples: inputs that were compared.
        outputs: numbers that were compared.
        mismatches: numbers that differ.
        max_lsb: the largest difference, in LSBs.
        argmax_agreement: the share of samples with the same class; None without samples.
        first: the first mismatch, None when there is none.
    """

    vectors: str
    engine_a: str
    engine_b: str
    samples: int
    outputs: int
    mismatches: int
    max_lsb: int
    argmax_agreement: float | None
    first: Mismatch | None

    @property
    def exact(self) -> bool:
        """Whether something was compared and nothing differs."""
        return self.outputs > 0 and self.mismatches == 0

    def __str__(self) -> str:
        pair = f"{self.engine_a} == {self.engine_b} on {self.samples} {self.vectors} vectors"
        if self.first is None:
            return f"{pair}: 0 mismatches"
        where = f" in layer {self.first.layer!r}" if self.first.layer else ""
        return (
            f"{pair}: {self.mismatches} mismatches, the first{where} at sample {self.first.sample}, "
            f"output {self.first.output}: {self.engine_a} says {self.first.value_a}, "
            f"{self.engine_b} says {self.first.value_b}"
        )


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    Args:
        network_digest: of the network.
        agreements: each pair of engines on each set of vectors.
        unavailable: engines that could not run, with the reason.
        notes: what the engines say about how they computed it.
    """

    network_digest: str
    agreements: tuple[Agreement, ...]
    unavailable: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether at least two engines ran and all of them agree everywhere."""
        return bool(self.agreements) and all(agreement.exact for agreement in self.agreements)

    def mismatches(self) -> dict[str, int]:
        """Mismatches over all vectors for each pair, as "a == b"."""
        pairs: dict[str, int] = {}
        for agreement in self.agreements:
            pair = f"{agreement.engine_a} == {agreement.engine_b}"
            pairs[pair] = pairs.get(pair, 0) + agreement.mismatches
        return pairs

    def to_dict(self) -> dict[str, Any]:
        """A JSON-like mapping."""
        return {**asdict(self), "exact": self.exact, "mismatches": self.mismatches()}


def agree(
    engines: Sequence[Engine], network: IntegerNetwork, x_int: npt.NDArray[Any], vectors: str = "test"
) -> list[Agreement]:
    """Compare every pair of engines on the same inputs.

    Args:
        engines: at least two, all available.
        network: the network.
        x_int: (n, n_in) integers in LSBs of the input format, n at least 1.
        vectors: the name of this set of inputs.

    Raises:
        QapError: there is nothing to compare.
    """
    if len(engines) < 2 or len(x_int) == 0:
        raise QapError(f"{len(engines)} engines and {len(x_int)} inputs are not enough to compare")
    ran = [(engine, _logits(engine, network, x_int)) for engine in engines]
    return [_compare(a, b, network, x_int, vectors) for a, b in combinations(ran, 2)]


def verify(engines: Sequence[Engine], network: IntegerNetwork, vectors: Mapping[str, npt.NDArray[Any]]) -> Verification:
    """Compare all engines that can run on several sets of vectors.

    Args:
        engines: in the order of the report.
        network: the network.
        vectors: name -> (n, n_in) integers.

    Raises:
        QapError: fewer than two engines can run.
    """
    reasons = {engine.name: engine.available() for engine in engines}
    running = [engine for engine in engines if reasons[engine.name] is None]
    agreements = [found for name, x_int in vectors.items() for found in agree(running, network, x_int, name)]
    unavailable = {name: reason for name, reason in reasons.items() if reason is not None}
    notes = tuple(note for engine in running if isinstance(engine, NotingEngine) for note in engine.notes(network))
    return Verification(network.digest, tuple(agreements), unavailable, notes)


def adversarial_vectors(input_format: FixedPoint, n_in: int, seed: int = 0) -> IntArray:
    """Inputs that look for trouble: (n, n_in) integers in LSBs.

    All smallest, all zero, all largest, every input alone at its largest, both checkerboards, and random
    numbers from far outside of the format, clipped to it.
    """
    low, high = input_format.min_int, input_format.max_int
    rng = np.random.default_rng(seed)
    flat = np.stack([np.full(n_in, value) for value in (low, 0, high)])
    checkerboards = np.where(np.add.outer(np.arange(2), np.arange(n_in)) % 2, high, low)
    wide = rng.integers(low - (high - low), high + (high - low), (ADVERSARIAL_RANDOM, n_in), endpoint=True)
    return np.concatenate(
        [
            flat,
            np.eye(n_in, dtype=np.int64) * high,
            checkerboards,
            np.clip(wide, low, high),
        ]
    ).astype(np.int64)


def _logits(engine: Engine, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
    logits = engine.run(network, x_int)
    if logits.shape != (len(x_int), network.n_out):
        raise QapError(f"engine {engine.name!r} gave {logits.shape} logits for {len(x_int)} inputs")
    return logits


def _compare(
    ran_a: tuple[Engine, IntArray],
    ran_b: tuple[Engine, IntArray],
    network: IntegerNetwork,
    x_int: npt.NDArray[Any],
    vectors: str,
) -> Agreement:
    """Compare two engines by their logits, (n, n_out) each."""
    (a, logits_a), (b, logits_b) = ran_a, ran_b
    differs = logits_a != logits_b
    first = None
    if differs.any():
        sample, output = (int(index) for index in np.argwhere(differs)[0])
        layer = _first_layer(a, b, network, x_int[sample : sample + 1])
        first = Mismatch(sample, output, int(logits_a[sample, output]), int(logits_b[sample, output]), layer)
    return Agreement(
        vectors=vectors,
        engine_a=a.name,
        engine_b=b.name,
        samples=len(x_int),
        outputs=logits_a.size,
        mismatches=int(differs.sum()),
        max_lsb=max(
            (abs(int(p) - int(q)) for p, q in zip(logits_a[differs], logits_b[differs], strict=True)), default=0
        ),
        argmax_agreement=float((network.decide(logits_a) == network.decide(logits_b)).mean()),
        first=first,
    )


def _first_layer(a: Engine, b: Engine, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> str | None:
    """The first layer whose results differ; None when an engine cannot show them."""
    if not (isinstance(a, TracingEngine) and isinstance(b, TracingEngine)):
        return None
    for layer, result_a, result_b in zip(network.layers, a.trace(network, x_int), b.trace(network, x_int), strict=True):
        if (result_a != result_b).any():
            return layer.name
    return None
