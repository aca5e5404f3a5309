"""Keras files of every version, read into a model that answers as theirs did; nothing of them is executed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("keras", "qkeras", "h5py")

import h5py
import keras
import qkeras
from keras import layers
from support.keras2_file import functional, layer, sequential, write_h5

from qap.errors import DataError, NotExact
from qap.fixed import FixedPoint
from qap.freezing import freeze
from qap.importing import read_model
from qap.training.networks import load_model, save_model

RNG = np.random.default_rng(0)
X = RNG.integers(-32, 32, (50, 6)).astype(np.float32) / 8
KERNEL, BIAS = RNG.normal(0, 1, (6, 4)).astype(np.float32), RNG.normal(0, 1, 4).astype(np.float32)
LAST = RNG.normal(0, 1, (4, 3)).astype(np.float32)
INPUT = layer("InputLayer", "input_1", batch_input_shape=[None, 6], dtype="float32")
FIRST = layer("Dense", "first", units=4, activation="relu", use_bias=True)
FINAL = layer("Dense", "last", units=3, activation="linear", use_bias=False)
WEIGHTS = {"first": {"kernel": KERNEL, "bias": BIAS}, "last": {"kernel": LAST}}
Q4 = {"class_name": "quantized_bits", "config": {"bits": 4, "integer": 0, "symmetric": 0, "alpha": 1,
                                                 "keep_negative": True, "use_stochastic_rounding": False}}  # fmt: skip


def qdense(units: int, name: str, **more: Any) -> Any:
    return qkeras.QDense(units, kernel_quantizer="quantized_bits(4,0,alpha=1)", name=name,
                         bias_quantizer="quantized_bits(6,2,alpha=1)", **more)  # fmt: skip


def a_model(kind: str) -> keras.Model:
    """A model of several layers with random weights, normalizations among them."""
    parts = {
        "float": [layers.Dense(5, "relu", name="a"), layers.BatchNormalization(), layers.Dense(3, "softmax", name="b")],
        "quantized": [qdense(5, "a"), qkeras.QActivation("quantized_relu(4,2)"), qdense(3, "b"),
                      layers.Activation("softmax")],
        "folded": [qkeras.QDenseBatchnorm(5, kernel_quantizer=qkeras.quantized_bits(4, 0, alpha=1), name="a",
                                          bias_quantizer=qkeras.quantized_bits(6, 2, alpha=1)),
                   qkeras.QActivation("quantized_relu(4,2)"), qdense(3, "b")],
        "varied": [layers.Reshape((2, 3)), layers.Permute((2, 1)), layers.Flatten(), layers.Rescaling(0.5, 1.0),
                   layers.Dense(5), layers.LeakyReLU(0.25), layers.Dropout(0.5), layers.Dense(3, use_bias=False),
                   layers.ReLU(max_value=6), layers.Softmax()],
    }[kind]  # fmt: skip
    model = keras.Sequential([keras.Input((6,)), *parts])
    for variable in model.weights:
        if "iteration" not in variable.name and variable.dtype == "float32":
            variable.assign(RNG.uniform(0.2, 1, variable.shape))
    return model


def same(model: keras.Model, twin: keras.Model) -> bool:
    return np.array_equal(model(X, training=False), twin(X, training=False))


@pytest.mark.parametrize("kind", ["float", "quantized", "folded", "varied"])
@pytest.mark.parametrize("form", ["model.keras", "model.h5", "json"])
def test_a_file_of_keras_3_gives_the_same_answers(tmp_path, kind, form):
    model, path, weights = a_model(kind), tmp_path / form, None
    if form == "json":
        path.write_text(model.to_json())
        weights = tmp_path / "model.weights.h5"
        model.save_weights(weights)
    else:
        model.save(path)
    twin = read_model(path, weights)
    assert same(model, twin)
    save_model(twin, tmp_path / "twin.keras")
    assert same(model, load_model(tmp_path / "twin.keras"))


def test_models_in_models_and_layers_that_are_called_twice(tmp_path):
    x = keras.Input((6,))
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, name="d"), layers.ReLU()], name="inner")
    model = keras.Model(x, layers.Dense(3, name="d")(inner(inner(x))))
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        assert same(model, read_model(tmp_path / name))


@pytest.mark.parametrize("build", [sequential, functional, lambda *parts: {**sequential(), "config": list(parts)}])
def test_a_file_of_keras_2_is_rebuilt(tmp_path, build):
    twin = read_model(write_h5(tmp_path / "m.h5", build(INPUT, FIRST, FINAL), WEIGHTS))
    hidden = keras.ops.relu(keras.ops.matmul(X, KERNEL) + BIAS)
    assert np.array_equal(twin(X), keras.ops.matmul(hidden, LAST))
    assert [each.name for each in twin.layers] == ["inputs", "first", "first_activation", "last"]


def test_json_with_weights_is_the_same_model(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(json.dumps(functional(INPUT, FIRST, FINAL))))
    weights = write_h5(tmp_path / "w.h5", None, WEIGHTS)
    whole = read_model(write_h5(tmp_path / "m.h5", sequential(INPUT, FIRST, FINAL), WEIGHTS))
    assert same(whole, read_model(tmp_path / "m.json", weights))


def test_the_inputs_are_those_of_the_kernel_where_nothing_says_them(tmp_path):
    assert read_model(write_h5(tmp_path / "m.h5", sequential(FIRST, FINAL), WEIGHTS)).input_shape == (None, 6)


def test_a_pruning_wrapper_is_taken_off(tmp_path):
    wrapped = layer("PruneLowMagnitude", "prune_first", layer=FIRST)
    weights = {"prune_first": {**WEIGHTS["first"], "mask": KERNEL, "threshold": 0}, "last": WEIGHTS["last"]}
    twin = read_model(write_h5(tmp_path / "m.h5", sequential(INPUT, wrapped, FINAL), weights))
    assert np.array_equal(twin.get_layer("first").kernel, KERNEL)


def test_a_file_of_qkeras_09_freezes_and_nothing_in_its_texts_is_evaluated(tmp_path):
    dense = layer("QDense", "first", units=4, use_bias=True, activation="linear", kernel_quantizer=Q4,
                  bias_quantizer="quantized_bits(bits=4,integer=0,alpha=1)")  # fmt: skip
    relu = layer("QActivation", "relu", activation="quantized_relu(3,1)")
    final = layer("QDense", "last", units=3, use_bias=False, kernel_quantizer=Q4, activation=None)
    config = sequential(INPUT, dense, relu, final)
    twin = read_model(write_h5(tmp_path / "m.h5", config, WEIGHTS))
    network = freeze(twin, FixedPoint.parse("ap_fixed<6,3>"))
    assert network.layers[0].result_format.width == 3
    relu["config"]["activation"] = "quantized_relu(__import__('os').mkdir('pwned'))"
    with pytest.raises(DataError, match="relu.*arguments must be plain"):
        read_model(write_h5(tmp_path / "bad.h5", config, WEIGHTS))


def test_binary_and_ternary_layers_take_the_values_that_they_are_used_with(tmp_path):
    kernel = np.array([[0.5, -0.5, 0.51, -0.49, 0, 2]], np.float32).T
    for name, scale, expected in [("TernaryDense", 1, [0, -1, 1, 0, 0, 1]), ("BinaryDense", 1, [1, -1, 1, -1, -1, 1]),
                                  ("TernaryDense", 2, [0, 0, 0, 0, 0, 2])]:  # fmt: skip
        old = layer(name, "old", units=1, H=scale, use_bias=False, activation="linear")
        path = write_h5(tmp_path / "m.h5", sequential(INPUT, old), {"old": {"kernel": kernel}})
        (dense,) = freeze(read_model(path), FixedPoint.parse("ap_int<4>")).layers
        assert dense.weight_format.to_float(dense.weight)[:, 0].tolist() == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ternary_tanh", [-1, -1, -1, 0, 0, 0, 1, 1]), ("binary_tanh", [-1, -1, -1, -1, -1, 1, 1, 1])],
)
def test_old_activations_have_their_own_ties(tmp_path, name, expected):
    values = np.array([-2, -1, -0.5, -0.25, 0, 0.5, 0.75, 2], np.float32)
    unit = layer("QDense", "unit", units=1, use_bias=False, kernel_quantizer="quantized_bits(3,2,alpha=1)")
    parts = [{**INPUT, "config": {**INPUT["config"], "batch_input_shape": [None, 1]}}, unit,
             layer("Activation", "act", activation=name)]  # fmt: skip
    twin = read_model(write_h5(tmp_path / "m.h5", sequential(*parts), {"unit": {"kernel": [[1]]}}))
    assert np.asarray(twin(values[:, None]))[:, 0].tolist() == expected
    network = freeze(twin, FixedPoint.parse("ap_fixed<5,3>"))
    assert network.forward((values * 4).astype(int)[:, None])[:, 0].tolist() == expected


def in_float64(config: Any) -> Any:
    return {**config, "config": {**config["config"], "dtype": "float64"}}


def test_binary_networks_of_float64_answer_in_float64(tmp_path):
    rng = np.random.default_rng(5)
    kernel, last = rng.uniform(-1, 1, (6, 4)), rng.uniform(-1, 1, (4, 3))
    norm = {name: rng.uniform(0.5, 1.5, 4) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    parts = [in_float64(layer("BinaryDense", "a", units=4, H=1.0, use_bias=False)),
             in_float64(layer("BatchNormalization", "norm", axis=-1, epsilon=1e-4, center=True, scale=True)),
             layer("Activation", "sign", activation="binary_tanh"),
             in_float64(layer("BinaryDense", "b", units=3, H=1.0, use_bias=False))]  # fmt: skip
    weights = {"a": {"kernel": kernel}, "norm": norm, "b": {"kernel": last}}
    twin = read_model(write_h5(tmp_path / "m.h5", sequential(INPUT, *parts), weights))
    sums = X.astype(np.float64) @ np.where(kernel > 0, 1, -1)
    scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + 1e-4)
    hidden = np.where((sums - norm["moving_mean"]) * scale + norm["beta"] > 0, 1, -1)
    assert twin.output.dtype == "float64"
    np.testing.assert_array_equal(twin(X), hidden @ np.where(last > 0, 1, -1))
    save_model(twin, tmp_path / "twin.keras")
    network = freeze(load_model(tmp_path / "twin.keras"), FixedPoint.parse("ap_fixed<6,3>"))
    np.testing.assert_array_equal(network.forward((X * 8).astype(int)), np.asarray(twin(X)))


def test_one_precision_for_a_whole_model(tmp_path):
    assert "layer 'last' (Dense): it computes in float64, layers before it in float32" in with_layer(
        tmp_path, {**FIRST, "config": {**FIRST["config"], "dtype": "float32"}}, in_float64(FINAL)
    )
    quantized = layer("QDense", "first", units=4, use_bias=True, kernel_quantizer=Q4, bias_quantizer=Q4)
    assert "the quantizers of QKeras in float32" in with_layer(tmp_path, in_float64(quantized), FINAL)
    scaled = in_float64(layer("BinaryDense", "first", units=4, H=0.3, use_bias=False))
    assert "its H is 0.3; in float64 powers of two" in with_layer(tmp_path, scaled, FINAL)


@pytest.mark.parametrize(("name", "line"), [("hard_sigmoid", (0.2, 0.5)), ("relu1", (1, 0))])
def test_functions_that_only_keras_2_has_are_built_of_pieces(tmp_path, name, line):
    for parts in ([{**FIRST, "config": {**FIRST["config"], "activation": name}}],
                  [{**FIRST, "config": {**FIRST["config"], "activation": "linear"}},
                   layer("Activation", "a", activation=name)]):  # fmt: skip
        twin = read_model(write_h5(tmp_path / "m.h5", sequential(INPUT, *parts), WEIGHTS))
        sums = np.asarray(keras.ops.matmul(X, KERNEL)) + BIAS
        assert np.array_equal(twin(X), np.clip(np.float32(line[0]) * sums + np.float32(line[1]), 0, 1))


# ---- what is refused


def refused(path: Path, weights: Path | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_model(path, weights)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_layer(tmp_path: Path, *parts: Any, build: Any = sequential, **more: Any) -> str:
    return refused(write_h5(tmp_path / "m.h5", build(INPUT, *parts, **more), WEIGHTS))


def test_lambda_and_custom_code_are_refused_and_never_run(tmp_path):
    model = keras.Sequential([keras.Input((6,)), layers.Lambda(lambda x: x * 2), layers.Dense(3)])
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        assert "a Lambda holds Python code, which is never executed" in refused(tmp_path / name)
    foreign = {**FIRST, "module": "mine.layers", "registered_name": "mine>Dense"}
    assert "of 'mine', which is custom code" in with_layer(tmp_path, foreign, FINAL)
    assert "Attention" in with_layer(tmp_path, layer("MyAttention", "look"), FINAL)
    assert "'swish_of_mine' is not known" in with_layer(tmp_path, layer("Activation", "a", activation="swish_of_mine"))


def test_a_quantizer_that_qkeras_cannot_compute_is_named(tmp_path):
    dense = layer("QDense", "first", units=4, use_bias=False, kernel_quantizer="quantized_bits(4,0,alpha='1.0')")
    twin = read_model(write_h5(tmp_path / "m.h5", sequential(INPUT, dense), WEIGHTS))
    with pytest.raises(NotExact, match="first.*its kernel quantizer does not compute: Invalid alpha '1.0'"):
        freeze(twin, FixedPoint.parse("ap_fixed<6,3>"))


def test_structures_that_are_not_supported_are_named(tmp_path):
    assert "convolutional layers are not supported" in with_layer(tmp_path, layer("Conv2D", "conv", filters=3))
    add = layer("Add", "add")
    assert "layer 'add' (Add) joins 2 branches" in with_layer(
        tmp_path, FIRST, add, build=functional, reads={"add": ["first", "first"]}
    )
    two = functional(INPUT, FIRST, FINAL)
    two["config"]["input_layers"].append(["first", 0, 0])
    assert "2 inputs and 1 outputs" in refused(write_h5(tmp_path / "m.h5", two, WEIGHTS))
    assert "computes what its own code says" in refused(
        write_h5(tmp_path / "m.h5", {"class_name": "MyModel", "config": {}}, WEIGHTS)
    )
    half = {**FIRST, "config": {**FIRST["config"], "dtype": "float16"}}
    assert "float16" in with_layer(tmp_path, half, FINAL)


@pytest.mark.parametrize("value", [None, "x", -1, {}, [], 1e400, 10**30])
@pytest.mark.parametrize("key", ["units", "use_bias", "activation", "name", "kernel_quantizer", "dtype"])
def test_a_damaged_setting_is_one_line_or_does_not_matter(tmp_path, key, value):
    dense = layer("QDense", "first", units=4, use_bias=True, kernel_quantizer=Q4, bias_quantizer=Q4)
    dense["config"][key] = value
    path = write_h5(tmp_path / "m.h5", sequential(INPUT, dense), WEIGHTS)
    try:
        read_model(path)
    except DataError as error:
        assert "\n" not in str(error) and str(path) in str(error)


def test_weights_that_are_missing_or_of_another_shape_are_named(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(sequential(INPUT, FIRST, FINAL)))
    assert "a model without weights; give their HDF5 file with --weights" in refused(path)
    assert "no model_config; import the JSON" in refused(write_h5(tmp_path / "w.h5", None, WEIGHTS))
    some = write_h5(tmp_path / "w.h5", None, {"first": WEIGHTS["first"]})
    assert "layer 'last' (Dense): " in refused(path, some) and "no kernel" in refused(path, some)
    wide = write_h5(tmp_path / "w.h5", None, {**WEIGHTS, "last": {"kernel": LAST.T}})
    assert "its kernel in the file is (3, 4), but the model needs (4, 3)" in refused(path, wide)
    none = write_h5(tmp_path / "w.h5", None, {**WEIGHTS, "last": {"kernel": LAST * np.nan}})
    assert "layer 'last' (Dense): its kernel" in refused(path, none) and "not finite" in refused(path, none)


def test_weights_outside_of_the_file_are_never_followed(tmp_path):
    write_h5(tmp_path / "secret.h5", None, WEIGHTS)
    config = sequential(INPUT, FIRST, FINAL)
    path = write_h5(tmp_path / "m.h5", config, {"first": WEIGHTS["first"], "last": {}})
    with h5py.File(path, "a") as file:
        file["model_weights/last/kernel:0"] = h5py.ExternalLink("secret.h5", "last/last/kernel:0")
    assert "holds no kernel" in refused(path)
    np.asarray(LAST).tofile(tmp_path / "raw")
    with h5py.File(path, "a") as file:
        del file["model_weights/last/kernel:0"]
        file["model_weights/last"].create_dataset("kernel:0", (4, 3), "f4", external=[(str(tmp_path / "raw"), 0, 48)])
    assert "lies in another file, which is never followed" in refused(path)


def test_what_is_not_a_model_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "model"
    assert "does not exist" in refused(path)
    path.write_bytes(b"hello")
    assert "is not a model, or is truncated" in refused(path)
    path.write_bytes(b"\x80\x04pickle")
    assert "torch.onnx.export" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("two_layer/data.pkl", "")
    assert "torch.onnx.export" in refused(path)
    path.write_text('{"a": 1}')
    assert "JSON, but not of a Keras model" in refused(path)
    path.write_text("{" * 100_000)
    assert "its JSON cannot be read" in refused(path)
    assert "is a folder, as SavedModel is" in refused(tmp_path)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_truncated_file_is_damaged(tmp_path, name):
    model = a_model("float")
    model.save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    for share in (0.1, 0.5, 0.9):
        (tmp_path / name).write_bytes(content[: int(len(content) * share)])
        assert str(tmp_path / name) in refused(tmp_path / name)
