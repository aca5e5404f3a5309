"""Quantization after the training: error bounds of every calibration, and what can be frozen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.needs import needs
from support.small_data import blobs, layers, small_recipe

needs("keras")


from qap.data import Split
from qap.errors import NotExact, RecipeError
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, freeze
from qap.training import train_student
from qap.training.calibration import CALIBRATIONS, min_max, saturating, squared_error
from qap.training.fit import predict_logits
from qap.training.networks import load_model, save_model, untrained_student
from qap.training.post_training import quantize
from qap.training.quantization import ChannelQuantizer, FloatScaleQuantizer

NUMBERS = arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1000, 1000, width=32))


def recipe_with(method: str, **keys):
    student = [{**layers()[0]}, {**layers()[1]}]
    recipe = small_recipe(quantize={"method": method, **keys}, prune={}, student={"epochs": 6, "layers": student})
    return recipe.model_copy(update={"distill": None, "teacher": None}).override(
        ["student.batch_size=32", "student.learning_rate=0.01"]
    )


@given(NUMBERS, st.integers(2, 12), st.booleans())
def test_min_max_saturates_nothing_and_errs_by_half_a_step(values, width, signed):
    values = values if signed else np.abs(values)
    form = saturating(signed, width, min_max(values, signed, width, 100))
    assert np.abs(form.to_float(form.quantize(values)) - values).max() <= form.lsb / 2
    finer = saturating(signed, width, form.fractional + 1)
    saturated = np.rint(np.ldexp(values, finer.fractional))
    smallest = form.fractional == 40  # zeros fit everywhere
    assert smallest or saturated.max() > finer.max_int or saturated.min() < finer.min_int


@given(NUMBERS, st.integers(2, 8))
def test_no_power_of_two_near_it_beats_mse(values, width):
    best = CALIBRATIONS["mse"](values, True, width, 100)
    widest = min_max(values, True, width, 100)
    error = squared_error(values, saturating(True, width, best))
    assert error == min(squared_error(values, saturating(True, width, widest + i)) for i in range(6))
    assert error <= squared_error(values, saturating(True, width, widest))


def test_a_percentile_lets_outliers_saturate():
    values = np.concatenate([np.linspace(-1, 1, 999), [64.0]])
    assert min_max(values, True, 8, 100) == 0
    assert CALIBRATIONS["percentile"](values, True, 8, 99.0) == 7  # 0.99 is 126.7 steps of 2**-7, 127 fit
    assert CALIBRATIONS["percentile"](values, True, 8, 100.0) == min_max(values, True, 8, 100)


def test_each_neuron_has_a_grid_of_its_own():
    quantizer = ChannelQuantizer(True, 4, [2, 4])
    assert quantizer(np.array([[0.3, 0.3], [9.0, -9.0]])).numpy().tolist() == [[0.25, 0.3125], [1.75, -0.5]]
    again = ChannelQuantizer.from_config(quantizer.get_config())
    assert again.get_config() == quantizer.get_config()


def test_float_scales_are_symmetric_multiples():
    found = FloatScaleQuantizer(3)(np.array([[0.9, -0.31], [0.14, 0.5]], np.float32)).numpy()
    np.testing.assert_allclose(found, np.array([[0.9, -0.3], [0.0, 0.6]]), atol=1e-6)


def test_float_scales_of_each_neuron_or_of_all():
    """3 steps up to the largest weight: of the column, or of the whole kernel."""
    kernel = np.array([[0.9, 0.03], [0.3, 0.02], [-0.6, -0.01]], np.float32)
    for per_channel, expected in ((True, [0.03, 0.02, -0.01]), (False, [0, 0, 0])):
        found = FloatScaleQuantizer(3, per_channel)(kernel).numpy()
        np.testing.assert_allclose(found.T, [[0.9, 0.3, -0.6], expected], atol=1e-6)


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_ptq_has_the_widths_of_the_recipe_and_an_exact_form(calibration, per_channel, tmp_path):
    data = blobs()
    model, history = train_student(recipe_with("ptq", calibration=calibration, per_channel=per_channel), data)
    save_model(model, tmp_path / "student.keras")
    model = load_model(tmp_path / "student.keras")
    network = freeze(model, data.input_format, data.class_names)
    assert np.array_equal(KerasEngine(model).run(network, data.test.x), network.forward(data.test.x))
    first, last = network.layers
    assert (first.result_format.width, first.result_format.signed) == (6, False)
    for layer, width in ((first, 4), (last, 6)):
        assert max(len(np.unique(column)) for column in layer.weight.T) <= 2**width
    # a last layer of 6 bits, whose own error calibration keeps small, decides as the float student does
    assert network.accuracy(data.validation.x, data.validation.y) == history.best.validation_accuracy == 1


class Float:
    """An untrained float student, and by hand what its layers answer on training samples."""

    def __init__(self, method: str, **keys) -> None:
        three_bits = ["student.layers.0.activation=quantized_relu(3,1)"]
        self.recipe, self.data = recipe_with(method, **keys).override(three_bits), one_bright_sample()
        self.model = untrained_student(self.recipe, 12, 3)

    def quantized(self, **parts):
        return quantize(self.model, self.recipe, replace(self.data, **parts))

    def hidden(self, rows):
        dense = self.model.get_layer("dense_0")
        real = self.data.input_format.to_float(self.data.train.x[rows])
        return np.maximum(real @ np.asarray(dense.kernel, np.float64) + np.asarray(dense.bias), 0)

    def format(self, **parts) -> FixedPoint:
        """Of the hidden layer's results."""
        return self.quantized(**parts).get_layer("activation_0").activation.format


