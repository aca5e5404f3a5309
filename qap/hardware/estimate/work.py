"""What a layer gives HLS to do, counted: the terms that resources are sums of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qap.fixed import IntArray
from qap.hardware.devices import Family
from qap.hardware.estimate.description import LayerDescription, NetworkDescription, alive
from qap.hardware.estimate.products import (
    ADDED_ONCE,
    ADDED_TWICE,
    DSP,
    LUT_MULTIPLIER,
    Products,
    bit_length,
    products,
)
from qap.hardware.estimate.resource import resource_work
from qap.hardware.estimate.schedule import Delays, HlsSchedule, schedule, shared_latency
from qap.hardware.estimate.terms import LayerWork, SumWork, Terms, activation_work


def network_work(network: NetworkDescription, delays: Mapping[Family, Delays]) -> list[LayerWork]:
    """Count what every layer needs."""
    here = delays[network.family]
    works = []
    for index, (layer, weight) in enumerate(zip(network.layers, alive(network.layers), strict=True)):
        inputs = 0 if index else int(np.count_nonzero(weight.any(axis=1))) * layer.input_format.width
        if layer.strategy == "resource" and layer.reuse_factor > 1:
            works.append(resource_work(layer, network, inputs))
        else:
            works.append(_latency_work(layer, weight, network, here, inputs))
    return works


def _latency_work(
    layer: LayerDescription, weight: IntArray, network: NetworkDescription, delays: Delays, inputs: int
) -> LayerWork:
    made = products(layer, weight, network.tool)
    dsps, in_luts = made.count(DSP), made.count(LUT_MULTIPLIER)
    limit = max(1, layer.multiplier_limit)
    shared = dsps + in_luts > limit and layer.reuse_factor > 1
    sums = schedule(made, bias_width(layer), layer.accum_format.width, network.usable_ns, delays, layer.reuse_factor)
    latency = sums.latency
    if shared:
        kind = DSP if dsps else LUT_MULTIPLIER
        latency = max(latency, shared_latency(dsps + in_luts, limit, kind, network.usable_ns, delays))
    lut = _sum_terms(made, sums, network) | _multiplier_terms(layer, weight, made, limit if shared else None)
    work = SumWork(
        dsp=min(dsps, limit),
        bram18=0,
        ii_cycles=_ii(layer, latency),
        latency_cycles=latency,
        lut=lut,
        ff=_ff_terms(layer, made, sums, dsps + in_luts if shared else 0),
    )
    used = int(np.count_nonzero(weight.any(axis=0) | (layer.bias != 0)))
    return activation_work(layer, network, work, used=used, inputs=inputs)


def _ii(layer: LayerDescription, latency: int) -> int:
    """A function that is done earlier starts again earlier; the loop of the resource strategy when it is done."""
    return min(layer.reuse_factor, latency + 1) if layer.strategy != "resource" else 1 + (latency > 0)


def _ff_terms(layer: LayerDescription, made: Products, sums: HlsSchedule, shared: int) -> Terms:
    if layer.strategy == "resource":  # its loop keeps the products and the outputs
        width = float(layer.accum_format.width)
        return {"loop_products": made.count(DSP) * width, "loop_outputs": layer.n_out * width}
    kind = "chain_registers" if made.chain else "registers"
    if layer.reuse_factor > 1:
        return {f"{kind}_reused": sums.register_bits, "waiting_products": shared * float(layer.accum_format.width)}
    return {kind: sums.register_bits}


def bias_width(layer: LayerDescription) -> IntArray:
    """Bits of each bias in the accumulator, 0 where it is 0."""
    shift = max(0, layer.accum_format.fractional - layer.bias_format.fractional)
    width = np.clip(bit_length(layer.bias) + 1 + shift, 1, layer.accum_format.width)
    return np.where(layer.bias != 0, width, 0)


def _sum_terms(made: Products, sums: HlsSchedule, network: NetworkDescription) -> Terms:
    """Vitis HLS since 2022 builds adders of two operands in a tree; the others merge pairs to adders of three."""
    single = network.tool == "vitis" and not made.chain
    return {
        "chained_bits" if made.chain else "addition_bits": float(sums.addition_bits),
        "additions" if single else "additions_of_three": float(sums.additions),
        "delayed_bits": sums.delayed_bits,
        "layers": 1.0,
    }


def _multiplier_terms(layer: LayerDescription, weight: IntArray, made: Products, limit: int | None) -> Terms:
    """LUTs of products: additions, multipliers, and what shares multipliers when there is a limit of them."""
    added = made.first & ((made.kind == ADDED_ONCE) | (made.kind == ADDED_TWICE))
    in_luts = made.first & (made.kind == LUT_MULTIPLIER)
    length = bit_length(weight.T)
    kept = 1.0
    terms: Terms = {}
    if limit is not None:
        multiplications = made.count(DSP) + made.count(LUT_MULTIPLIER)
        kept = min(1.0, limit / multiplications)
        terms["shared_multiplications"] = float(multiplications)
    return terms | {
        "product_bits": float((added * made.additions * made.full_width).sum()),
        "product_additions": float((added * made.additions).sum()),
        "multiplier_bits": kept * float((in_luts * length * layer.input_format.width).sum()),
        "dsp": kept * made.count(DSP),
    }
