"""A comparison: the same recipe by several techniques, every (technique, seed) a run directory of its own.

A run is trained and frozen by the stages of the flow, which skip what is finished; so a comparison that
was interrupted continues, and one that is asked for more techniques or seeds only trains the new ones.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qap.errors import NotExact, QapError, ToolFailed, ToolMissing
from qap.explore.comparison.techniques import technique_recipe
from qap.extras import load_tensorflow
from qap.files import locked, write_with
from qap.flow import Progress, Silent, run_flow
from qap.hardware.estimate.rtl import estimate_rtl
from qap.hardware.rtl.size import hopeless_luts
from qap.network import IntegerNetwork, load_network, simplify
from qap.network.csd import adders
from qap.network.stored_size import FLOAT_BITS, StoredLayer, dense_bytes, integer_layers, sparse_bytes
from qap.products import damage
from qap.recipe import Recipe
from qap.rows import data_frame_of
from qap.run import NETWORK, STUDENT, RunDirectory
from qap.run.stages import STAGES


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to; None is not measured.

    Args:
        technique: its name.
        seed: of the run.
        test: accuracy on the test split, 0 to 1; of the integer network where there is one, else of the Keras model.
        validation: the same on the validation split.
        parameters: weights and biases.
        nonzeros: those that are not 0.
        dense_bytes: all parameters at their widths.
        sparse_bytes: each layer in the smallest format, as `qap.network.stored_size` counts.
        adders: two-operand adders of the unrolled integer network, nothing shared.
        lut: of the RTL's core.
        lut_source: "estimate" or "yosys".
        training_s: wall time of the student's training, and of the teacher's where it learns from one.
        notes: what is missing, and why.
    """

    technique: str
    seed: int
    test: float
    validation: float
    parameters: int
    nonzeros: int
    dense_bytes: int
    sparse_bytes: int
    adders: int | None
    lut: int | None
    lut_source: str | None
    training_s: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statistic:
    """Several seeds of one number.

    Args:
        mean: of those that were measured.
        spread: their standard deviation (n - 1); None of a single one.
    """

    mean: float
    spread: float | None

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Statistic | None:
        """The mean and the spread; None when none was measured."""
        measured = [value for value in values if value is not None]
        if not measured:
            return None
        return cls(statistics.fmean(measured), statistics.stdev(measured) if len(measured) > 1 else None)


MEASURES = (
    "test", "validation", "parameters", "nonzeros", "dense_bytes", "sparse_bytes", "adders", "lut", "training_s",
)  # fmt: skip
"""The numbers of an `Outcome`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All runs.

    Args:
        recipe: the name of what is compared.
        techniques: in the order of the table.
        outcomes: one for each technique and seed.
    """

    recipe: str
    techniques: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    def of(self, technique: str) -> list[Outcome]:
        """The runs of one technique."""
        return [outcome for outcome in self.outcomes if outcome.technique == technique]

    def summary(self, technique: str) -> dict[str, Statistic | None]:
        """Mean and spread of every number of one technique."""
        return {key: Statistic.of([getattr(each, key) for each in self.of(technique)]) for key in MEASURES}

    def notes(self) -> Iterator[tuple[str, str]]:
        """Techniques and what is to be said about them, once each."""
        for technique in self.techniques:
            for note in dict.fromkeys(note for each in self.of(technique) for note in each.notes):
                yield technique, note

    def to_dataframe(self) -> Any:
        """Every run as a row of a `pandas.DataFrame`.

        Raises:
            ToolMissing: pandas is not installed.
        """
        return data_frame_of([asdict(each) for each in self.outcomes])

    def to_dict(self) -> dict[str, Any]:
        """The content as JSON."""
        summaries = {
            technique: {key: asdict(each) if each else None for key, each in self.summary(technique).items()}
            for technique in self.techniques
        }
        return {"recipe": self.recipe, "summary": summaries, "runs": [asdict(each) for each in self.outcomes]}


def compare(
    base: Recipe,
    techniques: Sequence[str],
    seeds: int,
    out: Path,
    *,
    data_dir: Path | None = None,
    synth: bool = False,
    progress: Callable[[str], Progress] = lambda run: Silent(),
) -> Comparison:
    """Train, freeze and measure every technique with every seed; what is finished is only read.

    Args:
        base: what is compared.
        techniques: names as in `TECHNIQUES`, or several joined by `+`.
        seeds: how many; the recipe's seed and those that follow it.
        out: the folder of the runs.
        data_dir: folder of IDX files, if the data set needs one.
        synth: whether LUTs are measured by synthesis, not estimated.
        progress: the name of a run -> who is told about its stages.

    Raises:
        RecipeError: a technique is not known, or not possible with this recipe.
        QapError: another process works in the folder; and its children, from the stages: the message names the run.
    """
    if seeds < 1:
        raise QapError(f"at least one seed is needed, but got {seeds}")
    names = list(dict.fromkeys(name.replace(" ", "") for name in techniques))
    if not names:
        raise QapError("at least one technique is needed")
    recipes = {
        (name, seed): technique_recipe(base, name, seed)  # all of them first: a mistake is found before any training
        for seed in range(base.seed, base.seed + seeds)
        for name in names
    }
    outcomes: dict[tuple[str, int], Outcome] = {}
    donors: list[RunDirectory] = []
    with locked(out):
        for (name, seed), recipe in recipes.items():
            label = f"{name}-seed{seed}"
            try:
                run = RunDirectory.create(out / label, recipe, data_dir)
                outcomes[name, seed] = _outcome(run, name, donors, synth, progress(label))
            except QapError as error:
                raise QapError(f"{label}: {error}") from error
            donors.append(RunDirectory(run.path, recipe, data_dir))  # another object: this one holds its data
    ordered = tuple(outcomes[name, seed] for name in names for seed in range(base.seed, base.seed + seeds))
    return Comparison(base.name, tuple(names), ordered)


