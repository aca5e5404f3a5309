"""Causes that lie in the numbers of the weights, whatever their type."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.evidence import MOST_DIGITS, Evidence
from qap.explore.diagnosis.hardware import is_transposed, real_weights
from qap.explore.diagnosis.results import Cause
from qap.explore.diagnosis.weights import Weights
from qap.fixed import FixedPoint

FloatArray = npt.NDArray[np.float64]


def of_values(evidence: Evidence) -> Iterator[Cause]:
    """The causes in the weights of every layer."""
    for index, (block, layer) in enumerate(zip(evidence.case.blocks, evidence.case.reference.layers, strict=True)):
        if block.dense is None:
            continue
        if block.folded and evidence.guilty(index):
            yield _folded(evidence, index, block.dense)
            continue
        call = evidence.case.source.calls[block.dense]
        forms = (layer.weight_format, layer.bias_format)
        for name, form, role in zip(call.arguments[2:4], forms, ("weight", "bias"), strict=False):
            yield from _of_array(evidence, index, name, form, f"{call.name}.{role}")


def _folded(evidence: Evidence, index: int, dense: int) -> Cause:
    """A scale that stands in the weights, or nowhere."""
    call, layer = evidence.case.source.calls[dense], evidence.case.reference.layers[index]
    weights = evidence.case.weights.get(call.arguments[2])
    own, model = weights.simulated if weights else None, real_weights(layer)[0]
    model = model.T if is_transposed(evidence.case.source, call) else model
    printed = evidence.printed(call.arguments[2])
    if own is not None and own.size == model.size and (np.abs(own - model.ravel()) <= printed).all():
        text = "the weights are the model's without its scale or normalization, and nothing scales behind the sum"
        return Cause("scales-dropped", call.name, text, "keep the scale as a layer of its own", True)
    text = "a scale or normalization was multiplied into the weights, which no short type holds then"
    return Cause(
        "narrow-normalization", f"{call.name}.weight", text, "--fix makes thresholds of it, which are exact", True
    )


def _of_array(evidence: Evidence, index: int, name: str, form: FixedPoint, place: str) -> Iterator[Cause]:
    weights = evidence.case.weights.get(name)
    if weights is None:
        return
    model = evidence.model_values(name)
    if weights.differing:
        texts = (
            f"{weights.differing} numbers of {weights.file.name} differ from {name}.h: the C simulation reads the "
            "text, synthesis the header"
        )
        which = _which(weights, model)
        effective = evidence.gaps["synthesized"] != evidence.base
        yield Cause(
            "text-weights", place, texts + which, "write the project again", effective, evidence.gaps["synthesized"]
        )
    values = weights.simulated
    if model is None or values is None or not evidence.guilty(index):
        return
    if evidence.is_models(name):
        return
    left = evidence.gaps.get(f"values of {name}")
    effective = left is not None and left != evidence.base
    kind, text, remedy = _how_wrong(evidence, index, values, model, form, weights)
    yield Cause(kind, place, text, remedy, effective, left)


def _how_wrong(
    evidence: Evidence, index: int, values: FloatArray, model: FloatArray, form: FixedPoint, weights: Weights
) -> tuple[str, str, str]:
    printed = evidence.printed(weights.name)
    wrong = np.abs(values - model) > printed
    quantized = form.to_float(form.with_modes(form.rounding.RND_CONV, form.overflow.SAT).quantize(values))
    if wrong.mean() > 0.2 and (np.abs(quantized - model) <= printed).mean() > 0.9:
        text = f"{int(wrong.sum())} of {wrong.size} numbers lie beside the grid {form} of the model"
        return "weights-never-quantized", text, "give hls4ml the quantized weights"
    layer = evidence.case.reference.layers[index]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (values / model).reshape(-1, layer.n_out) if values.size % layer.n_out == 0 else np.array([[np.nan]])
    known = np.isfinite(ratios) & (ratios != 0)
    of_neuron = [np.unique(np.round(column[mask], 6)) for column, mask in zip(ratios.T, known.T, strict=True)]
    if wrong.mean() > 0.2 and all(each.size <= 1 for each in of_neuron):
        return (
            "scales-dropped",
            "every neuron's numbers are the model's times one factor: its scale was dropped",
            ("export the weights with their scale, or keep the scale as a layer (ApplyAlpha)"),
        )
    text = f"{int(wrong.sum())} of {wrong.size} numbers of {weights.file.name} are not the model's"
    return "wrong-weights", text, "write the project again from this model"


def _which(weights: Weights, model: FloatArray | None) -> str:
    if model is None or weights.header is None or weights.text is None or weights.header.size != model.size:
        return ""
    good = [
        name
        for name, each in (("header", weights.header), ("text", weights.text))
        if each.size == model.size and (np.abs(each - model) <= 10.0**-MOST_DIGITS).all()
    ]
    return f"; the model's are in the {good[0]}" if len(good) == 1 else ""
