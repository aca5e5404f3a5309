"""Terms that resources are sums of, and those of the activations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields

from qap.hardware.estimate.description import LayerDescription, NetworkDescription

SERIES7_SLOWER = 2.5
"""Times that logic takes longer on the 7 series, roughly."""
TABLE_BITS = 18
"""Of the entries of softmax tables, which are multiplied."""
Terms = dict[str, float]
"""Name of a term -> how much of it there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SumWork:
    """What the sums of a layer need.

    Args:
        dsp: DSP blocks, exactly.
        bram18: block RAMs.
        ii_cycles: cycles from one input to the next.
        latency_cycles: of the sums.
        lut: terms of the LUTs.
        ff: terms of the flip-flops.
    """

    dsp: int
    bram18: int
    ii_cycles: int
    latency_cycles: int
    lut: Terms
    ff: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWork(SumWork):
    """What a layer needs: its sums, and its activation.

    Args:
        name: of the layer.
        latency: terms of the latency.
        activation_lut: terms of the LUTs of the activation, which the report of the layer does not hold.
        activation_ff: terms of the flip-flops between this layer and the next.
        activation_dsp: DSP blocks of the activation.
        activation_bram18: block RAMs of its tables.
    """

    name: str
    latency: Terms
    activation_lut: Terms
    activation_ff: Terms
    activation_dsp: int
    activation_bram18: int


def activation_work(
    layer: LayerDescription, network: NetworkDescription, sums: SumWork, *, used: int, inputs: int
) -> LayerWork:
    """The work of a layer with that of its activation.

    Args:
        layer: the layer.
        network: tool and part.
        sums: what its sums need.
        used: outputs that are not constant.
        inputs: bits of the network's inputs that end here, 0 if it is not the first layer.
    """
    return LayerWork(
        **{part.name: getattr(sums, part.name) for part in fields(SumWork)},
        name=layer.name,
        latency=_latency(layer, network),
        activation_lut=_activation_lut(layer, used),
        activation_ff=_activation_ff(layer, used, inputs),
        activation_dsp=layer.n_out if layer.activation == "softmax" and layer.multiplier != "lut" else 0,
        activation_bram18=_tables(layer, network),
    )


def _activation_lut(layer: LayerDescription, used: int) -> Terms:
    width = layer.result_format.width
    terms: dict[str, float] = defaultdict(float)
    if layer.activation == "relu" or layer.quantizes:
        terms["quantized_bits" if layer.quantizes else "relu_bits"] += float(used * width)
    if layer.activation == "steps":
        terms["step_bits"] += float(used * layer.steps * width)
    if layer.activation == "softmax":
        terms["softmax_outputs"] += float(layer.n_out)
        if layer.multiplier == "lut":
            terms["multiplier_bits"] += float(layer.n_out * TABLE_BITS**2)
    if layer.activation == "sigmoid":
        terms["sigmoid_outputs"] += float(layer.n_out)
    return dict(terms)


def _activation_ff(layer: LayerDescription, used: int, inputs: int) -> Terms:
    terms = {"input_bits": float(inputs), "result_bits": float(used * layer.result_format.width)}
    if layer.activation in ("relu", "steps"):
        terms["activation_bits"] = float(used * layer.activation_format.width)
        if layer.quantizes:
            terms["quantized_bits"] = float(used * layer.result_format.width)
    if layer.activation in ("softmax", "sigmoid"):
        terms[f"{layer.activation}_outputs"] = float(layer.n_out)
    return terms


def _latency(layer: LayerDescription, network: NetworkDescription) -> Terms:
    """What lies between layers: calls of functions, the end of the network, and activations in units of the cycle."""
    terms: Terms = {}
    if len(network.layers) > 1:
        terms = {"calls": float(layer.reuse_factor == 1), "ends": float(layer is network.layers[-1])}
    slow = (SERIES7_SLOWER if network.family == "xc7" else 1.0) / network.usable_ns
    if layer.activation in ("softmax", "sigmoid"):
        terms[f"{layer.activation}_ns"] = slow
        if layer.activation == "softmax" and layer.multiplier != "lut":
            terms["softmax_multiplier_ns"] = slow
    elif layer.quantizes:
        terms["quantized_ns"] = slow
    return terms


def _tables(layer: LayerDescription, network: NetworkDescription) -> int:
    """Block RAMs of tables of 1,024 entries of 18 bits."""
    if layer.activation == "sigmoid":
        return -(-layer.n_out // 2)
    if layer.activation == "softmax" and network.tool == "vitis_2021":
        return layer.n_out
    if layer.activation == "softmax":  # two inputs read one table of exponentials; then one table of inverses
        return -(-layer.n_out // 2) + 1
    return 0
