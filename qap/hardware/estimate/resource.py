"""The laws of the resource strategy: ROMs of weights, and multiplexers of inputs and of accumulators.

With a reuse factor R the layer has B = ceil(n_in * n_out / R) multipliers. In each of R cycles a ROM gives B weights,
every multiplier reads one of the inputs and adds to one of the accumulators (hls4ml's `nnet_dense_resource.h`).
"""

from __future__ import annotations

import math

from qap.hardware.estimate.description import LayerDescription, NetworkDescription
from qap.hardware.estimate.products import DSP_INPUT_BITS
from qap.hardware.estimate.terms import LayerWork, SumWork, Terms, activation_work

ROM_DSP_WEIGHT_BITS = 5
"""Weights from a ROM of fewer bits are multiplied in LUTs."""
LUT_ROM_BITS = 1024
"""ROMs of fewer bits become LUTs."""
SMALLEST_MEASURED = 32
"""Inputs of the smallest layers that were measured; what a layer takes at least is less in smaller ones."""
BRAM_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Depth and width of a block RAM of 18 kbit."""


def resource_work(layer: LayerDescription, network: NetworkDescription, inputs: int) -> LayerWork:
    """Count what a layer needs in the resource strategy with a reuse factor above 1.

    Args:
        layer: the layer.
        network: tool and part.
        inputs: bits of the network's inputs that end here, 0 if it is not the first layer.
    """
    reuse = min(layer.reuse_factor, layer.n_in * layer.n_out)
    block = -(-layer.n_in * layer.n_out // reuse)
    in_dsp = layer.multiplier == "dsp" or (
        layer.multiplier == "auto"
        and layer.weight_format.width >= ROM_DSP_WEIGHT_BITS
        and layer.input_format.width >= DSP_INPUT_BITS
    )
    outputs_each = max(1, reuse // layer.n_in)  # accumulators that one multiplier serves
    index_bits = reuse * math.ceil(math.log2(outputs_each)) if outputs_each > 1 else 0
    brams = rom_brams(reuse, block * layer.weight_format.width) + int(index_bits >= LUT_ROM_BITS)
    work = SumWork(
        dsp=block if in_dsp else 0,
        bram18=brams,
        ii_cycles=reuse,
        latency_cycles=reuse + 2,
        lut=_lut_terms(layer, block, reuse, outputs_each, in_dsp),
        ff=_ff_terms(layer, block, in_dsp),
    )
    return activation_work(layer, network, work, used=layer.n_out, inputs=inputs)


def rom_brams(depth: int, width: int) -> int:
    """Block RAMs of 18 kbit for a ROM; what is deeper than 1,024 is split, and small ROMs become LUTs.

    Args:
        depth: words.
        width: bits of a word.
    """
    if depth * width < LUT_ROM_BITS and width < 8:
        return 0
    if depth > 1024:
        return -(-width // 18) + rom_brams(depth - 1024, width)
    best = next(shape for shape in BRAM_SHAPES if depth <= shape[0])
    return -(-width // best[1])


def _lut_terms(layer: LayerDescription, block: int, reuse: int, outputs_each: int, in_dsp: bool) -> Terms:
    width = layer.accum_format.width
    terms: Terms = {}
    if reuse < layer.n_in:  # every multiplier chooses between its own inputs and adds to one accumulator
        terms = {
            "additions": float(block),
            "addition_bits": float(block * width),
            "shared_multiplications": block * reuse / 2,
        }
    else:
        terms = {
            "resource_layers": min(1.0, layer.n_in / SMALLEST_MEASURED),
            "resource_inputs": float(layer.n_in * layer.input_format.width),
            "resource_blocks": float(block * width),
            "resource_served": float(block * outputs_each * width),
        }
        if outputs_each > 2:
            terms["resource_selected"] = float(block * 2 ** math.ceil(math.log2(layer.n_out)) * width)
    if not in_dsp:
        wide = layer.weight_format.width >= ROM_DSP_WEIGHT_BITS
        bits = float(block * layer.weight_format.width * layer.input_format.width)
        terms["multiplier_bits" if wide else "resource_multiplier_bits"] = bits
    return terms


def _ff_terms(layer: LayerDescription, block: int, in_dsp: bool) -> Terms:
    return {
        "resource_layers": 1.0,
        "resource_accumulator_bits": float(layer.n_out * layer.accum_format.width),
        "resource_blocks": float(block),
        "resource_block_bits": float(block * layer.weight_format.width) if in_dsp else 0.0,
    }