def one_bright_sample():
    """Most of the training samples are dim, some darker, the last but one is as bright as can be."""
    data = blobs()
    x = data.train.x // 4
    x[: len(x) // 2] //= 4
    x[-2] = 63
    return replace(data, train=Split(x, data.train.y))


QUANTIZE_KEYS = [
    ({"calibration": "min-max"}, slice(None), lambda v: min_max(v, False, 3, 100)),
    ({"calibration": "mse"}, slice(None), lambda v: CALIBRATIONS["mse"](v, False, 3, 100)),
    ({}, slice(None), lambda v: CALIBRATIONS["mse"](v, False, 3, 100)),
    ({"calibration": "percentile"}, slice(None), lambda v: CALIBRATIONS["percentile"](v, False, 3, 99.9)),
    ({"calibration": "percentile", "percentile": 60.0}, slice(None),
     lambda v: CALIBRATIONS["percentile"](v, False, 3, 60.0)),
    ({"calibration": "min-max", "samples": 2}, [0, -1], lambda v: min_max(v, False, 3, 100)),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "rows", "choose"), QUANTIZE_KEYS, ids=[str(keys) for keys, *_ in QUANTIZE_KEYS])
def test_every_key_of_the_calibration_chooses_the_format(keys, rows, choose):
    student = Float("ptq", **keys)
    assert student.format().fractional == choose(student.hidden(rows))


def test_the_keys_of_the_calibration_differ_here():
    """The test above is not vacuous: on these samples each key has a format of its own."""
    found = [Float("ptq", **keys).format().fractional for keys, *_ in QUANTIZE_KEYS]
    widest, mse, as_default, percentile, narrow, few = found
    assert mse == as_default
    assert len({widest, mse, percentile, narrow}) == 4
    assert few != widest


def test_calibration_sees_the_training_samples_alone():
    student, dark = Float("ptq", calibration="min-max"), Split(np.zeros((60, 12), np.uint8), blobs().test.y)
    assert student.format(test=dark, validation=dark) == student.format()
    assert student.format(train=dark) != student.format()


def test_the_biases_of_full_integer_have_the_scale_of_the_accumulator():
    model = Float("full-integer").quantized()
    fractional = 6  # of the inputs
    for index in (0, 1):
        layer = model.get_layer(f"dense_{index}")
        kernel, bias = layer.kernel_quantizer_internal, layer.bias_quantizer_internal
        assert (bias.width, bias.fractional.tolist()) == (32, (kernel.fractional + fractional).tolist())
        fractional = model.get_layer("activation_0").activation.format.fractional


def test_full_integer_is_8_bits_with_biases_of_the_accumulator():
    data = blobs()
    model, _ = train_student(recipe_with("full-integer"), data)
    network = freeze(model, data.input_format, data.class_names)
    fractional = data.input_format.fractional
    for layer in network.layers:
        assert layer.weight_format.width <= 8
        assert layer.bias_format.width <= 32
        # the bias is no finer than the product of input and weight
        assert layer.bias_format.fractional <= fractional + layer.weight_format.fractional
        fractional = layer.result_format.fractional
    assert network.layers[0].result_format.width == 8
    assert np.array_equal(KerasEngine(model).run(network, data.test.x), network.forward(data.test.x))


@pytest.mark.parametrize("per_channel", [False, True])
def test_dynamic_quantization_is_judged_but_not_frozen(per_channel, tmp_path):
    data = blobs()
    model, _ = train_student(recipe_with("dynamic", per_channel=per_channel), data)
    save_model(model, tmp_path / "student.keras")
    model = load_model(tmp_path / "student.keras")
    logits = predict_logits(model, data.test.x, data.input_format.lsb)
    assert (logits.argmax(axis=1) == data.test.y).mean() > 0.8
    with pytest.raises(
        NotExact,
        match=r"layer 'dense_0' .*: dynamic quantization gives its weights a float scale",
    ):
        freeze(model, data.input_format)


def test_a_float_student_is_not_frozen():
    data = blobs()
    model, _ = train_student(recipe_with("none"), data)
    with pytest.raises(NotExact, match="float"):
        freeze(model, data.input_format)


def test_what_has_no_range_is_refused_by_name():
    data = blobs()
    recipe = recipe_with("ptq").override(["student.layers.1.weight=ternary(alpha=1)", "student.epochs=1"])
    with pytest.raises(RecipeError, match=r"^student.layers.1.weight=ternary\(alpha=1\) has no range"):
        train_student(recipe, data)


def test_full_integer_inputs_have_8_bits():
    data = blobs()
    wide = FixedPoint.parse("ap_ufixed<9,3>")
    x = {part: getattr(data, part).x.astype(np.uint16) for part in ("train", "validation", "test")}
    parts = {part: Split(x[part], getattr(data, part).y) for part in x}
    nine_bits, recipe = replace(data, input_format=wide, **parts), recipe_with("full-integer")
    with pytest.raises(RecipeError, match=r"data.input_format is ap_ufixed<9,3"):
        train_student(recipe.override(["student.epochs=1"]), nine_bits)
