"""A comparison of real trainings that take a moment each: what is measured, shared, skipped and continued."""

import json

import numpy as np
import pytest
from support.needs import needs

needs("tensorflow", "qkeras")

from dataclasses import asdict, replace

from qap import flow
from qap.errors import QapError, RecipeError, ToolMissing
from qap.explore.comparison.compare import adopt_teacher, compare
from qap.hardware.estimate.rtl import estimate_rtl
from qap.hardware.resources import ResourceReport
from qap.network import load_network
from qap.network.csd import adders
from qap.recipe import parse_recipe
from qap.run import RunDirectory
from qap.run.stages import STAGES

LAYERS = [{"units": 4, "weight": 4, "activation": "quantized_relu(4,1)"}, {"units": 2, "weight": 4}]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Two epochs on 60 pictures: bright above or bright below."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = rng.integers(0, 100, (60, 3, 3), np.uint8)
    x[y == 0, 0] += 120
    x[y == 1, 2] += 120
    path = tmp_path_factory.mktemp("data") / "data.npz"
    np.savez(path, x=x, y=y)
    training = {"epochs": 2, "batch_size": 16, "learning_rate": 0.01}
    return parse_recipe(
        {
            "name": "tiny",
            "seed": 5,
            "data": {"name": f"npz:{path}", "validation": 0.2},
            "teacher": {"units": [8], **training},
            "student": {"layers": LAYERS, **training},
            "prune": {"sparsity": 0.5, "every": 2},
            "distill": {},
        },
        "test",
    )


@pytest.fixture
def no_rtl(monkeypatch):
    """As if the rtl extra were not installed."""

    def missing(run, progress):
        raise ToolMissing("the package 'da4ml' is not installed")

    monkeypatch.setitem(flow.WORK, "rtl", missing)


class Stops(flow.Silent):
    """Ctrl-C when a stage begins."""

    def start(self, stage, total):
        if stage == "student":
            raise KeyboardInterrupt


def trained(folder):
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("*/student.keras")}


def test_an_interrupted_comparison_continues_and_measures_what_the_networks_are(recipe, tmp_path):
    names = ["qat", "qap+kd", "kd"]
    with pytest.raises(KeyboardInterrupt):
        compare(recipe, names, 1, tmp_path, progress=lambda run: Stops() if run == "qap+kd-seed5" else flow.Silent())
    before = trained(tmp_path)
    assert set(before) == {"qat-seed5"}
    found = compare(recipe, names, 1, tmp_path)
    after = trained(tmp_path)
    assert set(after) == {"qat-seed5", "qap+kd-seed5", "kd-seed5"}
    assert after["qat-seed5"] == before["qat-seed5"]
    # one teacher for both that learn from one
    teachers = [(tmp_path / name / "teacher.keras").read_bytes() for name in ("qap+kd-seed5", "kd-seed5")]
    assert teachers[0] == teachers[1]
    assert not (tmp_path / "qat-seed5" / "teacher.keras").exists()

    assert found.techniques == tuple(names)
    assert [(each.technique, each.seed) for each in found.outcomes] == [(name, 5) for name in names]
    for each in found.outcomes:
        run = RunDirectory.open(tmp_path / f"{each.technique}-seed5")
        network = load_network(run.file("network.npz"))
        data = run.dataset
        assert each.test == (network.decide(network.forward(data.test.x)) == data.test.y).mean()
        assert each.validation == (network.decide(network.forward(data.validation.x)) == data.validation.y).mean()
        assert (each.parameters, each.nonzeros) == (network.parameters, network.nonzeros)
        assert each.dense_bytes == network.size_bytes
        assert each.sparse_bytes <= each.dense_bytes
        assert each.adders == adders(network)
        assert each.lut_source == "estimate"
        assert each.notes == ()
        assert each.training_s > 0
    qat, pruned, _ = found.outcomes
    assert pruned.nonzeros < qat.nonzeros
    seconds = {name: record["seconds"] for name, record in stages(tmp_path / "qap+kd-seed5").items()}
    assert pruned.training_s == pytest.approx(seconds["teacher"] + seconds["student"])


def stages(folder):
    return json.loads((folder / "stages.json").read_text())


def test_more_seeds_only_train_the_new_ones(recipe, tmp_path):
    compare(recipe, ["qat"], 1, tmp_path)
    before = trained(tmp_path)
    found = compare(recipe, ["qat", "qat"], 2, tmp_path)
    assert [each.seed for each in found.outcomes] == [5, 6]
    assert set(trained(tmp_path)) == {"qat-seed5", "qat-seed6"}
    assert trained(tmp_path)["qat-seed5"] == before["qat-seed5"]
    numbers = found.summary("qat")["test"]
    assert numbers.mean == pytest.approx(np.mean([each.test for each in found.outcomes]))
    assert numbers.spread == pytest.approx(np.std([each.test for each in found.outcomes], ddof=1))


