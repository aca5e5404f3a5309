"""Estimates of what a network takes, before any synthesis."""

from __future__ import annotations

from collections.abc import Callable

from qap.errors import QapError
from qap.hardware.estimate.counts import counts, ebops
from qap.hardware.estimate.hls4ml import hls4ml
from qap.hardware.estimate.result import Estimate, LayerEstimate, StageEstimate
from qap.hardware.estimate.rtl import registered_rtl
from qap.network import IntegerNetwork
from qap.recipe import TargetRecipe

__all__ = ["ESTIMATORS", "Estimate", "Estimator", "LayerEstimate", "StageEstimate", "estimate"]

Estimator = Callable[[IntegerNetwork, TargetRecipe], Estimate]

ESTIMATORS: dict[str, Estimator] = {
    "hls4ml": hls4ml,
    "rtl": registered_rtl,
    "ebops": ebops,
    "counts": counts,
}
"""Name -> function of a network and its target."""


def estimate(network: IntegerNetwork, target: TargetRecipe | None = None, estimator: str = "hls4ml") -> Estimate:
    """Estimate what a network takes, before any synthesis.

    Args:
        network: any integer network.
        target: part, clock, strategy and reuse factor; None takes the defaults of a recipe.
        estimator: a name of `ESTIMATORS`.

    Raises:
        QapError: there is no such estimator, or it cannot estimate this network.

    Example:
        >>> estimate(network).stages["vivado_synth"].report.lut
    """
    if estimator not in ESTIMATORS:
        raise QapError(f"no estimator {estimator!r} (there are: {', '.join(ESTIMATORS)})")
    return ESTIMATORS[estimator](network, target or TargetRecipe())
