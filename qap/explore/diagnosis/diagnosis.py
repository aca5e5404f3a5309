"""Where hardware differs from its model, and why: the project is simulated, its types are judged and widened."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from qap.errors import DataError, ToolFailed
from qap.explore.diagnosis.case import Case
from qap.explore.diagnosis.causes import causes_of
from qap.explore.diagnosis.configuration import configuration_of, exact_version
from qap.explore.diagnosis.evidence import Evidence
from qap.explore.diagnosis.hardware import (
    blocks_of,
    first_difference,
    has_common_scale,
    reference_of,
)
from qap.explore.diagnosis.model import UserModel
from qap.explore.diagnosis.ranges import TypeUse, uses_of
from qap.explore.diagnosis.results import Diagnosis, Widened
from qap.explore.diagnosis.samples import RealSamples, grid_of
from qap.explore.diagnosis.simulation import n_in, simulate
from qap.explore.diagnosis.source import HlsSource
from qap.explore.diagnosis.structure import refuse_other_structure
from qap.explore.diagnosis.versions import Version, run_versions
from qap.explore.diagnosis.weights import read_weights
from qap.explore.diagnosis.widening import wide_type
from qap.hardware.tools import Tell, silent

MOST_SAMPLES = 2000
"""Samples on which versions are compared; the project itself runs on all."""
BUILDS = 2
"""Compilers at a time."""
UNCHANGED = "as it is"
FloatArray = npt.NDArray[np.float64]


def diagnose(model: UserModel, source: HlsSource, samples: RealSamples, name: str, tell: Tell = silent) -> Diagnosis:
    """Compare a model with its hardware.

    Args:
        model: the model.
        source: its hls4ml project.
        samples: the test part, as the model takes it.
        name: what the project is called in the answer.
        tell: told what is being done.

    Raises:
        CheckFailed: a layer is missing, or they stand in another order.
        DataError: data, model and project do not fit to each other.
        NotExact: the model has no exact integer form.
        ToolFailed: the C simulation does not build or run.
    """
    case, notes = _case(model, source, samples)
    uses = uses_of(source, case.weights, case.reference, case.blocks, samples.x)
    versions = _versions(case, uses)
    part = samples.x[:MOST_SAMPLES]
    tell(f"compiling the C simulation with traces, and {len(versions)} versions of it, most with one type wide")
    with ThreadPoolExecutor(BUILDS) as pool:
        itself = pool.submit(simulate, source, samples.x)
        others = pool.submit(run_versions, source, case.weights, list(versions.values()), part)
        traces, of_versions = itself.result(), others.result()
    base = case.gap([trace[: len(part)] for trace in traces])
    _refuse_misread(source, traces, of_versions[list(versions).index(UNCHANGED)])
    gaps = {key: case.gap(found) for key, found in zip(versions, of_versions, strict=True)}
    types = tuple(
        Widened(use, versions[str(use.site)].types[use.site], gaps[str(use.site)])
        if str(use.site) in versions
        else Widened(use, "", base)
        for use in uses
    )
    evidence = Evidence(case, traces, types, gaps, base)
    proven = gaps["exact"]
    first = first_difference(case.reference, source, case.blocks, traces)
    if first and case.scaled and first.number == len(case.blocks) - 1:
        first = None
    y = samples.y
    return Diagnosis(
        model=str(model.path), project=name, samples=len(samples.x), logits=traces[case.blocks[-1].last].size,
        accuracy_model=float((case.reference.classes == y).mean()),
        accuracy_hardware=float((case.classes(traces) == y).mean()),
        gap=case.gap(traces), base=base, synthesized=gaps.get("synthesized"), first=first, types=types,
        causes=tuple(causes_of(evidence)),
        configuration=configuration_of(source, case.blocks, case.reference, case.final) if proven.none else None,
        proven=proven, notes=tuple(notes), network=case.reference.network,
    )  # fmt: skip


def _refuse_misread(source: HlsSource, traces: Sequence[FloatArray], again: Sequence[FloatArray]) -> None:
    """The version in which nothing is changed must answer as the project's own files do."""
    for call, trace, same in zip(source.calls, traces, again, strict=True):
        if (trace[: len(same)] != same).any():
            raise ToolFailed(
                f"the C++ of {source.folder} could not be taken apart: put together again without a change, its layer "
                f"{call.name!r} answers otherwise; please report this project"
            )


def _case(model: UserModel, source: HlsSource, samples: RealSamples) -> tuple[Case, list[str]]:
    grid = grid_of(samples.x)
    network = model.network(grid.format)
    if samples.x.shape[1] != network.n_in:
        raise DataError(f"the data have {samples.x.shape[1]} inputs, but the model {model.path} takes {network.n_in}")
    if samples.classes != max(2, network.n_out):
        raise DataError(f"the data have {samples.classes} classes, but {model.path} has {network.n_out} outputs")
    if n_in(source) != network.n_in:
        raise DataError(f"{source.folder} has {n_in(source)} inputs, but the model {model.path} takes {network.n_in}")
    blocks, final = blocks_of(source)
    blocks = refuse_other_structure(source, blocks, network)
    notes = []
    if not grid.exact:
        notes.append(
            f"the inputs lie on no fixed-point grid; the model was given them rounded to {grid.format.fractional} "
            "fractional bits"
        )
    reference = reference_of(network, samples.x)
    weights = read_weights(source)
    scaled = has_common_scale(source, blocks[-1], network.weighted[-1], weights)
    if scaled:
        notes.append(
            "the last scale of the model is left out of its integers: of the logits, only decisions are compared"
        )
    return Case(source, weights, blocks, final, reference, grid, samples, scaled), notes


def _versions(case: Case, uses: Sequence[TypeUse]) -> dict[str, Version]:
    """What is compiled, by name: nothing changed, a site, `synthesized`, the weights of a layer, `softmax`, `exact`."""
    versions = {UNCHANGED: Version()}
    headers = {name: each.header for name, each in case.weights.items() if each.differing and each.header is not None}
    if headers:
        versions["synthesized"] = Version(weights=headers)
    for use in uses:
        static = use.site.role in ("weight", "bias", "scale", "input")
        if not (static and use.judged is not None and use.judged.lossless):
            versions[str(use.site)] = Version(types={use.site: wide_type(use, case.reference, case.blocks)})
    exact = exact_version(case.source, case.blocks, case.reference, case.final, uses, case.weights)
    for name, values in exact.weights.items():
        own = case.weights[name].simulated
        if own is None or not np.array_equal(own, values.ravel()):
            versions[f"values of {name}"] = Version(weights={name: values})
    if exact.softmax:
        versions["softmax"] = Version(softmax=exact.softmax)
    versions["exact"] = exact
    return versions
