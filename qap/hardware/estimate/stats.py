"""Operations, bits and energy of each layer, as QKeras' `print_qstats` and its QTools give them.

Computed from the integer network. The energy is that of a chip of 45 nm after M. Horowitz, "Computing's energy
problem (and what we can do about it)", ISSCC 2014, in the form that QTools gave it: polynomials in the bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from qap.fixed import FixedPoint
from qap.network import IntegerLayer, IntegerNetwork

MIN_SRAM_BITS = 2**27
"""The smallest memory; QTools' examples take 8 * 16 * 1024 * 1024 bits."""
WORD_BITS = 64
ADD_PJ = (0.003125, 0.0)
MULTIPLY_PJ = (0.002994791667, 0.001041666667, 0.0)
SRAM_READ_PJ = (9.02427321e-04, -2.68847858e-02, 2.08900804e-01, 0.0)
"""Polynomials in bits, and for the memory in the logarithm of its bits; the highest power first."""
GATES = {"mult": 1.0, "mux": 2 * 0.3, "xor": 0.3, "and": 0.1}
"""What an operation takes of an addition's (a multiplication's) energy."""


@dataclass(frozen=True, slots=True)
class LayerStats:
    """What one layer does for one input.

    Args:
        name: of the layer.
        operation: as `print_qstats` names it: sign, kind, bits of the weight, bits of the input.
        operations: multiplications with additions.
        weights, weight_bits: their number and the bits of each.
        biases, bias_bits: the same of the biases.
        sparsity: the share of weights and biases that are 0.
        accumulator_bits: of an accumulator that no input can overflow, from the formats alone.
        energy_pj: by part: "inputs" and "parameters" are read from SRAM, "op_cost" is computed, "outputs" are written.
    """

    name: str
    operation: str
    operations: int
    weights: int
    weight_bits: int
    biases: int
    bias_bits: int
    sparsity: float
    accumulator_bits: int
    energy_pj: dict[str, float]

    @property
    def parameter_bits(self) -> int:
        """Bits of all weights and biases."""
        return self.weights * self.weight_bits + self.biases * self.bias_bits


def network_stats(network: IntegerNetwork) -> list[LayerStats]:
    """The statistics of every layer, from the input on.

    Raises:
        QapError: a layer has no weights.
    """
    found, source = [], network.input_format
    for layer in network.only_weighted("qap stats"):
        found.append(_layer_stats(layer, source))
        source = layer.result_format
    return found


def _layer_stats(layer: IntegerLayer, source: FixedPoint) -> LayerStats:
    weight_bits = _weight_bits(layer)
    kind = _kind(layer, weight_bits, source)
    accumulator = _accumulator_bits(layer, source, kind)
    sign = "s" if layer.weight_format.signed or source.signed else "u"
    zeros = np.count_nonzero(layer.weight == 0) + np.count_nonzero(layer.bias == 0)
    parameters = [layer.weight.size * weight_bits, layer.bias.size * layer.bias_format.width]
    gate_bits = math.sqrt(source.width * weight_bits) if kind == "mult" else (1 if kind == "xor" else source.width)
    gate_factor = 0.3 if kind == "mux" and weight_bits == 1 else GATES[kind]
    each = gate_factor * _polynomial(MULTIPLY_PJ if kind == "mult" else ADD_PJ, gate_bits)
    return LayerStats(
        name=layer.name,
        operation=f"{sign}{kind}_{weight_bits}_{source.width}",
        operations=layer.weight.size,
        weights=layer.weight.size,
        weight_bits=weight_bits,
        biases=layer.bias.size,
        bias_bits=layer.bias_format.width,
        sparsity=float(zeros) / (layer.weight.size + layer.bias.size),
        accumulator_bits=accumulator,
        energy_pj={
            "inputs": _memory_pj(layer.n_in * source.width),
            "parameters": sum(_memory_pj(bits) for bits in parameters),
            "op_cost": layer.weight.size * (each + _polynomial(ADD_PJ, accumulator)),
            "outputs": _memory_pj(layer.n_out * layer.result_format.width),
        },
    )


def _weight_bits(layer: IntegerLayer) -> int:
    """Binary weights take one bit: they are all there, and differ in their sign only."""
    values = np.unique(np.abs(layer.weight))
    binary = layer.weight_format.signed and layer.weight_format.width == 2 and len(values) == 1 and bool(values[0])
    return 1 if binary else layer.weight_format.width


def _kind(layer: IntegerLayer, weight_bits: int, source: FixedPoint) -> str:
    """The table of QKeras: what a multiplication becomes when one side is binary or ternary."""
    bit_input = source.width == 1 and not source.signed
    ternary = layer.weight_format.signed and weight_bits == 2 and bool((np.abs(layer.weight) <= 1).all())
    if ternary or weight_bits == 1:
        return "xor" if bit_input else "mux"
    return "mux" if bit_input else "mult"


def _accumulator_bits(layer: IntegerLayer, source: FixedPoint, kind: str) -> int:
    """QTools' rule: bits of the product, of the number of inputs, and one more for the bias."""
    weight, bias = layer.weight_format, layer.bias_format
    signed = weight.signed or source.signed
    integer, fractional = source.integer - source.signed, source.fractional
    if kind == "mult":
        integer, fractional = integer + weight.integer - weight.signed, fractional + weight.fractional
    integer += math.ceil(math.log2(layer.n_in))
    integer = max(integer, bias.integer - bias.signed) + 1
    return integer + max(fractional, bias.fractional) + (signed or bias.signed)


def _memory_pj(bits: int) -> float:
    """Reading or writing so many bits, a word at a time."""
    return math.ceil(bits / WORD_BITS) * _polynomial(SRAM_READ_PJ, math.log2(max(bits, MIN_SRAM_BITS)))


def _polynomial(coefficients: tuple[float, ...], x: float) -> float:
    return max(0.0, float(np.polyval(coefficients, x)))
