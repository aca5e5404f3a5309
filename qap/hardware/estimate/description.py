"""What HLS is given, independent of who describes it: an `IntegerNetwork` with its target, or a row of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from qap.fixed import FixedPoint, IntArray, Overflow, Rounding
from qap.hardware.devices import Family, find_part
from qap.network import IntegerNetwork, StepTable
from qap.recipe import TargetRecipe

Tool = Literal["vivado_hls", "vitis_2021", "vitis"]
"""Releases that build adders alike: Vivado HLS, Vitis HLS up to 2021, and Vitis HLS since."""
UNCERTAINTY = {"vivado_hls": 0.125, "vitis_2021": 0.125, "vitis": 0.27}
"""The share of the clock that HLS keeps for routing: hls4ml's default for Vivado, Vitis HLS' own for Vitis."""


HLS_ESTIMATOR = "the estimator hls4ml, unlike rtl,"
"""How errors name it: it was calibrated on layers of weights, and no measured design has others."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerDescription:
    """One dense layer as HLS sees it.

    Args:
        name: for the breakdown.
        weight: int64 (n_in, n_out), in LSBs of `weight_format`.
        bias: int64 (n_out,), in LSBs of `bias_format`.
        activation: "linear", "relu", "steps", "softmax" or "sigmoid".
        activation_format: of the values after the activation.
        reuse_factor: as the tool builds it.
        declared_zeros: zeros that the firmware declares; they lower the limit of multipliers.
        multiplier: "dsp" or "lut" where the project forces all multiplications into one of them.
        steps: thresholds of a staircase activation.
        batchnorm: whether a separate scale and shift follows.
    """

    name: str
    weight: IntArray
    bias: IntArray
    input_format: FixedPoint
    weight_format: FixedPoint
    bias_format: FixedPoint
    accum_format: FixedPoint
    result_format: FixedPoint
    activation: str
    activation_format: FixedPoint
    reuse_factor: int
    strategy: str
    declared_zeros: int
    multiplier: Literal["auto", "dsp", "lut"] = "auto"
    steps: int = 0
    batchnorm: bool = False

    @property
    def n_in(self) -> int:
        """Inputs."""
        return int(self.weight.shape[0])

    @property
    def n_out(self) -> int:
        """Outputs."""
        return int(self.weight.shape[1])

    @property
    def multiplier_limit(self) -> int:
        """The most multipliers that hls4ml allows in the latency strategy (its formula)."""
        return -(-self.n_in * self.n_out // self.reuse_factor) - self.declared_zeros // self.reuse_factor

    @property
    def quantizes(self) -> bool:
        """Whether the activation rounds or saturates."""
        form = self.activation_format
        return form.rounding is not Rounding.TRN or form.overflow is not Overflow.WRAP


@dataclass(frozen=True, slots=True)
class NetworkDescription:
    """A network as HLS sees it.

    Args:
        layers: from the input on.
        tool: which releases build it.
        part: the device.
        clock_ns: the period that is asked for.
        uncertainty_ns: what HLS keeps of it for routing.
        stream: whether values come one after another (io_stream).
    """

    layers: tuple[LayerDescription, ...]
    tool: Tool
    part: str
    clock_ns: float
    uncertainty_ns: float
    stream: bool = False

    @property
    def usable_ns(self) -> float:
        """What a cycle has for logic."""
        return self.clock_ns - self.uncertainty_ns

    @property
    def family(self) -> Family:
        """The family of the part, whose logic has its speed; UltraScale counts as UltraScale+."""
        return find_part(self.part).family


def describe(network: IntegerNetwork, target: TargetRecipe, reuse_factors: Sequence[int]) -> NetworkDescription:
    """What HLS is given for a network, as `qap hls` writes it.

    Args:
        network: the network.
        target: tool, part, clock and strategy.
        reuse_factors: of every layer, as hls4ml builds it.
    """
    tool: Tool = "vivado_hls" if target.backend == "Vivado" else "vitis"
    layers = []
    input_format = network.input_format
    for layer, reuse_factor in zip(network.only_weighted(HLS_ESTIMATOR), reuse_factors, strict=True):
        acts = layer.activation != "linear"
        steps = layer.activation if isinstance(layer.activation, StepTable) else None
        layers.append(
            LayerDescription(
                name=layer.name,
                weight=layer.weight,
                bias=layer.bias,
                input_format=input_format,
                weight_format=layer.weight_format,
                bias_format=layer.bias_format,
                accum_format=layer.accum_format,
                result_format=layer.accum_format if acts else layer.result_format,
                activation="steps" if steps else str(layer.activation),
                activation_format=layer.result_format,
                reuse_factor=reuse_factor,
                strategy=target.strategy,
                declared_zeros=int(np.count_nonzero(layer.weight == 0)),
                steps=steps.thresholds.shape[-1] if steps else 0,
            )
        )
        input_format = layer.result_format
    uncertainty = UNCERTAINTY[tool] * target.clock_ns
    return NetworkDescription(tuple(layers), tool, target.part, target.clock_ns, uncertainty)


def alive(layers: tuple[LayerDescription, ...]) -> list[IntArray]:
    """The weights of every layer without those that HLS removes as constant or unused.

    A neuron without weights is a constant, which is folded into what reads it; one that no weight reads is dropped.
    """
    weights = [layer.weight for layer in layers]
    for index in range(1, len(weights)):
        constant = (weights[index - 1] == 0).all(axis=0)
        if constant.any():
            weights[index] = np.where(constant.reshape(-1, 1), 0, weights[index])
    for index in range(len(weights) - 2, -1, -1):
        unread = (weights[index + 1] == 0).all(axis=1)
        if unread.any():
            weights[index] = np.where(unread.reshape(1, -1), 0, weights[index])
    return weights
