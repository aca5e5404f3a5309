"""Verilator, driven directly: Verilog becomes a program that reads and writes vectors.

Programs are kept by `qap.hardware.builds`, so that a design is compiled once.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import CheckFailed, ToolFailed, ToolMissing
from qap.fixed import IntArray
from qap.hardware.builds import built, compiler_version
from qap.hardware.rtl.packing import from_bits, from_words, to_bits, to_words
from qap.hardware.rtl.verilog import CorePorts
from qap.hardware.tools import (
    Tell,
    compiler,
    run_tool,
    silent,
    verilator_root,
    version_of,
)  # fmt: skip

RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
VERILATOR_FLAGS = (
    "--cc", "--prefix", "Vtop", "--Mdir", ".", "-O3", "--no-timing", "--x-assign", "fast", "--x-initial", "fast",
    "--converge-limit", "100000", "-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MULTITOP", "-Wno-TIMESCALEMOD",
    "-Wno-SPECIFYIGN",
)  # fmt: skip
COMPILE_FLAGS = ("-std=c++17", "-DVL_TIME_CONTEXT")
OPTIMIZED_BYTES = 8_000_000
"""C++ beyond this (netlists of thousands of cells) is compiled without optimization, which would take many minutes."""
LEVEL = "-O1"
HEADERS = "headers.h.gch"
PROGRAM = "simulate"
BUILD_TIMEOUT_S, START_TIMEOUT_S = 1800.0, 120.0
RUN_TIMEOUT_S = 3600.0


def missing_simulator() -> str | None:
    """What is missing for a simulation, in one line, or None."""
    try:
        verilator_root()
        compiler()
    except ToolMissing as error:
        return str(error)
    return None


def build(sources: Sequence[Path], top: str, harness: str, progress: Tell = silent, cache: Path | None = None) -> Path:
    """The program that simulates a design; built once for the same sources.

    Args:
        sources: Verilog files.
        top: the module to simulate.
        harness: the C++ file of the templates that drives it.
        progress: told what is being done.
        cache: where programs are kept; None is the user's cache.

    Raises:
        ToolFailed: Verilator or the compiler refuses the sources.
        ToolMissing: one of them is not installed.
    """
    root, cxx = verilator_root(), compiler()
    driver = (resources.files("qap.hardware.rtl") / "templates" / harness).read_bytes()
    made_of: list[str | bytes] = [top, harness, driver, *VERILATOR_FLAGS, *COMPILE_FLAGS, *_versions(root, cxx)]

    def make(folder: Path) -> None:
        progress(f"Verilator compiles {top}")
        _verilate(root, sources, top, folder)
        (folder / harness).write_bytes(driver)
        _link(root, cxx, folder, progress)

    return built(PROGRAM, [*made_of, *(path.read_bytes() for path in sources)], make, _start, cache)


def run_core(
    program: Path, x_int: npt.NDArray[Any], ports: CorePorts, latency: int, signed_logits: bool
) -> tuple[IntArray, IntArray]:
    """Send samples through a simulated core, one every cycle.

    Args:
        program: from `build` with `simulate_core.cpp`.
        x_int: integers of the inputs that the core has, (n, inputs).
        ports: the widths of its ports.
        latency: cycles from an input to its output.
        signed_logits: whether the logits are two's complement.

    Returns:
        Logits (n, logits) and class indices (n,).
    """
    with tempfile.TemporaryDirectory(prefix="qap-") as name:
        folder = Path(name)
        words = to_words(to_bits(x_int, ports.input_width))
        (folder / "in").write_bytes(words.tobytes())
        out_words = -(-ports.y_width // 32)
        run_tool(
            [program, "in", "out", str(words.shape[1]), str(out_words), str(latency)], folder, timeout_s=RUN_TIMEOUT_S
        )
        rows = np.fromfile(folder / "out", "<u4").reshape(-1, out_words + 1)
    if len(rows) != len(x_int):
        raise ToolFailed(f"the simulation of {len(x_int)} samples gave {len(rows)} results")
    logits = from_bits(from_words(rows[:, :-1], ports.y_width), ports.logit_width, signed_logits)
    return logits, rows[:, -1].astype(np.int64)


class StreamResult(NamedTuple):
    """What a stream took and gave.

    Args:
        data: of the beats that came out, (n,).
        last: tlast of each of them, (n,).
        error: the error flag at the end.
        given: the cycle of each beat that came out, (n,).
        taken: the cycle of each beat that went in.
    """

    data: npt.NDArray[np.uint64]
    last: npt.NDArray[np.bool_]
    error: bool
    given: IntArray
    taken: IntArray


TLAST, ERROR, TAKEN = 1, 2, 4
"""Flags of a beat, as `simulate_axis.cpp` writes them."""


def run_stream(
    program: Path,
    beats: npt.NDArray[np.uint64],
    last: npt.NDArray[np.bool_],
    *,
    results: int,
    span: int,
    seed: int = 0,
    stalls: float = 0.0,
) -> StreamResult:
    """Send beats through a simulated AXI4-Stream top, stalling both sides at random.

    Args:
        program: from `build` with `simulate_axis.cpp`.
        beats: data, (n,).
        last: tlast of each beat, (n,).
        results: beats that may come out; one more ends the simulation.
        span: cycles that a side holds back at most.
        seed: of the stalls.
        stalls: the share of cycles in which each side holds back, below 1; 0 never stalls.

    Raises:
        CheckFailed: the stream got stuck, gave too much, or changed a beat that it had offered.
    """
    rows = np.zeros((len(beats), 4), "<u4")
    rows[:, :2] = beats.astype("<u8").reshape(-1, 1).view("<u4")
    rows[:, 2] = last
    share = int(stalls * 256)
    patience = 20_000 + 4 * span
    limit = min(2**32 - 1, 2 * patience + int(64 * (len(beats) + results) / (1 - share / 256) ** 2))
    with tempfile.TemporaryDirectory(prefix="qap-") as name:
        folder = Path(name)
        (folder / "in").write_bytes(rows.tobytes())
        numbers = (str(number) for number in (seed, share, span, results, patience, limit))
        try:
            run_tool([program, "in", "out", *numbers], folder, timeout_s=RUN_TIMEOUT_S)
        except ToolFailed as error:
            if told := re.search(r"the stream is wrong in cycle .*", str(error)):
                raise CheckFailed(told[0]) from None
            raise
        out = np.fromfile(folder / "out", "<u4").reshape(-1, 4)
    events, end = out[:-1], out[-1]
    is_taken = (events[:, 2] & TAKEN) != 0
    came = events[~is_taken]
    return StreamResult(
        data=np.ascontiguousarray(came[:, :2]).view("<u8").reshape(-1),
        last=(came[:, 2] & TLAST) != 0,
        error=bool(end[2] & ERROR),
        given=came[:, 3].astype(np.int64),
        taken=events[is_taken, 3].astype(np.int64),
    )


def _verilator(root: Path) -> Path:
    return root / "bin" / "verilator_bin"


def _verilate(root: Path, sources: Sequence[Path], top: str, folder: Path) -> None:
    included = [f"-I{folder}" for folder in sorted({str(path.resolve().parent) for path in sources})]
    run_tool(
        [_verilator(root), *VERILATOR_FLAGS, "--top-module", top, *included, *(path.resolve() for path in sources)],
        folder,
        timeout_s=BUILD_TIMEOUT_S,
        environment={"VERILATOR_ROOT": str(root)},
    )


def _link(root: Path, cxx: Path, folder: Path, progress: Tell) -> None:
    runtime = [_compiled(root, cxx, source, f"{Path(source).stem}.o", "-c") for source in RUNTIME]
    # one unit: Verilator's headers take longer to compile than most designs
    together = "".join(f'#include "{path.name}"\n' for path in sorted(folder.glob("*.cpp")))
    (folder / "all.cc").write_text(together, encoding="utf-8")
    small = sum(path.stat().st_size for path in folder.glob("*.cpp")) <= OPTIMIZED_BYTES
    level = [LEVEL, "-include", _headers(root, cxx, folder)] if small else ["-O0"]
    run_tool(
        [cxx, *COMPILE_FLAGS, *level, *_include(root), "-I.", "-o", PROGRAM, "all.cc", *runtime, "-pthread"],
        folder,
        timeout_s=BUILD_TIMEOUT_S,
        progress=progress,
    )  # fmt: skip


def _headers(root: Path, cxx: Path, folder: Path) -> str:
    """The name of a header in a folder that stands for Verilator's, which g++ reads compiled, four times as fast.

    Where g++ cannot use what was compiled it takes the header itself.
    """
    header = folder / "headers.h"
    header.write_text('#include "verilated.h"\n', encoding="utf-8")
    if "clang" not in compiler_version(cxx):  # which has another way
        options = ("-pthread", "-x", "c++-header")
        header.with_name(HEADERS).symlink_to(_compiled(root, cxx, "verilated.h", HEADERS, *options))
    return header.name


def _compiled(root: Path, cxx: Path, source: str, name: str, *options: str) -> Path:
    """A file of Verilator's own, compiled once; the compiler that takes it will see whether it works."""
    path = root / "include" / source
    flags = [*COMPILE_FLAGS, LEVEL, *_include(root), *options]

    def make(folder: Path) -> None:
        run_tool([str(cxx), *flags, "-o", name, str(path)], folder, timeout_s=BUILD_TIMEOUT_S)

    return built(name, [path.read_bytes(), *flags, *_versions(root, cxx)], make, lambda file: None)


def _versions(root: Path, cxx: Path) -> list[str]:
    return [str(cxx), compiler_version(cxx), version_of(_verilator(root))]


def _start(program: Path) -> None:
    """See whether a simulator starts, which ends it without arguments."""
    run_tool([program], program.parent, timeout_s=START_TIMEOUT_S)


def _include(root: Path) -> list[str]:
    include = root / "include"
    return [f"-I{include}", f"-I{include / 'vltstd'}"]
