"""Files that appear whole or not at all, also when the one who writes them is killed."""

from __future__ import annotations

import codecs
import contextlib
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qap.errors import DataError, QapError

TEMPORARY = ".qap-tmp."
"""How every temporary name begins: nobody else's does, so that what is left of a killed process can be removed."""
FORMER = ".former"
LOCK = ".lock"
"""The file by which a process has a folder for itself."""
SLUG = 50  # characters of a name that a folder repeats
SHOWN = 32  # characters of a name that a temporary name beside it repeats
_FORMER_NAME = re.compile(rf"{re.escape(TEMPORARY)}(?P<name>.+)\.[^.]+{re.escape(FORMER)}", re.DOTALL)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; it becomes `path` when the block ends well, else it is removed.

    Raises:
        DataError: the file cannot be written (read-only folder, full disk).
    """
    try:
        _make_folder(path.parent)
        remove_leftovers(path.parent, path.stem)
        handle, name = tempfile.mkstemp(prefix=_prefix(path.stem), suffix=path.suffix, dir=path.parent)
    except (OSError, ValueError) as error:  # ValueError: no path can hold a null byte
        raise cannot_write(path, error) from error
    temporary = Path(name)
    try:
        _mark_as_alive(handle)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; it replaces `path` when the block ends well.

    Raises:
        DataError: the folder cannot be written.
    """
    try:
        if path.is_file():
            raise _not_a_folder()
        _make_folder(path.parent)
        remove_leftovers(path.parent, path.name)
        temporary = Path(tempfile.mkdtemp(prefix=_prefix(path.name), dir=path.parent))
        handle = os.open(temporary, os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise cannot_write(path, error) from error
    former = temporary.with_name(temporary.name + FORMER)
    try:
        _mark_as_alive(handle)
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            path.replace(former)  # aside first: a folder that is deleted file by file is not a whole folder
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if former.exists() and not path.exists():
            former.replace(path)
        for leftover in (temporary, former):
            shutil.rmtree(leftover, ignore_errors=True)
        os.close(handle)


def remove_leftovers(folder: Path, name: str = "") -> None:
    """Remove the temporary files and folders of processes that were killed while they wrote into a folder.

    What a living process writes is locked by it and stays. A folder that was set aside and whose successor never took
    its place is put back.

    Args:
        folder: what lies in it; not what lies in its folders.
        name: only what was to become a file of this stem, or a folder of this name; all if empty.
    """
    begin = _prefix(name) if name else TEMPORARY
    with contextlib.suppress(OSError):
        found = sorted(item for item in folder.iterdir() if item.name.startswith(begin))
        for item in [item for item in found if item.name.endswith(FORMER)]:
            _put_back_or_remove(item)
        for item in found:
            if not item.name.endswith(FORMER) and not _is_alive(item):
                _remove(item)


def _put_back_or_remove(former: Path) -> None:
    if _is_alive(former.with_name(former.name.removesuffix(FORMER))):
        return
    found = _FORMER_NAME.fullmatch(former.name)
    if found is None or len(found["name"]) >= SHOWN:
        return  # the name is cut off, so nobody knows what it was
    original = former.with_name(found["name"])
    with contextlib.suppress(OSError):
        if original.exists():
            _remove(former)
        else:
            former.replace(original)


def _remove(leftover: Path) -> None:
    if leftover.is_dir() and not leftover.is_symlink():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            leftover.unlink()


def _mark_as_alive(handle: int) -> None:
    """Lock a temporary file or folder for as long as its process lives."""
    with contextlib.suppress(OSError):  # not every file system knows locks
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_alive(temporary: Path) -> bool:
    """Whether somebody still writes it, or nobody can tell."""
    try:
        handle = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _prefix(name: str) -> str:
    return f"{TEMPORARY}{name[:SHOWN]}."


MARKS = {  # what begins with that of UTF-16 may be UTF-32
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order marks; `>` of Windows PowerShell 5 writes UTF-16."""


def encoding_of(path: Path) -> str:
    """The encoding that the byte-order mark of a text file says; UTF-8 where there is none.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
    return next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), "utf-8-sig")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_with(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file that then becomes `path`."""
    with whole_file(path) as temporary:
        write(temporary)


def cannot_write(path: Path, error: OSError | ValueError) -> DataError:
    """The error for a path that the system does not let us write."""
    return DataError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _not_a_folder() from None


def _not_a_folder() -> NotADirectoryError:
    return NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second process out of a folder, which is made if need be, while the block runs.

    The file that is locked is made, never changed, and stays.

    Raises:
        QapError: another process works in it.
        DataError: the folder cannot be written, or the file is a link to elsewhere.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ELOOP:
            raise DataError(f"{path} is a link, which qap does not follow; remove it") from None
        raise cannot_write(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            raise QapError(f"another qap is at work in {folder}; wait for it, or choose another --out") from None
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        os.close(handle)


def slug(name: str, otherwise: str) -> str:
    """A name made fit for a file: letters, digits and `.-_` are kept, up to 50 characters.

    Args:
        name: any text.
        otherwise: taken when nothing of it is left.
    """
    return re.sub(r"[^\w.-]+", "-", name)[:SLUG].strip("-.") or otherwise


def user_path(text: str | Path) -> Path:
    """The path that a user wrote, with `~` made full.

    Raises:
        DataError: it is not a path, or names a user that does not exist.
    """
    try:
        if "\0" in str(text):
            raise ValueError("it holds a null character")
        return Path(text).expanduser()
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{str(text)!r} is not a path: {error}") from error
