"""What HLS builds for products by constants, counted on layers made by hand."""

import numpy as np
import pytest
from support.estimate_cases import described, layer

from qap.hardware.estimate.description import alive
from qap.hardware.estimate.products import ADDED_ONCE, DSP, LUT_MULTIPLIER, products, trailing_zeros
from qap.network.csd import csd_digits


def slow_csd_digits(value):
    """The digits of the non-adjacent form, one by one."""
    digits = 0
    while value:
        if value % 2:
            digits += 1
            value -= 2 - value % 4
        value //= 2
    return digits


def test_csd_digits_are_those_of_the_non_adjacent_form():
    values = np.arange(-3000, 3000)
    assert csd_digits(values).tolist() == [slow_csd_digits(int(value)) for value in values]


def test_trailing_zeros():
    assert trailing_zeros(np.array([1, 2, -4, 12, -96])).tolist() == [0, 1, 2, 2, 5]


def test_a_dsp_for_each_different_code_of_more_than_two_digits():
    # the digits: 11 has 3, 13 has 3, -11 has 3, 7 = 8 - 1 has 2, 8 has 1; 11 twice at one input is one product
    made = products(layer([[11, 11, 13, -11], [7, 8, 0, 11]]), np.array([[11, 11, 13, -11], [7, 8, 0, 11]]), "vitis")
    assert made.count(DSP) == 4
    assert made.count(ADDED_ONCE) == 1  # the 7


def test_vivado_hls_builds_short_positive_constants_from_luts():
    weight = np.array([[11, 13, -11, -13, 19, 37]])
    made = products(layer(weight), weight, "vivado_hls")
    assert (made.count(DSP), made.count(LUT_MULTIPLIER)) == (4, 2)


@pytest.mark.parametrize(("source", "dsp"), [("ap_fixed<13,5>", 1), ("ap_fixed<11,5>", 0)])
def test_narrow_inputs_are_multiplied_in_luts(source, dsp):
    weight = np.array([[187]])
    made = products(layer(weight, source=source), weight, "vitis")
    assert (made.count(DSP), made.count(LUT_MULTIPLIER)) == (dsp, 1 - dsp)


@pytest.mark.parametrize("bits", range(6, 19))
def test_a_dsp_multiplies_inputs_of_twelve_bits_and_more(bits):
    """13 bits did and 11 did not in measured designs; between them 12 is taken as 13."""
    weight = np.array([[187]])
    made = products(layer(weight, source=f"ap_fixed<{bits},4>"), weight, "vitis")
    assert made.count(DSP) == (bits >= 12) and made.count(LUT_MULTIPLIER) == (bits < 12)


def test_forced_multipliers():
    weight = np.array([[187, 45]])
    narrow = products(layer(weight, source="ap_fixed<8,2>", multiplier="dsp"), weight, "vitis")
    wide = products(layer(weight, multiplier="lut"), weight, "vitis")
    assert narrow.count(DSP) == 2 and wide.count(LUT_MULTIPLIER) == 2


def test_additions_inside_of_products():
    # 1 and 2 are wires, -1 a negation, 3 = 4 - 1 and 5 = 4 + 1 one addition, -5 two
    weight = np.array([[1, 2, -1, 3, 5, -5]])
    made = products(layer(weight), weight, "vitis")
    assert made.additions[:, 0].tolist() == [0, 0, 1, 1, 1, 2]


def test_binary_weights_that_wrap_are_added_in_a_chain():
    weight = np.where(np.arange(64).reshape(16, 4) % 3, 1, -1)
    narrow = layer(weight, weights="ap_fixed<2,2>", accum="ap_fixed<16,6>")
    wide = layer(weight, weights="ap_fixed<2,2>", accum="ap_fixed<22,12>")
    assert products(narrow, weight, "vitis").chain
    assert not products(wide, weight, "vitis").chain
    assert not products(narrow, weight, "vivado_hls").chain


def test_constant_and_unread_neurons_are_dropped():
    first = layer([[3, 0, 5], [7, 0, 9]])
    second = layer([[1, 1], [5, 6], [0, 0]])
    kept = alive(described(first, second).layers)
    assert kept[0].tolist() == [[3, 0, 0], [7, 0, 0]]  # nobody reads the third neuron
    assert kept[1].tolist() == [[1, 1], [0, 0], [0, 0]]  # the second one is a constant
