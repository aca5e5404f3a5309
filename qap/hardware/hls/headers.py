"""Which headers an HLS project needs: hls4ml writes those of every layer type, and most projects use a quarter."""

from __future__ import annotations

import re
from pathlib import Path

NNET_UTILS = "firmware/nnet_utils"
_INCLUDE = re.compile(r'^\s*#include "(.+)"', re.MULTILINE)


def remove_unused_headers(folder: Path) -> None:
    """Delete the headers of `firmware/nnet_utils` that no source of a project includes.

    Args:
        folder: of the project, with all of its sources.
    """
    needed = included(folder)
    for header in (folder / NNET_UTILS).glob("*.h"):
        if header not in needed:
            header.unlink()


def included(folder: Path) -> set[Path]:
    """The files that the sources of a project include, directly or not.

    Args:
        folder: of the project.

    Returns:
        Paths inside of `folder`; headers of the tool are not among them.
    """
    waiting = [*folder.glob("*.cpp"), *folder.glob("firmware/*.cpp")]
    found: set[Path] = set()
    while waiting:
        source = waiting.pop()
        for name in _INCLUDE.findall(source.read_text(encoding="utf-8")):
            for path in (source.parent / name, folder / NNET_UTILS / name):
                if path.exists() and path not in found:
                    found.add(path)
                    waiting.append(path)
    return found
