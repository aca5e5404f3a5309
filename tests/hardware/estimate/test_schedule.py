"""Adder trees and chains in clock cycles, and the laws of ROMs and reuse factors."""

import numpy as np
import pytest
from support.estimate_cases import described, layer, network

from qap.errors import RecipeError
from qap.hardware.estimate.products import DSP, LUT_MULTIPLIER, products
from qap.hardware.estimate.resource import rom_brams
from qap.hardware.estimate.reuse import built_reuse_factors, legal_reuse_factors
from qap.hardware.estimate.schedule import Delays, schedule, shared_latency
from qap.hardware.estimate.work import network_work
from qap.recipe import TargetRecipe

DELAYS = Delays(add=1.0, add_bit=0.0, product_add=0.5, lut_multiplier=2.0, dsp=2.0, chained=0.5)
BOTH = {"xcup": DELAYS, "xc7": DELAYS}


def summed(weight, cycle=100.0, ii=1, accum=40, bias=None):
    made = products(layer(weight, accum=f"ap_fixed<{accum},{accum - 20}>"), np.asarray(weight), "vitis")
    bias_width = np.zeros(np.shape(weight)[1], np.int64) if bias is None else np.asarray(bias)
    return schedule(made, bias_width, accum, cycle, DELAYS, ii)


def test_a_tree_needs_one_addition_less_than_terms():
    assert summed(np.ones((16, 3), int)).additions == 45
    assert summed(np.ones((16, 3), int), bias=[4, 0, 4]).additions == 47
    assert summed(np.eye(4, dtype=int)).additions == 0


def test_sums_grow_by_one_bit_a_level():
    # 16 bits: eight sums of 17, four of 18, two of 19, one of 20
    assert summed(np.ones((16, 1), int)).addition_bits == 8 * 17 + 4 * 18 + 2 * 19 + 20
    assert summed(np.ones((16, 1), int), accum=18).addition_bits == 8 * 17 + 4 * 18 + 2 * 18 + 18


def test_zeros_below_a_sum_are_not_added():
    assert summed(4 * np.ones((16, 1), int)).addition_bits == summed(np.ones((16, 1), int)).addition_bits


def test_cycles_are_cut_where_the_next_addition_does_not_fit():
    slow, fast = summed(np.ones((16, 1), int), cycle=2.5), summed(np.ones((16, 1), int), cycle=10.0)
    assert (slow.latency, fast.latency) == (1, 0)  # four levels of 1 ns: two in each cycle of 2.5 ns
    assert fast.register_bits == 0
    assert slow.register_bits == 4 * 18  # four sums of 18 bits wait for the second cycle


def test_a_register_is_free_again_after_the_initiation_interval():
    weight = np.ones((64, 4), int)
    weight[0] = 187  # its DSP takes three cycles; the sums of the others wait
    once, always = summed(weight, cycle=1.2, ii=50), summed(weight, cycle=1.2)
    assert once.register_bits < always.register_bits
    assert once.additions == always.additions


def test_a_shorter_clock_needs_no_fewer_registers_and_cycles():
    weight = np.random.default_rng(0).integers(-128, 128, (48, 7))
    found = [summed(weight, cycle=cycle) for cycle in (20.0, 5.0, 2.5, 1.2)]
    assert [each.latency for each in found] == sorted(each.latency for each in found)
    assert [each.register_bits for each in found] == sorted(each.register_bits for each in found)


def test_multipliers_are_used_one_after_another():
    assert shared_latency(72, 6, DSP, 100.0, DELAYS) == 11
    assert shared_latency(61, 12, DSP, 100.0, DELAYS) == 5
    assert shared_latency(10, 1, LUT_MULTIPLIER, 2.0, DELAYS) == 9 + 2  # two additions a cycle after the last product


def test_multiplier_limit_is_hls4mls():
    shared = layer(np.where(np.eye(8) > 0, 0, 187), reuse_factor=4)
    assert shared.multiplier_limit == 64 // 4 - 8 // 4
    assert network_work(described(shared), BOTH)[0].dsp == 8  # eight different products, one for each input
    tight = layer(np.full((8, 8), 187) + np.arange(8), reuse_factor=16)
    assert network_work(described(tight), BOTH)[0].dsp == tight.multiplier_limit == 4


def test_initiation_interval_is_the_reuse_factor_or_less():
    dense = layer(np.arange(45, 173).reshape(8, 16), reuse_factor=4)
    sparse = layer(np.diag([187] * 8), reuse_factor=64)
    dense_work, sparse_work = (network_work(described(each), BOTH)[0] for each in (dense, sparse))
    assert dense_work.ii_cycles == 4
    assert sparse_work.ii_cycles == sparse_work.latency_cycles + 1 < 64


@pytest.mark.parametrize(
    ("depth", "width", "brams"),
    [(512, 36, 1), (512, 37, 2), (1024, 18, 1), (448, 1280, 36), (1024, 448, 25), (1152, 224, 20), (512, 128, 4)],
)
def test_rom_takes_block_rams_of_18_kbit(depth, width, brams):
    assert rom_brams(depth, width) == brams


def hls4ml_valid(n_in, n_out):
    """The definition: what hls4ml's backends accept, factor by factor."""
    valid = []
    for factor in range(1, n_in * n_out + 1):
        limit = -(-n_in * n_out // min(n_in, factor))
        correct = (limit % n_out == 0 or factor >= n_in) and (factor % n_in == 0 or factor < n_in)
        if correct and n_in * n_out % factor == 0:
            valid.append(factor)
    return valid


@pytest.mark.parametrize("shape", [(16, 64), (5, 7), (7, 10), (32, 5), (1, 6), (12, 1)])
def test_legal_reuse_factors_are_hls4mls(shape):
    assert legal_reuse_factors(*shape) == hls4ml_valid(*shape)


def test_resource_strategy_takes_the_nearest_factor_of_every_layer():
    target = TargetRecipe(strategy="resource", reuse_factor=4)
    assert built_reuse_factors(network(sizes=(16, 5, 7)), target) == (4, 5)


def test_a_factor_that_divides_no_layer_is_refused_with_the_nearest():
    with pytest.raises(RecipeError, match=r"reuse factor 7 divides no layer.*'dense0' \(16 x 12\): 2, 4, 8, 16"):
        built_reuse_factors(network(sizes=(16, 12, 5)), TargetRecipe(strategy="resource", reuse_factor=7))


def test_distributed_arithmetic_shares_nothing():
    target = TargetRecipe(strategy="distributed_arithmetic", reuse_factor=2)
    with pytest.raises(RecipeError, match="only 1 is possible"):
        built_reuse_factors(network(), target)
