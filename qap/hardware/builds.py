"""Programs and libraries that are compiled once and kept in the user's cache.

What lies in the folder of a run, or anywhere else where somebody else may have put it, is never loaded: a build is
found by the digest of all that it was made of, and used only while it is, byte for byte, what was built here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from qap.errors import ToolFailed, ToolMissing
from qap.files import whole_folder
from qap.hardware.tools import ask, cache_folder, digest_of
from qap.products import checksum

CHECKSUM = "sha256"


def built(
    name: str,
    made_of: Iterable[str | bytes],
    make: Callable[[Path], object],
    try_it: Callable[[Path], object],
    cache: Path | None = None,
) -> Path:
    """A file that is built once of the same parts, and again when it is damaged or does not work.

    Args:
        name: of the file.
        made_of: all that decides what it becomes: sources, compiler, flags, interface.
        make: builds it under its name in a folder of its own; what else it leaves there goes.
        try_it: uses a file; raises `ToolFailed` or `ToolMissing` when it does not work.
        cache: the folder of builds; None is the user's cache.

    Raises:
        ToolFailed: `make` or `try_it` failed, or nothing was built.
        ToolMissing: a program is not installed.
    """
    folder = ((cache or cache_folder()) / "builds" / digest_of([name, *made_of])).absolute()
    if not _holds(folder / name, try_it):
        with whole_folder(folder) as temporary:
            file = temporary / name
            make(temporary)
            if not file.is_file():
                raise ToolFailed(f"{name} was not built, though its compiler reported no error")
            try_it(file)
            _remove_all_but(file)
            (temporary / CHECKSUM).write_text(checksum(file), encoding="utf-8")
    return folder / name


@lru_cache(maxsize=4)
def compiler_version(cxx: Path) -> str:
    """All that a C++ compiler says about its version.

    Raises:
        ToolFailed: it does not say it.
        ToolMissing: it cannot be started.
    """
    return ask(cxx)


def _holds(file: Path, try_it: Callable[[Path], object]) -> bool:
    """Whether a file is still what was built by this user, and works."""
    try:
        expected = (file.parent / CHECKSUM).read_text(encoding="utf-8")
        if file.stat().st_uid != os.getuid() or expected != checksum(file):
            return False
        try_it(file)
    except (OSError, ValueError, ToolFailed, ToolMissing):
        return False
    return True


def _remove_all_but(file: Path) -> None:
    for item in file.parent.iterdir():
        if item.is_dir():
            shutil.rmtree(item)
        elif item != file:
            item.unlink()
