"""The tables of what a run found: accuracy, mistakes, the integer network, agreement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from qap.fixed import FixedPoint, Overflow, Rounding
from qap.hardware.resources import COUNTS, resource_names
from qap.network import IntegerLayer, IntegerNetwork, StepTable, TableLayer, ThresholdLayer
from qap.network.stored_size import stored_bytes
from qap.report.records import IMPORTED, PARTS, STAGE_OF, Records
from qap.report.tables import NOT_MEASURED, Cell, Content, Rows, Table, count, decimal, numbers, percent, table, texts
from qap.verification import Agreement, Verification

NO_LABELS = "Accuracy was not measured: the data are random vectors without labels."
LARGEST_MATRIX = 16  # classes whose confusion matrix still fits a page


def accuracy_table(records: Records) -> Table:
    """The accuracy of teacher, student and integer network on each part of the data."""
    rows: Rows = []
    if before := records.results["student"].get("float_accuracy"):
        rows.append([f"{IMPORTED} (float)", *(percent(before.get(part)) for part in PARTS), NOT_MEASURED])
    for model, title in records.titles.items():
        result = records.results[STAGE_OF[model]]
        accuracy = result.get("accuracy") or {}
        rows.append([title, *(percent(accuracy.get(part)) for part in PARTS), _wrong(result.get("confusion"))])
    columns = texts("") + numbers(*PARTS, "wrong on test")
    caption = "Accuracy on the three parts of the data; the test part decides nothing."
    return table(caption if records.has_labels else NO_LABELS, columns, rows)


def scores_table(records: Records) -> Table | None:
    """What each model is worth on test beside its accuracy, below the one class that is decided without any."""
    scores, majority = records.metrics.get("scores", {}), records.metrics.get("majority")
    if not scores:
        return None
    rows: Rows = []
    if majority:
        shared = (percent(majority["accuracy"]["test"]), "", percent(1 / len(records.class_names)), "", "0.5")
        rows.append([f"always {majority['class']!r}", *shared])
    for model, title in records.titles.items():
        if found := scores.get(model):
            accuracy = percent(records.metrics["accuracy"][model]["test"])
            interval = _interval(found["interval"]["test"])
            f1, auc = decimal(found["f1"]), decimal(found["auc"])
            rows.append([title, accuracy, interval, percent(found["balanced_accuracy"]), f1, auc])
    columns = texts("") + numbers("accuracy", "95 % interval", "balanced accuracy", "F1", "AUC")
    caption = "Scores on test. The interval is Wilson's; F1 and AUC are means over the classes, each against the rest."
    return table(caption, columns, rows)


def operating_table(records: Records) -> Table | None:
    """What the operating point is worth; None where the largest logit decides as it was trained."""
    point = records.metrics.get("operating_point")
    if point is None:
        return None
    rows: Rows = []
    for part in ("validation", "test"):
        rates = [point[part][name] for name in ("false_alarms", "found")]
        rows.append([part, *(cell for rate in rates for cell in (percent(rate["share"]), _interval(rate["interval"])))])
    columns = texts("") + numbers("false alarms", "95 % interval", "found", "95 % interval")
    caption = (
        f"Operating point: {point['class']!r} is decided where its logit leads by more than {point['threshold']} LSB "
        f"({point['threshold'] * point['lsb']:g}); chosen on validation, and part of the last bias."
    )
    return table(caption, columns, rows)


def _interval(ends: Sequence[float] | None) -> str:
    return NOT_MEASURED if ends is None else f"{percent(ends[0])} to {percent(ends[1])}"


def class_table(records: Records) -> Table | None:
    """How well the integer network tells every class from the others."""
    found = records.metrics.get("scores", {}).get("integer")
    if not found:
        return None
    rows: Rows = [
        [each["class"], count(each["samples"]), percent(each["precision"]), percent(each["recall"]),
         decimal(each["f1"]), decimal(each["auc"])]
        for each in found["classes"]
    ]  # fmt: skip
    columns = texts("class") + numbers("samples", "precision", "recall", "F1", "AUC")
    return table("Integer network on test: each class against the rest.", columns, rows)


def _wrong(confusion: Sequence[Sequence[int]] | None) -> str:
    if confusion is None:
        return NOT_MEASURED
    matrix = np.array(confusion)
    return f"{count(int(matrix.sum() - matrix.trace()))} of {count(int(matrix.sum()))}"


def size_table(network: IntegerNetwork, pruned: float | None, trained: Sequence[int] = ()) -> Table:
    """How large the integer network is, and how much of it is zero.

    Args:
        network: the network.
        pruned: share of weights that were masked in training, None when that was not recorded.
        trained: neurons of each layer before whole neurons were removed; empty when that was not recorded.
    """
    caption, columns = "Size of the integer network.", texts("") + numbers("")
    read = f"{count(int(network.layers[0].reads.sum()))} of {count(network.n_in)}"
    size = f"{count(network.size_bytes)} bytes"
    if network.tables:
        detail = "64 bits a table and its wires, thresholds, and the weights of what reads the tables"
        rows: Rows = [
            (Cell("truth tables", "of up to six bits each"), count(network.tables)),
            (Cell("size", detail), size),
            ("inputs that are read", read),
        ]
        return table(caption, columns, rows)
    sizes = stored_bytes(network)
    rows = [
        ("weights and biases", count(network.parameters)),
        ("of these not 0", count(network.nonzeros)),
        ("weights that are 0", percent(network.sparsity)),
        ("weights masked in training", percent(pruned)),
        (Cell("size", "at the widths of their formats, zeros included"), size),
        (
            Cell("size, sparse", "each layer dense, with a bitmap or by columns, as is smallest"),
            f"{count(sizes['sparse'])} bytes",
        ),
        (Cell("size, gzip", "of all weights and biases, compressed"), f"{count(sizes['gzip'])} bytes"),
        ("inputs that a weight reads", read),
    ]
    units = [layer.n_out for layer in network.layers]
    if list(trained) not in ([], units):
        rows.insert(0, ("neurons before and after pruning", f"{_shape(trained)} and {_shape(units)}"))
    return table(caption, columns, rows)


def _shape(units: Sequence[int]) -> str:
    return "-".join(str(n) for n in units)


def resources_table(reports: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each design that was synthesized.

    Args:
        reports: of `ResourceReport`, as mappings.
    """
    names = resource_names(*COUNTS, "latency_cycles", "ii_cycles")
    rows: Rows = [
        [report["design"], f"{report['part']}, {report['tool']}", *(count(report[key]) for key in names)]
        for report in reports
    ]
    return table(
        "Resources of the RTL as they were counted after synthesis.", texts("", "for") + numbers(*names.values()), rows
    )


