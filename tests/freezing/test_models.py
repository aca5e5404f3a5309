"""Models that others build: frozen by their own graph and equal to their plain call, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras")

import keras
import qkeras
from keras import layers
from support.random_models import INPUT, KINDS, Same, Subclassed, answers_as, named, random_model
from support.random_networks import random_inputs

from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.freezing import KerasEngine, folding, freeze
from qap.network import IntegerNetwork, StepTable, connect
from qap.training.networks import load_model
from qap.verification import EmulatorEngine, adversarial_vectors, verify

RELU = "quantized_relu(4,2)"


def dense(units: int, **more: Any) -> Any:
    return qkeras.QDense(
        units, kernel_quantizer="quantized_bits(4,0,alpha=1)", bias_quantizer="quantized_bits(6,2,alpha=1)", **more
    )


def parts() -> list[Any]:
    return [dense(6, name="first"), qkeras.QActivation(RELU, name="act"), dense(3, name="last")]


def chained(shape: tuple[int, ...], *parts: Any) -> Any:
    x = y = keras.Input(shape)
    for part in parts:
        y = part(y)
    return keras.Model(x, y)


def scattered(model: Any, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(np.abs(rng.normal(0, 0.7, weight.shape)))
    return model


def assert_equal(model: Any, network: IntegerNetwork, n: int = 200) -> None:
    """The logits are those of the plain call of the model."""
    x = random_inputs(network, n)
    real = network.input_format.to_float(x).astype(np.float32).reshape(n, *model.inputs[0].shape[1:])
    y = np.asarray(model(real, training=False), np.float64)
    assert np.array_equal(y, network.output_format.to_float(network.forward(x)))


# ---- every kind of models


@pytest.mark.parametrize("seed", [3, 11])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_frozen_as_it_is_or_refused_in_one_line(kind: str, seed: int) -> None:
    model = random_model(kind, seed)
    if not KINDS[kind].exact:
        with pytest.raises(NotExact, match=r"^layer '\w+' has no exact integer form: ") as caught:
            freeze(model, INPUT)
        assert "\n" not in str(caught.value)
        return
    network = freeze(model, INPUT)
    x = np.concatenate([adversarial_vectors(INPUT, network.n_in), random_inputs(network, 100)])
    assert answers_as(kind, seed, model, network, x)
    found = verify([KerasEngine(model), EmulatorEngine()], network, {"random": x})
    assert found.exact, [str(agreement) for agreement in found.agreements]


# ---- the model's own graph


def by_add() -> Any:
    model = keras.Sequential()
    model.add(keras.Input((8,)))
    for part in parts():
        model.add(part)
    return model


def with_a_softmax_later() -> Any:
    model = keras.Sequential([keras.Input((8,)), *parts()])
    model.add(layers.Softmax())
    return model


def without_what_the_other_model_has() -> Any:
    shared = parts()
    chained((8,), shared[0], layers.Dropout(0.1), layers.Rescaling(2.0), shared[1], shared[2])
    return chained((8,), *shared)


def cut() -> Any:
    whole = chained((8,), *parts(), layers.ReLU(), dense(2))
    return keras.Model(whole.inputs, whole.get_layer("last").output)


WAYS: list[Callable[[], Any]] = [
    by_add,
    with_a_softmax_later,
    without_what_the_other_model_has,
    cut,
    lambda: keras.Sequential([keras.Input((8,)), *parts()]),
    lambda: keras.Sequential.from_config(keras.Sequential([keras.Input((8,)), *parts()]).get_config()),
    lambda: keras.Sequential([keras.Input((8,)), keras.Sequential([keras.Input((8,)), *parts()[:2]]), parts()[2]]),
]


@pytest.mark.parametrize("make", WAYS)
def test_a_chain_is_a_chain_however_it_was_built(make: Callable[[], Any]) -> None:
    model = scattered(make())
    network = freeze(model, INPUT)
    assert [layer.name for layer in network.layers] == ["first", "last"]
    x = random_inputs(network, 100)
    assert np.array_equal(KerasEngine(model).run(network, x), network.forward(x))


def test_a_sequential_from_a_file(tmp_path) -> None:
    by_add().save(tmp_path / "model.keras")
    model = scattered(load_model(tmp_path / "model.keras"))
    assert_equal(model, freeze(model, INPUT))


def test_a_layer_that_is_used_twice_is_two_layers() -> None:
    shared = dense(8, name="s")
    model = scattered(chained((8,), shared, qkeras.QActivation(RELU), shared))
    network = freeze(model, INPUT)
    assert [layer.name for layer in network.layers] == ["s", "s_2"]
    assert_equal(model, network)


def test_a_permutation_of_the_inputs_is_kept() -> None:
    model = scattered(chained((2, 2, 3), layers.Flatten(data_format="channels_first"), dense(4)))
    network = freeze(model, INPUT)
    plain = chained((2, 2, 3), layers.Flatten(), dense(4))
    plain.set_weights(model.get_weights())
    assert not np.array_equal(network.layers[0].weight, freeze(plain, INPUT).layers[0].weight)
    assert_equal(model, network)


# ---- layers that fold


@pytest.mark.parametrize("wide", [False, True])
def test_the_folded_kernel_of_a_qdense_batchnorm(wide: bool) -> None:
    form = "quantized_bits(12,2,alpha=1)" if wide else "quantized_bits(4,0,alpha=1)"
    first = qkeras.QDenseBatchnorm(6, kernel_quantizer=form, bias_quantizer=form)
    last = qkeras.QDense(3, kernel_quantizer=form, bias_quantizer=form)
    model = scattered(chained((8,), first, qkeras.QActivation(form), last))
    network = freeze(model, FixedPoint.parse("ap_fixed<16,6>") if wide else INPUT)
    kernel, _ = first.get_folded_weights()
    expected = np.asarray(first.kernel_quantizer_internal(kernel))
    assert np.array_equal(network.layers[0].weight_format.to_float(network.layers[0].weight), expected)
    x = random_inputs(network, 200)
    assert np.array_equal(KerasEngine(model).run(network, x), network.forward(x))
    assert bool(KerasEngine(model).notes(network)) == wide


def test_a_quantizer_on_the_inputs_that_changes_nothing_is_no_layer() -> None:
    model = scattered(chained((4,), qkeras.QActivation("quantized_bits(8,2,alpha=1)"), dense(3)))
    assert len(freeze(model, INPUT).layers) == 1


def test_a_coarser_quantizer_on_the_inputs_is_a_layer() -> None:
    model = scattered(chained((4,), qkeras.QActivation("quantized_bits(3,1,alpha=1)", name="coarse"), dense(3)))
    network = freeze(model, INPUT)
    assert network.layers[0].name == "coarse"
    assert_equal(model, network)


def test_a_relu_before_a_staircase_begins_at_the_step_of_zero() -> None:
    model = scattered(chained((4,), dense(3), layers.ReLU(), qkeras.QActivation("ternary(alpha=1)"), dense(2)))
    network = freeze(model, INPUT)
    steps = network.layers[0].activation
    assert isinstance(steps, StepTable)
    assert steps.values.tolist() == [0, 1]
    assert_equal(model, network)


# ---- what is refused


class OwnQuantizer(qkeras.quantized_bits):
    """A user's quantizer."""


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: keras.Sequential(parts()), "'sequential.*not built; begin it with keras.Input"),
    (lambda: _called(Subclassed(parts())), "'subclassed.*its own code says; build the model with keras.Sequential"),
    (lambda: chained((8,), Same(3, kernel_quantizer="binary(alpha=1)", name="mine")), "'mine'.*use QDense"),
    (lambda: chained((8,), named("Identity"), *parts()), "'identity.*not a layer of Keras"),
    (lambda: chained((8,), named("Dropout"), *parts()), "'dropout.*not a layer of Keras"),
    (
        lambda: chained((8,), qkeras.QDense(6, kernel_quantizer="bernoulli(alpha=1)", name="luck")),
        "'luck'.*bernoulli rounds at random",
    ),
    (lambda: chained((8,), lambda x: layers.Dropout(0.4, name="mc")(x, training=True)), "'mc'.*training=True"),
    (lambda: chained((2, 4), dense(3, name="rank"), layers.Flatten()), r"'rank'.*\(None, 2, 4\); put a Flatten"),
    (lambda: chained((8,), dense(3), layers.Softmax(axis=0, name="batch")), "'batch'.*axis 0"),
    (lambda: chained((8,), dense(1), layers.Softmax(name="one")), "'one'.*single output"),
    (lambda: chained((8,), dense(3), layers.Activation("hard_sigmoid", name="ties")), "'ties'.*may tie"),
    (lambda: chained((8,), layers.Rescaling(1 / 255, name="pixels"), dense(3)), "'pixels'.*1/256 instead of 1/255"),
    (lambda: chained((8,), dense(3, name="half", dtype="float16")), "'half'.*float16, which rounds"),
    (lambda: chained((8,), dense(3), layers.ReLU(threshold=0.5, name="late")), "'late'.*threshold 0.5"),
    (
        lambda: chained((8,), dense(3), layers.BatchNormalization(name="norm"), layers.ReLU()),
        "'norm'.*is not a short binary number; quantize its results, or use a QDenseBatchnorm",
    ),
    (
        lambda: chained((8,), dense(3), qkeras.QActivation("quantized_relu(4,-1)", name="below"), dense(2)),
        r"'below'.*no quantized_relu\(4,-1\)",
    ),
    (lambda: _branches(), "'sum'.*joins or splits branches"),
    (
        lambda: chained((8,), qkeras.QDense(3, kernel_quantizer=OwnQuantizer(4, 0, alpha=1), name="own")),
        "'own'.*use one of QKeras' quantizers",
    ),
]  # fmt: skip


