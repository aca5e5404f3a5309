"""JSON files with one key changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def change_key(path: Path, key: str, value: object = ...) -> None:
    """Set a dotted key of a JSON file, or remove it; a whole number is a place in a list."""
    content: Any = json.loads(path.read_text())
    *outer, last = [int(part) if part.isdecimal() else part for part in key.split(".")]
    place = content
    for part in outer:
        place = place[part]
    place[last] = value
    if value is ...:
        del place[last]
    path.write_text(json.dumps(content))
