"""The fitted constants of the HLS estimator, as `scripts/fit_estimator.py` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from qap.hardware.devices import Family
from qap.hardware.estimate.schedule import Delays
from qap.hardware.estimate.terms import Terms

FILE = "constants.json"


class Spread(NamedTuple):
    """The interval in which 80 % of the calibration rows fell: measured / estimated, or measured - estimated cycles."""

    low: float
    high: float


class Measured(NamedTuple):
    """What is alike in measured designs.

    Args:
        family: of the part.
        strategy: of all layers.
        reuse_factor: of all layers.
        weight_bits: of the widest weights.
    """

    family: Family
    strategy: str
    reuse_factor: int
    weight_bits: int


@dataclass(frozen=True, slots=True)
class Constants:
    """Everything that was fitted.

    Args:
        delays: of HLS' operators, by family of parts.
        lut: LUTs for each unit of a term.
        ff: flip-flops for each unit of a term.
        latency: cycles for each unit of a term.
        vivado: LUTs and flip-flops after Vivado's synthesis for each one in the HLS report.
        spreads: group and amount -> the interval.
        measured: the designs that all this was fitted to, those that are alike once.
    """

    delays: Mapping[Family, Delays]
    lut: Terms
    ff: Terms
    latency: Terms
    vivado: Terms
    spreads: Mapping[str, Mapping[str, Spread]]
    measured: tuple[Measured, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What the file holds, rounded to four digits."""
        return {
            "delays_ns": {family: _rounded(delays._asdict()) for family, delays in self.delays.items()},
            "lut": _rounded(self.lut),
            "ff": _rounded(self.ff),
            "latency": _rounded(self.latency),
            "vivado": _rounded(self.vivado),
            "spreads": {
                group: {amount: [_four(end) for end in spread] for amount, spread in amounts.items()}
                for group, amounts in self.spreads.items()
            },
            "measured": _nested(self.measured),
        }


@cache
def constants() -> Constants:
    """The constants that come with the package."""
    content = json.loads((resources.files("qap.hardware.estimate") / FILE).read_text(encoding="utf-8"))
    return Constants(
        delays={family: Delays(**delays) for family, delays in content["delays_ns"].items()},
        lut=content["lut"],
        ff=content["ff"],
        latency=content["latency"],
        vivado=content["vivado"],
        spreads={
            group: {amount: Spread(*ends) for amount, ends in amounts.items()}
            for group, amounts in content["spreads"].items()
        },
        measured=tuple(
            Measured(family, strategy, int(factor), bits)
            for family, strategies in content["measured"].items()
            for strategy, factors in strategies.items()
            for factor, widths in factors.items()
            for bits in widths
        ),
    )


def _nested(measured: Iterable[Measured]) -> dict[str, dict[str, dict[str, list[int]]]]:
    """Family -> strategy -> reuse factor -> bits of the weights."""
    content: dict[str, dict[str, dict[str, list[int]]]] = {}
    for each in sorted(measured):
        factors = content.setdefault(each.family, {}).setdefault(each.strategy, {})
        factors.setdefault(str(each.reuse_factor), []).append(each.weight_bits)
    return content


def _rounded(terms: Mapping[str, float]) -> dict[str, float]:
    return {name: _four(amount) for name, amount in terms.items()}


def _four(number: float) -> float:
    return float(f"{number:.4g}")