def _called(model: Any) -> Any:
    model(np.zeros((1, 8), np.float32))
    return model


def _branches() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, layers.Add(name="sum")([dense(3)(x), dense(3)(x)]))


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message.split("'")[1] for _, message in REFUSED])
def test_a_model_that_could_be_misread_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(NotExact, match=message) as caught:
        freeze(make(), INPUT)
    assert "\n" not in str(caught.value)


# ---- the check itself


def test_a_layer_that_freeze_misreads_is_caught_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    model = scattered(chained((8,), *parts()))

    def misread(call: Any) -> list[Any]:
        elements = read(call)
        if call.name == "last":
            elements[0] = elements[0]._replace(offset=elements[0].offset + 0.125)
        return elements

    read = folding.read
    monkeypatch.setattr(folding, "read", misread)
    with pytest.raises(NotExact, match=r"'last'.*the model called as a whole answers otherwise, first at sample 0"):
        freeze(model, INPUT)


def test_the_engine_sees_another_network() -> None:
    model = scattered(chained((8,), *parts()))
    network = freeze(model, INPUT)
    specs = network.specs()
    bias = specs[0].bias + np.where(specs[0].bias > 0, -1, 1)
    specs[0] = specs[0]._replace(bias=bias)
    other = connect(network.input_format, specs, network.class_names)
    found = verify([KerasEngine(model), EmulatorEngine()], other, {"random": random_inputs(other, 100)})
    assert not found.exact
    assert found.agreements[0].first is not None
    assert found.agreements[0].first.layer == "first"


