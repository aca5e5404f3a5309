"""The digest of a stage moves with all that decides its result, and with nothing else; so do the keys of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.recipe_keys import KEYS, base_recipe, pair, schema_keys

from qap.errors import RecipeError
from qap.explore.sweep.points import float_recipe, points_of, teacher_recipe
from qap.explore.sweep.spec import parse_sweep
from qap.recipe import Recipe, load_recipe, parse_recipe
from qap.run import RunDirectory
from qap.run.engines import engines_of
from qap.run.stages import STAGES

DECIDING = [name for name in STAGES if name != "report"]
BESIDE_THE_NETWORK = ("name", "accuracy_floor", "target.", "rtl.")


def settings(recipe: Recipe, folder: Path) -> dict[str, str]:
    """A digest of what each stage reads of the recipe."""
    run = RunDirectory(folder, recipe)
    return {name: run.digest((), STAGES[name].settings(run)) for name in STAGES}


def test_every_key_of_the_schema_has_another_value_here() -> None:
    assert set(KEYS) == set(schema_keys())


@pytest.mark.parametrize("key", schema_keys())
def test_a_key_moves_the_digests_of_its_stages_and_of_no_other(key: str, tmp_path: Path) -> None:
    before, after = (settings(recipe, tmp_path) for recipe in pair(key, tmp_path))
    moved = {name for name in STAGES if before[name] != after[name]}
    assert moved == {*KEYS[key].stages, "report"}


def test_who_reads_what() -> None:
    """By the file that changes: the stages that must be done again."""
    recipe = load_recipe("mnist-1v9").override(["rtl.enabled=true"])
    readers = {
        "data.json": {"teacher", "student", "freeze", "hls", "rtl", "verify"},
        "teacher.keras": {"student"},
        "student.keras": {"freeze", "verify"},
        "network.npz": {"hls", "rtl", "verify", "report"},
        "history.csv": {"report"},
        "hls": {"verify"},
        "rtl": {"synth", "verify"},
        "verify.json": {"report"},
    }
    for file, stages in readers.items():
        assert {name for name, stage in STAGES.items() if file in stage.reads(recipe)} == stages, file


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_moves_with_every_file_that_it_reads(name: str, tmp_path: Path) -> None:
    recipe = base_recipe(tmp_path)
    run = RunDirectory.create(tmp_path / "run", recipe)
    reads = STAGES[name].reads(recipe)
    for file in reads:
        path = run.file(file) if "." in file else run.file(file) / "inside"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before")
    seen = {run.digest(reads, None)}
    for file in reads:
        path = run.file(file) if "." in file else run.file(file) / "inside"
        path.write_text("after")
        seen.add(run.digest(reads, None))
    assert len(seen) == len(reads) + 1


@pytest.mark.parametrize("key", schema_keys())
def test_the_key_of_a_network_moves_with_what_decides_it(key: str, tmp_path: Path) -> None:
    """Points that differ beside it share their network; every point has a key of its own."""
    paths = [tmp_path / f"{name}.toml" for name in ("before", "after")]
    for path, recipe in zip(paths, pair(key, tmp_path), strict=True):
        path.write_text(recipe.to_toml())
    axes = {"seed": [5]} if key != "seed" else {"prune.every": [1]}
    content = {"name": "s", "training": "qat", "axes": axes}
    (one,), (other,) = (points_of(parse_sweep({**content, "recipe": str(path)}, "test")) for path in paths)
    assert one.key != other.key
    assert (one.network_key != other.network_key) == (not key.startswith(BESIDE_THE_NETWORK))


@pytest.mark.parametrize("key", schema_keys())
def test_what_points_share_moves_with_what_decides_it(key: str, tmp_path: Path) -> None:
    """The teacher of several points: with the keys of its stage and of the data, and with the name of its run."""
    before, after = pair(key, tmp_path)
    decides = {"data", "teacher"} & {*KEYS[key].stages} and key != "distill.teacher"
    if key != "student.tables":  # a run of the teacher alone keeps them, since they must fit to the classes
        assert (teacher_recipe(before) != teacher_recipe(after)) == bool(
            decides or key == "name" or key == "student.kind"
        )
    if after.student_to_train.is_tables:
        with pytest.raises(RecipeError, match="consists of truth tables"):
            float_recipe(after)
        return
    floats = float_recipe(before) != float_recipe(after)
    forgotten = key.startswith(("quantize.", "target.", "rtl.", "accuracy_floor", "student.layers.N.weight"))
    assert floats == (not forgotten and key != "student.layers.N.activation")


def test_the_key_of_a_point_moves_with_how_it_is_measured() -> None:
    content = {"name": "s", "recipe": "digits", "training": "qat", "axes": {"seed": [0]}}
    ways = [{}, {"training": "ptq"}, {"estimator": "counts"}, {"synth": True}, {"axes": {"seed": [1]}}]
    keys = {points_of(parse_sweep({**content, **way}, "test"))[0].key for way in ways}
    assert len(keys) == len(ways)
    again = {**content, "name": "another", "set": ("seed=0",)}
    assert points_of(parse_sweep(again, "test"))[0].key in keys


IMPORTED = {"file": "mine.json", "weights": "mine.h5", "precision": "ap_fixed<16,6>"}


def imported(folder: Path, **model: Any) -> Recipe:
    """The recipe of an imported model, whose files are there."""
    for name in ("mine.json", "mine.h5", "other.json", "other.h5", "net.npz"):
        (folder / name).write_text(name)
    content = {"name": "mine", "data": {"name": "random:9"}, "model": model}
    return parse_recipe(content, "test").in_folder(folder)


@pytest.mark.parametrize(
    ("changed", "stages"),
    [
        ({"file": "other.json"}, {"student"}),
        ({"weights": "other.h5"}, {"student"}),
        ({"precision": "ap_fixed<8,3>"}, {"student"}),
        ({"precision": None, "bits": 6}, {"student"}),
        ({"output_bits": 8}, {"student", "freeze"}),
    ],
)
def test_a_key_of_an_imported_model_moves_its_stages(changed: Any, stages: set[str], tmp_path: Path) -> None:
    before, after = (settings(imported(tmp_path, **{**IMPORTED, **more}), tmp_path) for more in ({}, changed))
    assert {name for name in STAGES if before[name] != after[name]} == {*stages, "report"}


def test_an_imported_network_has_no_student_and_no_keras(tmp_path: Path) -> None:
    recipe = imported(tmp_path, file="net.npz")
    assert STAGES["student"].writes(recipe) == ()
    assert STAGES["freeze"].reads(recipe) == ("data.json",)
    assert engines_of(recipe) == ("emulator", "csim")
    assert engines_of(imported(tmp_path, **IMPORTED)) == ("keras", "emulator", "csim")
    assert engines_of(imported(tmp_path, file="graph.onnx")) == ("keras", "onnx", "emulator", "csim")
    assert "onnx" not in engines_of(imported(tmp_path, file="graph.onnx", bits=8))
    before = settings(recipe, tmp_path)["freeze"]
    (tmp_path / "net.npz").write_text("another")
    assert settings(recipe, tmp_path)["freeze"] != before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"student": {"layers": [{"units": 2, "weight": 4}]}}, "not both"),
        ({"model": None}, "the key 'student' is missing, or a 'model' to import"),
        ({"teacher": {}}, r"\[teacher\] is not read"),
        ({"prune": {"sparsity": 0.5}}, r"\[prune\] is not read"),
        ({"quantize": {"method": "dynamic"}}, "is for students"),
        ({"model": {"file": "a.h5", "precision": "ap_fixed<8,3>", "bits": 8}}, "give one of the two"),
        ({"model": {"file": "a.npz", "bits": 8}}, "is an integer network already"),
    ],
)
def test_a_recipe_trains_or_imports(changed: Any, said: str) -> None:
    content = {"name": "mine", "data": {"name": "random:9"}, "model": {"file": "a.h5"}, **changed}
    with pytest.raises(RecipeError, match=said):
        parse_recipe({key: value for key, value in content.items() if value is not None}, "test")
