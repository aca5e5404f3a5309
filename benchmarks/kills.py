"""SIGKILL at seeded moments of real commands: what is left then, and whether the same command goes on.

    python benchmarks/kills.py [--commands run synth verify compare condense sweep] [--kills 20] [--seed 0]

Each command is run once undisturbed, which also says how long it takes. Then it is killed `--kills` times, at moments
that are spread over its whole duration, each time in a folder of its own and with an empty cache of builds. After each
kill no process may be left, the folder must open, and the same command must end with the same files and the same
amounts as the undisturbed one. All of it is stored, a file a command, faults included; the exit code is 1 when there
was one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_dir
from stored import add_out, store

from qap.errors import QapError
from qap.recipe import load_recipe
from qap.run import RECIPE, SYNTH, VERIFY, RunDirectory
from qap.run.stages import STAGES

CODE = "from qap.cli import main; main()"
MARK = "QAP_KILLS_MARK"
"""A variable that every process of a command inherits, by which those that are left are found."""
PATIENCE_S = 15.0
UNCOMPARED = {"seconds", "training_s", "trained_s", "report", "files", "file", "path"}
"""Keys that hold times and places."""
SMALL = [
    "teacher.epochs=2", "teacher.units=[8]", "student.epochs=3", "student.layers.0.units=4", "prune.sparsity=0.8",
    "student.layers.0.weight=quantized_bits(3,0,alpha=1)", "accuracy_floor=0.0",
]  # fmt: skip
SETTINGS = [word for setting in SMALL for word in ("--set", setting)]
SWEEP = """
name = "kills"
recipe = "small.toml"
training = "qat"

[axes]
weight_bits = [3, 4]
hardware = [{ strategy = "latency", reuse_factor = 1 }, { strategy = "resource", reuse_factor = 4 }]
"""


class Command(NamedTuple):
    """A command that is killed.

    Args:
        words: of the command, for the folder that it works in.
        prepare: fills that folder from one with a finished run.
        results: the files with its amounts, in that folder.
    """

    words: Callable[[Path], list[str]]
    prepare: Callable[[Path, Path], None]
    results: tuple[str, ...]


def nothing(finished: Path, folder: Path) -> None:
    """The command begins with an empty folder."""


def without(*names: str) -> Callable[[Path, Path], None]:
    """The command begins with a finished run that lacks some of its files."""

    def prepare(finished: Path, folder: Path) -> None:
        shutil.copytree(finished, folder / "run", ignore=shutil.ignore_patterns(*names))

    return prepare


def with_sweep(finished: Path, folder: Path) -> None:
    """The command begins with the description of a sweep."""
    (folder / "sweep.toml").write_text(SWEEP, encoding="utf-8")
    (folder / "small.toml").write_text(load_recipe("digits").override(SMALL).to_toml(), encoding="utf-8")


COMMANDS = {
    "run": Command(
        lambda at: ["run", "digits", "--rtl", "--out", f"{at}/run", *SETTINGS], nothing, ("run/metrics.json",)
    ),
    "synth": Command(lambda at: ["synth", f"{at}/run"], without(SYNTH), ("run/resources.json",)),
    "verify": Command(lambda at: ["verify", f"{at}/run"], without(VERIFY), ("run/verify.json",)),
    "compare": Command(
        lambda at: ["compare", "digits", "--techniques", "qap,ptq", "--out", f"{at}/compared", *SETTINGS],
        nothing,
        ("compared/comparison.json",),
    ),
    "condense": Command(
        lambda at: ["condense", "digits", "--per-class", "2", "--method", "herding", "--out", f"{at}/few.npz"],
        nothing,
        ("few.json",),
    ),
    "sweep": Command(
        lambda at: ["sweep", f"{at}/sweep.toml", "--out", f"{at}/swept", "--jobs", "1", "--resume"],
        with_sweep,
        ("swept/records.jsonl",),
    ),
}


class Process(NamedTuple):
    """A command at work, and the mark of everything that it starts."""

    popen: subprocess.Popen[bytes]
    mark: str


def start(words: list[str], cache: Path) -> Process:
    """Start a command of qap with a cache of builds of its own."""
    mark = uuid.uuid4().hex
    environment = {**os.environ, MARK: mark, "QAP_CACHE_DIR": str(cache)}
    environment.setdefault("YOWASP_CACHE_DIR", user_cache_dir("YoWASP", appauthor=False))  # filling it takes minutes
    log = (cache.parent / "log").open("wb")
    popen = subprocess.Popen([sys.executable, "-c", CODE, *words], env=environment, stdout=log, stderr=log)
    return Process(popen, mark)


def left(mark: str) -> list[str]:
    """What still runs of a command, once its processes had some time to end."""
    end = time.monotonic() + PATIENCE_S
    while (found := _marked(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _marked(mark: str) -> list[str]:
    found, sought = [], f"{MARK}={mark}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if sought in (process / "environ").read_bytes().split(b"\0"):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(words[:100])
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def amounts(path: Path) -> list[str]:
    """What a file holds, without times and places, in an order that does not depend on who was first."""
    text = path.read_text(encoding="utf-8")
    parts = text.splitlines() if path.suffix == ".jsonl" else [text]
    return sorted(json.dumps(_compared(json.loads(part)), sort_keys=True) for part in parts)


def _compared(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _compared(value) for key, value in content.items() if key not in UNCOMPARED}
    return [_compared(each) for each in content] if isinstance(content, list) else content


def files(folder: Path) -> set[str]:
    """Every file, hidden ones included."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def opened(folder: Path) -> tuple[list[str], list[str]]:
    """The finished stages of the runs in a folder, and what does not open."""
    done: list[str] = []
    faults: list[str] = []
    for recipe in sorted(folder.rglob(RECIPE)):
        try:
            run = RunDirectory.open(recipe.parent)
            done += [name for name in STAGES if run.stage(name)]
        except QapError as error:
            faults.append(f"it does not open: {error}")
    return done, faults


