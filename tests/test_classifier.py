"""The scikit-learn face: scikit-learn's own checks, a Pipeline, a grid, pickles, the decisions of the network."""

from __future__ import annotations

import pickle
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest
from support.needs import needs

needs("tensorflow", "qkeras")

from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from qap import QapClassifier, load_network, load_recipe, save_network
from qap.data import on_grid
from qap.errors import QapError, RecipeError

RECIPE = {
    "name": "small",
    "data": {"validation": 0.2},
    "student": {
        "epochs": 30,
        "batch_size": 32,
        "learning_rate": 0.05,
        "layers": [{"units": 2, "weight": 6, "bias": 8}],
    },
}


@pytest.mark.slow
@parametrize_with_checks([QapClassifier(RECIPE)])
def test_scikit_learns_own_checks(estimator, check) -> None:
    try:
        check(estimator)
    except SkipTest as reason:  # arrays of other libraries than numpy are not taken
        assert "SCIPY_ARRAY_API" in str(reason)


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    x, y = make_blobs(120, centers=[[0, 0, 0], [9, 0, 300], [0, 9, -300]], random_state=0)
    return x, np.array(["one", "two", "three"])[y]


@pytest.fixture(scope="module")
def fitted(blobs) -> QapClassifier:
    return QapClassifier(RECIPE).fit(*blobs)


def test_it_decides_as_its_network_does(fitted: QapClassifier, blobs) -> None:
    x, y = blobs
    assert fitted.score(x, y) > 0.95
    assert fitted.classes_.tolist() == ["one", "three", "two"]
    assert fitted.network_.class_names == ("one", "three", "two")
    network = fitted.network_
    x_int = on_grid(x, fitted.scaling_, network.input_format)
    assert (fitted.predict(x) == fitted.classes_[network.classify(x_int)]).all()
    logits = fitted.decision_function(x) / network.output_format.lsb
    np.testing.assert_array_equal(logits, network.forward(x_int))


def test_its_pickle_is_the_bytes_of_its_network(fitted: QapClassifier, blobs, tmp_path: Path) -> None:
    state = fitted.__getstate__()
    save_network(fitted.network_, tmp_path / "a.npz")
    assert state["network_"] == (tmp_path / "a.npz").read_bytes()
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    assert again.network_.digest == fitted.network_.digest
    assert again.recipe_ == fitted.recipe_
    assert (again.decision_function(blobs[0]) == fitted.decision_function(blobs[0])).all()


def test_its_hls_project_is_that_of_the_network(fitted: QapClassifier, tmp_path: Path) -> None:
    needs("hls4ml", "jinja2")
    from qap.hardware.hls import read_project

    folder = fitted.export_hls(tmp_path / "hls")
    assert read_project(folder).network_digest == fitted.network_.digest


def test_in_a_pipeline_and_a_grid(blobs) -> None:
    x, y = blobs
    pipeline = make_pipeline(StandardScaler(), QapClassifier(RECIPE))
    grid = {"qapclassifier__changes": [["student.epochs=1"], ["student.epochs=25"]]}
    found = GridSearchCV(pipeline, grid, cv=2).fit(x, y)
    assert found.best_params_ == {"qapclassifier__changes": ["student.epochs=25"]}
    assert found.score(x, y) > 0.9


def test_the_recipe_is_a_name_a_recipe_or_its_content() -> None:
    for recipe in ("digits", load_recipe("digits")):
        made = QapClassifier(recipe, changes=["prune.sparsity=0.25"], random_state=7)
        made.classes_ = np.arange(3)
        assert (made._recipe().seed, made._recipe().prune.sparsity) == (7, 0.25)
        assert [layer.units for layer in made._recipe().student.layers] == [24, 3]


@pytest.mark.parametrize(
    ("classifier", "error", "said"),
    [
        (QapClassifier("digit"), RecipeError, "digit"),
        (QapClassifier(RECIPE, changes=["prune.sparse=1"]), RecipeError, "prune"),
        (QapClassifier(RECIPE, changes=['quantize.method="none"']), QapError, "no student with an integer form"),
    ],
)
def test_a_wrong_recipe_is_refused(classifier: QapClassifier, error: type[Exception], said: str, blobs) -> None:
    with pytest.raises(error, match=said):
        classifier.fit(*blobs)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="needs two classes or more, but y holds one class: 1"):
        QapClassifier(RECIPE).fit(np.zeros((5, 2)), np.ones(5, int))


def test_a_network_of_a_pickle_can_be_written_and_read(fitted: QapClassifier, tmp_path: Path) -> None:
    save_network(pickle.loads(pickle.dumps(fitted)).network_, tmp_path / "b.npz")  # noqa: S301
    assert load_network(tmp_path / "b.npz").digest == fitted.network_.digest
