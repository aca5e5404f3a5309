"""Models of thresholds, tables and class sums: they freeze into what they compute, or say why not."""

from __future__ import annotations

import numpy as np
import pytest
from support.needs import needs

needs("tensorflow")
import keras

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.network import IntegerLayer, TableLayer, ThresholdLayer
from qap.table_layers import ClassSums, Tables, Thresholds
from qap.verification import EmulatorEngine, agree

FORM = FixedPoint.parse("ap_ufixed<4,0>")
BIT = FixedPoint.parse("ap_ufixed<1,0>")


def random_inputs(form: FixedPoint, n_in: int, count: int = 300) -> np.ndarray:
    return np.random.default_rng(9).integers(form.min_int, form.max_int, (count, n_in), endpoint=True)


def student(layers: list[keras.layers.Layer], n_in: int) -> keras.Model:
    return keras.Sequential([keras.Input((n_in,)), *layers])


@pytest.mark.parametrize("fan_in", [2, 5, 6])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_tables_behind_thresholds_freeze_exactly(fan_in: int, count: int) -> None:
    rng = np.random.default_rng(count)
    limits = [*(rng.integers(0, 18, 18) / 16), 0.1, -0.3]
    hidden = [Tables(12, fan_in, seed=index) for index in range(count)]
    model = student([Thresholds(rng.integers(0, 8, 20), limits), *hidden, ClassSums(3)], 8)
    network = freeze(model, FORM)
    assert [type(layer) for layer in network.layers] == [ThresholdLayer, *[TableLayer] * count, IntegerLayer]
    assert network.layers[0].thresholds[-2:].tolist() == [2, -4]  # 0.1 and -0.3 brought up to the grid of 1/16
    x = random_inputs(FORM, 8)
    engine = KerasEngine(model)
    assert all(each.exact for each in agree([EmulatorEngine(), engine], network, x))
    for ours, theirs in zip(network.trace(x), engine.trace(network, x), strict=True):
        assert ours.tolist() == theirs.tolist()


def test_tables_read_the_bits_of_inputs_whatever_their_lsb_is_worth() -> None:
    model = student([Tables(8, 4), ClassSums(2)], 9)
    network = freeze(model, BIT)
    x = random_inputs(BIT, 9)
    assert network.output_format.fractional == 0
    assert all(each.exact for each in agree([EmulatorEngine(), KerasEngine(model)], network, x))


def test_reordered_images_stand_before_tables() -> None:
    model = keras.Sequential([keras.Input((2, 3, 2)), keras.layers.Permute((3, 1, 2)), keras.layers.Flatten(),
                              Tables(6, 3), ClassSums(2)])  # fmt: skip
    network = freeze(model, BIT)
    assert all(each.exact for each in agree([EmulatorEngine(), KerasEngine(model)], network, random_inputs(BIT, 12)))


def test_a_quantized_dense_layer_stands_behind_tables() -> None:
    import qkeras

    dense = qkeras.QDense(
        3, kernel_quantizer="quantized_bits(4,0,alpha=1)", bias_quantizer="quantized_bits(4,0,alpha=1)"
    )
    model = student([Tables(8, 4), dense], 9)
    dense.set_weights([np.random.default_rng(1).normal(0, 0.5, weight.shape) for weight in dense.get_weights()])
    network = freeze(model, BIT)
    assert all(each.exact for each in agree([EmulatorEngine(), KerasEngine(model)], network, random_inputs(BIT, 9)))


def test_a_flipped_answer_is_found_in_its_layer() -> None:
    model = student([Tables(8, 6, name="first"), Tables(6, 6, name="second"), ClassSums(2)], 9)
    network = freeze(model, BIT)
    layer = model.get_layer("second")
    layer.table.assign(-np.asarray(layer.table))
    found = agree([EmulatorEngine(), KerasEngine(model)], network, random_inputs(BIT, 9))[0]
    assert not found.exact and found.first is not None
    assert found.first.layer == "second"


def test_tables_on_wide_inputs_are_refused_by_name() -> None:
    with pytest.raises(NotExact, match=r"'looked_up'.*its inputs are ap_ufixed<4,0>; put thresholds before it"):
        freeze(student([Tables(4, 3, name="looked_up"), ClassSums(2)], 5), FORM)