def test_what_has_no_integer_form_is_evaluated_with_keras_and_says_so(recipe, tmp_path):
    found = compare(recipe, ["float", "pruned", "dq"], 1, tmp_path)
    full, pruned, dynamic = found.outcomes
    for each in found.outcomes:
        assert each.notes[0].startswith("no integer form, evaluated with Keras: ")
        assert (each.adders, each.lut) == (None, None)
        student = stages(tmp_path / f"{each.technique}-seed5")["student"]["result"]["accuracy"]
        assert (each.test, each.validation) == (student["test"], student["validation"])
    assert full.parameters == 9 * 4 + 4 + 4 * 2 + 2
    assert full.nonzeros >= 9 * 4 + 4 * 2
    assert full.dense_bytes == full.sparse_bytes == 4 * full.parameters
    assert 22 <= pruned.parameters - pruned.nonzeros <= 22 + 6
    assert pruned.sparse_bytes < pruned.dense_bytes == full.dense_bytes
    # 4 bits a weight, a float scale for each layer, float biases
    assert dynamic.dense_bytes == (44 * 4 + 2 * 32 + 6 * 32) // 8
    assert dynamic.nonzeros < dynamic.parameters == full.parameters


def test_what_is_quantized_after_the_training_is_frozen(recipe, tmp_path):
    found = compare(recipe, ["ptq", "fiq"], 1, tmp_path)
    for each in found.outcomes:
        assert each.adders is not None
        network = load_network(tmp_path / f"{each.technique}-seed5" / "network.npz")
        assert each.dense_bytes == network.size_bytes


def test_a_teacher_of_other_data_or_settings_is_not_taken_over(recipe, tmp_path):
    first = RunDirectory.create(tmp_path / "first", recipe)
    flow.run_flow(first, ["data", "teacher"])
    for name, changes in {
        "seed": ["seed=6"],
        "epochs": ["teacher.epochs=3"],
        "student": ["prune.sparsity=0.2"],
    }.items():
        other = RunDirectory.create(tmp_path / name, recipe.override(changes))
        flow.run_flow(other, ["data"])
        assert adopt_teacher(other, [first]) == (name == "student")
        assert other.file("teacher.keras").exists() == (name == "student")
    record = RunDirectory.open(tmp_path / "student").stage("teacher")
    assert record == first.stage("teacher")
    assert not adopt_teacher(RunDirectory.open(tmp_path / "student"), [first])
    fresh = RunDirectory.create(tmp_path / "fresh", recipe.override(["prune.sparsity=0.3"]))
    flow.run_flow(fresh, ["data"])
    first.file("teacher_history.csv").write_text("changed by somebody")
    assert not adopt_teacher(fresh, [first])


def test_luts_are_estimated_or_counted_by_synthesis(recipe, tmp_path, monkeypatch):
    def stage(name, result):
        nothing = replace(STAGES[name], reads=lambda r: (), writes=lambda r: ())
        monkeypatch.setitem(STAGES, name, nothing)
        monkeypatch.setitem(flow.WORK, name, lambda run, progress: result)

    stage("rtl", {"estimated_luts": 50})
    reports = [
        ResourceReport("yosys", "Yosys", "xc7", name, lut=lut) for name, lut in (("core", 40), ("core_axis", 70))
    ]
    stage("synth", {"reports": [asdict(report) for report in reports]})
    (estimated,) = compare(recipe, ["qat"], 1, tmp_path).outcomes
    network = load_network(tmp_path / "qat-seed5" / "network.npz")
    assert (estimated.lut, estimated.lut_source) == (estimate_rtl(network, recipe.target).lut, "estimate")
    (measured,) = compare(recipe, ["qat"], 1, tmp_path, synth=True).outcomes
    assert (measured.lut, measured.lut_source) == (40, "yosys")
    monkeypatch.setattr("qap.hardware.rtl.size.HOPELESS_LUTS", 3)
    (too_large,) = compare(recipe, ["qat"], 1, tmp_path, synth=True).outcomes
    assert (too_large.lut, too_large.lut_source) == (None, None)
    assert "too many to be synthesized" in too_large.notes[0]


@pytest.mark.slow
def test_luts_are_those_that_synthesis_counts(recipe, tmp_path):
    needs("da4ml", "jinja2", "yosys")
    (measured,) = compare(recipe, ["qat"], 1, tmp_path, synth=True).outcomes
    core = json.loads((tmp_path / "qat-seed5" / "stages.json").read_text())["synth"]["result"]["reports"][0]
    assert (measured.lut, measured.lut_source, core["design"]) == (core["lut"], "yosys", "classifier")
    assert measured.lut > 0
    assert measured.notes == ()


def test_tools_that_are_missing_are_no_reason_to_stop(recipe, tmp_path, no_rtl):
    (only,) = compare(recipe, ["qat"], 1, tmp_path, synth=True).outcomes
    assert (only.lut, only.notes) == (None, ("LUTs not counted: the package 'da4ml' is not installed",))


def test_mistakes_are_found_before_any_training(recipe, tmp_path):
    with pytest.raises(RecipeError, match="unknown technique 'qapp'"):
        compare(recipe, ["qat", "qapp"], 1, tmp_path)
    with pytest.raises(QapError, match="at least one seed is needed, but got 0"):
        compare(recipe, ["qat"], 0, tmp_path)
    with pytest.raises(QapError, match="at least one technique is needed"):
        compare(recipe, [], 1, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_error_names_its_run(recipe, tmp_path):
    (tmp_path / "qat-seed5").write_text("")
    with pytest.raises(QapError, match=r"^qat-seed5: .*qat-seed5 is a file"):
        compare(recipe, ["qat"], 1, tmp_path)
