"""Whether a measured design is like what an estimate is made for."""

from __future__ import annotations

from math import log2

from qap.hardware.devices import Family, find_part
from qap.hardware.estimate.constants import Measured, constants
from qap.network import IntegerNetwork
from qap.recipe import TargetRecipe

_FAMILIES: dict[Family, str] = {"xc7": "the 7 series", "xcup": "UltraScale+"}
OTHER_KIND = 10.0
"""The distance of a design of another family, and of one that shares nothing; twice the reuse factor or bits are 1."""


def missing_evidence(network: IntegerNetwork, target: TargetRecipe) -> str | None:
    """What a reader has to know where no measured design has this family, strategy, reuse factor and bits of weights.

    Args:
        network: the network; its widest weights count.
        target: part, strategy and reuse factor.

    Returns:
        A line that says what no measured design has, and which is the nearest; None where there is one.
    """
    bits = max(layer.weight_format.width for layer in network.weighted)
    wanted = Measured(find_part(target.part).family, target.strategy, target.reuse_factor, bits)
    alike = [each for each in constants().measured if each.strategy == wanted.strategy]
    if wanted in alike:
        return None
    if not alike:
        return f"no measured design has the {wanted.strategy} strategy"
    words = _words(wanted)
    seen = {word for each in alike for word in _words(each)}
    lacking = " or ".join(word for word in words if word not in seen) or f"all of {', '.join(words)}"
    nearest = min(alike, key=lambda each: _distance(each, wanted))
    return (
        f"no measured design of the {wanted.strategy} strategy has {lacking}; "
        f"the nearest has {', '.join(_words(nearest))}"
    )


def _words(design: Measured) -> tuple[str, str, str]:
    return (
        f"a part of {_FAMILIES[design.family]}",
        f"reuse factor {design.reuse_factor}",
        f"weights of {design.weight_bits} bit{'' if design.weight_bits == 1 else 's'}",
    )


def _distance(design: Measured, wanted: Measured) -> float:
    factors = abs(log2(design.reuse_factor / wanted.reuse_factor))
    bits = abs(log2(design.weight_bits / wanted.weight_bits))
    kinds = (design.family != wanted.family) + ((design.reuse_factor > 1) != (wanted.reuse_factor > 1))
    return kinds * OTHER_KIND + factors + bits
