"""Sweep files: their points, and one line for every mistake."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_sweep import small_sweep

from qap.errors import QapError, RecipeError
from qap.explore.sweep import builtin_sweeps, load_sweep, parse_sweep, run_sweep
from qap.explore.sweep.points import float_recipe, points_of, teacher_recipe
from qap.explore.sweep.spec import Sweep
from qap.recipe import parse_recipe


def sweep(**changes) -> Sweep:
    return parse_sweep({"name": "mine", "recipe": "digits", "axes": {"weight_bits": [2, 4]}, **changes}, "mine.toml")


def test_a_grid_has_every_combination_in_order():
    points = points_of(sweep(axes={"weight_bits": [2, 4], "sparsity": [0.0, 0.5, 0.9]}))
    assert [tuple(point.values.values()) for point in points] == [
        (2, 0.0), (2, 0.5), (2, 0.9), (4, 0.0), (4, 0.5), (4, 0.9),
    ]  # fmt: skip
    assert [str(point.recipe.student.layers[1].weight) for point in points[::3]] == [
        "quantized_bits(2,1,alpha=1)",
        "quantized_bits(4,1,alpha=1)",
    ]
    assert [point.recipe.prune.sparsity for point in points[:3]] == [0.0, 0.5, 0.9]
    assert len({point.key for point in points}) == 6


def imported(tmp_path, **data) -> str:
    recipe = parse_recipe({"name": "mine", "data": data or {"name": "digits"}, "model": {"file": "m.keras"}}, "mine")
    (tmp_path / "mine.toml").write_text(recipe.to_toml())
    return str(tmp_path / "mine.toml")


def test_widths_and_integer_bits_of_an_imported_model_are_a_grid(tmp_path):
    axes = {"precision_width": [16, 8], "precision_integer": [6, 3]}
    points = points_of(sweep(recipe=imported(tmp_path), axes=axes))
    assert [str(point.recipe.model.precision) for point in points] == [
        "ap_fixed<16,6>", "ap_fixed<16,3>", "ap_fixed<8,6>", "ap_fixed<8,3>",
    ]  # fmt: skip
    rounded = "model.precision=ap_fixed<16,6,AP_RND,AP_SAT>"
    (kept,) = points_of(sweep(recipe=imported(tmp_path), set=(rounded,), axes={"precision_width": [9]}))
    assert str(kept.recipe.model.precision) == "ap_fixed<9,6,AP_RND,AP_SAT>"


def test_axes_of_imported_models_and_of_students_do_not_mix(tmp_path):
    with pytest.raises(RecipeError, match=r"axes\.precision_width is for float layers of an imported \[model\]"):
        points_of(sweep(axes={"precision_width": [8]}))
    with pytest.raises(RecipeError, match=r"imports a model and has no \[student\]"):
        points_of(sweep(recipe=imported(tmp_path)))
    with pytest.raises(RecipeError, match="integer bits are a whole number, but got 2.5"):
        points_of(sweep(recipe=imported(tmp_path), axes={"precision_integer": [2.5]}))
    with pytest.raises(RecipeError, match="random:64, have no labels; set data.name"):
        points_of(sweep(recipe=imported(tmp_path, name="random:64"), axes={"precision_width": [8]}))


def test_axes_change_what_they_say():
    axes = {
        "activation_bits": [3],
        "distillation": ["online"],
        "units": [[7]],
        "reuse_factor": [4],
        "strategy": ["resource"],
        "part": ["xczu3eg"],
        "clock_ns": [2.5],
        "prune.every": [7],
        "both": [{"weight_bits": 5, "seed": 3}],
    }
    (point,) = points_of(sweep(axes=axes, training="qat"))
    recipe = point.recipe
    assert str(recipe.student.layers[0].activation) == "quantized_relu(3,2)"
    assert recipe.student.layers[0].units == 7
    assert str(recipe.student.layers[0].weight) == "quantized_bits(5,0,alpha=1)"
    assert recipe.distill.method == "online"
    assert (recipe.target.reuse_factor, recipe.target.strategy, recipe.target.part) == (4, "resource", "xczu3eg")
    assert (recipe.target.clock_ns, recipe.prune.every, recipe.seed) == (2.5, 7, 3)
    (board,) = points_of(sweep(axes={"part": ["Basys 3"]}))
    assert board.recipe.target.part == "xc7a35tcpg236-1"
    with pytest.raises(RecipeError, match=r"target\.part: no part or board 'xc7z02'; the nearest are: xc7z020"):
        points_of(sweep(axes={"part": ["xc7z020", "xc7z02"]}))
    (none,) = points_of(sweep(axes={"distillation": ["none"]}))
    assert none.recipe.distill is None
    (bits,) = points_of(sweep(set=("data.input_format=ap_ufixed<5,1>",), axes={"input_bits": [3]}))
    assert str(bits.recipe.data.input_format) == "ap_ufixed<3,1>"


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_a_draw_is_a_part_of_the_grid(points, seed):
    axes = {"weight_bits": [2, 3, 4], "sparsity": [0.0, 0.5], "seed": [0, 1]}
    drawn = [point.key for point in points_of(sweep(axes=axes, draw={"points": points, "seed": seed}))]
    assert len(set(drawn)) == len(drawn) == points
    assert set(drawn) <= {point.key for point in points_of(sweep(axes=axes))}
    assert drawn == [point.key for point in points_of(sweep(axes=axes, draw={"points": points, "seed": seed}))]


def test_another_seed_draws_other_points():
    axes = {"sparsity": [n / 100 for n in range(100)]}
    drawn = {
        seed: tuple(
            point.recipe.prune.sparsity for point in points_of(sweep(axes=axes, draw={"points": 3, "seed": seed}))
        )
        for seed in range(5)
    }
    assert len(set(drawn.values())) == 5


def test_points_that_only_quantize_differently_share_a_float_student():
    axes = {"weight_bits": [2, 4], "activation_bits": [3, 5], "reuse_factor": [1, 2]}
    points = points_of(sweep(axes=axes))
    assert len({float_recipe(point.recipe).to_toml() for point in points}) == 1
    assert len({point.network_key for point in points}) == 4
    other = points_of(sweep(axes={"sparsity": [0.1, 0.2]}))
    assert len({float_recipe(point.recipe).to_toml() for point in other}) == 2
    assert len({teacher_recipe(point.recipe).to_toml() for point in [*points, *other]}) == 1


@pytest.mark.parametrize("name", builtin_sweeps())
def test_every_builtin_sweep_is_possible(name):
    assert len(points_of(load_sweep(name))) == load_sweep(name).size > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"traning": "ptq"}, "mine.toml: unknown key 'traning', did you mean 'training'?"),
        ({"training": "post"}, "mine.toml: training: Input should be 'ptq' or 'qat' (got 'post')"),
        ({"axes": {}}, "mine.toml: axes: Dictionary should have at least 1 item"),
        ({"axes": {"weight_bits": []}}, "mine.toml: axes.weight_bits has no values, so the sweep has no points"),
        ({"draw": {"points": 0}}, "mine.toml: draw.points: Input should be greater than or equal to 1 (got 0)"),
    ],
)
def test_a_file_that_is_no_sweep(changes, message):
    with pytest.raises(RecipeError) as caught:
        sweep(**changes)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {"wight_bits": [3]}}, "mine, the point wight_bits=3: unknown key 'wight_bits'"),
        ({"axes": {"weight_bits": [0]}}, "mine, the point weight_bits=0: student.layers.0.weight: bits of"),
        ({"axes": {"units": [[3, 3]]}}, "mine, the point units=[3, 3]: axes.units: a value is a list of 1 numbers"),
        ({"axes": {"input_bits": [3]}}, "mine, the point input_bits=3: axes.input_bits needs the range"),
        ({"axes": {"both": [{"strategy": "distributed_arithmetic", "reuse_factor": 4}]}},
         "mine, the point both={'strategy': 'distributed_arithmetic', 'reuse_factor': 4}: target.reuse_factor=4: the"),
        ({"set": ("x",)}, "--set 'x': write key=value"),
        ({"recipe": "digit"}, "no recipe 'digit', did you mean 'digits'?"),
    ],
)  # fmt: skip
def test_a_point_that_is_not_possible(changes, message):
    with pytest.raises(RecipeError) as caught:
        points_of(sweep(**changes))
    assert str(caught.value).startswith(message)


def test_too_many_points_are_asked_about(tmp_path):
    many = sweep(axes={"seed": list(range(400)), "prune.every": list(range(1, 400))})
    with pytest.raises(RecipeError, match=r"^mine has 159,600 points, more than 100,000; --yes does them all$"):
        run_sweep(many, tmp_path / "out", None)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_an_unknown_estimator(tmp_path):
    with pytest.raises(QapError, match="no estimator 'hls4m', did you mean 'hls4ml'"):
        run_sweep(sweep(estimator="hls4m"), tmp_path, None)  # type: ignore[arg-type]


def test_files_are_found_by_name_and_beside(tmp_path):
    small = small_sweep(tmp_path)
    assert small.recipe == str(tmp_path / "small.toml")
    assert small.size == 4
    with pytest.raises(RecipeError, match=r"no sweep 'bits-mnist', did you mean 'bits-mnist-1v9'\?"):
        load_sweep("bits-mnist")
    with pytest.raises(RecipeError, match="cannot read the sweep"):
        load_sweep(str(tmp_path / "none.toml"))
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(RecipeError, match="is not valid TOML"):
        load_sweep(str(tmp_path / "broken.toml"))


@pytest.mark.parametrize(
    ("axes", "training", "message"),
    [
        ({"weight_bits": [2]}, "qat", "consists of truth tables"),
        ({"activation_bits": [2]}, "qat", "consists of truth tables"),
        ({"units": [[8]]}, "qat", "consists of truth tables"),
        ({"sparsity": [0.5]}, "qat", r"\[prune\] does not apply"),
        ({"student.fan_in": [4]}, "ptq", r"\[quantize\] does not apply"),
    ],
)
def test_axes_of_weights_do_not_apply_to_tables(axes, training, message):
    with pytest.raises(RecipeError, match=message):
        points_of(sweep(recipe="digits-tables", axes=axes, training=training))


def test_keys_of_tables_are_axes():
    points = points_of(sweep(recipe="digits-tables", axes={"student.tables": [[100], [200]]}, training="qat"))
    assert [point.recipe.student.shape for point in points] == [(100,), (200,)]
