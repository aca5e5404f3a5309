"""`qap condense`: a few samples of each class instead of a whole data set, and what that costs."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from qap.cli.options import DataDir, Json
from qap.errors import QapError
from qap.files import slug

METHODS = "random, k-means, k-center, herding, distribution-matching or gradient-matching"


def condense(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="As qap datasets lists them.")],
    per_class: Annotated[int, typer.Option("--per-class", metavar="N", help="Samples of each class.")],
    method: Annotated[str, typer.Option(help=f"How: {METHODS}.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="FILE.npz; its report is FILE.json.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the validation split and the method.")] = 0,
    data_dir: DataDir = None,
    input_format: Annotated[str | None, typer.Option(help="Another grid for the inputs, as ap_ufixed<4,0>.")] = None,
    as_json: Json = False,
) -> None:
    """Choose or make a few samples of each class; train the same model on both and say what was lost."""
    from qap.cli.condensed import print_evaluation
    from qap.cli.console import print_json, print_line, progress_bars
    from qap.data import load
    from qap.extras import load_tensorflow
    from qap.files import user_path, write_text

    path = user_path(out or f"{_slug(dataset)}-{method}-{per_class}.npz")
    if path.suffix != ".npz":
        raise QapError(f"--out: the name must end in .npz, but got {str(path)!r}")
    full = load(dataset, input_format=input_format, seed=seed, data_dir=data_dir)
    load_tensorflow()
    from qap.training import condensation
    from qap.training.condensation.evaluation import evaluate, trainings
    from qap.training.condensation.file import save_condensed

    report_path = path.with_suffix(".json")
    with progress_bars() as progress:
        progress.start("condense", None)
        start = time.perf_counter()
        condensed = condensation.condense(full, per_class, method, seed)
        seconds = time.perf_counter() - start
        record = save_condensed(path, full, condensed, method, seed)
        report_path.unlink(missing_ok=True)  # of a former set: from here on it would be wrong
        progress.finish("condense", seconds, False)
        progress.start("evaluate", trainings(condensed))
        small = replace(load(f"npz:{path}"), scaling=full.scaling)  # a file holds none that the network computes
        found = evaluate(full, small, condensed, progress.advance)
        progress.finish("evaluate", time.perf_counter() - start - seconds, False)
    content = {**record, "digest": small.digest, "seconds": seconds, **found}
    write_text(report_path, json.dumps(content, indent=2) + "\n")
    if as_json:
        print_json({**content, "file": str(path), "report": str(report_path)})
        return
    print_evaluation(content)
    print_line(f'data set: {path} (data.name = "npz:{path.absolute()}" in a recipe)')
    print_line(f"report: {report_path}")


def _slug(dataset: str) -> str:
    """A name for a file: of `csv:FILE?label=...` and `npz:FILE` the name of the file."""
    name = re.sub(r"^(csv|npz):(.*/)?|\?.*$", "", dataset)
    return slug(Path(name).stem or name, "data")
