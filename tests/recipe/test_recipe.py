"""Recipes: what is read, that it survives TOML, what overrides do, and one clear line for every mistake."""

import tomllib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.small_recipes import recipe, refused

from qap.errors import QapError, RecipeError
from qap.fixed import FixedPoint
from qap.hardware.devices import BOARDS, DEVICES, HLS_FAMILIES
from qap.recipe import (
    DataRecipe,
    DistillRecipe,
    LayerRecipe,
    PruneRecipe,
    Recipe,
    StudentRecipe,
    TargetRecipe,
    TeacherRecipe,
    builtin_recipes,
    load_recipe,
    parse_recipe,
)

HLS_DEVICES = [name for name, device in DEVICES.items() if device.family in HLS_FAMILIES]
HLS_BOARDS = [board for board in BOARDS if board != "ULX3S"]
BUILTIN = ["digits", "fashion-mnist", "mnist", "mnist-1v9", "mnist-1v9-course"]
BUILTIN_TABLES = [
    "digits-tables", "fashion-tables", "mnist-1v9-tables", "mnist-1v9-tables-20", "mnist-tables-1100",
    "mnist-tables-1400", "mnist-tables-2200",
]  # fmt: skip


any_name = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
counts = st.integers(1, 2**31 - 1)
positive = st.floats(0, 1e300, exclude_min=True)
shares = st.floats(0, 1)
weights = st.sampled_from(
    [3, "quantized_bits(4,0,alpha=1)", "ternary(alpha='auto_po2')", "ap_fixed<5,-1,AP_RND,AP_SAT>"]
)
optional = st.none() | counts
layers = st.builds(
    LayerRecipe,
    units=counts,
    weight=weights,
    bias=st.just("none") | weights,
    activation=st.sampled_from(["linear", "quantized_relu(4,1)", "binary()", "relu(ap_ufixed<4,2>)"]),
    sparsity=st.none() | st.floats(0, 1, exclude_max=True),
)
training = {
    "epochs": counts,
    "batch_size": counts,
    "learning_rate": positive,
    "decay": st.sampled_from(["constant", "cosine"]),
}
recipes = st.builds(
    Recipe,
    name=any_name,
    seed=st.integers(0, 2**32 - 1),
    accuracy_floor=shares,
    data=st.builds(
        DataRecipe,
        name=any_name.filter(lambda name: "\0" not in name),
        validation=st.floats(0, 1, exclude_min=True, exclude_max=True),
        input_format=st.none() | st.just("ap_ufixed<8,0>"),
    ),
    teacher=st.builds(TeacherRecipe, units=st.lists(counts, max_size=3).map(tuple), patience=counts, **training),
    student=st.builds(
        StudentRecipe, layers=st.lists(layers, min_size=1, max_size=3).map(tuple), patience=optional, **training
    ),
    prune=st.builds(
        PruneRecipe,
        sparsity=st.floats(0, 1, exclude_max=True),
        scope=st.just("layer"),
        schedule=st.sampled_from(["one-shot", "polynomial"]),
        begin_step=st.integers(0, 1000),
        end_step=st.none() | st.integers(1001, 2**31 - 1),
        every=counts,
    ),
    distill=st.none() | st.builds(DistillRecipe, temperature=positive, alpha=shares),
    target=st.builds(TargetRecipe, clock_ns=positive, reuse_factor=counts,
                     part=st.sampled_from([*HLS_DEVICES, *HLS_BOARDS, "xc7vx690tffg1761-2", "XCZU28DR-FFVG1517-2-E"])),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(recipes)
def test_every_recipe_survives_toml(made):
    text = made.to_toml()
    assert parse_recipe(tomllib.loads(text), "again") == made
    assert text.encode().decode() == text


@pytest.mark.parametrize(
    "name", ["a \"quoted\" 'name'", "two\nlines\r\n", "tab\t", "日本 ü", "\x7f\x00\x1b", "\\", "#;[x]"]
)
def test_any_name_survives_a_file(tmp_path, name):
    path = tmp_path / f"{name.replace(chr(0), '').replace('/', '')}.toml"
    made = recipe(name=name)
    path.write_text(made.to_toml(), encoding="utf-8")
    assert load_recipe(path) == made
    assert load_recipe(str(path)).name == name


@settings(max_examples=50, deadline=None)
@given(recipes)
def test_no_override_changes_nothing(made):
    assert made.override([]) == made


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_file_of_another_system(tmp_path, encoding):
    """A byte-order mark and carriage returns, as an editor or `>` of Windows leaves them."""
    path = tmp_path / "mine.toml"
    mark = "\ufeff" if encoding.endswith("be") else ""
    path.write_bytes((mark + recipe(name="grün").to_toml().replace("\n", "\r\n")).encode(encoding))
    assert load_recipe(path) == recipe(name="grün")


# ---- built-in recipes


def test_which_recipes_are_built_in():
    assert {*BUILTIN, *BUILTIN_TABLES} <= set(builtin_recipes())


@pytest.mark.parametrize("name", BUILTIN_TABLES)
def test_built_in_recipes_of_tables_load(name):
    made = load_recipe(name)
    assert made.name == name
    assert parse_recipe(tomllib.loads(made.to_toml()), name) == made
    form = made.data.input_format or FixedPoint.parse("ap_ufixed<5,1>")
    made.student.refuse(64, 2 if name.startswith("mnist-1v9") else 10, form)
    assert made.student.epochs <= 120


@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_recipes_load(name):
    made = load_recipe(name)
    assert made.name == name
    assert parse_recipe(tomllib.loads(made.to_toml()), name) == made
    assert made.student.layers[-1].units == (2 if name.startswith("mnist-1v9") else 10)


# ---- files that are no recipes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"name = ", "is not valid TOML: Invalid value"),
        (b"\xff\xff", "is not valid TOML: .*utf-8"),
        (b"\xff\xfen", "is not valid TOML: .*utf-16.*truncated data"),
        (b"seed = " + b"9" * 5000, "is not valid TOML: Exceeds the limit"),
        (b"a = " + b"[" * 5000, "is not valid TOML: .*recursion"),
        (b"name = 'x'\nname = 'y'", "is not valid TOML: Cannot overwrite"),
        (b"", "the key 'name' is missing"),
        (b"name = 'x'", "the key 'student' is missing"),
        (b"name = 'x'\nseed = 0x" + b"f" * 5000, "seed: Input should be less than 4294967296 .*too long to be printed"),
    ],
)
def test_files_that_are_no_recipes(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_bytes(text)
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nothing.toml", "folder.toml", "a\0b.toml", "n" * 300 + ".toml"])
def test_files_that_cannot_be_read(tmp_path, name):
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(RecipeError, match="cannot read the recipe|is not valid TOML"):
        load_recipe(tmp_path / name)


def test_an_unknown_recipe_is_answered_with_the_nearest(monkeypatch):
    monkeypatch.setattr("qap.recipe.builtin_recipes", lambda: BUILTIN)
    with pytest.raises(
        RecipeError, match=r"no recipe 'mnist-1v8', did you mean 'mnist-1v9'\?; a file must end in .toml"
    ):
        load_recipe("mnist-1v8")
    with pytest.raises(RecipeError, match=r"no recipe 'xyz' \(there are: digits, fashion-mnist, "):
        load_recipe("xyz")


# ---- keys and values

UNKNOWN = [
    ({"sede": 1}, "unknown key 'sede', did you mean 'seed'?"),
    ({"data": {"nam": "x"}}, "unknown key 'data.nam', did you mean 'name'?"),
    ({"teacher": {"dropuot": 0.1}}, "unknown key 'teacher.dropuot', did you mean 'dropout'?"),
    ({"student": {"layer": []}}, "unknown key 'student.layer', did you mean 'layers'?"),
    ({"student": {"layers": [{"units": 1, "weight": 4, "weigth": 4}]}},
     "unknown key 'student.layers.0.weigth', did you mean 'weight'?"),
    ({"distill": {"temprature": 3}}, "unknown key 'distill.temprature', did you mean 'temperature'?"),
    ({"target": {"reuse": 3}}, "unknown key 'target.reuse', did you mean 'reuse_factor'?"),
    ({"rtl": {"depth": 7}}, "unknown key 'rtl.depth', did you mean 'stage_depth'?"),
    ({"my-int": 3}, "unknown key 'my-int'"),
    ({"prune": {"xyz": 3}}, "unknown key 'prune.xyz' (there are: method, granularity, sparsity, "),
    ({"": 3}, "unknown key '' (there are: name, seed, "),
    ({"a\nb": 3}, "unknown key 'a\\nb' (there are: name, seed, "),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), UNKNOWN, ids=range(len(UNKNOWN)))
