"""The file of a condensed data set, and what is said about it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.needs import needs

needs("tensorflow", "sklearn")

from support.small_data import blobs

from qap.data import Split, load
from qap.errors import DataError
from qap.fixed import FixedPoint
from qap.training.condensation import Condensed, condense, evaluation
from qap.training.condensation.evaluation import Outcome, evaluate, train_and_judge, trainings, unrounded
from qap.training.condensation.file import save_condensed
from qap.training.condensation.source import nearest


@pytest.fixture(scope="module")
def full():
    return blobs()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(evaluation, "STEPS", 40)
    monkeypatch.setattr(evaluation, "EPOCHS", 3)
    monkeypatch.setattr(evaluation, "SEEDS", (0, 1))


def stored(tmp_path, data, method="herding"):
    path = tmp_path / "small.npz"
    condensed = condense(data, 3, method)
    save_condensed(path, data, condensed, method, seed=0)
    return path, condensed


# ---- the file


def test_the_file_holds_the_new_training_part_and_the_other_parts_untouched(tmp_path, full):
    path, condensed = stored(tmp_path, full)
    small = load(f"npz:{path}", seed=7, validation=0.4)
    for part, expected in (("train", condensed.train), ("validation", full.validation), ("test", full.test)):
        found = getattr(small, part)
        assert (found.x == expected.x).all()
        assert (found.y == expected.y).all()
    assert small.digest == replace(full, train=condensed.train).digest
    assert [item.name for item in tmp_path.iterdir()] == ["small.npz"]


def test_the_file_says_where_it_comes_from_without_a_pickle(tmp_path, full):
    path, _ = stored(tmp_path, full)
    with np.load(path, allow_pickle=False) as archive:
        record = json.loads(str(archive["condensation"]))
        assert all(archive[name].dtype != object for name in archive.files)
    assert (record["method"], record["seed"], record["per_class"]) == ("herding", 0, 3)
    assert (record["source"], record["source_digest"]) == ("blobs", full.digest)


def test_pictures_and_the_order_of_classes_come_back(tmp_path, full):
    data = replace(full, class_names=("two", "10", "9"), image_shape=(3, 4))
    small = load(f"npz:{stored(tmp_path, data)[0]}")
    assert (small.class_names, small.image_shape) == (("two", "10", "9"), (3, 4))


def test_a_table_of_features_keeps_its_scaling(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{value:.4f},{5 * value + 1:.4f},{index % 2}" for index, value in enumerate(rng.normal(size=60))]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,class", *rows]))
    data = load(f"csv:{tmp_path / 't.csv'}?label=class")
    small = load(f"npz:{stored(tmp_path, data)[0]}")
    assert small.scaling.to_dict() == data.scaling.to_dict()
    assert (small.test.x == data.test.x).all()


@pytest.mark.parametrize("part", ["x", "y", "all"])
def test_a_condensed_set_that_lost_a_class_is_refused_by_name(tmp_path, full, part):
    path, _ = stored(tmp_path, full)
    arrays = dict(np.load(path, allow_pickle=False))
    kept = arrays["y"] != "1"
    if part in ("y", "all"):
        arrays["y"] = arrays["y"][kept]
    if part in ("x", "all"):
        arrays["x"] = arrays["x"][kept]
    np.savez(path, **arrays)
    message = "class '1' has no training sample; each of the 3 classes needs at least 1"
    with pytest.raises(DataError, match=message if part == "all" else "y must be one label a sample"):
        load(f"npz:{path}")


# ---- rounding


def test_samples_go_to_the_nearest_number_whatever_the_format_does():
    for modes in ("", ",AP_TRN,AP_WRAP", ",AP_RND_CONV,AP_SAT"):
        form = FixedPoint.parse(f"ap_ufixed<2,1{modes}>")
        assert nearest(np.array([-3.0, 0.2, 0.3, 0.74, 0.76, 1.4, 1.5, 9.0]), form).tolist() == [0, 0, 1, 1, 2, 3, 3, 3]


def test_what_rounding_changed_is_measured(full):
    lsb = full.input_format.lsb
    samples = np.full((3, 2, full.n_in), 10.25 * lsb)
    samples[:, 0] = 20 * lsb
    condensed = Condensed.of(samples, full)
    assert condensed.train.x[:, 0].tolist() == [20, 10] * 3
    assert condensed.rounding_lsb == pytest.approx(np.sqrt(0.25**2 / 2))


def test_not_rounded_means_the_finest_grid_that_float32_holds(full):
    condensed = condense(full, 2, "distribution-matching")
    small = replace(full, train=condensed.train)
    fine = unrounded(small, condensed)
    assert str(fine.input_format) == "ap_ufixed<24,0,AP_RND_CONV,AP_SAT>"
    assert np.abs(fine.real(fine.train.x) - condensed.real).max() <= fine.input_format.lsb
    assert (fine.real(fine.test.x) == small.real(small.test.x)).all()
    assert (fine.train.y == small.train.y).all()


# ---- the comparison


def test_the_report_of_chosen_samples(full, quick):
    condensed, told = condense(full, 3, "k-means"), []
    found = evaluate(full, replace(full, train=condensed.train), condensed, told.append)
    assert json.loads(json.dumps(found)) == found
    assert len(told) == trainings(condensed) == 4
    assert found["samples"] == {"full": 300, "condensed": 9}
    assert len(found["information"]["full"]["each"]) == 2
    for part in ("full", "condensed"):
        gap = found["generalisation"][part]
        assert gap["gap"] == pytest.approx(gap["train"] - gap["test"])
        assert found["information"][part]["test"] == gap["test"]
    assert (found["rounding"]["rms_lsb"], found["rounding"]["lost"]) == (0, 0)
    assert [each["name"] for each in found["bias"]["classes"]] == ["0", "1", "2"]
    assert all(each["distance"] < each["distance_to_mean"] * 2 for each in found["bias"]["classes"])


def test_the_class_that_is_hurt_most_is_named(full, monkeypatch):
    def judged(dataset, seed):
        small = len(dataset.train) < 300
        return Outcome(1.0, 0.9, 0.8 - 0.1 * small + 0.01 * seed, (1.0, 0.9 - 0.3 * small, 0.5 + 0.2 * small))

    monkeypatch.setattr(evaluation, "train_and_judge", judged)
    condensed = condense(full, 3, "random")
    found = evaluate(full, replace(full, train=condensed.train), condensed)
    assert found["bias"]["hurt_most"] == "1"
    assert [each["change"] for each in found["bias"]["classes"]] == pytest.approx([0, -0.3, 0.2])
    assert found["information"]["lost"] == pytest.approx(0.1)
    assert found["information"]["full"]["spread"] == pytest.approx(0.01)
    assert found["generalisation"]["condensed"]["gap"] == pytest.approx(0.29)


def test_coverage_is_the_mean_distance_to_the_nearest(full, monkeypatch):
    monkeypatch.setattr(evaluation, "train_and_judge", lambda dataset, seed: Outcome(1.0, 1.0, 1.0, (1.0, 1.0, 1.0)))
    train = Split(full.train.x[:9], full.train.y[:9])
    part = replace(full, train=train)
    condensed = Condensed.of(part.real(train.x[:3]).reshape(3, 1, -1).astype(float), part)
    bias = evaluate(part, replace(part, train=condensed.train), condensed)["bias"]
    assert bias["hurt_most"] is None
    for index, each in enumerate(bias["classes"]):
        rows = part.real(train.x[train.y == index]).astype(float)
        assert each["distance"] == pytest.approx(np.linalg.norm(rows - rows[0], axis=1).mean())


def test_a_model_that_never_saw_a_class_right_has_no_recall_there(full, quick):
    """Labels of the class 2 that are wrong in training show in its recall, and in no other."""
    wrong = Split(full.train.x, np.where(full.train.y == 2, np.arange(300) // 3 % 2, full.train.y))
    few = np.flatnonzero(full.train.y == 2)[:1]
    train = Split(np.concatenate([wrong.x, full.train.x[few]]), np.append(wrong.y, 2))
    found = train_and_judge(replace(full, train=train), 0)
    assert found.recall[2] < 0.5 < min(found.recall[:2])


def test_a_class_without_a_test_sample_is_not_judged(full, quick):
    kept = full.test.y != 1
    data = replace(full, test=Split(full.test.x[kept], full.test.y[kept]))
    condensed = condense(data, 2, "herding")
    bias = evaluate(data, replace(data, train=condensed.train), condensed)["bias"]
    assert bias["classes"][1]["recall_full"] is bias["classes"][1]["change"] is None
    assert bias["hurt_most"] != "1"


def test_distances_to_the_nearest_of_all_samples(monkeypatch):
    """Also of the samples beyond those whose distances are held at once."""
    monkeypatch.setattr(evaluation, "BLOCK", 4)
    rng = np.random.default_rng(0)
    samples, condensed = rng.normal(size=(10, 3)), rng.normal(size=(4, 3))
    each = np.linalg.norm(samples[:, None] - condensed, axis=2)
    np.testing.assert_allclose(evaluation.distances(samples, condensed), each.min(axis=1))
