"""The verification of a run: its engines, and what is remembered of their agreement."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from qap.errors import QapError, ToolMissing
from qap.flow.engines import make_engine
from qap.flow.golden import wrong_golden_vectors
from qap.flow.stage import Progress, Silent, shortened
from qap.network import load_network
from qap.network.coverage import coverage, row_vectors
from qap.products import damage
from qap.run import NETWORK, VERIFY, RunDirectory, StageRecord
from qap.run.engines import ENGINES, engines_of
from qap.run.stages import STAGES
from qap.verification import Verification, adversarial_vectors
from qap.verification import verify as compare_engines


def record_verification(run: RunDirectory, found: Verification) -> Mapping[str, Any]:
    """Write what was found, and return it in short."""
    run.write_json(VERIFY, found.to_dict())
    return {
        "exact": found.exact,
        "mismatches": found.mismatches(),
        "failures": [str(agreement) for agreement in found.agreements if not agreement.exact],
        "unavailable": dict(found.unavailable),
        "notes": list(found.notes),
    }


def verify(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Compare the engines of the recipe."""
    return record_verification(run, verify_run(run, engines_of(run.recipe)))


def verify_run(run: RunDirectory, engines: Sequence[str], *, required: bool = False) -> Verification:
    """Compare engines on all test samples of a run and on adversarial vectors, those for rows of tables among them.

    The golden vectors that the projects of these engines ship with are compared with the network; what differs there is
    an agreement of the verification, too.

    Args:
        run: a run that is frozen.
        engines: at least two names out of `qap.run.engines.ENGINES`.
        required: whether an engine that cannot run is an error.

    Raises:
        DataError: what an engine needs is not there.
        ToolMissing: a required engine cannot run.
        QapError: fewer than two engines can run, or the name of one is not known.
    """
    for name in engines:
        if name not in ENGINES:
            raise QapError(f"no engine {name!r} (there are: {', '.join(ENGINES)})")
    if len(set(engines)) != len(engines) or len(engines) < 2:
        raise QapError(f"at least two different engines can be compared, but got {', '.join(engines)}")
    network = load_network(run.file(NETWORK))
    data = run.dataset
    form, n_in = network.input_format, network.n_in
    adversarial = np.concatenate([adversarial_vectors(form, n_in), row_vectors(network)])
    vectors = {"test": data.test.x, "adversarial": adversarial}
    made = [make_engine(run, name) for name in engines]
    missing = [reason for engine in made if (reason := engine.available())]
    if required and missing:
        raise ToolMissing("; ".join(missing))
    read = [file for name in engines for file in ENGINES[name].files(run.recipe)]
    found = compare_engines(made, network, vectors)
    wrong = wrong_golden_vectors(run, network, read)
    notes = (*found.notes, *map(str, coverage(network, adversarial)), *_damaged(run, read))
    return replace(found, agreements=(*found.agreements, *wrong), notes=notes)


def _damaged(run: RunDirectory, read: Sequence[str]) -> Iterator[str]:
    """What has happened since to the files that stages wrote and engines read, a line for each stage."""
    for name in STAGES:
        record = run.stage(name)
        products = (record.products if record else None) or {}
        of_engines = {file: digest for file, digest in products.items() if file.split("/")[0] in read or file in read}
        if damaged := list(damage(run.path, of_engines)):
            yield f"not as qap wrote it: {shortened(damaged)}; qap run makes it again"


def verify_stage(
    run: RunDirectory, engines: Sequence[str], *, required: bool, progress: Progress | None = None
) -> Verification:
    """Verify a run anew, whatever was found before; with all engines the run remembers it.

    Args:
        run: a run that is frozen.
        engines: as `verify_run` takes them.
        required: whether an engine that cannot run is an error.
        progress: is told about the stage.

    Raises:
        ToolMissing: a required engine cannot run.
        QapError: as `verify_run`.
    """
    progress = progress or Silent()
    stage = STAGES["verify"]
    with run.lock():
        progress.start("verify", None)
        start = time.perf_counter()
        found = verify_run(run, engines, required=required)
        seconds = round(time.perf_counter() - start, 3)
        if tuple(engines) == engines_of(run.recipe):
            digest = run.digest(stage.reads(run.recipe), stage.settings(run))
            run.finish("verify", StageRecord(digest, seconds, record_verification(run, found)))
        progress.finish("verify", seconds, skipped=False)
    return found
