"""What a diagnosis found, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from qap.explore.diagnosis.hardware import Difference
from qap.explore.diagnosis.ranges import TypeUse
from qap.network import IntegerNetwork


class Gap(NamedTuple):
    """How far hardware is from the model.

    Args:
        outputs: logits that differ.
        decisions: samples whose class differs.
    """

    outputs: int
    decisions: int

    @property
    def none(self) -> bool:
        """Whether the two are equal."""
        return self.outputs == 0 and self.decisions == 0


@dataclass(frozen=True, slots=True)
class Widened:
    """One type of the hardware, and the gap that is left when it alone is wide.

    Args:
        use: the type.
        wide: the C++ type that it was compiled with; "" where it loses nothing, so that nothing can be won.
        gap: what is left.
    """

    use: TypeUse
    wide: str
    gap: Gap

    def matters(self, base: Gap) -> bool:
        """Whether the type loses something, or the answers depend on it."""
        lossless = self.use.judged is None or self.use.judged.lossless
        return not lossless or self.gap != base


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the hardware differs.

    Args:
        kind: its name, a heading of docs/diagnose.md.
        place: the layer and type.
        text: one line that explains it with the numbers found.
        remedy: what to do.
        effective: whether it changes an answer on these samples.
        left: the gap that is left when this alone is mended, None where that was not compiled.
    """

    kind: str
    place: str
    text: str
    remedy: str
    effective: bool
    left: Gap | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found.

    Args:
        model: the model's file.
        project: the project's folder, or the configuration.
        samples: how many were compared.
        logits: numbers that were compared.
        accuracy_model: 0 to 1; None without labels.
        accuracy_hardware: of the C simulation.
        gap: between the C simulation and the model.
        base: the same on the samples that versions are compared on.
        synthesized: the gap of what is synthesized, where text files differ from the headers; else None.
        first: the first layer that differs.
        types: every type of every layer.
        causes: what differs and why, the most important first.
        configuration: YAML with the smallest types that make all outputs equal; None where there are none.
        proven: the gap with these types, compiled.
        notes: what else has to be known.
        network: the model in integers, on the grid of the inputs.
    """

    model: str
    project: str
    samples: int
    logits: int
    accuracy_model: float | None
    accuracy_hardware: float | None
    gap: Gap
    base: Gap
    synthesized: Gap | None
    first: Difference | None
    types: tuple[Widened, ...]
    causes: tuple[Cause, ...]
    configuration: str | None
    proven: Gap | None
    notes: tuple[str, ...]
    network: IntegerNetwork

    @property
    def equal(self) -> bool:
        """Whether the hardware answers as the model does."""
        return self.gap.none and (self.synthesized is None or self.synthesized.none)

    def to_dict(self) -> dict[str, Any]:
        """JSON-like content."""
        return {
            "model": self.model, "project": self.project, "equal": self.equal, "samples": self.samples,
            "logits": self.logits, "accuracy": {"model": self.accuracy_model, "hardware": self.accuracy_hardware},
            "gap": self.gap._asdict(), "synthesized": self.synthesized._asdict() if self.synthesized else None,
            "first": self.first._asdict() if self.first else None, "types": [_type_row(each) for each in self.types],
            "causes": [_cause_row(each) for each in self.causes], "configuration": self.configuration,
            "proven": self.proven._asdict() if self.proven else None, "notes": list(self.notes),
        }  # fmt: skip


def _type_row(each: Widened) -> Mapping[str, Any]:
    use = each.use
    return {
        "layer": use.site.layer, "role": use.site.role, "type": use.text,
        "smallest": str(use.exact) if use.exact else None, "occurred": asdict(use.judged) if use.judged else None,
        "holds": [use.form.min_int * use.form.lsb, use.form.max_int * use.form.lsb] if use.form else None,
        "widened_to": each.wide or None, "left": each.gap._asdict(),
    }  # fmt: skip


def _cause_row(each: Cause) -> Mapping[str, Any]:
    return {**asdict(each), "left": each.left._asdict() if each.left else None}
