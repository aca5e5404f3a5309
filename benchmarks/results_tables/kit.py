"""What the tables share: Markdown, the line that says where numbers come from, shares in percent."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stored import stored

Table = Callable[[str], str]
"""Makes Markdown of stored outputs; takes the link to the folder `results/` from the file that shows the table."""


def markdown(head: str, rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; `head` has the titles of its columns with ` | ` between."""
    lines = [head, "|".join("---" for _ in head.split(" | ")), *(" | ".join(map(str, row)) for row in rows)]
    return "\n".join(f"|{line}|" if line.startswith("---") else f"| {line} |" for line in lines)


def source(link: str, *names: str) -> str:
    """Where numbers come from: the stored files, and the commands that made them."""
    lines = []
    for name in names:
        content = stored(name)
        note = f" {content['note']}" if "note" in content else ""
        lines.append(f"Stored in [{name}.json]({link}/{name}.json), {content['date']}: `{content['command']}`.{note}")
    return "\n".join(lines)


def percent(share: float, digits: int = 2) -> str:
    """A share, 0 to 1, in percent."""
    return f"{100 * share:.{digits}f} %"


def mean_and_spread(shares: Sequence[float], digits: int = 2) -> str:
    """Shares in percent with their standard deviation."""
    spread = f" ± {100 * statistics.stdev(shares):.{digits}f}" if len(shares) > 1 else ""
    return f"{100 * statistics.fmean(shares):.{digits}f}{spread}"


def row_source(link: str, name: str) -> str:
    """The same as the last two columns of a row."""
    content = stored(name)
    return f"[{name}.json]({link}/{name}.json), {content['date']} | `{content['command']}`"
