"""Sensitivity of networks whose answers are known by hand."""

import numpy as np
import pytest
from support.layered import column, network_of, random_case

from qap.data import Split
from qap.explore.sensitivity.measure import (
    Change,
    changed,
    changed_weight,
    count_correct,
    pruned,
    pruned_count,
    sensitivity,
)
from qap.fixed import FixedPoint, Overflow, Rounding

# ---- one layer


def test_fewer_bits_round_half_to_even_and_saturate_on_a_grid_for_the_same_range():
    layer = network_of(column(-7, -3, -1, 0, 1, 2, 5, 7)).layers[0]
    assert changed_weight(layer, Change(bits=3)).ravel().tolist() == [-8, -4, 0, 0, 0, 2, 4, 6]
    assert changed_weight(layer, Change(bits=2)).ravel().tolist() == [-8, -4, 0, 0, 0, 0, 4, 4]
    assert changed_weight(layer, Change(bits=4)).ravel().tolist() == [-7, -3, -1, 0, 1, 2, 5, 7]


def test_fewer_bits_of_weights_without_a_sign_keep_room_for_one():
    unsigned = FixedPoint.parse("ap_ufixed<3,1>")
    layer = network_of(column(7, 5, 1), weight_format=unsigned).layers[0]
    assert changed_weight(layer, Change(bits=4)).ravel().tolist() == [7, 5, 1]
    assert changed_weight(layer, Change(bits=3)).ravel().tolist() == [6, 4, 0]


def test_small_magnitudes_are_pruned_and_the_first_of_equal_ones():
    assert pruned(np.array([[3, -1], [1, 2]]), 1).tolist() == [[3, 0], [1, 2]]
    assert pruned(np.array([[3, -1], [1, 2]]), 3).tolist() == [[3, 0], [0, 0]]
    layer = network_of(column(3, -1, 1, 2)).layers[0]
    assert changed_weight(layer, Change(0.5, 2)).ravel().tolist() == [2, 0, 0, 2]


# ---- a whole network


def test_a_changed_layer_leaves_the_others_and_their_numbers_alone():
    network, split = random_case(1)
    other = changed(network, {0: Change(sparsity=0.5)})
    assert (other.layers[0].weight == 0).sum() == 15
    assert (other.layers[1].weight == network.layers[1].weight).all()
    assert (changed(network, {}).forward(split.x) == network.forward(split.x)).all()
    weight = pruned(network.layers[0].weight, 15)
    by_hand = np.maximum(split.x.astype(int) @ weight, 0) @ network.layers[1].weight
    assert (other.forward(split.x) == by_hand).all()


def test_results_that_follow_the_accumulator_grow_with_it():
    network = network_of(column(-3, -3, -3, -3, -3, 4), column(1), inputs="ap_ufixed<1,1>", activation="linear")
    x = np.array([[1, 1, 1, 1, 1, 0]])
    assert network.forward(x).tolist() == [[-15]]
    assert network.layers[0].result_format.min_int == -16
    assert changed(network, {0: Change(bits=3)}).forward(x).tolist() == [[-20]]


def test_results_with_a_format_of_their_own_keep_it():
    saturating = FixedPoint(True, 5, 5, Rounding.TRN, Overflow.SAT)
    network = network_of(
        column(-3, -3, -3, -3, -3, 4), column(1), inputs="ap_ufixed<1,1>", activation="linear", result=saturating
    )
    x = np.array([[1, 1, 1, 1, 1, 0]])
    assert changed(network, {0: Change(bits=3)}).forward(x).tolist() == [[-16]]


def test_every_measurement_is_the_accuracy_of_the_changed_network():
    network, split = random_case(2)
    found = sensitivity(network, split, sparsities=(0.1, 0.5, 0.9))
    assert found.correct == count_correct(network, split)
    assert found.samples == 200
    for index, layer in enumerate(found.layers):
        assert [each.value for each in layer.by_bits] == list(range(layer.bits - 1, 1, -1))
        for each in layer.by_sparsity:
            again = changed(network, {index: Change(sparsity=each.value)})
            assert each.correct == count_correct(again, split)
            assert each.accuracy == each.correct / 200
            assert found.drop(each) == pytest.approx(100 * (found.accuracy - each.accuracy))
        for each in layer.by_bits:
            assert each.correct == count_correct(changed(network, {index: Change(bits=int(each.value))}), split)
    assert len(list(found.rows())) == sum(len(layer.by_sparsity) + len(layer.by_bits) for layer in found.layers)


def test_what_a_layer_has_anyway_is_not_measured():
    network = network_of([[0, 0], [3, 1]], [[1], [-1]])
    found = sensitivity(network, Split(np.zeros((4, 2), np.uint8), np.zeros(4, int)), sparsities=(0.25, 0.5, 0.75))
    assert [each.value for each in found.layers[0].by_sparsity] == [0.75]
    assert found.layers[1].bits == 2
    assert found.layers[1].by_bits == ()


def test_weights_are_counted_as_training_counts_them():
    """95 % of 7 weights are 6.65: seven."""
    (layer,) = network_of([[1], [2], [3], [4], [5], [6], [7]]).layers
    assert [pruned_count(layer, share) for share in (0.0, 0.5, 0.9, 0.95, 1.0)] == [0, 4, 6, 7, 7]
