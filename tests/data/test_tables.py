"""csv:FILE?label=COLUMN: what is read, and what is refused with which line."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.work import calls_of

from qap.data import load
from qap.data.tables import read_table, table
from qap.errors import DataError

GOOD = "a,b,kind\n1,2.5,x\n-3,1e2,y\n"


def written(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(tmp_path, content, label="kind"):
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_table(path, label)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.removesuffix("\n"),
        GOOD.replace("\n", "\n\n"),
        'a,b,kind\n"1",2.5,"x"\n"-3","1e2",y\n',
        "a, b, kind\n 1 , 2.5 , x \n-3, 1e2, y\n",
        "kind,a,b\nx,1,2.5\ny,-3,1e2\n",
    ],
    ids=["plain", "CRLF", "BOM", "no-last-newline", "blank-lines", "quoted", "spaces", "label-first"],
)
def test_ways_to_write_the_same_table(tmp_path, content):
    found = read_table(written(tmp_path, content), "kind")
    assert found.names == ["a", "b"]
    assert found.features.tolist() == [[1, 2.5], [-3, 100]]
    assert found.labels == ["x", "y"]


def test_quoted_fields_hold_commas_quotes_and_line_breaks(tmp_path):
    content = '"a, of\nall",kind\n1,"x, ""the"" first"\n2,"two\nlines"\nthree,y\n'
    path = written(tmp_path, content)
    with pytest.raises(DataError, match=r"line 6, column 'a, of\\nall': 'three' is not a number"):
        read_table(path, "kind")
    found = read_table(written(tmp_path, content.replace("three", "3")), "kind")
    assert found.labels == ['x, "the" first', "two\nlines", "y"]
    assert list(found.lines) == [3, 4, 6]


cells = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.tuples(cells, cells, texts), min_size=1, max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_comes_back(tmp_path_factory, rows, line_end):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator=line_end).writerows([("a", "b", "kind"), *rows])
    found = read_table(path, "kind")
    assert found.features.tolist() == [[a, b] for a, b, _ in rows]
    assert found.labels == [label for _, _, label in rows]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", " is empty"),
        ("\n\n", " is empty"),
        ("a,kind\n", " holds no samples, only a header"),
        ("kind\nx\n", " has no column beside the label 'kind'"),
        ("a,a,kind\n1,2,x\n", ": the column 'a' is twice in the header"),
        (",a,kind\n0,2,x\n", ": column 1 has no name in the header"),
        ("a,kind\n1,x\n2\n", ", line 3: 1 fields, but the header has 2"),
        ("a,kind\n1,x,5\n", ", line 2: 3 fields, but the header has 2"),
        ("a,kind\n1,x\nred,y\n", ", line 3, column 'a': 'red' is not a number"),
        ("a,b,kind\n1,1,x\n2,,y\n", ", line 3, column 'b': the value is missing"),
        ("a,kind\n1,x\n1_000,y\n", ", line 3, column 'a': '1_000' is not a number"),
        ("a,kind\n1,x\n2, \n", ", line 3, column 'kind': the label is empty"),
        ("a,b,kind\n1,1,x\n1,nan,x\n", ", line 3, column 'b': nan is not finite"),
        ("a,kind\n1,x\n-Infinity,x\n", ", line 3, column 'a': -inf is not finite"),
        ("a,kind\n1,x\n1e999,x\n", ", line 3, column 'a': inf is not finite"),
        ('a,kind\n1,x\n2,"y\n', ", line 3: unexpected end of data"),
        ('a,kind\n1,x\n2,"y"z\n', ", line 3: ',' expected after '\"'"),
        ("a,kind\n1,x\n" + "1" * 200_000 + ",x\n", ", line 3: field larger than field limit"),
        (b"a,kind\n1,\xff\n", " is not UTF-8 text: invalid start byte"),
        (GOOD.encode("utf-16"), " is not UTF-8 text"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(tmp_path, content, message):
    assert refused(tmp_path, content).startswith(message)


def test_a_long_wrong_field_is_cut_short(tmp_path):
    assert len(refused(tmp_path, "a,kind\n" + "z" * 10_000 + ",x\n")) < 200


def test_a_missing_label_column_names_those_that_exist_nearest_first(tmp_path):
    assert refused(tmp_path, GOOD, "kinds").endswith("(there are: 'kind', 'a', 'b')")
    wide = ",".join(f"c{index}" for index in range(30)) + "\n"
    message = refused(tmp_path, wide, "C7")
    assert message.startswith(" has no column 'C7' for the label (there are: 'c7', ")
    assert message.endswith(" and 22 more)")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        read_table(tmp_path / "none.csv", "kind")
    with pytest.raises(DataError, match=f"cannot read {tmp_path}"):
        read_table(tmp_path, "kind")


def rows_of(tmp_path, per_class, name="rows.csv", seed=0):
    generator = np.random.default_rng(seed)
    lines = [
        f"{generator.normal(position):.3f},{generator.normal() * 100:.3f},{label}"
        for label, count in per_class.items()
        for position in [len(label)]
        for _ in range(count)
    ]
    return written(tmp_path, "a,b,kind\n" + "\n".join(lines) + "\n", name)


def test_three_stratified_parts_with_class_names_sorted(tmp_path):
    path = rows_of(tmp_path, {"red": 50, "blue": 20, "green grass": 30})
    data = load(f"csv:{path}?label=kind")
    assert data.class_names == ("blue", "green grass", "red")
    assert [np.bincount(part.y).tolist() for part in (data.train, data.validation, data.test)] == [
        [14, 22, 36],
        [2, 2, 4],
        [4, 6, 10],
    ]
    assert (str(data.input_format), data.train.x.dtype, data.image_shape) == (
        "ap_fixed<8,3,AP_RND_CONV,AP_SAT>", np.int8, None,
    )  # fmt: skip


def test_whole_numbers_as_labels_are_sorted_as_numbers(tmp_path):
    assert load(f"csv:{rows_of(tmp_path, {'10': 5, '9': 5, '-1': 5})}?label=kind").class_names == ("-1", "9", "10")


def test_an_outlier_in_the_test_table_saturates_and_changes_no_scaling(tmp_path):
    train = rows_of(tmp_path, {"x": 20, "yy": 20})
    near, far = (written(tmp_path, f"b,a,kind\n0,{value},x\n", f"{value}.csv") for value in ("1", "1e9"))
    first, second = (load(f"csv:{train}?label=kind&test={path}") for path in (near, far))
    assert first.scaling.to_dict() == second.scaling.to_dict()
    assert second.test.x[0, 0] == 127


def test_a_test_table_may_order_its_columns_otherwise(tmp_path):
    train = rows_of(tmp_path, {"x": 20, "yy": 20})
    one = written(tmp_path, "a,b,kind\n1,70,yy\n", "one.csv")
    two = written(tmp_path, "kind,b,a\nyy,70,1\n", "two & three?.csv")
    first = load(f"csv:{train}?label=kind&test={one}")
    second = load(f"csv:{train}?label=kind&test={str(two).replace('&', '%26').replace('?', '%3F')}")
    assert first.digest == second.digest
    assert first.test.y.tolist() == [1]
    assert len(first.train) + len(first.validation) == 40


def test_paths_and_labels_may_hold_spaces_and_quotes(tmp_path):
    path = written(tmp_path, "a,\"the 'kind' = ?\"\n" + "1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n", "my \"own\" 'table'?.csv")
    data = load(f"csv:{path}?label=the 'kind' = %3F")
    assert data.class_names == ("x", "y")


@pytest.mark.parametrize(
    ("test_content", "message"),
    [
        ("a,kind\n1,x\n", "test.csv has no column 'b', but .*t.csv has"),
        ("a,b,c,kind\n1,2,3,x\n", "test.csv has a column 'c', but .*t.csv has not"),
        ("a,b,kind\n1,2,x\n1,2,z\n", "test.csv, line 3: the class 'z' is not in .*t.csv"),
        ("a,b,kind\n", "test.csv holds no samples"),
    ],
)
def test_a_test_table_that_does_not_fit_is_refused(tmp_path, test_content, message):
    train, test = written(tmp_path, GOOD), written(tmp_path, test_content, "test.csv")
    with pytest.raises(DataError, match=message):
        table(f"{train}?label=kind&test={test}", None)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"x": 9}, "holds one class only"),
        ({"x": 9, "yy": 2}, "class 'yy' has 2 of the 11 samples, but training, validation and test need at least 3"),
    ],
)
def test_too_few_classes_or_samples_are_refused(tmp_path, counts, message):
    with pytest.raises(DataError, match=message):
        load(f"csv:{rows_of(tmp_path, counts)}?label=kind")


def test_the_smallest_table_that_can_be_split(tmp_path):
    data = load(f"csv:{rows_of(tmp_path, {'x': 3, 'yy': 3})}?label=kind")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [2, 2, 2]


@pytest.mark.parametrize(
    "argument", ["", "t.csv", "?label=x", "t.csv?", "t.csv?label", "t.csv?label=", "t.csv?test=u.csv", "t.csv?lable=x",
                 "t.csv?label=x&label=y", "t.csv?label=x&"],
)  # fmt: skip
def test_an_argument_that_says_too_little_or_too_much_shows_how_to_write_it(argument):
    with pytest.raises(DataError, match=r"write csv:FILE\?label=COLUMN"):
        load(f"csv:{argument}")


def test_ten_thousand_rows_take_two_calls_each_and_their_cells_none(tmp_path):
    path = tmp_path / "big.csv"
    row = ",".join(f"{value:.4f}" for value in np.random.default_rng(0).normal(size=16))
    path.write_text(",".join(f"c{index}" for index in range(16)) + ",kind\n" + f"{row},x\n{row},y\n" * 5_000)
    assert read_table(path, "kind").features.shape == (10_000, 16)
    assert calls_of(lambda: read_table(path, "kind")) < 25_000
