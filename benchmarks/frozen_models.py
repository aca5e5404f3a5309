"""What benchmarks of random Keras models share: their options, their loop over the kinds, and their table."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
from stored import add_out, store


class Found(NamedTuple):
    """How often each kind had each outcome, and why models were refused."""

    counts: dict[str, Counter[str]]
    reasons: Counter[str]


def options(description: str | None, models: int, vectors: int) -> argparse.Namespace:
    """The command line of such a benchmark, with its defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=models)
    parser.add_argument("--seed", type=int, default=0, help="model i has the seed SEED + i")
    parser.add_argument("--vectors", type=int, default=vectors, help="random vectors of each model")
    add_out(parser)
    return parser.parse_args()


def measure(
    kinds: Collection[str],
    arguments: argparse.Namespace,
    outcome_of: Callable[[str, int, int], tuple[str, str]],
    reason: Callable[[str, int, str, str], str | None],
) -> Found:
    """What became of random models, kind by kind in turn.

    Args:
        kinds: their names.
        arguments: of `options`.
        outcome_of: of a kind, a seed and a number of vectors: the outcome, and why the model was refused.
        reason: of kind, seed, outcome and why: the words that are counted, None for none.
    """
    start, counts, reasons = time.monotonic(), {kind: Counter[str]() for kind in kinds}, Counter[str]()
    for index in range(arguments.models):
        kind, seed = list(kinds)[index % len(kinds)], arguments.seed + index
        outcome, why = outcome_of(kind, seed, arguments.vectors)
        counts[kind][outcome] += 1
        if (words := reason(kind, seed, outcome, why)) is not None:
            reasons[words] += 1
        if outcome in ("WRONG", "refused, though exact"):
            print(f"seed {seed}, {kind}: {outcome}: {why}", flush=True)
        if (index + 1) % 50 == 0:
            print(f"{index + 1} models, {time.monotonic() - start:.0f} s", flush=True)
            keras.backend.clear_session()
    return Found(counts, reasons)


def store_with_table(name: str, results: Mapping[str, Any], text: str, out: Path) -> None:
    """Store results as JSON and as a page, and print the page."""
    store(name, results, out).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def table(results: Mapping[str, Any], outcomes: Collection[str]) -> str:
    """The counts by kind as a table of Markdown."""
    rows = {**results["kinds"], "**all**": results["total"]}
    lines = [f"| {kind} | {' | '.join(str(count[outcome]) for outcome in outcomes)} |" for kind, count in rows.items()]
    return "\n".join([f"| kind | {' | '.join(outcomes)} |", f"|---|{'---:|' * len(outcomes)}", *lines])