def test_unknown_keys_are_answered_with_the_nearest(changes, message):
    assert refused(**changes).startswith(f"mine.toml: {message}")


def layer(**changes):
    return {"student": {"layers": [{"units": 2, "weight": 4, **changes}]}}


def layer_and(**keys):
    return {"student": {**layer()["student"], **keys}}


TABLES = {"student": {"kind": "tables", "tables": [8]}}
IMPOSSIBLE = [
    ({"prune": {"sparsity": 1.0}}, "prune.sparsity: Input should be less than 1 (got 1.0)"),
    ({"prune": {"sparsity": 1}}, "prune.sparsity: Input should be less than 1 (got 1)"),
    ({"prune": {"sparsity": -0.1}}, "prune.sparsity: Input should be greater than or equal to 0 (got -0.1)"),
    ({"prune": {"sparsity": float("nan")}}, "prune.sparsity: Input should be"),
    ({"prune": {"sparsity": "0.9"}}, "prune.sparsity: Input should be a valid number (got '0.9')"),
    ({"prune": {"sparsity": True}}, "prune.sparsity: Input should be a valid number (got True)"),
    ({**layer(sparsity=1.5), "prune": {"scope": "layer"}}, "student.layers.0.sparsity: Input should be less than 1"),
    (layer(sparsity=0.5), "student.layers.0.sparsity is only read with prune.scope"),
    (layer(weight="binary", sparsity=0.5), "student.layers.0: sparsity=0.5 needs a quantizer that has a zero"),
    ({**layer(weight="binary"), "prune": {"sparsity": 0.5}},
     "prune.sparsity=0.5 needs quantizers that have a zero, but binary"),
    (layer(weight="quantized_bits(99,0)"), "student.layers.0.weight: bits of 'quantized_bits(99,0)' must be"),
    (layer(weight=0), "student.layers.0.weight: bits of 'quantized_bits(0,0,alpha=1)' must be"),
    (layer(weight=True), "student.layers.0.weight: a quantizer is written as text"),
    (layer(weight=[4]), "student.layers.0.weight: a quantizer is written as text"),
    (layer(weight="ap_fixed<0,0>"), "student.layers.0.weight: 1 <= width"),
    (layer(bias="linear"), "student.layers.0.bias: unknown quantizer 'linear'"),
    (layer(activation="none"), "student.layers.0.activation: unknown quantizer 'none'"),
    (layer(activation="quantized_relu(4\n"), "student.layers.0.activation: 'quantized_relu(4\\n' is not a quantizer"),
    (layer(units=0), "student.layers.0.units: Input should be greater than or equal to 1 (got 0)"),
    (layer(units=2**31), "student.layers.0.units: Input should be less than 2147483648"),
    (layer(units=2.0), "student.layers.0.units: Input should be a valid integer (got 2.0)"),
    ({"student": {"layers": []}}, """student: the key 'layers' is missing, which kind = "mlp" needs"""),
    ({"student": {"kind": "tables"}}, """student: the key 'tables' is missing, which kind = "tables" needs"""),
    ({"student": {"kind": "tables", "tables": []}}, "student.tables: "),
    ({"student": {"kind": "tables", "tables": [8], "fan_in": 7}}, "student.fan_in: Input should be less than or equal"),
    ({"student": {"kind": "lut", "tables": [8]}}, "student.kind: Input should be 'mlp' or 'tables'"),
    ({"student": {"kind": "tables", "tables": [8], "layers": [{"units": 2, "weight": 4}]}},
     'student: layers is not read with kind = "tables"'),
    (layer_and(thresholds=2), 'student: thresholds is not read with kind = "mlp"'),
    ({**TABLES, "prune": {"sparsity": 0.5}}, '[prune] does not apply to student.kind = "tables"'),
    ({**TABLES, "quantize": {"method": "ptq"}}, '[quantize] does not apply to student.kind = "tables"'),
    ({"teacher": {"channels": [3]}}, 'teacher: channels is only read with kind = "cnn"'),
    ({"data": {"augment": {"copies": 0}}}, "data.augment.copies: "),
    ({"data": {"augment": {"rotate": 3}}}, "unknown key 'data.augment.rotate', did you mean 'rotation'?"),
    ({"student": 5}, "student: Input should be a valid dictionary"),
    ({"data": {"input_format": "ap_fixed<8>"}}, "data.input_format: 'ap_fixed<8>' is not a fixed-point format"),
    ({"data": {"input_format": 8}}, "data.input_format: a format is written as text, but got 8"),
    ({"data": {"input_format": ["x"] * 1000}}, "data.input_format: a format is written as text, but got ['x', "),
    ({"data": {"validation": 0}}, "data.validation: Input should be greater than 0 (got 0)"),
    ({"data": {"validation": 1.0}}, "data.validation: Input should be less than 1 (got 1.0)"),
    ({"data": {"name": "csv:a\0b"}}, "data.name: String should match"),
    ({"teacher": {"units": [8, 0]}}, "teacher.units.1: Input should be greater"),
    ({"teacher": {"units": 8}}, "teacher.units: Input should be a valid tuple (got 8)"),
    ({"teacher": {"dropout": 1}}, "teacher.dropout: Input should be less than 1"),
    ({"teacher": {"epochs": "5"}}, "teacher.epochs: Input should be a valid integer (got '5')"),
    ({"teacher": {"learning_rate": 0}}, "teacher.learning_rate: Input should be greater than 0"),
    ({"teacher": {"learning_rate": float("inf")}}, "teacher.learning_rate: Input should be a finite number"),
    ({"teacher": {"decay": "linear"}}, "teacher.decay: Input should be 'constant' or 'cosine' (got 'linear')"),
    ({"seed": -1}, "seed: Input should be greater than or equal to 0 (got -1)"),
    ({"seed": 2**32}, "seed: Input should be less than 4294967296"),
    ({"seed": True}, "seed: Input should be a valid integer (got True)"),
    ({"accuracy_floor": 99}, "accuracy_floor: Input should be less than or equal to 1 (got 99)"),
    ({"name": ""}, "name: String should have at least 1 character"),
    ({"name": 5}, "name: Input should be a valid string (got 5)"),
    ({"name": "\udcff"}, "name: Input should be a valid string"),
    ({"distill": {"alpha": 1.1}}, "distill.alpha: Input should be less than or equal to 1"),
    ({"distill": {"temperature": 0}}, "distill.temperature: Input should be greater than 0"),
    ({"distill": {}, "teacher": None}, '[distill] with method = "offline" needs a [teacher]'),
    ({"prune": {"begin_step": 5, "end_step": 5}},
     "prune: begin_step < end_step must hold, but got begin_step=5, end_step=5"),
    ({"prune": {"method": "chance"}}, "prune.method: Input should be 'magnitude', 'l2', 'random', 'taylor'"),
    ({"target": {"part": "xc7; rm -rf /"}}, "target.part: no part or board 'xc7; rm -rf /'; the nearest are: xc7s6"),
    ({"target": {"part": "xc7z020clg400-1; exec rm"}},
     "target.part: no part 'xc7z020clg400-1; exec rm': 'clg400-1; exec rm' behind xc7z020"),
    ({"target": {"part": "xc7z020clg400-1\n}"}}, "target.part: no part or board 'xc7z020clg400-1\\n}'; the nearest"),
    ({"target": {"part": "nonsense"}}, "target.part: no part or board 'nonsense'; see qap devices"),
    ({"target": {"part": 7}}, "target.part: a part or a board is written as text, but got 7"),
    ({"target": {"part": "ULX3S"}}, "target.part: LFE5U-85F has no HLS flow in qap; qap synth --target ecp5"),
    ({"target": {"part": "xcve2302-sfva784-1LP-e-S"}},
     "target.part: 'xcve2302-sfva784-1LP-e-S' is a Versal part, a series that qap does not know"),
    ({"target": {"backend": "vitis"}}, "target.backend: Input should be 'Vitis' or 'Vivado'"),
    ({"target": {"strategy": "distributed_arithmetic", "reuse_factor": 2}},
     "target.reuse_factor=2: the distributed_arithmetic strategy is fully parallel"),
    ({"rtl": {"stage_depth": 0}},
     "rtl.stage_depth: Input should be greater than or equal to 1 or Input should be 'auto' or 'fastest' (got 0)"),
    ({"rtl": {"stage_depth": "x"}},
     "rtl.stage_depth: Input should be a valid integer or Input should be 'auto' or 'fastest' (got 'x')"),
    ({"rtl": {"axis_width": 7}}, "rtl.axis_width: Input should be 8, 16, 32 or 64 (got 7)"),
    ({"target": {"clock_ns": -5}}, "target.clock_ns: Input should be greater than 0"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), IMPOSSIBLE, ids=[str(bad[1])[:50] for bad in IMPOSSIBLE])
