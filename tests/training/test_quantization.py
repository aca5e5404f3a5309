"""The quantizers compute exactly what `FixedPoint` defines, and their gradient goes where it should."""

from __future__ import annotations

import numpy as np
import pytest
from support.needs import needs

from qap.fixed import FixedPoint, Overflow, Rounding

needs("tensorflow", "keras", "qkeras")

import keras
import qkeras
import tensorflow as tf

from qap.recipe.quantizer import Quantizer
from qap.training.quantization import FixedPointQuantizer, keras_quantizer

MODES = [(rounding, overflow) for rounding in Rounding for overflow in Overflow]
BITS = [(True, 8, 4), (False, 8, 4), (True, 6, 0), (False, 1, 0), (True, 1, 1), (True, 5, 9), (False, 4, -3)]


def probes(form: FixedPoint, dtype: type, seed: int) -> np.ndarray:
    """Random numbers in and far outside of the range, the grid, every half step, and their next neighbours."""
    rng = np.random.default_rng(seed)
    reach = 3 * (form.max_int + 1)
    steps = np.arange(-min(reach, 600), min(reach, 600) + 1) / 2
    grid = np.concatenate([steps, steps + form.max_int, steps + form.min_int]) * form.lsb
    spread = rng.normal(size=400) * form.lsb * 10.0 ** rng.integers(-3, 5, 400)
    x = np.concatenate([grid, spread]).astype(dtype)
    x = np.concatenate([x, np.nextafter(x, dtype(np.inf)), np.nextafter(x, dtype(-np.inf))])
    return x[(x == 0) | (np.abs(x) >= np.finfo(dtype).tiny)]  # TensorFlow takes subnormal numbers for 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("modes", MODES)
def test_fixed_point_quantizer_is_exact(dtype, bits, modes):
    form = FixedPoint(*bits, *modes)
    x = probes(form, dtype, seed=len(str(form)))
    found = FixedPointQuantizer(str(form))(tf.constant(x)).numpy()
    assert found.dtype == dtype
    assert np.array_equal(found.astype(np.float64), form.to_float(form.quantize(x)))


@pytest.mark.parametrize("modes", MODES)
@pytest.mark.parametrize(("dtype", "width"), [(np.float32, 24), (np.float64, 53)])
def test_fixed_point_quantizer_is_exact_up_to_the_mantissa(dtype, width, modes):
    for signed in (True, False):
        form = FixedPoint(signed, width, 3, *modes)
        x = (np.random.default_rng(width).normal(size=3000) * 9).astype(dtype)
        found = FixedPointQuantizer(str(form))(tf.constant(x)).numpy()
        assert np.array_equal(found.astype(np.float64), form.to_float(form.quantize(x)))


def test_a_format_wider_than_float32_saturates_inside_of_its_range():
    form = FixedPoint.parse("ap_fixed<32,2,AP_RND_CONV,AP_SAT>")
    found = FixedPointQuantizer(str(form))(tf.constant([99.0, -99.0])).numpy().astype(np.float64)
    assert form.holds(form.quantize(found))
    assert 0 < 2.0 - found[0] < 1e-6
    assert found[1] == -2.0


def test_relu_comes_before_the_format():
    form = FixedPoint.parse("ap_ufixed<3,2,AP_TRN,AP_WRAP>")
    x = np.array([-0.5, -3.7, 0.5, 1.3, 4.25], np.float32)
    assert FixedPointQuantizer(str(form), relu=True)(x).numpy().tolist() == [0.0, 0.0, 0.5, 1.0, 0.0]
    assert FixedPointQuantizer(str(form))(x).numpy().tolist() == [3.5, 0.0, 0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("ap_fixed<4,2,AP_RND_CONV,AP_SAT>", [False, True, True, True, True, False]),
        ("relu(ap_ufixed<4,2,AP_RND_CONV,AP_SAT>)", [False, False, False, True, True, False]),
        ("ap_fixed<4,2,AP_RND_CONV,AP_WRAP>", [True] * 6),
    ],
)
def test_the_gradient_stops_only_where_the_number_was_cut(text, passes):
    x = tf.constant([-7.0, -2.0, -0.3, 0.3, 1.75, 5.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = keras_quantizer(Quantizer.parse(text, "activation"))(x)
    assert tape.gradient(y, x).numpy().tolist() == [float(each) for each in passes]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("quantized_bits(4,0,alpha=1)", {"bits": 4, "integer": 0, "alpha": 1, "keep_negative": True}),
        ("quantized_bits(3,1,symmetric=1,alpha='auto_po2')", {"bits": 3, "symmetric": 1, "alpha": "auto_po2"}),
        ("ternary(alpha=0.5,threshold=0.25)", {"alpha": 0.5, "threshold": 0.25}),
        ("binary(alpha=1)", {"alpha": 1}),
        ("quantized_po2(4,max_value=1)", {"bits": 4, "max_value": 1}),
    ],
)
def test_qkeras_expressions_become_qkeras_classes(text, arguments):
    quantizer = keras_quantizer(Quantizer.parse(text, "weight"))
    assert type(quantizer) is getattr(qkeras, text.partition("(")[0])
    assert {name: getattr(quantizer, name) for name in arguments} == arguments


def test_the_arguments_arrive():
    quantizer = keras_quantizer(Quantizer.parse("quantized_relu(6,2,negative_slope=0.25)", "activation"))
    assert (quantizer.bits, quantizer.integer, quantizer.negative_slope) == (6, 2, 0.25)


def test_the_quantizer_survives_serialization():
    quantizer = FixedPointQuantizer("ap_fixed<6,2,AP_RND,AP_SAT_SYM>", relu=True)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(quantizer))
    assert (copy.format, copy.relu, str(copy)) == (quantizer.format, True, str(quantizer))
