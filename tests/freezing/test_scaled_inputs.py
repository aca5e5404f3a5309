"""A scaling in the network: the integers of the frozen network take raw codes, and nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
from support.needs import needs
from support.small_data import layers, small_recipe

needs("keras", "qkeras")

from qap.data import Dataset, Scaling, Split
from qap.data.grid import storage_dtype
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.recipe import StudentRecipe
from qap.training import train_student, train_teacher
from qap.training.networks import build_student, dense_layers
from qap.verification import EmulatorEngine, adversarial_vectors, verify

FORMATS = ("ap_ufixed<9,9>", "ap_fixed<10,10>", "ap_fixed<12,10>", "ap_ufixed<8,0>")


def codes(text: str, seed: int = 0) -> Dataset:
    """Two clouds of codes on twelve inputs of very different offset and spread, one of them constant."""
    rng, form = np.random.default_rng(seed), FixedPoint.parse(text)
    middle = rng.integers(form.min_int, form.max_int, 12)
    spread = 2.0 ** rng.uniform(0, form.width - 3, 12)
    spread[3] = 0

    def split(size: int) -> Split:
        y = np.arange(size) % 3
        x = np.rint(middle + spread * (rng.normal(0, 0.5, (size, 12)) + (np.arange(12) % 3 == y[:, None])))
        return Split(np.clip(x, form.min_int, form.max_int).astype(storage_dtype(form)), y)

    train = split(300)
    scaling = Scaling.fit(form.to_float(train.x), form, in_network=True)
    return Dataset("codes", train, split(60), split(60), ("a", "b", "c"), form, None, scaling)


@pytest.mark.parametrize("text", FORMATS)
@pytest.mark.parametrize("seed", range(2))
def test_folding_is_an_identity_on_the_integers(text: str, seed: int) -> None:
    data = codes(text, seed)
    last = StudentRecipe(layers=({"units": 3, "weight": 6, "bias": "quantized_bits(8,2,alpha=1)"},))
    model = build_student(last, 12, 3, seed=seed, scaling=data.network_scaling)
    network = freeze(model, data.input_format, data.class_names)
    (layer,) = dense_layers(model)
    kernel = np.asarray(layer.kernel_quantizer_internal(layer.kernel), np.float64)
    bias = np.asarray(layer.bias_quantizer_internal(layer.bias), np.float64)
    x = np.concatenate([data.test.x.astype(np.int64), adversarial_vectors(data.input_format, 12)])
    scaled = np.ldexp(data.input_format.to_float(x) - data.scaling.offset, data.scaling.shift.astype(np.int32))
    expected = scaled @ kernel + bias  # float64 holds every sum
    assert (network.output_format.to_float(network.forward(x)) == expected).all()
    assert (KerasEngine(model).run(network, x) == network.forward(x)).all()


@pytest.mark.parametrize("method", ["qat", "ptq"])
def test_a_student_of_raw_codes_learns_and_freezes(method: str) -> None:
    data, recipe = codes("ap_ufixed<9,9>"), small_recipe(quantize={"method": method}, prune={"sparsity": 0.3})
    teacher, _ = train_teacher(recipe, data)
    model, _ = train_student(recipe, data, teacher)
    network = freeze(model, data.input_format, data.class_names)
    assert network.accuracy(data.test.x, data.test.y) > 0.85
    assert network.input_format == data.input_format
    assert verify([EmulatorEngine(), KerasEngine(model)], network, {"test": data.test.x}).exact


def test_full_integer_biases_have_the_lsb_of_the_scaled_sums() -> None:
    data, recipe = codes("ap_ufixed<8,0>"), small_recipe(quantize={"method": "full-integer"}, distill=None)
    model, _ = train_student(recipe, data, train_teacher(recipe, data)[0])
    network = freeze(model, data.input_format, data.class_names)
    assert (KerasEngine(model).run(network, data.test.x) == network.forward(data.test.x)).all()


def test_a_model_without_the_scaling_answers_otherwise() -> None:
    data = codes("ap_ufixed<9,9>")
    student = StudentRecipe(layers=tuple(layers()))
    scaled, plain = (build_student(student, 12, 3, scaling=each) for each in (data.network_scaling, None))
    network = freeze(scaled, data.input_format)
    assert (KerasEngine(plain).run(network, data.test.x) != network.forward(data.test.x)).any()