class Truth(NamedTuple):
    """What the undisturbed command left, and its duration in seconds."""

    seconds: float
    files: set[str]
    amounts: list[list[str]]


def measure(command: Command, folder: Path) -> Truth:
    """Run a command to its end.

    Raises:
        SystemExit: it fails.
    """
    work = folder / "work"
    begin = time.monotonic()
    process = start(command.words(work), folder / "cache")
    if process.popen.wait() != 0:
        raise SystemExit(f"qap {' '.join(command.words(work))} failed: {(folder / 'log').read_text()[-2000:]}")
    seconds = time.monotonic() - begin
    return Truth(seconds, files(work), [amounts(work / name) for name in command.results])


def kill(command: Command, folder: Path, moment_s: float, truth: Truth) -> dict[str, Any]:
    """Kill a command at a moment, run it again, and tell what is wrong then."""
    work = folder / "work"
    process = start(command.words(work), folder / "cache")
    try:
        process.popen.wait(moment_s)
    except subprocess.TimeoutExpired:
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait()
    found: dict[str, Any] = {"moment_s": round(moment_s, 2), "killed": process.popen.returncode == -signal.SIGKILL}
    faults = [f"still runs: {words}" for words in left(process.mark)]
    found["finished_stages"], closed = opened(work)
    faults += closed
    try:
        again = measure(command, folder)
    except SystemExit as error:
        return {**found, "faults": [*faults, str(error)]}
    faults += [f"lost: {name}" for name in sorted(truth.files - again.files)]
    faults += [f"left over: {name}" for name in sorted(again.files - truth.files)]
    compared = zip(command.results, truth.amounts, again.amounts, strict=True)
    faults += [f"other amounts in {name}" for name, first, second in compared if first != second]
    return {**found, "again_s": round(again.seconds, 2), "faults": faults}


def kills_of(name: str, count: int, seed: int, finished: Path, folder: Path) -> dict[str, Any]:
    """Kill one command many times."""
    command, rng = COMMANDS[name], random.Random(f"{name} {seed}")

    def fresh() -> Path:
        shutil.rmtree(folder / "one", ignore_errors=True)
        (folder / "one" / "work").mkdir(parents=True)
        command.prepare(finished, folder / "one" / "work")
        return folder / "one"

    truth = measure(command, fresh())
    rows = []
    for index in range(count):
        moment_s = truth.seconds * (index + rng.random()) / count
        while not (row := kill(command, fresh(), moment_s, truth))["killed"]:  # it was faster than the first time
            moment_s *= 0.8
        print(f"{name} {index + 1}/{count}: {row}", file=sys.stderr, flush=True)
        rows.append(row)
    return {"seconds": round(truth.seconds, 2), "killed": sum(row["killed"] for row in rows), "kills": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    add_out(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        finished = folder / "finished"
        if {"synth", "verify"} & set(arguments.commands):
            (folder / "first").mkdir()
            (folder / "first" / "work").mkdir()
            measure(COMMANDS["run"], folder / "first")
            shutil.move(folder / "first" / "work" / "run", finished)
        found = {}
        for name in arguments.commands:
            found[name] = kills_of(name, arguments.kills, arguments.seed, finished, folder)
            store(f"kills-{name}", found[name], arguments.out)
    faults = [fault for each in found.values() for row in each["kills"] for fault in row["faults"]]
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