def _outcome(
    run: RunDirectory, technique: str, others: Sequence[RunDirectory], synth: bool, progress: Progress
) -> Outcome:
    run_flow(run, ["data"], progress=progress)
    adopt_teacher(run, others)
    records = run_flow(run, ["teacher", "student"], progress=progress)
    training_s = sum(record.seconds for record in records.values())
    notes: list[str] = []
    network: IntegerNetwork | None = None
    try:
        accuracy = run_flow(run, ["freeze"], progress=progress)["freeze"].result["accuracy"]
        network = load_network(run.file(NETWORK))
    except NotExact as error:
        accuracy = records["student"].result["accuracy"]
        why = "weights and activations are float" if run.recipe.quantize.method == "none" else error.why
        notes.append(f"no integer form, evaluated with Keras: {why}")
    layers = integer_layers(network) if network else float_layers(run)
    lut, why_not = _luts(run, network, synth, progress) if network else (None, "")
    return Outcome(
        technique,
        run.recipe.seed,
        accuracy["test"],
        accuracy["validation"],
        sum(layer.parameters for layer in layers),
        sum(layer.nonzeros for layer in layers),
        dense_bytes(layers),
        sparse_bytes(layers),
        adders(network) if network else None,
        lut,
        ("yosys" if synth else "estimate") if lut is not None else None,
        round(training_s, 3),
        (*notes, *([why_not] if why_not else [])),
    )


def adopt_teacher(run: RunDirectory, others: Sequence[RunDirectory]) -> bool:
    """Take over the finished teacher of another run where it would come out the same.

    Args:
        run: its data stage is done.
        others: runs to look at.

    Returns:
        Whether one was taken over.
    """
    stage = STAGES["teacher"]
    files = stage.writes(run.recipe)
    digest = run.digest(stage.reads(run.recipe), stage.settings(run))
    mine = run.stage("teacher")
    if not files or (mine and mine.digest == digest):
        return False
    for other in others:
        record = other.stage("teacher")
        intact = all(other.file(name).exists() for name in files)
        if record and record.digest == digest and intact and not any(damage(other.path, record.products or {})):
            with run.lock():
                run.forget("teacher")
                for name in files:
                    content = other.file(name).read_bytes()
                    write_with(run.file(name), lambda path, content=content: path.write_bytes(content))  # type: ignore[misc]
                run.finish("teacher", record)
            return True
    return False


def float_layers(run: RunDirectory) -> list[StoredLayer]:
    """The layers of a student that was not frozen: 32 bits a number, or the recipe's bits for quantized weights."""
    load_tensorflow()
    from qap.training.networks import dense_layers, load_model

    dense = dense_layers(load_model(run.file(STUDENT)))
    layers = []
    for layer, part in zip(dense, run.recipe.weighted_layers, strict=True):
        quantizer = getattr(layer, "kernel_quantizer_internal", None)
        kernel = layer.kernel.value if quantizer is None else quantizer(layer.kernel.value)
        bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(0)
        if quantizer is None:
            layers.append(StoredLayer(np.asarray(kernel), FLOAT_BITS, bias, FLOAT_BITS))
            continue
        scales = kernel.shape[1] if run.recipe.quantize.per_channel else 1
        float_scales = scales if run.recipe.quantize.method == "dynamic" else 0
        layers.append(StoredLayer(np.asarray(kernel), part.weight.width, bias, FLOAT_BITS, float_scales * FLOAT_BITS))
    return layers


def _luts(run: RunDirectory, network: IntegerNetwork, synth: bool, progress: Progress) -> tuple[int | None, str]:
    """LUTs of the RTL's core, estimated or synthesized, or why there are none."""
    if not synth:
        return estimate_rtl(network, run.recipe.target).lut, ""
    if size := hopeless_luts(simplify(network).network):
        return None, f"LUTs not counted: about {size:,} when unrolled, too many to be synthesized"
    try:
        core, *_ = run_flow(run, ["rtl", "synth"], progress=progress)["synth"].result["reports"]
    except (ToolMissing, ToolFailed, NotExact) as error:
        return None, f"LUTs not counted: {error}"
    return int(core["lut"]), ""
