"""Every type of every layer: what it can hold, what occurred in the model, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.hardware import Block, Reference
from qap.explore.diagnosis.source import Call, HlsSource
from qap.explore.diagnosis.weights import Weights
from qap.fixed import FixedPoint, Rounding
from qap.hardware.hls.project import hls_accumulator

FloatArray = npt.NDArray[np.float64]
Role = Literal["input", "weight", "bias", "scale", "accumulator", "result", "exp table", "inverse table", "table"]
TYPEDEFS: dict[str, Role] = {
    "weight_t": "weight", "scale_t": "scale", "bias_t": "bias", "accum_t": "accumulator", "exp_table_t": "exp table",
    "inv_table_t": "inverse table", "table_t": "table",
}  # fmt: skip
"""Name in a layer's struct -> what it is the type of."""
ROUNDED: dict[Rounding, Callable[[FloatArray], FloatArray]] = {
    Rounding.TRN: np.floor, Rounding.RND: lambda scaled: np.floor(scaled + 0.5), Rounding.RND_CONV: np.rint,
}  # fmt: skip


class Site(NamedTuple):
    """One type at one place.

    Args:
        layer: the name of the hardware's layer; of its inputs, `x` or what they are called.
        role: what it is the type of.
        call: index of the call, None for the inputs.
        typedef: its name: in the layer's struct, or in defines.h for inputs and results.
    """

    layer: str
    role: Role
    call: int | None
    typedef: str

    def __str__(self) -> str:
        return f"{self.layer}.{self.role}"


@dataclass(frozen=True, slots=True)
class Judged:
    """A type against the numbers that occurred.

    Args:
        low: the smallest number that occurred.
        high: the largest.
        overflow: the share of them that the type cannot hold, 0 to 1.
        rounding: the largest difference that the type's LSB makes, of those it can hold.
    """

    low: float
    high: float
    overflow: float
    rounding: float

    @property
    def lossless(self) -> bool:
        """Whether the type holds every number as it is."""
        return self.overflow == 0 and self.rounding == 0


@dataclass(frozen=True, slots=True)
class TypeUse:
    """One type of the hardware.

    Args:
        site: where.
        text: the C++ type.
        form: the format; None where it is not one that can be judged.
        exact: the narrowest format that is proven to hold what the model has there; None where there is none.
        judged: against what occurred in the model; None where that is not known.
    """

    site: Site
    text: str
    form: FixedPoint | None
    exact: FixedPoint | None
    judged: Judged | None


def judge(values: FloatArray, form: FixedPoint) -> Judged:
    """A format against real numbers of any shape."""
    scaled = np.ldexp(values, form.fractional)
    brought = ROUNDED[form.rounding](scaled)
    inside = (brought >= form.min_int) & (brought <= form.max_int)
    error = np.ldexp(np.abs(scaled - brought)[inside], -form.fractional)
    return Judged(float(values.min()), float(values.max()), float(1 - inside.mean()), float(error.max(initial=0)))


def sites_of(source: HlsSource, weights: Mapping[str, Weights]) -> Iterator[Site]:
    """Every type of a project that has an effect on its numbers, in the order of the data."""
    yield Site(source.inputs.name, "input", None, source.inputs.type)
    for index, call in enumerate(source.calls):
        config = source.configs.get(call.config, {})
        for typedef, role in TYPEDEFS.items():
            if typedef not in config or (role == "table" and call.function in ("relu", "linear", "softmax")):
                continue
            if role in ("weight", "scale", "bias") and _array(call, role) not in weights:
                continue
            yield Site(call.name, role, index, typedef)
        yield Site(call.name, "result", index, call.result_type)


def array_of(source: HlsSource, site: Site) -> str | None:
    """The C++ array of a weight's type, None for other types."""
    if site.call is None or site.role not in ("weight", "scale", "bias"):
        return None
    return _array(source.calls[site.call], site.role)


def written_type(source: HlsSource, site: Site) -> str:
    """The C++ type of a site with its typedefs followed."""
    if site.call is None or site.role == "result":
        return source.resolved(site.typedef)
    return source.resolved(source.configs[source.calls[site.call].config][site.typedef])


def uses_of(
    source: HlsSource, weights: Mapping[str, Weights], reference: Reference, blocks: Sequence[Block], x: FloatArray
) -> list[TypeUse]:  # fmt: skip
    """Every type of the hardware against what occurred in the model.

    Args:
        source: the hardware.
        weights: its weights.
        reference: the model.
        blocks: of the hardware, one for each layer of the network.
        x: (n, n_in) inputs as they come.
    """
    uses = []
    for site in sites_of(source, weights):
        text = written_type(source, site)
        form = source.format(text)
        values = _values(source, weights, reference, blocks, x, site)
        judged = judge(values, form) if form is not None and values is not None and values.size else None
        uses.append(TypeUse(site, text, form, exact_format(reference, blocks, site), judged))
    return uses


def exact_format(reference: Reference, blocks: Sequence[Block], site: Site) -> FixedPoint | None:
    """The narrowest format that is proven to hold what the model has at a site."""
    if site.call is None:
        return reference.network.input_format
    index = next((i for i, block in enumerate(blocks) if site.call in block.calls), None)
    if index is None:
        return None
    block, layer = blocks[index], reference.layers[index]
    if site.role == "result" and site.call == block.last:
        return layer.result_format
    if site.call != block.dense or block.folded:
        return None
    return {
        "weight": layer.weight_format, "bias": layer.bias_format, "accumulator": hls_accumulator(layer),
        "result": hls_accumulator(layer),
    }.get(site.role)  # fmt: skip


def _array(call: Call, role: Role) -> str:
    position = 3 if role == "bias" else 2
    return call.arguments[position] if len(call.arguments) > position else ""


def _values(
    source: HlsSource, weights: Mapping[str, Weights], reference: Reference, blocks: Sequence[Block], x: FloatArray,
    site: Site,
) -> FloatArray | None:  # fmt: skip
    """The numbers that the model has at a site; of weights those that the project was given."""
    if site.call is None:
        return x
    if array := array_of(source, site):
        return weights[array].simulated
    index = next((i for i, block in enumerate(blocks) if site.call in block.calls), None)
    if index is None:
        return _softmax_values(reference, site.role)
    block = blocks[index]
    if block.folded and site.call == block.dense != block.last:
        return None
    if site.role == "accumulator" and site.call == block.dense and not block.folded:
        return reference.accumulators[index]
    if site.role == "result" and site.call == block.last:
        return reference.results[index]
    return reference.accumulators[index] if site.role == "result" and site.call == block.dense else None


def _softmax_values(reference: Reference, role: Role) -> FloatArray | None:
    logits = reference.results[-1]
    powers = np.exp(np.minimum(logits, 700))
    if role == "exp table":
        return powers
    if role == "inverse table":
        return np.asarray(1 / powers.sum(axis=1))
    return powers / powers.sum(axis=1, keepdims=True) if role == "result" else None
