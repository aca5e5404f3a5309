"""What a design takes, from what its network gives HLS to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from qap.hardware.estimate.constants import Constants
from qap.hardware.estimate.terms import LayerWork, Terms


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a design takes, as the HLS report counts it."""

    lut: float
    ff: float
    dsp: int
    bram18: int
    latency_cycles: int
    ii_cycles: int


def layer_amounts(work: LayerWork, constants: Constants) -> Amounts:
    """The amounts of one layer with its activation."""
    return Amounts(
        lut=value(work.lut, constants.lut) + value(work.activation_lut, constants.lut),
        ff=value(work.ff, constants.ff) + value(work.activation_ff, constants.ff),
        dsp=work.dsp + work.activation_dsp,
        bram18=work.bram18 + work.activation_bram18,
        latency_cycles=round(latency([work], constants)),
        ii_cycles=work.ii_cycles,
    )


def network_amounts(works: list[LayerWork], constants: Constants) -> Amounts:
    """The amounts of a network: sums, and the slowest layer's initiation interval."""
    layers = [layer_amounts(work, constants) for work in works]
    return Amounts(
        lut=sum(layer.lut for layer in layers),
        ff=sum(layer.ff for layer in layers),
        dsp=sum(layer.dsp for layer in layers),
        bram18=sum(layer.bram18 for layer in layers),
        latency_cycles=round(latency(works, constants)),
        ii_cycles=max(layer.ii_cycles for layer in layers),
    )


def latency(works: list[LayerWork], constants: Constants) -> float:
    """Cycles from the inputs to the outputs: the layers' own and what lies between them."""
    own = sum(work.latency_cycles for work in works)
    return own + value(add(work.latency for work in works), constants.latency)


def add(parts: Iterable[Terms]) -> Terms:
    """The sum of terms."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def value(terms: Terms, coefficients: Terms) -> float:
    """What a sum of terms is worth."""
    return sum(coefficients.get(name, 0.0) * amount for name, amount in terms.items())
