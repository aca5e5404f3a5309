"""The C simulation of an HLS project as an engine: a C++ compiler builds it from the sources that are synthesized."""

from __future__ import annotations

import ctypes
import hashlib
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import DataError, ToolFailed, ToolMissing
from qap.files import whole_file
from qap.fixed import FixedPoint, IntArray
from qap.hardware.hls.project import HlsProject, read_project, render
from qap.hardware.tools import compiler, run_tool
from qap.network import IntegerNetwork

FLAGS = ("-O3", "-std=c++17", "-fPIC", "-shared", "-w")
ONLY_GCC = ("-fno-gnu-unique",)
BUILD_TIMEOUT_S = 1800.0
STACK_BYTES = 512 << 20  # hls4ml keeps all products of a layer on the stack
CHUNK = 512  # samples in one call, so that Ctrl-C is heard


class CsimEngine:
    """hls4ml's C simulation of the project in a folder, built on first use and cached by its sources' digest.

    Args:
        folder: the project.
        cache: where the built library is kept; a temporary folder if None.
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
        results = [np.empty((len(x), width)) for width in project.widths]
        for sample in range(len(x)):
            arrays = (ctypes.c_void_p * len(results))(*(result[sample].ctypes.data for result in results))
            _with_large_stack(library.qap_trace, _pointer(x[sample]), arrays)
        return [_integers(y, form) for y, form in zip(results, project.formats[1:], strict=True)]

    def _load(self, network: IntegerNetwork) -> tuple[HlsProject, ctypes.CDLL]:
        if self._project is None or self._library is None:
            project = read_project(self._folder)
            if project.network_digest != network.digest:
                raise DataError(f"the HLS project in {self._folder} was made from another network; write it again")
            with tempfile.TemporaryDirectory(prefix="qap-csim-") as temporary:
                path = build(project, self._cache or Path(temporary))
                self._library = ctypes.CDLL(str(path))
            self._project = project
        return self._project, self._library


def build(project: HlsProject, cache: Path) -> Path:
    """Build the C simulation, unless a library of the same sources is already there.

    Args:
        project: the project.
        cache: folder of built libraries.

    Returns:
        The path of the shared library.

    Raises:
        DataError: the project lacks hls4ml's headers.
        ToolMissing: there is no C++ compiler.
        ToolFailed: it refuses the sources; its last lines are in the message.
    """
    cxx = compiler()
    flags = FLAGS if "clang" in cxx.name else (*FLAGS, *ONLY_GCC)
    headers = project.folder / "firmware" / "ap_types"
    if not headers.is_dir():
        raise DataError(
            f"the HLS project in {project.folder} has no firmware/ap_types, hls4ml's headers; "
            "write it again: qap hls RUN --force"
        )
    source = render("csim.cpp.j2", project)
    library = (cache / f"csim-{_digest(project.folder, source)}.so").resolve()
    if library.exists():
        return library
    include = [f"-I{project.folder.resolve()}", f"-I{headers.resolve()}"]
    with tempfile.TemporaryDirectory(prefix="qap-csim-") as temporary, whole_file(library) as target:
        main = Path(temporary) / "csim.cpp"
        main.write_text(source, encoding="utf-8")
        try:
            run_tool([cxx, *flags, *include, main, "-o", target], Path(temporary), timeout_s=BUILD_TIMEOUT_S)
        except ToolFailed as error:
            raise ToolFailed(f"the C simulation of {project.folder} cannot be built: {error}") from error
        target.chmod(0o755)
    return library


def _digest(folder: Path, source: str) -> str:
    digest = hashlib.sha256(f"{(*FLAGS, *ONLY_GCC)}{source}".encode())
    firmware = folder / "firmware"
    for path in sorted(firmware.rglob("*")):
        if path.is_file() and path.suffix in (".h", ".cpp"):
            digest.update(str(path.relative_to(firmware)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


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