def layer_table(network: IntegerNetwork, reuse_factors: Mapping[str, int]) -> Table:
    """A row for each layer: its shape, its formats, its zeros.

    Args:
        network: the network.
        reuse_factors: of the layers in the HLS project, empty without one.
    """
    columns = texts("layer") + numbers("inputs", "neurons") + texts("weights", "biases", "accumulator", "activation")
    columns += texts("result") + numbers("sparsity")
    rows: Rows = [
        list(_layer_cells(layer)) if isinstance(layer, IntegerLayer) else _bits_cells(layer) for layer in network.layers
    ]
    weights = sum(layer.weight.size for layer in network.weighted)
    nonzero = sum(int(np.count_nonzero(layer.weight)) for layer in network.weighted)
    rows.append(["all", *[""] * 7, _sparsity_cell(nonzero, weights)])
    if reuse_factors:
        columns += numbers("reuse factor")
        reuse = [
            str(reuse_factors.get(layer.name, NOT_MEASURED)) if isinstance(layer, IntegerLayer) else ""
            for layer in network.layers
        ]
        rows = [[*row, cell] for row, cell in zip(rows, [*reuse, ""], strict=True)]
    caption = (
        f"Layers. An input is {network.input_format}. A format names all of its bits, then those left of the binary "
        "point, the sign included. Each accumulator is the narrowest that is proven never to overflow. Sparsity is the "
        "share of weights that are 0."
    )
    return table(caption, columns, rows, totals=1)


