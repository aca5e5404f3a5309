"""The tables that say where a run comes from: data, training, target, times, versions."""

from __future__ import annotations

import platform
from collections.abc import Iterator

from qap import __version__
from qap.doctor import examine, package_version
from qap.recipe import Recipe, TrainingRecipe
from qap.recipe.model import DEFAULT_BITS
from qap.report.records import PARTS, Records
from qap.report.tables import NOT_MEASURED, Cell, Content, Rows, Table, count, numbers, percent, seconds, table, texts
from qap.training.history import History

SHOWN_NAMES = 16


def data_table(records: Records) -> Table:
    """What was trained and tested on."""
    data, names = records.data, records.class_names
    samples, shape = data.get("samples") or {}, data.get("image_shape")
    classes = ", ".join(names[:SHOWN_NAMES]) + (" …" if len(names) > SHOWN_NAMES else "")
    rows: Rows = [
        ("name", str(data.get("name"))),
        ("samples", ", ".join(f"{count(samples.get(part))} {part}" for part in PARTS)),
        (f"{len(names)} classes", classes) if names else ("classes", "none: random vectors without labels"),
        ("format of an input", Cell(str(data.get("input_format")), kind="code")),
        ("one sample", f"{shape[0]} by {shape[1]} pixels" if shape else "features, no picture"),
        ("SHA-256", Cell(str(data.get("digest")), kind="code")),
    ]
    return table("Data.", texts("", ""), rows)


def import_table(records: Records) -> Table:
    """Where an imported model comes from, and what became of its float layers."""
    model, found = records.recipe.model, records.results["student"]
    if model is None:
        raise ValueError("the recipe imports no model")
    rows: Rows = [("file", Cell(model.file, kind="code"))]
    if model.weights:
        rows.append(("weights", Cell(model.weights, kind="code")))
    if "same_class" in found:
        how = (
            str(model.precision) if model.precision else f"{model.bits or DEFAULT_BITS} bits, ranges chosen by the data"
        )
        rows.append(("float layers quantized to", Cell(how, kind="code")))
        rows.append(("test vectors that keep their class by that", percent(found["same_class"])))
    return table("The model was imported, nothing was trained.", texts("", ""), rows)


def training_table(records: Records) -> Table:
    """How teacher and student were trained."""
    recipe = records.recipe
    rows: Rows = []
    for name, part, history in (
        ("teacher", recipe.teacher, records.teacher_history),
        ("student", recipe.student, records.history),
    ):
        if part is not None:
            rows.append([name, *_training_cells(part, history, records.seconds.get(name))])
    heads = ("epochs", "epoch kept", "validation accuracy there", "batch size", "learning rate", "wall time")
    return table(_methods(recipe), texts("") + numbers(*heads), rows)


def _training_cells(part: TrainingRecipe, history: History | None, time: float | None) -> Iterator[Content]:
    if history is None:
        yield from ("not run", NOT_MEASURED, NOT_MEASURED)
    else:
        yield f"{len(history.records)} of {part.epochs}"
        yield str(history.best_epoch)
        yield percent(history.best.validation_accuracy)
    yield str(part.batch_size)
    yield f"{part.learning_rate:g}, {part.decay}"
    yield seconds(time)


def _methods(recipe: Recipe) -> str:
    """How the student was compressed, in sentences."""
    if recipe.student_to_train.is_tables:
        return f"{_teaching(recipe)}; its tables and who reads which bit are learned as the hardware has them."
    return f"{_teaching(recipe)}; {_pruning(recipe)}. {QUANTIZED[recipe.quantize.method]}."


QUANTIZED = {
    "qat": "Weights and activations are quantized while it trains",
    "ptq": "Weights and activations are quantized after the training",
    "full-integer": "Weights and activations have 8 bits, biases 32, chosen after the training",
    "dynamic": "Only weights are quantized, after the training",
    "none": "Nothing is quantized",
}


def _teaching(recipe: Recipe) -> str:
    distill = recipe.distill
    if distill is None:
        return "The student learns from labels alone"
    source = {
        "offline": "the teacher",
        "online": "a teacher that learns with it",
        "born-again": "the generation before it",
        "snapshots": "its own earlier answers",
    }[distill.method]
    return f"The student learns from {source} at temperature {distill.temperature:g} with weight {distill.alpha:g}"


def _pruning(recipe: Recipe) -> str:
    prune = recipe.prune
    if prune.granularity == "fan-in":
        return f"each neuron keeps {prune.fan_in} weights, chosen by {prune.method} on a {prune.schedule} schedule"
    own = [layer.sparsity for layer in recipe.weighted_layers]
    asked = sorted({prune.sparsity if sparsity is None else sparsity for sparsity in own})
    if not any(asked):
        return "the recipe prunes nothing"
    share = " or ".join(f"{100 * sparsity:g}" for sparsity in asked)
    scope = "of each layer" if prune.scope == "layer" else "of all layers together"
    what = "hidden neurons" if prune.granularity == "neuron" else "weights"
    return f"the recipe prunes {share} % of the {what} {scope}, by {prune.method}, on a {prune.schedule} schedule"


def target_table(recipe: Recipe, project: str) -> Table:
    """What the HLS project was written for."""
    target = recipe.target
    rows: Rows = [
        ("project", Cell(project, kind="code")),
        ("backend", target.backend),
        ("part", Cell(target.part, kind="code")),
        ("clock period", f"{target.clock_ns:g} ns"),
        ("strategy", target.strategy),
        ("reuse factor asked for", str(target.reuse_factor)),
    ]
    return table("HLS project, as it was asked for.", texts("", ""), rows)


def time_table(records: Records) -> Table:
    """Wall time of every stage."""
    rows: Rows = [(name, f"{time:.1f}") for name, time in records.seconds.items()]
    rows.append(("all", f"{sum(records.seconds.values()):.1f}"))
    return table("Wall time before this page.", texts("stage") + numbers("seconds"), rows, totals=1)


def versions_table() -> Table:
    """The versions of what qap uses, on the machine where the page is written."""
    packages = [("qap", __version__), *((name, package_version(name)) for name in ("numpy", "pydantic"))]
    found = [*packages, *((check.name, check.version) for check in examine())]
    rows: Rows = [(name, version or "missing") for name, version in found]
    rows.append(("system", f"{platform.system()} {platform.machine()}"))
    return table("Versions on the machine that wrote this page.", texts("", ""), rows)