def test_a_model_that_cannot_be_called_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    model = scattered(chained((8,), *parts()))
    network = freeze(model, INPUT)

    def call(x: Any) -> Any:
        raise ValueError("no kernel\nfor this")

    monkeypatch.setattr(model.get_layer("act"), "call", call)
    with pytest.raises(NotExact, match="the model cannot be called: ValueError: no kernel$"):
        KerasEngine(model).run(network, random_inputs(network, 3))


def test_inputs_that_keras_would_cut_are_seen() -> None:
    x = keras.Input((4,), dtype="uint8")
    with pytest.raises(NotExact, match="the model called as a whole answers otherwise"):
        freeze(scattered(keras.Model(x, dense(3)(x))), INPUT)


def test_an_engine_says_when_the_inputs_are_not_the_model_s() -> None:
    network = freeze(scattered(chained((8,), *parts())), INPUT)
    with pytest.raises(NotExact, match=r"takes inputs of \(4,\), the network 8 numbers"):
        KerasEngine(chained((4,), dense(3))).run(network, random_inputs(network, 3))


def test_float64_leaves_the_model_as_it_was() -> None:
    model = random_model("wide accumulators", 1)
    before = [np.array(weight) for weight in model.weights]
    network = freeze(model, INPUT)
    assert KerasEngine(model).precision(network) == "float64"
    assert keras.config.floatx() == "float32"
    assert all(np.array_equal(a, b) for a, b in zip(before, model.weights, strict=True))
