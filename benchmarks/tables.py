"""Write the tables of the docs from the stored outputs.

    python benchmarks/tables.py [--check] [FILE ...]

Whatever stands between `<!-- results: NAME -->` and `<!-- end -->` is made by the table NAME of `results_tables/` from
the files of `results/`: a table on lines of its own, or a number in a sentence (not at the beginning of a line, where
Markdown takes a comment for HTML). Without FILE it is README.md and docs/*.md.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from pathlib import Path

from results_tables import TABLES
from stored import RESULTS

ROOT = Path(__file__).parents[1]
MARKED = re.compile(r"(?P<begin><!-- results: (?P<name>\S+) -->)(?P<old>.*?)(?P<end><!-- end -->)", re.DOTALL)


def regenerated(text: str, folder: Path) -> str:
    """A Markdown text with everything that is marked made again.

    Args:
        text: of a file.
        folder: where the file lies; links are relative to it.

    Raises:
        SystemExit: a mark has no end, begins a line with a number, or no table has its name.
    """
    if text.count("<!-- results:") != len(MARKED.findall(text)):
        raise SystemExit("a mark <!-- results: NAME --> without its <!-- end -->")
    link = Path(os.path.relpath(RESULTS, folder)).as_posix()

    def made(found: re.Match[str]) -> str:
        if found["name"] not in TABLES:
            raise SystemExit(f"results: {found['name']}: there is no such table (there are: {', '.join(TABLES)})")
        new = TABLES[found["name"]](link)
        around = "\n\n" if "\n" in found["old"] else ""
        if not around and text[: found.start()].endswith("\n"):
            raise SystemExit(f"results: {found['name']}: a number cannot begin a line, Markdown would take it for HTML")
        return f"{found['begin']}{around}{new}{around}{found['end']}"

    return MARKED.sub(made, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", metavar="FILE", type=Path, nargs="*")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if something would change")
    arguments = parser.parse_args()
    changed = False
    for path in arguments.files or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        old = path.read_text(encoding="utf-8")
        new = regenerated(old, path.resolve().parent)
        if old == new:
            continue
        changed = True
        if arguments.check:
            lines = difflib.unified_diff(old.splitlines(), new.splitlines(), str(path), "stored", lineterm="", n=0)
            print("\n".join(lines))
        else:
            path.write_text(new, encoding="utf-8")
            print(f"written: {path}")
    return int(changed and arguments.check)


if __name__ == "__main__":
    sys.exit(main())
