"""What the package promises by name, and how its objects show themselves."""

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest
from support.needs import needs

import qap
from qap.errors import QapError, ToolMissing
from qap.fixed import FixedPoint
from qap.rows import data_frame_of, html_of, text_of

FACE = [
    "__version__", "CsimEngine", "Dataset", "EmulatorEngine", "FixedPoint", "IntegerLayer", "IntegerNetwork",
    "KerasEngine", "LayerSpec", "NetlistEngine", "NotExact", "QapClassifier", "QapError", "Recipe", "RtlEngine",
    "RtlOptions", "RunDirectory", "StepTable", "TableLayer", "ThresholdLayer",
    "adversarial_vectors", "agree", "compare", "connect", "cross_validate", "estimate", "freeze",
    "import_model", "load",
    "load_for", "load_network", "load_recipe", "load_sweep", "run_flow", "run_sweep", "save_network", "simplify",
    "synthesize", "train_student", "train_teacher", "verify", "write_project", "write_report", "write_rtl",
]  # fmt: skip


@pytest.fixture(scope="module")
def network():
    spec = qap.LayerSpec(
        "out", np.array([[1, 0], [-1, 2]]), FixedPoint.parse("ap_fixed<3,3>"), np.array([0, 1]),
        FixedPoint.parse("ap_fixed<2,2>"), "linear", FixedPoint.parse("ap_fixed<8,8>"),
    )  # fmt: skip
    return qap.connect(FixedPoint.parse("ap_ufixed<2,2>"), [spec], ["a<b", "c"])


def test_the_face_is_this_list():
    assert qap.__all__ == FACE
    assert dir(qap) == sorted(FACE)


@pytest.mark.parametrize("name", FACE)
def test_every_promise_is_kept_and_documented(name):
    value = getattr(qap, name)
    assert value is getattr(qap, name)
    assert name == "__version__" or value.__doc__


def test_no_promise_has_the_name_of_a_module_which_an_import_would_put_in_its_place():
    assert not {module.name for module in iter_modules(qap.__path__)} & set(FACE)
    for name in FACE[1:]:
        import_module(qap._HOME[name])
        assert not isinstance(getattr(qap, name), type(sys))


def test_an_import_of_a_room_leaves_the_face_as_it_is():
    rooms = "qap.network.simplify, qap.freezing.freezing, qap.verification, qap.hardware.estimate.result"
    names = "qap.simplify, qap.freeze, qap.verify, qap.estimate"
    program = f"import qap, {rooms}\nassert all(map(callable, ({names})))"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="module 'qap' has no attribute 'nonsense'"):
        qap.nonsense  # noqa: B018


def test_classes_and_accuracy_of_integers(network):
    x = np.array([[3, 0], [0, 3], [1, 1]])
    assert network.classify(x).tolist() == [0, 1, 1]
    assert network.accuracy(x, np.array([0, 1, 0])) == 2 / 3
    with pytest.raises(QapError, match=r"one label a sample, but got x \(3, 2\) and y \(2,\)"):
        network.accuracy(x, np.array([0, 1]))
    with pytest.raises(QapError, match="one label a sample"):
        network.accuracy(x[:0], np.array([], np.int64))


def test_predict_refuses_integers_and_names_classify(network):
    for x in (np.array([[3, 0]]), np.array([[3, 0]], np.uint8), np.array([[True, False]])):
        with pytest.raises(QapError, match=r"classify takes integers in LSBs of ap_ufixed<2,2"):
            network.predict(x)
    assert network.predict(np.array([[3.0, 0.0]])).tolist() == [0]


def test_objects_are_shown_by_shapes_and_formats_never_by_arrays(network):
    data, recipe = qap.load("mnist-1v9"), qap.load_recipe("mnist-1v9")
    for each in (network, data, recipe, data.test):
        assert len(repr(each)) < 160
        assert "array" not in repr(each)
    assert repr(network).startswith("IntegerNetwork(2-2, ap_ufixed<2,2")
    assert "4 of 6 parameters not 0" in repr(network)
    assert repr(data).startswith("Dataset(mnist-1v9: 11,422 + 1,269 + 2,144 samples, 784 inputs")
    assert repr(recipe) == "Recipe(mnist-1v9: mnist-1v9, student 2-2, seed 0)"


def test_summaries_name_what_is_there(network):
    assert "ap_fixed<3,3" in network.summary().splitlines()[2]
    data = qap.load("mnist-1v9")
    assert [line.split()[:2] for line in data.summary().splitlines()[2:]] == [
        ["train", "11,422"], ["validation", "1,269"], ["test", "2,144"],
    ]  # fmt: skip
    assert qap.load_recipe("digits").to_toml() in qap.load_recipe("digits").summary()


def test_notebooks_show_tables_with_escaped_text(network):
    assert "<td>out</td>" in network._repr_html_()
    assert "ap_ufixed&lt;2,2" in network._repr_html_()
    data = qap.load("mnist-1v9")
    assert data._repr_html_().count("<tr>") == 4
    assert "<script>" not in html_of("<script>", [{"<script>": "<script>"}])
    assert "seed = 0" in qap.load_recipe("digits")._repr_html_()


def test_rows_as_text_are_aligned():
    assert text_of([{"a": "x", "n": 1}, {"a": "long", "n": 1000}]) == "a         n\nx         1\nlong  1,000"
    assert text_of([{"a": None, "b": 0.12345678}]) == "a       b\n-  0.1235"


def test_tables_become_data_frames(network):
    needs("pandas")
    import pandas

    frame = network.to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["layer"].tolist() == ["out"]
    assert qap.load("mnist-1v9").to_dataframe()["samples"].tolist() == [11422, 1269, 2144]
    assert qap.estimate(network).to_dataframe()["name"].tolist() == ["out"]


def test_without_pandas_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ToolMissing, match="needs the package 'pandas', which is not installed: pip install pandas"):
        data_frame_of([{"a": 1}])


def test_the_data_of_a_recipe_are_those_of_its_run(tmp_path):
    recipe = qap.load_recipe("mnist-1v9").override(["seed=3", "data.validation=0.2"])
    data = qap.load_for(recipe)
    assert data.digest == qap.RunDirectory.create(tmp_path / "run", recipe).dataset.digest
    assert data.digest != qap.load_for(qap.load_recipe("mnist-1v9")).digest


def test_an_estimator_that_is_not_there_is_named(network):
    with pytest.raises(QapError, match=r"no estimator 'guess' \(there are: hls4ml"):
        qap.estimate(network, estimator="guess")
