"""The engine that runs the AXI4-Stream top of generated Verilog, and how fast that top is."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import CheckFailed, QapError
from qap.fixed import IntArray
from qap.hardware.rtl.axis import AxisFormat
from qap.hardware.rtl.engine import consistent
from qap.hardware.rtl.generate import write_rtl
from qap.hardware.rtl.options import RtlOptions
from qap.hardware.rtl.project import RtlProject, load_project
from qap.hardware.rtl.simulate import StreamResult, build, missing_simulator, run_stream
from qap.hardware.tools import Tell, silent
from qap.network import IntegerNetwork

HARNESS = "simulate_axis.cpp"
STALLS = 0.25
"""The share of cycles in which each side of a verified stream holds back."""


class AxisEngine:
    """Runs the AXI4-Stream top of a network in Verilator, with random stalls on both sides.

    Args:
        project: the generated RTL; None generates core and top for each network that is run.
        seed: of the stalls.
        stalls: the share of cycles in which each side holds back.
    """

    name = "axis"

    def __init__(self, project: RtlProject | None = None, *, seed: int = 0, stalls: float = STALLS) -> None:
        self._project = project
        self._seed = seed
        self._stalls = stalls

    @classmethod
    def load(cls, folder: str | Path) -> AxisEngine:
        """The engine of the project in a folder."""
        return cls(load_project(folder))

    def available(self) -> str | None:
        """What is missing, in one line, or None."""
        if self._project is not None and self._project.axis is None:
            return f"the RTL in {self._project.folder} is the core alone; --interface axis puts a stream around it"
        return missing_simulator()

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """Logits (n, n_out), in LSBs of the output format, of integer samples (n, n_in)."""
        if self._project is not None:
            return simulate_stream(self._project, network, x_int, seed=self._seed, stalls=self._stalls)
        with tempfile.TemporaryDirectory(prefix="qap-") as folder:
            width = max(32, 1 << (network.input_format.width - 1).bit_length())
            project = write_rtl(network, Path(folder) / "rtl", RtlOptions(axis_width=width, any_size=True))
            return simulate_stream(
                project, network, x_int, seed=self._seed, stalls=self._stalls, cache=Path(folder)
            )  # fmt: skip


def simulate_stream(
    project: RtlProject,
    network: IntegerNetwork,
    x_int: npt.NDArray[Any],
    *,
    seed: int = 0,
    stalls: float = STALLS,
    progress: Tell = silent,
    cache: Path | None = None,
) -> IntArray:
    """The logits that come out of the AXI4-Stream top, with random stalls on both sides.

    Args:
        project: generated with `interface="axis"`.
        network: the network that it was generated from.
        x_int: integer samples (n, n_in).
        seed: of the stalls.
        stalls: the share of cycles in which each side holds back.
        progress: told what is being done.
        cache: where simulators are kept; None is the user's cache.

    Raises:
        QapError: the project has no stream, or belongs to another network.
        CheckFailed: beats are lost, changed or flagged as errors, tlast is not with the last beat of a result, or a
            class index contradicts its logits.
    """
    project.check_network(network)
    form = _stream_of(project)
    x_int = network.checked_input(x_int)
    result = _send(project, form, form.pack(x_int), seed=seed, stalls=stalls, progress=progress, cache=cache)
    if result.error:
        raise CheckFailed(f"the stream of {project.top} flags an error in {len(x_int)} frames that are right")
    if len(result.data) != len(x_int) * form.result_beats:
        raise CheckFailed(
            f"the stream of {project.top} gave {len(result.data)} beats, but {len(x_int)} samples have "
            f"{form.result_beats} each"
        )
    wrong = np.flatnonzero(result.last != (np.arange(len(result.last)) % form.result_beats == form.result_beats - 1))
    if len(wrong):
        sample, beat = divmod(int(wrong[0]), form.result_beats)
        raise CheckFailed(
            f"the stream of {project.top} has tlast={int(result.last[wrong[0]])} with beat {beat} of the "
            f"{form.result_beats} of the result of sample {sample}"
        )
    logits, classes = form.unpack(result.data.reshape(-1, form.result_beats), project.signed_logits)
    return consistent(network, logits, classes)


class StreamTiming(NamedTuple):
    """How fast a stream is when nobody holds back.

    Attributes:
        latency_cycles: from the first beat of a sample to the last beat of its result, both included.
        ii_cycles: from one sample to the next when many follow each other.
    """

    latency_cycles: int
    ii_cycles: int


def measure_stream(project: RtlProject, *, progress: Tell = silent, cache: Path | None = None) -> StreamTiming:
    """Measure the latency and the initiation interval of the AXI4-Stream top, in a simulation without stalls.

    Args:
        project: generated with `interface="axis"`.
        progress: told what is being done.
        cache: where simulators are kept; None is the user's cache.

    Raises:
        QapError: the project has no stream.
        CheckFailed: the stream does not give what it should.
        ToolMissing: there is no simulator.
    """
    form = _stream_of(project)
    samples = 2 * (project.latency_cycles + 8)  # the core fills up before a slow output is felt at the input
    result = _send(project, form, np.zeros((samples, form.beats), np.uint64), progress=progress, cache=cache)
    if len(result.given) != samples * form.result_beats:
        raise CheckFailed(f"the stream of {project.top} gave {len(result.given)} beats for {samples} samples")
    finished = result.given[form.result_beats - 1 :: form.result_beats]
    steady = np.diff(finished[samples // 2 :])
    return StreamTiming(int(finished[0] - result.taken[0]) + 1, int(steady.max()))


def _stream_of(project: RtlProject) -> AxisFormat:
    if project.axis is None:
        raise QapError(f"the project in {project.folder} has no stream; generate it with --interface axis")
    return project.axis


def _send(
    project: RtlProject,
    form: AxisFormat,
    beats: npt.NDArray[np.uint64],
    *,
    seed: int = 0,
    stalls: float = 0.0,
    progress: Tell,
    cache: Path | None,
) -> StreamResult:
    """Send frames (n, beats) with their tlast, and receive no more than their results."""
    last = np.zeros(beats.shape, bool)
    last[:, -1] = True
    program = build([*project.sources, *project.models], project.top, HARNESS, progress, cache)
    return run_stream(
        program, beats.reshape(-1), last.reshape(-1), results=len(beats) * form.result_beats,
        span=2 * (project.latency_cycles + form.beats + form.result_beats), seed=seed, stalls=stalls,
    )  # fmt: skip
