"""The page of one run: its records, brought into sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qap.judging import roc_curves
from qap.report.figures import Kernel, receiver_figure, training_curves, weight_histograms
from qap.report.markup import KeyFigure, Picture, picture, render
from qap.report.origin_tables import data_table, import_table, target_table, time_table, training_table, versions_table
from qap.report.records import STAGE_OF, Records, read_records
from qap.report.result_tables import (
    accuracy_table,
    agreement_table,
    class_table,
    confusion_table,
    layer_table,
    operating_table,
    resources_table,
    scores_table,
    size_table,
)
from qap.report.samples import Answers, NoAnswers, test_answers, wrong_samples
from qap.report.tables import Table, count, percent
from qap.run import RunDirectory
from qap.run.measures import failed_checks, warnings
from qap.training.history import History
from qap.verification import Verification

MOST_CURVES = 10  # that a figure can hold


def run_page(run: RunDirectory) -> str:
    """The whole page of a run as HTML.

    Raises:
        DataError: a file of the run is damaged.
    """
    records = read_records(run)
    network, found = records.network, records.verification
    answers = test_answers(run, network, records.data.get("digest")) if network else None
    hls, trained = records.results["hls"], records.results["student"].get("units_trained", ())
    differences = [str(each) for each in found.agreements if not each.exact] if found else []
    other_failures = [failure for failure in failed_checks(records.metrics) if failure not in differences]
    return render(
        "run.html.j2",
        recipe=records.recipe,
        warnings=[*other_failures, *warnings(records.metrics), *records.stale],
        key_figures=list(key_figures(records)),
        accuracy=accuracy_table(records),
        scores=scores_table(records),
        operating=operating_table(records),
        classes=class_table(records),
        receiver=receiver(answers) if answers else None,
        size=size_table(network, records.metrics["pruned"], trained) if network else None,
        data=data_table(records) if records.data else None,
        training=import_table(records) if records.recipe.model else training_table(records),
        curves=list(curves(records)),
        confusions=list(confusions(records)),
        layers=layer_table(network, hls.get("reuse_factors") or {}) if network else None,
        resources=resources_table(records.metrics["resources"]) if records.metrics["resources"] else None,
        network_digest=network.digest if network else None,
        histograms=histograms(records),
        verification=found,
        verdict=verdict(found),
        agreement=agreement_table(found) if found else None,
        differences=differences,
        wrong=wrong_samples(answers) if answers else None,
        images=bool(records.data.get("image_shape")),
        one_output=network is not None and network.n_out == 1,
        target=target_table(records.recipe, str(hls.get("project"))) if hls else None,
        times=time_table(records),
        versions=versions_table(),
        recipe_text=records.recipe.to_toml(),
    )


def key_figures(records: Records) -> Iterator[KeyFigure]:
    """The numbers at the top of the page."""
    metrics, found = records.metrics, records.verification
    accuracy = metrics["accuracy"]["integer"]
    meaning = (
        "accuracy of the integer network on test" if records.has_labels else "accuracy, for the data have no labels"
    )
    yield KeyFigure(percent(accuracy["test"] if accuracy else None), meaning)
    if metrics.get("tables"):
        yield KeyFigure(count(metrics["tables"]), "truth tables")
        yield KeyFigure(count(metrics["size_bytes"]), "bytes")
    else:
        yield KeyFigure(percent(metrics["sparsity"]), "of its weights are 0")
        yield KeyFigure(count(metrics["nonzeros"]), "weights and biases that are not 0")
        yield KeyFigure(count(metrics["size_bytes"]), "bytes, zeros included")
    mismatches = sum(each.mismatches for each in found.agreements) if found and found.agreements else None
    yield KeyFigure(count(mismatches), "mismatches between engines")


def verdict(found: Verification | None) -> str:
    """What the verification says, in one sentence."""
    if found is None:
        return "Verification was not run."
    if not found.agreements:
        return "Nothing was compared: fewer than two engines could run."
    engines = sorted({name for each in found.agreements for name in (each.engine_a, each.engine_b)})
    numbers = sum(each.outputs for each in found.agreements)
    if found.exact:
        return f"Bit-exact: {_and(engines)} agree on all {count(numbers)} numbers that were compared."
    mismatches = sum(each.mismatches for each in found.agreements)
    return f"NOT bit-exact: {count(mismatches)} of {count(numbers)} numbers that were compared differ."


def _and(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"


def curves(records: Records) -> Iterator[Picture]:
    """The training curves of teacher and student, as far as they were trained."""
    recipe = records.recipe
    if records.teacher_history:
        figure = training_curves(records.teacher_history, distilled=False, pruned=False)
        yield picture(figure, "teacher", _curves_caption("teacher", records.teacher_history))
    if records.history:
        pruned = any(record.sparsity for record in records.history.records)
        figure = training_curves(records.history, distilled=recipe.distill is not None, pruned=pruned)
        yield picture(figure, "student", _curves_caption("student", records.history))


def _curves_caption(model: str, history: History) -> str:
    best = history.best
    return (
        f"Training of the {model}: the weights of epoch {best.epoch} were kept, with "
        f"{percent(best.validation_accuracy)} on the validation part. Training accuracy is counted while an epoch "
        "runs, validation accuracy after it."
    )


def histograms(records: Records) -> Picture | None:
    """The weights of each layer before and after; None without a frozen network, and where tables were trained."""
    if records.network is None or records.network.tables:
        return None
    kernels = [
        Kernel.of(layer, records.kernels.get(f"initial_{index}"), records.kernels.get(f"trained_{index}"))
        for index, layer in enumerate(records.network.weighted)
    ]
    caption = (
        "Weights of each layer before training, after training and pruning but before quantization (both float), and "
        "frozen on the grid of their format. Zeros are counted above each histogram and not drawn."
    )
    return picture(weight_histograms(kernels), "weights", caption)


def confusions(records: Records) -> Iterator[Table]:
    """The confusion matrix of every model that was judged."""
    for model, title in records.titles.items():
        matrix = records.results[STAGE_OF[model]].get("confusion")
        if matrix and len(matrix) == len(records.class_names):  # else it is of other data, which the page says
            yield confusion_table(title, matrix, records.class_names)


def receiver(answers: Answers | NoAnswers) -> Picture | None:
    """The curves of the integer network that tell found samples from false alarms."""
    if isinstance(answers, NoAnswers):
        return None
    data = answers.data
    curves = roc_curves(answers.logits, data.test.y, data.class_names, answers.lsb)
    if not curves:
        return None
    caption = (
        "Receiver operating characteristic of the integer network on test: the share of a class that is found against "
        "the share of the others that is taken for it, at every threshold of the class's log odds."
    )
    if len(curves) > MOST_CURVES:
        caption += f" The {MOST_CURVES} classes with the smallest area of {len(curves)}."
    return picture(receiver_figure(sorted(curves, key=lambda each: each.area)[:MOST_CURVES]), "receiver", caption)
