"""What qap wrote: the digests of files, and folders that know which of their files are qap's own.

A project's folder is worked in by other tools, too. `qap_files.json` in it lists what qap wrote; all else is somebody
else's, and stays when the project is written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath

from qap.errors import DataError
from qap.files import whole_folder

MANIFEST = "qap_files.json"


@contextmanager
def made_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that replaces `path` when the block ends well, but for the files of others.

    Where the former folder has no `qap_files.json`, only what is written again is taken for qap's own.

    Raises:
        DataError: the folder cannot be written, or a file that qap did not write is in the way of a new one.
    """
    with whole_folder(path) as temporary:
        yield temporary
        made = {name: checksum(temporary / name) for name in _names(temporary)}
        (temporary / MANIFEST).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        _carry_over(path, temporary, {*made, MANIFEST})


def written_files(folder: Path) -> list[str]:
    """The files in a folder that qap wrote, as paths in it; all of them where nothing says which."""
    listed = _manifest(folder)
    return _names(folder) if listed is None else sorted({*listed, MANIFEST})


def foreign_files(folder: Path) -> list[str]:
    """The files in a folder that qap did not write, as paths in it."""
    return sorted({*_names(folder)}.difference(written_files(folder)))


def is_intact(folder: Path) -> bool:
    """Whether a folder says what qap wrote into it, and holds that unchanged."""
    listed = _manifest(folder)
    return listed is not None and not any(damage(folder, listed))


def damage(folder: Path, products: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with files that were written, a text each: "x is missing", "x has changed".

    Args:
        folder: what their paths belong to.
        products: path -> SHA-256.
    """
    for name, expected in products.items():
        try:
            if not (folder / name).is_file():  # a device or a pipe in its place would be read for ever
                yield f"{name} is missing"
            elif checksum(folder / name) != expected:
                yield f"{name} has changed"
        except OSError:
            yield f"{name} cannot be read"


def stays_inside(name: str) -> bool:
    """Whether a path leads to nowhere outside of the folder that it belongs to."""
    path = PurePath(name)
    return "\0" not in name and not path.is_absolute() and ".." not in path.parts


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _manifest(folder: Path) -> dict[str, str] | None:
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not all(isinstance(digest, str) for digest in content.values()):
        return None
    return content if all(map(stays_inside, content)) else None


def _names(folder: Path) -> list[str]:
    """Every file below a folder, links included, as a path in it."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        found += [str((Path(place) / name).relative_to(folder)) for name in (*files, *links)]
    return sorted(found)


def _carry_over(former: Path, new: Path, made: Iterable[str]) -> None:
    """Give a new folder the files of the former one that qap did not write."""
    own = _manifest(former)
    for name in _names(former):
        if name in (made if own is None else {*own, MANIFEST}):
            continue
        if name in made:
            raise DataError(f"{former / name} is not qap's, but qap would write a file of that name; move it away")
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(former / name, new / name, follow_symlinks=False)
        except OSError:  # not every file system has hard links
            shutil.copy2(former / name, new / name, follow_symlinks=False)
