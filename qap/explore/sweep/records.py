"""The records of a sweep: one line of JSON for each finished point, appended whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qap.errors import DataError
from qap.files import cannot_write

RECORDS = "records.jsonl"
SWEEP = "sweep.toml"
VERSION = 1
HEADER = {"qap_records": VERSION}
Record = Mapping[str, Any]


class Records:
    """The file of records of a sweep.

    Args:
        folder: of the sweep.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / RECORDS

    def exists(self) -> bool:
        """Whether a sweep has begun here."""
        return self.path.exists()

    def begin(self) -> None:
        """Start the file, unless it is there; a last line that is cut short is taken off, and its point done again.

        Raises:
            DataError: it cannot be read or written.
        """
        try:
            content = self.path.read_bytes() if self.exists() else b""
            whole = content[: content.rfind(b"\n") + 1]
            begun = whole.startswith(_line(HEADER)) or _line(HEADER).startswith(content)
            if begun and whole != content:
                os.truncate(self.path, len(whole))
                content = whole
        except OSError as error:
            raise cannot_write(self.path, error) from error
        if not content:
            self._append(HEADER)

    def append(self, record: Record) -> None:
        """Add a record: it is on the disk, whole, when this returns.

        Raises:
            DataError: it cannot be written; then the file is as it was.
        """
        self._append(record)

    def read(self) -> list[dict[str, Any]]:
        """All records, in the order in which the points finished.

        Raises:
            DataError: the file is of another version, or damaged; the message says where.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise DataError(f"{self.path.parent} has no {RECORDS} yet; qap sweep makes it") from None
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read {self.path}: {error}") from error
        lines = [self._parsed(number, line) for number, line in enumerate(text.split("\n")[:-1], 1)]
        if not text.endswith("\n"):
            raise DataError(f"{self.path}: line {len(lines) + 1} is cut short; qap sweep --resume does the point again")
        if not lines or lines[0].get("qap_records") != VERSION:
            raise DataError(
                f"{self.path} holds no records of version {VERSION}; it was made by another version of qap, or by "
                "something else"
            )
        return lines[1:]

    def _parsed(self, number: int, line: str) -> dict[str, Any]:
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict) or (number > 1 and not {"key", "point", "values"} <= content.keys()):
            raise DataError(f"{self.path}: line {number} is not a record; delete it, and --resume does the point again")
        return content

    def _append(self, content: Record) -> None:
        line = _line(content)
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                size = os.fstat(handle).st_size
                # one call: a process that is killed has written all of it or nothing
                if os.write(handle, line) != len(line):
                    os.ftruncate(handle, size)
                    raise OSError(28, "No space left on device")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise cannot_write(self.path, error) from error


def _line(content: Record) -> bytes:
    return (json.dumps(content, allow_nan=False) + "\n").encode()