def _layer_cells(layer: IntegerLayer) -> Iterator[Content]:
    nonzero, steps = int(np.count_nonzero(layer.weight)), layer.activation
    yield layer.name
    yield count(layer.n_in)
    yield count(layer.n_out)
    yield format_cell(layer.weight_format)
    yield format_cell(layer.bias_format)
    yield format_cell(layer.accum_format)._replace(detail=f"{layer.accum_format.width} bits")
    yield f"{steps.values.size} steps" if isinstance(steps, StepTable) else steps
    rounds = not isinstance(steps, StepTable) and layer.result_format != layer.accum_format
    yield format_cell(layer.result_format, modes=rounds)
    yield _sparsity_cell(nonzero, layer.weight.size)


def _bits_cells(layer: TableLayer | ThresholdLayer) -> list[Content]:
    """A layer without weights."""
    shape = [layer.name, count(layer.n_in), count(layer.n_out)]
    return [*shape, "", "", "", layer.kind, format_cell(layer.result_format), ""]


def _sparsity_cell(nonzero: int, weights: int) -> Cell:
    return Cell(percent(1 - nonzero / max(1, weights)), f"{count(nonzero)} of {count(weights)} not 0")


def format_cell(form: FixedPoint, *, modes: bool = False) -> Cell:
    """A fixed-point format, with its rounding and overflow below it where numbers are brought into it."""
    plain = form.with_modes(Rounding.TRN, Overflow.WRAP)
    return Cell(str(plain), ", ".join(form.modes) if modes else "", "code")


def agreement_table(found: Verification) -> Table:
    """How far each pair of engines agrees on each set of vectors."""
    columns = texts("engines", "vectors")
    columns += numbers("samples", "outputs", "mismatches", "largest difference (LSB)", "same class") + texts("verdict")
    rows: Rows = [
        [
            f"{each.engine_a} == {each.engine_b}",
            each.vectors,
            *(count(number) for number in (each.samples, each.outputs, each.mismatches, each.max_lsb)),
            percent(each.argmax_agreement),
            _verdict(each),
        ]
        for each in found.agreements
    ]
    return table("Agreement: every output of each pair of engines, compared as integers.", columns, rows)


def _verdict(found: Agreement) -> Cell:
    if found.exact:
        return Cell("equal", kind="good")
    return Cell("DIFFERENT" if found.mismatches else "nothing compared", kind="bad")


def confusion_table(model: str, confusion: Sequence[Sequence[int]], class_names: Sequence[str]) -> Table:
    """The confusion matrix of one model, or its most frequent confusions where the matrix is too large for a page.

    Args:
        model: what decided.
        confusion: test samples by true class (row) and decided class (column).
        class_names: one for each class.
    """
    matrix = np.array(confusion)
    if len(matrix) > LARGEST_MATRIX:
        return _frequent_confusions(model, matrix, class_names)
    totals = np.maximum(matrix.sum(axis=1), 1)
    rows: Rows = [
        [name, *(_confusion_cell(int(n), n / total, right=true == decided) for decided, n in enumerate(row))]
        for true, (name, row, total) in enumerate(zip(class_names, matrix, totals, strict=True))
    ]
    columns = texts("true") + numbers(*class_names)
    return table(f"{model}: {_wrong(confusion)} wrong.", columns, rows, corner="decided")


def _confusion_cell(number: int, share: float, *, right: bool) -> Cell:
    if right:
        return Cell(count(number), kind="good", shade=0.15 + 0.35 * share)
    # few mistakes are what this table is looked at for: the root makes them visible
    return Cell(count(number), kind="bad", shade=0.15 + 0.5 * share**0.5) if number else Cell("0", kind="faint")


def _frequent_confusions(model: str, matrix: Any, class_names: Sequence[str]) -> Table:
    wrong = [
        (-int(matrix[true, decided]), int(true), int(decided))
        for true, decided in np.argwhere(matrix)
        if true != decided
    ]
    most = sorted(wrong)[:LARGEST_MATRIX]
    rows: Rows = [(class_names[true], class_names[decided], count(-n)) for n, true, decided in most]
    caption = f"{model}: {_wrong(matrix.tolist())} wrong. The most frequent confusions of {len(matrix)} classes:"
    return table(caption, texts("true", "decided") + numbers("samples"), rows)
