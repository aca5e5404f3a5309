"""`qap import`: a run of a model from elsewhere, which every other command takes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.keras2_file import layer, sequential, write_h5
from support.needs import needs

needs("keras", "qkeras", "h5py")

from qap.report import write_report
from qap.run import RunDirectory

RNG = np.random.default_rng(0)
INPUT = layer("InputLayer", "input_1", batch_input_shape=[None, 9])
QUANTIZER = "quantized_bits(4,0,alpha=1)"
QUANTIZED = [INPUT, layer("QDense", "first", units=4, use_bias=False, kernel_quantizer=QUANTIZER),
             layer("QActivation", "relu", activation="quantized_relu(3,1)"),
             layer("QDense", "last", units=2, use_bias=False, kernel_quantizer=QUANTIZER)]  # fmt: skip
FLOAT = [INPUT, layer("Dense", "first", units=4, use_bias=False, activation="linear"),
         layer("BatchNormalization", "normalized"), layer("Activation", "relu", activation="relu"),
         layer("Dense", "last", units=2, use_bias=False, activation="softmax")]  # fmt: skip
WEIGHTS = {
    "first": {"kernel": RNG.uniform(-1, 1, (9, 4))},
    "normalized": {"gamma": [1, 0.5, 2, -1], "beta": [0, 1, -1, 0.3], "moving_mean": [0.1] * 4,
                   "moving_variance": [0.7] * 4},
    "last": {"kernel": RNG.uniform(-1, 1, (4, 2))},
}  # fmt: skip


@pytest.fixture
def quantized(tmp_path):
    """A quantized model of 9 inputs and 2 outputs, in one file."""
    return write_h5(tmp_path / "mine.h5", sequential(*QUANTIZED), WEIGHTS)


@pytest.fixture
def float_model(tmp_path):
    """A float model of 9 inputs and 2 outputs: the JSON and its weights."""
    path = tmp_path / "float.json"
    path.write_text(json.dumps(sequential(*FLOAT)))
    return path, write_h5(tmp_path / "float_weights.h5", None, WEIGHTS)


@pytest.fixture
def data(tmp_path):
    """Labelled samples of 9 pixels."""
    x = RNG.integers(0, 256, (60, 9), np.uint8)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(60) % 2)
    return f"npz:{tmp_path / 'data.npz'}"


def imported(qap, *arguments) -> dict:
    done = qap("import", *arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_a_quantized_model_with_data_becomes_a_run_with_an_accuracy(qap, quantized, data, tmp_path):
    found = imported(qap, quantized, "--data", data, "--out", tmp_path / "run")
    assert [each["name"] for each in found["layers"]] == ["first", "last"]
    assert found["student"]["accuracy"] == found["freeze"]["accuracy"]
    assert found["input"] == "ap_ufixed<8,0>"
    verified = qap("verify", tmp_path / "run", "--engines", "keras,emulator")
    assert verified.status == 0, verified.err
    assert "done before" in qap("freeze", tmp_path / "run").err


def test_without_data_the_vectors_are_random_and_nothing_has_an_accuracy(qap, quantized, tmp_path):
    needs("matplotlib", "jinja2")
    found = imported(qap, quantized, "--input-format", "ap_fixed<8,4>", "--out", tmp_path / "run", "--name", "my model")
    assert found["data"]["name"] == "random:9"
    assert "accuracy" not in found["freeze"]
    assert qap("verify", tmp_path / "run", "--engines", "keras,emulator").status == 0
    page = write_report(RunDirectory.open(tmp_path / "run")).read_text()
    assert "Accuracy was not measured: the data are random vectors without labels." in page
    assert "The model was imported, nothing was trained." in page
    assert "no labels: accuracy is the share" in qap("sensitivity", tmp_path / "run").out


def test_float_layers_take_a_format_and_their_price_is_told(qap, float_model, data, tmp_path):
    model, weights = float_model
    fixed = imported(qap, model, "--weights", weights, "--data", data, "--precision", "16,6", "--out", tmp_path / "a")
    assert fixed["layers"][0]["result"] == "ap_fixed<16,6>"
    assert len(fixed["layers"]) == 2  # the normalization is folded
    assert fixed["student"]["same_class"] > 0.9
    chosen = imported(qap, model, "--weights", weights, "--data", data, "--out", tmp_path / "b", "--precision", "6")
    assert chosen["layers"][0]["result"].startswith("ap_ufixed<6,")
    assert set(chosen["student"]["float_accuracy"]) == {"train", "validation", "test"}
    for run in ("a", "b"):
        assert qap("verify", tmp_path / run, "--engines", "keras,emulator").status == 0


def test_a_format_that_wraps_says_which_one_would_not(qap, float_model, data, tmp_path):
    model, weights = float_model
    words = ("import", model, "--weights", weights, "--data", data, "--out", tmp_path / "run", "--precision")
    assert "--precision 'ap_fixed<5,1,AP_RND,AP_SAT>' saturates" in qap(*words, "5,1").out
    assert "saturates" not in qap(*words, "ap_fixed<5,1,AP_RND,AP_SAT>", "--force").out


def test_float_layers_without_a_format_or_data_are_refused(qap, float_model, tmp_path):
    done = qap("import", float_model[0], "--weights", float_model[1], "--out", tmp_path / "run")
    assert done.status == 2
    assert "the model has float layers: give their format with --precision" in done.error


def test_an_integer_network_is_imported_as_it_is(qap, quantized, tmp_path):
    imported(qap, quantized, "--input-format", "ap_fixed<8,4>", "--out", tmp_path / "run")
    network = tmp_path / "run" / "network.npz"
    found = imported(qap, network, "--out", tmp_path / "again")
    assert (tmp_path / "again" / "network.npz").read_bytes() == network.read_bytes()
    assert found["input"] == "ap_fixed<8,4>"
    assert "fewer than two engines" not in qap("verify", tmp_path / "again").out
    for command in ("rtl", "hls", "verify", "run"):
        done = qap(command, network)
        assert done.status == 2
        assert f"qap import {network} makes a run of it first" in done.error


def test_data_of_another_width_or_with_other_classes_are_refused(qap, quantized, tmp_path):
    x, y = RNG.integers(0, 256, (60, 8), np.uint8), np.arange(60) % 2
    np.savez(tmp_path / "narrow.npz", x=x, y=y)
    done = qap("import", quantized, "--data", f"npz:{tmp_path / 'narrow.npz'}", "--out", tmp_path / "run")
    assert done.status == 2
    assert "reads 9 inputs, but the samples of" in done.error
    np.savez(tmp_path / "three.npz", x=np.zeros((60, 9), np.uint8), y=np.arange(60) % 3)
    done = qap("import", quantized, "--data", f"npz:{tmp_path / 'three.npz'}", "--out", tmp_path / "three")
    assert done.status == 2
    assert "has 2 outputs, but" in done.error and "has 3 classes" in done.error


@pytest.mark.parametrize(
    ("precision", "said"),
    [("wide", "--precision 'wide' is not a format"), ("ap_fixed<x>", "ap_fixed<x>"), ("99", "precision"), ("8,", "8,")],
)
def test_a_precision_that_is_none_is_refused(qap, quantized, tmp_path, precision, said):
    done = qap("import", quantized, "--precision", precision, "--out", tmp_path / "run")
    assert done.status == 2
    assert said in done.error or "bits" in done.error


def test_commands_that_train_say_that_there_is_nothing_to_train(qap, quantized, tmp_path):
    run = tmp_path / "run"
    imported(qap, quantized, "--out", run)
    done = qap("sensitivity", run, "--write", tmp_path / "new.toml")
    assert done.status == 2
    assert "has no [student], so there is nothing to train" in done.error
    recipe = run / "recipe.toml"
    done = qap("compare", recipe, "--techniques", "qat", "--out", tmp_path / "out")
    assert done.status == 2
    assert "nothing to train" in done.error
    done = qap("sweep", sweep_of(recipe, tmp_path), "--out", tmp_path / "out")
    assert done.status == 2
    assert "random:9, have no labels" in done.error


def sweep_of(recipe, folder):
    path = folder / "sweep.toml"
    path.write_text(f'name = "s"\nrecipe = "{recipe}"\n[axes]\nweight_bits = [3, 4]\n')
    return path


def test_a_model_that_has_gone_is_named_when_the_run_goes_on(qap, quantized, tmp_path):
    imported(qap, quantized, "--out", tmp_path / "run")
    quantized.unlink()
    done = qap("train", tmp_path / "run")
    assert done.status == 2
    assert f"the model {quantized}" in done.error and "is not there" in done.error


@pytest.fixture
def graph(tmp_path):
    """A QONNX file of 9 inputs and 2 outputs, quantized or float."""
    needs("onnx", "qonnx", "onnxruntime")
    from support.onnx_graphs import Graph

    def write(*, quantized: bool):
        made = Graph(9)
        first, last = RNG.integers(-7, 8, (9, 4)) / 8, RNG.integers(-7, 8, (4, 2)) / 8
        noise = 0 if quantized else RNG.uniform(0, 0.01, (9, 4))
        made.node("MatMul", "", made.constant(first + noise))
        made.node("Relu")
        if quantized:
            made.quant(0.25, 3, signed=0)
        made.node("MatMul", "", made.constant(last))
        return made.save(tmp_path / "mine.onnx", 2)

    return write


def test_a_graph_is_verified_as_the_user_has_it(qap, graph, tmp_path):
    path, run = graph(quantized=True), tmp_path / "run"
    imported(qap, path, "--input-format", "ap_fixed<6,3>", "--out", run)
    path.unlink()  # the run keeps what its engine reads
    done = qap("verify", run, "--engines", "keras,onnx,emulator")
    assert done.status == 0, done.err
    assert "onnx == emulator on 2048 test vectors: 0 mismatches" in done.out


def test_the_graph_of_float_layers_is_another_model_than_the_quantized_one(qap, graph, tmp_path):
    run = tmp_path / "run"
    imported(qap, graph(quantized=False), "--precision", "12,4", "--input-format", "ap_fixed<6,3>", "--out", run)
    assert qap("verify", run, "--engines", "keras,emulator").status == 0
    done = qap("verify", run, "--engines", "onnx,emulator")
    assert done.status == 2
    assert "the float layers of the graph were quantized" in done.error


def test_the_graph_of_quantized_logits_is_another_model(qap, tmp_path):
    needs("onnx", "qonnx", "onnxruntime")
    from support.onnx_graphs import Graph

    made = Graph(9)
    made.node("MatMul", "", made.quantized(RNG.uniform(-1, 1, (9, 2)), np.array([[0.1, 0.3]]), 4))
    path, run = made.save(tmp_path / "mine.onnx", 2), tmp_path / "run"
    refused = qap("import", path, "--input-format", "ap_fixed<6,3>", "--out", run)
    assert refused.status == 2
    imported(qap, path, "--input-format", "ap_fixed<6,3>", "--output-bits", "8", "--out", run, "--force")
    done = qap("verify", run, "--engines", "onnx,emulator")
    assert done.status == 2
    assert "output_bits quantized the logits" in done.error