def test_impossible_values_name_their_key(changes, message):
    assert refused(**changes).startswith(f"mine.toml: {message}")


def test_recipes_are_immutable():
    made = recipe()
    with pytest.raises(ValueError, match="frozen"):
        made.seed = 3
    with pytest.raises(ValueError, match="frozen"):
        made.student.layers[0].units = 3


# ---- overrides


def test_overrides_reach_every_place():
    made = recipe().override(
        [
            "seed=7",
            "name=a b # c",
            'data.name="npz:my file.npz"',
            "student.layers.0.units = 16",
            "student.layers.1.weight=ternary(alpha='auto_po2')",
            "teacher.units=[32, 16]",
            "prune.sparsity=0.9",
            "distill.alpha=0.25",
            "target.backend=Vivado",
        ]
    )
    assert (made.seed, made.name, made.data.name) == (7, "a b # c", "npz:my file.npz")
    assert (made.student.layers[0].units, str(made.student.layers[1].weight)) == (16, "ternary(alpha='auto_po2')")
    assert (made.teacher.units, made.prune.sparsity, made.distill.alpha) == ((32, 16), 0.9, 0.25)
    assert made.target.backend == "Vivado"


def test_the_last_override_of_a_key_counts():
    assert recipe().override(["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize("value", ['a"b', "a'b", "two\nlines", "1\nseed = 3", "日本", "=", "a=b", "[[", "#"])
def test_what_is_not_toml_is_text(value):
    made = recipe().override([f"name={value}"])
    assert (made.name, made.seed) == (value, 0)


def test_a_whole_list_can_be_set_and_a_layer_taken_out():
    made = recipe().override(["student.layers=[{units=3, weight=2}, {units=4, weight=5}, {units=10, weight=4}]"])
    assert [each.units for each in made.student.layers] == [3, 4, 10]
    assert [each.units for each in made.override(["student.layers.1="]).student.layers] == [3, 10]


def test_no_value_takes_a_key_back_to_its_default():
    made = recipe(distill={"alpha": 0.9}, seed=5, prune={"sparsity": 0.5})
    made = made.override(["distill=", "seed=", "prune.sparsity=", "data.input_format="])
    assert (made.distill, made.seed, made.prune.sparsity, made.data.input_format) == (None, 0, 0.0, None)


WRONG = [
    ("", "--set '': write key=value, as in prune.sparsity=0.9"),
    ("seed", "--set 'seed': write key=value"),
    ("=3", "--set: unknown key ''"),
    ("sede=3", "--set: unknown key 'sede', did you mean 'seed'?"),
    ("prune.sparsty=0.5", "--set: unknown key 'prune.sparsty', did you mean 'sparsity'?"),
    ("prune.sparsty=", "--set: unknown key 'prune.sparsty', did you mean 'sparsity'?"),
    ("prun.sparsity=0.5", "--set: unknown key 'prun', did you mean 'prune'?"),
    ("prun.sparsity=", "--set prun.sparsity: there is no 'prun' in it"),
    ("distill.alpha=", "--set distill.alpha: there is no 'distill' in it"),
    ("name=", "--set: the key 'name' is missing"),
    ("seed=x", "--set: seed: Input should be a valid integer (got 'x')"),
    ("seed=1.5", "--set: seed: Input should be a valid integer (got 1.5)"),
    ("seed=true", "--set: seed: Input should be a valid integer (got True)"),
    ("seed=1\nfoo=2", "--set: seed: Input should be a valid integer (got '1\\nfoo=2')"),
    ("seed=0x" + "f" * 5000, "--set: seed: Input should be less than 4294967296 (got a number that is too long"),
    ("seed=" + "9" * 5000, "--set: seed: Input should be a valid integer (got '999"),
    ("name.x=3", "--set name.x: there is no 'x' in it"),
    ("seed.x.y=3", "--set seed.x.y: there is no 'x' in it"),
    ("student.layers.2.units=3", "--set student.layers.2.units: there is no '2' in it"),
    ("student.layers.-1.units=3", "--set student.layers.-1.units: there is no '-1' in it"),
    ("student.layers.²=3", "--set student.layers.²: there is no '²' in it"),
    ("student.layers.units=3", "--set student.layers.units: there is no 'units' in it"),
    ("student.layers.0=3", "--set: student.layers.0: Input should be a valid dictionary"),
    ("student.layers.0.x.y=3", "--set: unknown key 'student.layers.0.x'"),
    ("student=3", "--set: student: Input should be a valid dictionary"),
    ("teacher.units=32", "--set: teacher.units: Input should be a valid tuple (got 32)"),
]


@pytest.mark.parametrize(("assignment", "message"), WRONG, ids=[wrong[0][:30] or "empty" for wrong in WRONG])
def test_wrong_overrides(assignment, message):
    assert refused(assignment).startswith(message)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=15), st.text(max_size=15))
@example("student.layers.0", "[[[[")
@example("distill", "{}")
def test_any_override_is_a_recipe_or_one_line(key, value):
    try:
        made = recipe().override([f"{key}={value}"])
    except QapError as error:
        assert isinstance(error, RecipeError)
        assert "\n" not in str(error).replace(key, "")
    else:
        assert isinstance(made, Recipe)


# ---- students of tables


def test_tables_have_defaults_of_their_own():
    student = recipe(**TABLES).student
    assert (student.batch_size, student.learning_rate, student.decay) == (256, 0.1, "cosine")
    assert (student.shape, student.is_tables) == ((8,), True)
    given = recipe(student={**TABLES["student"], "learning_rate": 0.02}).student
    assert (given.learning_rate, given.batch_size) == (0.02, 256)
    assert "student of 8 tables" in repr(recipe(**TABLES))
    with pytest.raises(RecipeError, match="consists of truth tables"):
        recipe(**TABLES).weighted_layers  # noqa: B018


BITS, BYTES = FixedPoint.parse("ap_ufixed<1,0>"), FixedPoint.parse("ap_ufixed<8,0>")


@pytest.mark.parametrize(
    ("student", "n_in", "form", "message"),
    [
        ({"tables": [100]}, 9, BITS, "student.tables: 100 tables do not divide by 3 classes; the next number that"),
        ({"tables": [9]}, 9, BYTES, "student.thresholds is missing: a table reads single bits, but the"),
        ({"tables": [9]}, 9, FixedPoint.parse("ap_fixed<1,1>"), "student.thresholds is missing"),
        ({"tables": [9]}, 5, BITS, "student.fan_in=6 needs as many different bits, but a layer"),
        ({"tables": [5, 9]}, 9, BITS, "student.fan_in=6 needs as many different bits, but a layer"),
        ({"tables": [9], "thresholds": 2}, 2, BYTES, "student.fan_in=6 needs as many different bits"),
    ],
)
def test_data_that_do_not_fit_are_refused_by_the_key(student, n_in, form, message):
    refusing = StudentRecipe(kind="tables", **student)
    with pytest.raises(RecipeError) as caught:
        refusing.refuse(n_in, 3, form)
    assert str(caught.value).startswith(message)


def test_data_that_fit_are_not_refused():
    StudentRecipe(kind="tables", tables=[102]).refuse(6, 3, BITS)
    StudentRecipe(kind="tables", tables=[9], thresholds=2).refuse(3, 3, BYTES)
    StudentRecipe(kind="tables", tables=[2, 9], fan_in=2).refuse(2, 3, BITS)
