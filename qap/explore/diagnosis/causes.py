"""Why hardware differs, in words; every kind of cause is a heading of docs/diagnose.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qap.explore.diagnosis.evidence import Evidence
from qap.explore.diagnosis.hardware import logit_classes
from qap.explore.diagnosis.results import Cause
from qap.explore.diagnosis.settings import settings_of
from qap.explore.diagnosis.type_causes import of_types
from qap.explore.diagnosis.value_causes import of_values

KINDS = (
    "narrow-accumulator", "narrow-result", "rounds-otherwise", "wraps-instead-of-saturating", "wrapped-weights",
    "weight-type-too-narrow", "narrow-bias", "weights-never-quantized", "wrong-weights", "text-weights",
    "scales-dropped", "input-too-narrow", "inputs-off-the-grid", "softmax-tables", "narrow-normalization",
    "other-activation", "reuse-factor-or-strategy",
)  # fmt: skip
"""Every cause that can be named, beside a layer that is missing, which ends the comparison."""


def causes_of(evidence: Evidence) -> list[Cause]:
    """All causes, those that change an answer first, and of these the ones whose remedy wins most."""
    found = [cause for finder in FINDERS for cause in finder(evidence)]

    def rank(cause: Cause) -> tuple[bool, int, int]:
        left = cause.left or evidence.base
        return not cause.effective, left.outputs + left.decisions, found.index(cause)

    return sorted(found, key=rank)


def _of_softmax(evidence: Evidence) -> Iterator[Cause]:
    if evidence.case.final is None:
        return
    before = logit_classes(evidence.case.reference.network, evidence.traces[evidence.case.blocks[-1].last])
    flips = int((before != evidence.classes).sum())
    if not flips:
        return
    call = evidence.case.source.calls[evidence.case.final]
    how = evidence.case.source.constants.get(call.config, {}).get("implementation", "").rpartition("::")[2] or "legacy"
    text = f"the tables of the {how} softmax decide {flips} samples otherwise than its own inputs do"
    remedy = "Implementation: argmax, or take the logits and leave the softmax out"
    yield Cause("softmax-tables", call.name, text, remedy, True, evidence.gaps.get("softmax"))


def _of_activation(evidence: Evidence) -> Iterator[Cause]:
    """A ReLU on one side alone."""
    for index, (block, layer) in enumerate(zip(evidence.case.blocks, evidence.case.reference.layers, strict=True)):
        functions = [evidence.case.source.calls[call].function for call in block.calls]
        form = evidence.case.source.format(evidence.case.source.calls[block.last].result_type)
        rectifies = "relu" in functions or (form is not None and not form.signed)
        if not isinstance(layer.activation, str) or rectifies == (layer.activation == "relu"):
            continue
        if not evidence.guilty(index) or (layer.activation == "linear" and "relu" not in functions):
            continue
        text = f"the hardware has {' and '.join(functions)}, the model {layer.activation}"
        place = evidence.case.source.calls[block.last].name
        yield Cause("other-activation", place, text, "write the project again from this model", True)


def _of_settings(evidence: Evidence) -> Iterator[Cause]:
    """What the configuration asks for and parameters.h does not have; it never changes a number."""
    asked = settings_of(evidence.case.source).get("HLSConfig")
    if not isinstance(asked, dict):
        return
    layers = asked.get("LayerName") or {}
    for call in evidence.case.source.calls:
        if not call.function.startswith("dense"):
            continue
        own = {**(asked.get("Model") or {}), **(layers.get(call.name) or {})}
        constants = evidence.case.source.constants.get(call.config, {})
        has = {"ReuseFactor": constants.get("reuse_factor", ""), "Strategy": constants.get("strategy", "")}
        for key, value in has.items():
            wanted, written = str(own.get(key, "")).lower(), value.rpartition("::")[2].lower()
            if wanted and written and wanted != written:
                text = f"the configuration asks for {key} {own[key]}, parameters.h has {written}"
                remedy = (
                    "no number depends on it, only speed and size; choose a factor that divides the layer's products"
                )
                yield Cause("reuse-factor-or-strategy", call.name, text, remedy, False)


FINDERS: tuple[Callable[[Evidence], Iterator[Cause]], ...] = (
    of_values, of_types, _of_softmax, _of_activation, _of_settings,
)  # fmt: skip
