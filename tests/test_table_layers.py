"""The Keras layers of tables, against the definition written out in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from support.needs import needs

needs("tensorflow")
from qap.errors import QapError
from qap.table_layers import ClassSums, Tables, Thresholds

import keras  # isort: skip


def by_hand(x: np.ndarray, layer: Tables) -> list[list[float]]:
    """What a layer of tables answers, bit by bit."""
    wires, table = np.asarray(layer.wires), np.asarray(layer.table)
    answers = []
    for sample in x:
        addresses = [sum((sample[wire] > 0) << pin for pin, wire in enumerate(row)) for row in wires]
        answers.append([float(table[unit, address] > 0) for unit, address in enumerate(addresses)])
    return answers


def model(fan_in: int = 6) -> keras.Model:
    rng = np.random.default_rng(3)
    features, limits = rng.integers(0, 7, 12), rng.integers(0, 8, 12) / 8
    return keras.Sequential(
        [
            keras.Input((7,)),
            Thresholds(features, limits),
            Tables(8, fan_in, seed=1),
            Tables(6, fan_in, seed=2),
            ClassSums(3),
        ]
    )


@pytest.mark.parametrize("fan_in", range(2, 7))
def test_the_layers_compute_what_they_say(fan_in: int) -> None:
    built = model(fan_in)
    thresholds, first, second, _ = built.layers
    x = np.random.default_rng(0).integers(0, 8, (40, 7)) / 8
    bits = np.array([[float(row[f] >= t) for f, t in zip(thresholds.features, thresholds.thresholds, strict=True)]
                     for row in x])  # fmt: skip
    assert 0 < bits.mean() < 1
    assert np.asarray(thresholds(x.astype("float32"))).tolist() == bits.tolist()
    hidden = by_hand(bits, first)
    assert np.asarray(first(bits.astype("float32"))).tolist() == hidden
    last = np.array(by_hand(np.array(hidden), second))
    assert np.asarray(built(x.astype("float32"))).tolist() == last.reshape(40, 3, 2).sum(-1).tolist()


def test_the_pins_beyond_the_fan_in_repeat_the_first_wire() -> None:
    layer = model(4).layers[1]
    wires = np.asarray(layer.wires)
    assert wires.shape == (8, 6) and wires.dtype == np.int32
    assert (wires[:, 4:] == wires[:, :1]).all()
    assert all(len(set(row[:4])) == 4 for row in wires.tolist())
    assert [weight.name for weight in layer.trainable_weights] == ["table"]


def test_a_table_that_holds_zero_answers_zero() -> None:
    layer = Tables(2, 2)
    layer.build((None, 3))
    layer.table.assign(np.zeros((2, 64), np.float32))
    assert not np.asarray(layer(np.ones((5, 3), np.float32))).any()


def test_a_model_of_tables_is_stored_and_read_again(tmp_path) -> None:
    built = model()
    built.save(tmp_path / "tables.keras")
    again = keras.saving.load_model(tmp_path / "tables.keras", compile=False, safe_mode=True)
    x = np.random.default_rng(5).integers(0, 8, (60, 7)).astype("float32") / 8
    assert np.asarray(again(x)).tolist() == np.asarray(built(x)).tolist()
    assert np.array_equal(np.asarray(again.layers[1].wires), np.asarray(built.layers[1].wires))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Tables(4, 7), "fan_in of 2 to 6"),
        (lambda: Tables(0), "units >= 1"),
        (lambda: Tables(4, 5, name="first").build((None, 4)), "'first' has tables of 5 inputs"),
        (lambda: ClassSums(10, name="sums").build((None, 1001)), "the next width that 10 divides is 1010"),
        (lambda: ClassSums(0), "classes >= 1"),
        (lambda: Thresholds([0, 1], [0.5]), "2 features and 1 thresholds"),
        (lambda: Thresholds([-1], [0.5]), "0 or above"),
        (lambda: Thresholds([9], [0.5], name="bits").build((None, 9)), "'bits' compares input 9"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(make, said: str) -> None:
    with pytest.raises(QapError, match=said):
        make()
