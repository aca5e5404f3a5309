"""Tables as people have them: separators, decimal commas, gzip, columns that are no features, and what is missing."""

import gzip

import numpy as np
import pytest

from qap.data import load, read_samples
from qap.data.tables import Columns, read_table
from qap.errors import DataError

ROWS = [(1, 2.5, "x"), (-3, 100.25, "y"), (7, 0, "x")]
HEADER = ("a", "b", "kind")


def text(separator=",", decimal=".", end="\n", last=""):
    lines = [separator.join(HEADER)]
    lines += [separator.join(str(field).replace(".", decimal) for field in row) for row in ROWS]
    return end.join(lines) + last


def written(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        text(";"),
        text("\t"),
        text("|"),
        text(";", ","),
        text("\t", ","),
        "sep=;\n" + text(";", ",", "\r\n"),
        "SEP=,\r\n" + text(),
        "\ufeff" + text(";"),
        "\n\n" + text(),
        text(last="\n   \n,,\n"),
        text(";", last="\n;;\n\n"),
        text().replace("\n", ",\n") + ",",
        gzip.compress(text().encode()),
        gzip.compress(text("\t", ",").encode()),
    ],
    ids=["semicolon", "tab", "bar", "decimal-comma", "tab-decimal-comma", "excel", "excel-comma", "BOM", "blank-first",
         "blank-last", "semicolons-last", "comma-at-every-end", "gzip", "gzip-tab"],
)  # fmt: skip
def test_ways_to_write_the_same_table(tmp_path, content):
    found = read_table(written(tmp_path, content), "kind")
    assert found.names == ["a", "b"]
    assert found.features.tolist() == [[1, 2.5], [-3, 100.25], [7, 0]]
    assert found.labels == ["x", "y", "x"]


def test_lines_are_counted_behind_what_is_skipped(tmp_path):
    path = written(tmp_path, "sep=;\n\n" + text(";").replace("-3", "red"))
    with pytest.raises(DataError, match=r"t.csv, line 5, column 'a': 'red' is not a number"):
        read_table(path, "kind")


def test_a_separator_may_be_named(tmp_path):
    path = written(tmp_path, text(";").replace("a;", "a,kind;", 1))
    assert read_table(path, Columns("kind", separator=";")).names == ["a,kind", "b"]
    data = "csv:" + str(written(tmp_path, text("\t") + "\n1\t2\ty" * 3 + "\n3\t4\tx" * 3))
    assert load(f"{data}?label=kind&separator=tab").n_in == 2
    with pytest.raises(DataError, match=r"separator must be one of comma \(','\), semicolon .* but got 'colon'; write"):
        load(f"{data}?label=kind&separator=colon")


@pytest.mark.parametrize(
    "content", [text(";", ",") + "\n1.5;2;x", text(";") + "\n1,5;2;x", text(";") + "\n1,234.5;2;x"]
)
def test_commas_and_points_are_not_mixed(tmp_path, content):
    with pytest.raises(DataError, match=r"line 5: numbers with a decimal comma and with a point are mixed"):
        read_table(written(tmp_path, content), "kind")


@pytest.mark.parametrize("damage", [lambda x: x[:-6], lambda x: x[:20] + b"\0\0\0\0" + x[24:], lambda x: x[:2]])
def test_damaged_gzip_is_refused(tmp_path, damage):
    path = written(tmp_path, damage(gzip.compress((text() + "\n1,2,x" * 500).encode())))
    with pytest.raises(DataError, match=r"t.csv (is compressed by gzip, and damaged|is not UTF-8)"):
        read_table(path, "kind")


