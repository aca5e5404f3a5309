"""What the readers of vendor reports share: tables drawn in text, numbers in them, and what a report lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from qap.errors import ReportError

Row = list[str]


def cut(name: str, missing: str) -> ReportError:
    """The error for a report that ends too early or lacks a part."""
    return ReportError(f"{name} is cut or damaged: it has no {missing}")


def rows(lines: list[str]) -> Iterator[Row]:
    """The cells of every line of a table that is drawn with `|`."""
    for line in lines:
        text = line.strip()
        if text.startswith("|") and text.endswith("|") and len(text) > 1:
            yield [cell.strip() for cell in text[1:-1].split("|")]


def section(lines: list[str], start: str, stop: str) -> list[str]:
    """The lines behind the one that holds `start`, up to the next that begins with `stop`; none if it is not there."""
    for index, line in enumerate(lines):
        if start in line:
            rest = lines[index + 1 :]
            end = next((at for at, each in enumerate(rest) if each.lstrip().startswith(stop)), len(rest))
            return rest[:end]
    return []


def headed(table: list[Row], height: int) -> list[str]:
    """The names of columns whose header is `height` lines high, in small letters and without spaces."""
    return ["".join(parts).replace(" ", "").lower() for parts in zip(*table[:height], strict=True)]


def count(text: str) -> int | None:
    """A number of things; `-` is none of them, `?` and `undef` are not known; `4 (1%)` is 4."""
    text = text.partition("(")[0].strip().rstrip("*~").replace(",", "")
    if text == "-":
        return 0
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


def cycles(text: str) -> int | None:
    """A number of cycles; where HLS cannot tell it writes `-`, `?` or `undef`."""
    return None if text.strip() == "-" else count(text)


def decimal(text: str) -> float | None:
    """A number with its unit, if any, taken off."""
    match = re.match(r"\s*(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)(?![0-9.])", text)
    return float(match[1]) if match else None


def megahertz(period_ns: float | None) -> float | None:
    """The clock of a period."""
    return round(1000 / period_ns, 2) if period_ns and period_ns > 0 else None


def field(lines: list[str], label: str) -> str | None:
    """The value of the first line `* label:   value` or `| label : value`."""
    pattern = re.compile(rf"^\s*[*|]\s*{re.escape(label)}\s*:\s*(.*?)\s*\|?\s*$")
    return next((match[1] for line in lines if (match := pattern.match(line))), None)


def underlined(lines: list[str], title: str) -> list[str]:
    """The lines behind a title with a rule under it, up to the next title with a rule under it."""
    starts = [at for at, (line, rule) in enumerate(pairwise(lines)) if line.strip() and _is_rule(rule)]
    for at, start in enumerate(starts):
        if re.fullmatch(rf"\d+(\.\d+)*\.? {re.escape(title)}", lines[start].strip()):
            end = starts[at + 1] if at + 1 < len(starts) else len(lines)
            return lines[start + 2 : end]
    return []


def _is_rule(line: str) -> bool:
    return len(line.strip()) > 2 and set(line.strip()) == {"-"}
