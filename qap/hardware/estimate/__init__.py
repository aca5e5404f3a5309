"""Estimates of what a network takes, before any synthesis."""

from __future__ import annotations

from collections.abc import Callable

from qap.hardware.estimate.counts import counts, ebops
from qap.hardware.estimate.estimate import Estimate, LayerEstimate, StageEstimate
from qap.hardware.estimate.hls4ml import hls4ml
from qap.hardware.estimate.rtl import registered_rtl
from qap.network import IntegerNetwork
from qap.recipe import TargetRecipe

__all__ = ["ESTIMATORS", "Estimate", "Estimator", "LayerEstimate", "StageEstimate"]

Estimator = Callable[[IntegerNetwork, TargetRecipe], Estimate]

ESTIMATORS: dict[str, Estimator] = {
    "hls4ml": hls4ml,
    "rtl": registered_rtl,
    "ebops": ebops,
    "counts": counts,
}
"""Name -> function of a network and its target."""