def test_columns_are_dropped_or_named(tmp_path):
    content = ",Id,a,a,odd %2C&,kind\n" + "".join(f"{n},{n},1,2,{n * n},{'xy'[n % 2]}\n" for n in range(12))
    path = written(tmp_path, content)
    with pytest.raises(DataError, match="column 1 has no name in the header .* name the features with &columns="):
        read_table(path, Columns("kind"))
    assert read_table(path, Columns("kind", keep=["odd %2C&", "Id"])).names == ["odd %2C&", "Id"]
    data = load(f"csv:{path}?label=kind&columns=odd %252C%26,Id")
    assert data.feature_names == ("odd %2C&", "Id")
    path = written(tmp_path, text())
    assert read_table(path, Columns("kind", drop=["a"])).features.tolist() == [[2.5], [100.25], [0]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns("kind", drop=["A"]), r"has no column 'A' \(there are: 'a', 'b', 'kind'\)"),
        (Columns("kind", keep=["c"]), r"has no column 'c'"),
        (Columns("kind", drop=["kind"]), "the column 'kind' is the label, so it is no feature"),
        (Columns("kind", drop=["a", "b"]), "has no column beside the label 'kind'; columns are separated by comma"),
        (Columns("kind", missing=["y"]), r"the mark 'y' of what is missing is the class of 1 samples, first at line 3"),
        (Columns("kind", missing=["-3", "1", "7"]), "every value of the column 'a' is missing; drop it"),
    ],
)
def test_columns_that_are_not_possible(tmp_path, columns, message):
    with pytest.raises(DataError, match=message):
        read_table(written(tmp_path, text()), columns)


def test_names_with_signs_of_the_address_are_explained(tmp_path):
    path = written(tmp_path, "R&D,50%,kind\n1,2,x\n3,4,y\n")
    with pytest.raises(DataError, match=r"\(there are: .*\); in names write %26 for & and %25 for %"):
        read_table(path, "R")
    with pytest.raises(
        DataError, match=r"'D' cannot be understood; write csv:FILE.* write %26 for &, .* and %25 for %"
    ):
        load(f"csv:{path}?label=R&D")


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["10.0", "2.0", "1.0"], ("1.0", "2.0", "10.0")),
        (["10", "2.5", "-1e1"], ("-1e1", "2.5", "10")),
        (["10", "2", "nan"], ("10", "2", "nan")),
        (["10", "2", "a"], ("10", "2", "a")),
    ],
)
def test_numbers_as_labels_are_sorted_as_numbers(tmp_path, labels, order):
    rows = "".join(f"{n},{labels[n % 3]}\n" for n in range(15))
    assert load(f"csv:{written(tmp_path, 'a,kind' + chr(10) + rows)}?label=kind").class_names == order


def test_what_is_missing_is_the_median_of_the_training_part(tmp_path):
    rows = [[str(n), str(n * 3), "xy"[n % 2]] for n in range(40)]
    for n, mark in ((3, "-999"), (8, "-999.0"), (11, "NA"), (20, "")):
        rows[n][0] = mark
    path = written(tmp_path, "a,b,kind\n" + "\n".join(map(",".join, rows)))
    with pytest.raises(DataError, match=r"line 13, column 'a': 'NA' is not a number"):
        load(f"csv:{path}?label=kind&missing=-999")
    data = load(f"csv:{path}?label=kind&missing=-999,NA", input_format="ap_uint<8>")
    codes = np.concatenate([data.train.x, data.validation.x, data.test.x])
    known = data.train.x[data.train.x[:, 0] * 3 == data.train.x[:, 1]][:, 0]
    assert data.fill[0] == np.rint(np.median(known))
    filled = codes[codes[:, 0] * 3 != codes[:, 1]]
    assert set(filled[:, 0]) == set(data.fill[:1])
    assert {9, 24, 33, 60} >= set(filled[:, 1])
    assert len(filled) >= 3  # a median that is right by chance is none of them
    assert data.network_scaling is not None


def test_new_samples_are_read_as_the_trained_ones_were(tmp_path):
    rows = "".join(f"{n if n % 5 else -999};{n},5;{'xy'[n % 2]}\n" for n in range(40))
    data = load(f"csv:{written(tmp_path, 'a;b;kind' + chr(10) + rows)}?label=kind&missing=-999&columns=b,a")
    new = written(tmp_path, "note\ta\tb\nold\t3\t1.5\nnew\t-999\t2.5\n", "new.tsv")
    expected = data.scaling.apply(np.array([[1.5, 3], [2.5, data.fill[1]]]))
    assert read_samples(new, data).tolist() == expected.tolist()
    whole = written(tmp_path, "a,kind\n" + "3,x\n4,y\n" * 5, "whole.csv")
    known = load(f"csv:{whole}?label=kind&missing=-999")
    with pytest.raises(DataError, match=r"line 3, column 'a': the value is missing, but none was when the network was"):
        read_samples(new, known)
