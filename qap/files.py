"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from qap.errors import DataError

SHOWN = 32  # characters of a name that a temporary name beside it repeats


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; it becomes `path` when the block ends well, else it is removed.

    Raises:
        DataError: the file cannot be written (read-only folder, full disk).
    """
    try:
        _make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:SHOWN]}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except (OSError, ValueError) as error:  # ValueError: no path can hold a null byte
        raise cannot_write(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


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
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:SHOWN]}.", dir=path.parent))
    except (OSError, ValueError) as error:
        raise cannot_write(path, error) from error
    former = temporary.with_name(temporary.name + ".former")
    try:
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
