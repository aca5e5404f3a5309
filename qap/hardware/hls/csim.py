"""The C simulation of an HLS project as an engine: a C++ compiler builds it from the sources that are synthesized."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import DataError, ToolFailed, ToolMissing
from qap.fixed import FixedPoint, IntArray
from qap.hardware.builds import built, compiler_version
from qap.hardware.hls.description import DESCRIPTION, HlsProject, read_project
from qap.hardware.hls.project import render
from qap.hardware.tools import compiler, run_tool
from qap.network import IntegerNetwork

FLAGS = ("-O3", "-std=c++17", "-fPIC", "-shared", "-w")
ONLY_GCC = ("-fno-gnu-unique",)
LIBRARY = "csim.so"
LOAD = "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]); library.qap_run, library.qap_trace"
BUILD_TIMEOUT_S, LOAD_TIMEOUT_S = 1800.0, 120.0
STACK_BYTES = 512 << 20  # hls4ml keeps all products of a layer on the stack
CHUNK = 512  # samples in one call, so that Ctrl-C is heard


class CsimEngine:
    """hls4ml's C simulation of the project in a folder, built on first use.

    Args:
        folder: the project.
        cache: where builds are kept; None is the user's cache.
    """

    name = "csim"

    def __init__(self, folder: str | Path, cache: str | Path | None = None) -> None:
        self._folder = Path(folder)
        self._cache = Path(cache) if cache else None
        self._library: ctypes.CDLL | None = None
        self._project: HlsProject | None = None

    def available(self) -> str | None:
        """None, or the one line that says what is missing."""
        try:
            compiler()
        except ToolMissing as error:
            return str(error)
        return None

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits (n, n_out) of integer inputs (n, n_in), in LSBs.

        Raises:
            DataError: the project was made from another network.
            ToolFailed: the compiler does not build it.
            ToolMissing: there is no C++ compiler.
        """
        project, library = self._load(network)
        x = np.ascontiguousarray(network.input_format.to_float(network.checked_input(x_int)))
        y = np.empty((len(x), network.n_out))
        for start in range(0, len(x), CHUNK):
            part = slice(start, start + CHUNK)
            _with_large_stack(library.qap_run, _pointer(x[part]), _pointer(y[part]), ctypes.c_long(len(x[part])))
        return _integers(y, project.formats[-1])

    def trace(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The results of every layer, (n, neurons) each, in LSBs."""
        project, library = self._load(network)
        x = np.ascontiguousarray(network.input_format.to_float(network.checked_input(x_int)))
        results = [np.full((len(x), width), np.nan) for width in project.widths]
        for sample in range(len(x)):
            arrays = (ctypes.c_void_p * len(results))(*(result[sample].ctypes.data for result in results))
            _with_large_stack(library.qap_trace, _pointer(x[sample]), arrays)
        for trace, y in zip(project.traces, results, strict=True):
            if np.isnan(y).any():
                raise DataError(
                    f"{self._folder / DESCRIPTION} is damaged: traces names {trace!r}, which the C++ does not"
                )
        return [_integers(y, form) for y, form in zip(results, project.formats[1:], strict=True)]

    def _load(self, network: IntegerNetwork) -> tuple[HlsProject, ctypes.CDLL]:
        if self._project is None or self._library is None:
            project = read_project(self._folder)
            project.check_network(network)
            self._library = ctypes.CDLL(str(build(project, self._cache)))
            self._project = project
        return self._project, self._library


def build(project: HlsProject, cache: Path | None = None) -> Path:
    """The C simulation as a shared library, built once of the same sources.

    Args:
        project: the project.
        cache: where builds are kept; None is the user's cache.

    Raises:
        DataError: the project lacks hls4ml's headers.
        ToolMissing: there is no C++ compiler.
        ToolFailed: it refuses the sources; its last lines are in the message.
    """
    cxx = compiler()
    flags = FLAGS if "clang" in cxx.name else (*FLAGS, *ONLY_GCC)
    firmware = project.folder / "firmware"
    if not (firmware / "ap_types").is_dir():
        raise DataError(
            f"the HLS project in {project.folder} has no firmware/ap_types, hls4ml's headers; "
            "write it again: qap hls RUN --force"
        )
    source = render("csim.cpp.j2", project)
    include = [f"-I{project.folder.resolve()}", f"-I{firmware.resolve() / 'ap_types'}"]

    def make(folder: Path) -> None:
        (folder / "csim.cpp").write_text(source, encoding="utf-8")
        run_tool([cxx, *flags, *include, "csim.cpp", "-o", LIBRARY], folder, timeout_s=BUILD_TIMEOUT_S)

    try:
        return built(LIBRARY, [*flags, str(cxx), compiler_version(cxx), source, *_content(firmware)], make, load, cache)
    except ToolFailed as error:
        raise ToolFailed(f"the C simulation of {project.folder} cannot be built: {error}") from error


def load(library: Path) -> None:
    """Load a library in a process of its own, which a damaged one ends.

    Raises:
        ToolFailed: it cannot be loaded.
    """
    run_tool([sys.executable, "-I", "-S", "-c", LOAD, library], library.parent, timeout_s=LOAD_TIMEOUT_S)


def _content(firmware: Path) -> Iterator[str | bytes]:
    """Name and content of every file that the compiler may read."""
    for path in sorted(firmware.rglob("*")):
        if path.is_file():
            yield os.fsencode(path.relative_to(firmware))
            yield path.read_bytes()


def _with_large_stack(call: Callable[..., object], *arguments: Any) -> None:
    """Call in a thread whose stack holds hls4ml's arrays."""
    previous = threading.stack_size(STACK_BYTES)
    try:
        thread = threading.Thread(target=call, args=arguments)
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join()


def _pointer(array: npt.NDArray[np.float64]) -> Any:
    return array.ctypes.data_as(ctypes.c_void_p)


def _integers(y: npt.NDArray[np.float64], form: str) -> IntArray:
    return np.ldexp(y, FixedPoint.parse(form).fractional).astype(np.int64)
