"""A network with another format in every tensor, from the course: 30-20-10-10-4 with up to 32 bits."""

from __future__ import annotations

import pytest
from support.needs import needs
from support.small_data import blobs, small_recipe

needs("keras")

from qap.freezing import KerasEngine, freeze
from qap.training import train_student, train_teacher
from qap.training.fit import predict_logits
from qap.training.networks import load_model, save_model
from qap.verification import EmulatorEngine, adversarial_vectors, verify

HIDDEN = {
    "weight": "quantized_bits(9,1,alpha=1)",
    "bias": "quantized_bits(23,15,alpha=1)",
    "activation": "quantized_relu(16,15)",
}
OUTPUT = {"units": 4, "weight": "quantized_bits(32,15,alpha=1)", "bias": "quantized_bits(32,15,alpha=1)"}


@pytest.fixture(scope="module")
def trained():
    data = blobs(n_in=30, n_classes=4, samples=400)
    student = {"epochs": 10, "batch_size": 32, "learning_rate": 0.01}
    student["layers"] = [*({"units": n, **HIDDEN} for n in (20, 10, 10)), OUTPUT]
    recipe = small_recipe(student=student, prune={"sparsity": 0.3, "every": 10})
    teacher, _ = train_teacher(recipe, data)
    model, history = train_student(recipe, data, teacher)
    return data, model, history


def test_it_builds_and_trains(trained):
    data, model, history = trained
    assert [model.get_layer(f"dense_{i}").kernel.shape for i in range(4)] == [(30, 20), (20, 10), (10, 10), (10, 4)]
    assert history.best.validation_accuracy > 0.9
    assert history.best.sparsity == round(0.3 * 940) / 940
    predicted = predict_logits(model, data.test.x, data.input_format.lsb).argmax(axis=1)
    assert (predicted == data.test.y).mean() > 0.9


def test_it_survives_its_file_and_freezes_exactly(trained, tmp_path):
    data, model, _ = trained
    save_model(model, tmp_path / "student.keras")
    copy = load_model(tmp_path / "student.keras")
    network = freeze(copy, data.input_format, data.class_names)
    assert network.digest == freeze(model, data.input_format, data.class_names).digest
    assert [layer.weight.shape for layer in network.layers] == [(30, 20), (20, 10), (10, 10), (10, 4)]
    vectors = {"test": data.test.x, "adversarial": adversarial_vectors(data.input_format, 30)}
    found = verify([KerasEngine(copy), EmulatorEngine()], network, vectors)
    assert found.exact
    assert len(found.agreements) == 2
