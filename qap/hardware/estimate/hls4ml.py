"""The estimator of what hls4ml projects take in Vivado and Vitis HLS, from the real weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qap.hardware.devices import find_part
from qap.hardware.estimate.amounts import Amounts, layer_amounts, network_amounts
from qap.hardware.estimate.arithmetic import distributed_amounts
from qap.hardware.estimate.constants import Constants, Spread, constants
from qap.hardware.estimate.description import NetworkDescription, describe
from qap.hardware.estimate.result import Estimate, LayerEstimate, StageEstimate
from qap.hardware.estimate.reuse import built_reuse_factors
from qap.hardware.estimate.work import network_work
from qap.hardware.resources import ResourceReport
from qap.network import IntegerNetwork
from qap.recipe import TargetRecipe

FEW_CYCLES = (
    "no measured design has the resource strategy with a reuse factor below a layer's inputs: the intervals are those "
    "of higher factors"
)
UNCALIBRATED = "no measured design has the distributed_arithmetic strategy: these figures have no interval"


def hls4ml(network: IntegerNetwork, target: TargetRecipe) -> Estimate:
    """What the HLS project of a network takes, in the HLS report and after Vivado's synthesis.

    Args:
        network: the network; its weights decide.
        target: tool, part, clock, strategy and reuse factor.

    Raises:
        RecipeError: the strategy and the reuse factor do not go together, or hls4ml cannot build the factor.
    """
    factors = built_reuse_factors(network, target)
    description = describe(network, target, factors)
    fitted = constants()
    if target.strategy == "distributed_arithmetic":
        layers, total = distributed_amounts(description, fitted)
        group, notes = None, [UNCALIBRATED]
    else:
        works = network_work(description, fitted.delays)
        layers, total = [layer_amounts(work, fitted) for work in works], network_amounts(works, fitted)
        group, notes = spread_group(description), []
    if target.strategy == "resource" and any(
        1 < factor < layer.n_in for factor, layer in zip(factors, network.layers, strict=True)
    ):
        notes.append(FEW_CYCLES)
    if set(factors) != {target.reuse_factor}:
        built = ", ".join(f"{layer.name} {layer.reuse_factor}" for layer in description.layers)
        notes.append(f"hls4ml builds the nearest reuse factors that divide: {built}")
    if (unknown := find_part(target.part).unknown_share) is not None:
        notes.append(unknown)
    spreads = fitted.spreads.get(group, {}) if group else {}
    csynth = _report(total, description, f"{target.backend} HLS csynth")
    synth = replace(
        csynth,
        tool="Vivado synthesis",
        lut=round(total.lut * fitted.vivado["lut"]),
        ff=round(total.ff * fitted.vivado["ff"]),
    )
    return Estimate(
        estimator="hls4ml",
        stages={
            "csynth": _with_interval(csynth, spreads),
            "vivado_synth": _with_interval(synth, _after_vivado(spreads, fitted)),
        },
        layers=tuple(
            LayerEstimate(layer.name, layer.reuse_factor, round(each.lut), round(each.ff), each.dsp, each.bram18,
                          each.latency_cycles, each.ii_cycles)
            for layer, each in zip(description.layers, layers, strict=True)
        ),
        notes=tuple(notes),
    )  # fmt: skip


def spread_group(network: NetworkDescription) -> str:
    """The group of calibration rows whose spread holds for a design."""
    shared = any(layer.reuse_factor > 1 for layer in network.layers)
    if shared and any(layer.strategy == "resource" for layer in network.layers):
        return "resource"
    return "latency_reused" if shared else "latency"


def _report(total: Amounts, network: NetworkDescription, tool: str) -> ResourceReport:
    return ResourceReport(
        source="estimate",
        tool=tool,
        part=network.part,
        lut=round(total.lut),
        ff=round(total.ff),
        dsp=total.dsp,
        bram18=total.bram18,
        latency_cycles=total.latency_cycles,
        ii_cycles=total.ii_cycles,
        clock_ns=network.clock_ns,
    )


def _with_interval(report: ResourceReport, spreads: Mapping[str, Spread]) -> StageEstimate:
    """Ratios for resources, differences for cycles."""
    low, high = {}, {}
    for amount, spread in spreads.items():
        middle = getattr(report, amount)
        ends = [middle + end if amount.endswith("_cycles") else middle * end for end in spread]
        low[amount], high[amount] = max(0, round(ends[0])), round(ends[1])
    return StageEstimate(report, low, high)


def _after_vivado(spreads: Mapping[str, Spread], fitted: Constants) -> dict[str, Spread]:
    """The few designs that Vivado synthesized add their own spread to that of the HLS report."""
    own = fitted.spreads.get("vivado_synth", {})
    return {
        amount: Spread(spread.low * own[amount].low, spread.high * own[amount].high) if amount in own else spread
        for amount, spread in spreads.items()
    }
