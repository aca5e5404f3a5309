"""The golden vectors that a run's projects ship with: read anew, and compared with the network.

The test benches of a vendor's tool compare with these files, so they must be what was verified. They are read here by
the formats of docs/formats.md, not by the code that writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qap.errors import DataError
from qap.fixed import IntArray
from qap.hardware.rtl import load_project
from qap.network import IntegerNetwork
from qap.run import HLS, RTL, RunDirectory
from qap.verification import Agreement, EmulatorEngine, Mismatch, agree


class GoldenVectors(NamedTuple):
    """What a test bench is fed with, and what it expects; an engine that gives what stands in the file.

    Args:
        name: the file with the results.
        x_int: (n, n_in) inputs in LSBs.
        logits: (n, n_out) in LSBs.
        classes: (n,) class indices, None where the file has none.
    """

    name: str
    x_int: IntArray
    logits: IntArray
    classes: IntArray | None = None

    def available(self) -> None:
        """None: they are there."""

    def run(self, network: IntegerNetwork, x_int: IntArray) -> IntArray:
        """The logits of the file."""
        return self.logits


def wrong_golden_vectors(run: RunDirectory, network: IntegerNetwork, folders: Iterable[str]) -> list[Agreement]:
    """Compare the shipped vectors of projects with the emulator, and return what does not agree.

    Args:
        run: the run.
        network: what the vectors should be of.
        folders: those of the projects `hls/` and `rtl/` that are looked at; what is not there has no vectors.

    Raises:
        DataError: a file is missing or not what it should be.
    """
    found = []
    for folder, read in ((HLS, _hls_vectors), (RTL, _rtl_vectors)):
        if folder in folders and run.file(folder).is_dir():
            found += [_compared(network, vectors) for vectors in read(run, network)]
    return [agreement for agreement in found if not agreement.exact]


def _compared(network: IntegerNetwork, vectors: GoldenVectors) -> Agreement:
    (found,) = agree([EmulatorEngine(), vectors], network, vectors.x_int, "shipped")
    if vectors.classes is None:
        return found
    expected = network.decide(network.forward(vectors.x_int))
    wrong = np.flatnonzero(expected != vectors.classes)
    if not len(wrong):
        return found
    first = Mismatch(int(wrong[0]), network.n_out, int(expected[wrong[0]]), int(vectors.classes[wrong[0]]), None)
    return replace(found, mismatches=found.mismatches + len(wrong), first=found.first or first)


def _hls_vectors(run: RunDirectory, network: IntegerNetwork) -> Iterator[GoldenVectors]:
    """Text, a sample a line, its integers with blanks between."""
    rows = {}
    for name, width in (("inputs", network.n_in), ("golden", network.n_out)):
        path = run.file(HLS) / "tb_data" / f"{name}.dat"
        rows[name] = [[_integer(path, word, 10) for word in line.split()] for line in _lines(path)]
        if any(len(row) != width for row in rows[name]):
            raise _damaged(path, f"a line has not {width} numbers")
    if len(rows["inputs"]) != len(rows["golden"]):
        raise _damaged(path, f"it has {len(rows['golden'])} lines, the inputs have {len(rows['inputs'])}")
    yield GoldenVectors(f"{HLS}/tb_data/golden.dat", np.array(rows["inputs"]), np.array(rows["golden"]))


def _rtl_vectors(run: RunDirectory, network: IntegerNetwork) -> Iterator[GoldenVectors]:
    """Hexadecimal words: one a sample for the core, one a beat for the stream."""
    project = load_project(run.file(RTL))
    ports, axis, signed = project.ports, project.axis, network.input_format.signed
    if axis is None:
        into, slot, in_words, in_width = list(project.kept), ports.input_width, 1, ports.x_width
        field, logits_at, class_at = ports.logit_width, 0, ports.y_width
        class_width, out_words, out_width = ports.class_width, 1, ports.y_width + ports.class_width
    else:
        into, slot, in_width, out_width = list(range(network.n_in)), axis.slot, axis.width, axis.width
        field, logits_at, class_at, class_width = axis.field, axis.field, 0, axis.field
        in_words, out_words = -(-network.n_in * slot // in_width), -(-(1 + network.n_out) * field // out_width)
    bench = run.file(RTL) / "tb"
    stimuli = _samples(bench / "stimuli.mem", in_words, in_width, project.vectors_end_with_ones)
    expected = _samples(bench / "expected.mem", out_words, out_width, project.vectors_end_with_ones)
    if len(stimuli) != len(expected):
        raise _damaged(bench / "expected.mem", f"it has {len(expected)} results of {len(stimuli)} samples")
    x_int = np.zeros((len(stimuli), network.n_in), np.int64)
    x_int[:, into] = [[_field(bits, i * slot, slot, signed) for i in range(len(into))] for bits in stimuli]
    starts = [logits_at + index * field for index in range(network.n_out)]
    logits = [[_field(bits, start, field, project.signed_logits) for start in starts] for bits in expected]
    classes = [_field(bits, class_at, class_width, signed=False) for bits in expected]
    yield GoldenVectors(f"{RTL}/tb/expected.mem", x_int, np.array(logits), np.array(classes))


def _samples(path: Path, words: int, width: int, end_with_ones: bool) -> list[int]:
    """The bits of each sample, which a number of words of a width make, the first word lowest."""
    read = [_integer(path, line, 16) for line in _lines(path)]
    if end_with_ones and (end := read.pop()) & (end + 1):
        raise _damaged(path, "its last line is not the one of ones that ends it")
    if len(read) % words or any(word < 0 or word >> width for word in read):
        raise _damaged(path, f"it does not hold samples of {words} words of {width} bits")
    return [sum(word << index * width for index, word in enumerate(read[start : start + words]))
            for start in range(0, len(read), words)]  # fmt: skip


def _field(bits: int, start: int, width: int, signed: bool) -> int:
    value = (bits >> start) & ((1 << width) - 1)
    return value - (1 << width) if signed and value >> (width - 1) else value


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        raise _damaged(path, str(getattr(error, "strerror", None) or error)) from error
    if not any(lines):
        raise _damaged(path, "it is empty")
    return [line for line in lines if line.strip()]


def _integer(path: Path, word: str, base: int) -> int:
    try:
        value = int(word, base)
    except ValueError:
        raise _damaged(path, f"{word[:40]!r} is not a number") from None
    if base == 10 and abs(value) >= 1 << 63:
        raise _damaged(path, f"{word[:40]} is too large")
    return value


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"the golden vectors in {path} are damaged: {why}; qap {path.parts[-3]} RUN makes them again")
