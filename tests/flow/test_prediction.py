"""New samples from tables, NPZ and IDX files come to the network as the run's own samples did."""

from __future__ import annotations

import csv
import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from support.made_run import make_network, make_run
from support.needs import needing

from qap.cli import call
from qap.data import read_samples
from qap.errors import DataError, QapError
from qap.flow import predict, run_flow
from qap.network import load_network, save_network
from qap.recipe import parse_recipe
from qap.run import NETWORK, RunDirectory


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return make_run(tmp_path_factory.mktemp("pictures"), classes=("a, b", "c", "d"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run of a table of four features and a label, up to its network."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(1)
    lines = [[*rng.normal(5, 3, 4).round(3), "yes" if index % 3 else "no"] for index in range(90)]
    (folder / "train.csv").write_text("u,v,kind,w,x\n" + "\n".join(f"{a},{b},{y},{c},{d}" for a, b, c, d, y in lines))
    content = {
        "name": "table",
        "data": {"name": f"csv:{folder / 'train.csv'}?label=kind"},
        "student": {
            "layers": [{"units": 6, "weight": 4, "activation": "quantized_relu(6,2)"}, {"units": 2, "weight": 4}]
        },
    }
    run = RunDirectory.create(folder / "run", parse_recipe(content, "test"))
    run_flow(run, ["data"])
    save_network(make_network(run, ("first", "second"), False), run.file(NETWORK))
    return run


def expected(run: RunDirectory) -> np.ndarray:
    return load_network(run.file(NETWORK)).forward(run.dataset.test.x)


def test_an_npz_of_pictures(pictures: RunDirectory, tmp_path: Path) -> None:
    x = pictures.dataset.test.x
    np.savez(tmp_path / "x.npz", x=x.reshape(-1, 4, 4))
    np.savez(tmp_path / "other.npz", samples=x)
    for name in ("x.npz", "other.npz"):
        found = predict(pictures, tmp_path / name)
        np.testing.assert_array_equal(found.logits, expected(pictures))


@pytest.mark.parametrize("zipped", [False, True])
def test_an_idx_file(pictures: RunDirectory, tmp_path: Path, zipped: bool) -> None:
    x = pictures.dataset.test.x
    content = struct.pack(">4I", 0x803, len(x), 4, 4) + x.astype(np.uint8).tobytes()
    (tmp_path / "images-idx3-ubyte").write_bytes(gzip.compress(content) if zipped else content)
    np.testing.assert_array_equal(predict(pictures, tmp_path / "images-idx3-ubyte").logits, expected(pictures))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_of_a_table_are_found_by_name(table: RunDirectory, tmp_path: Path, separator: str) -> None:
    """Other columns and their order do not matter; the samples are scaled as the training samples were."""
    data = table.dataset
    raw = np.random.default_rng(2).normal(5, 3, (20, 4))
    lines = [separator.join(["x", "id", "v", "u", "w"])]
    lines += [
        separator.join(map(str, [float(d), f"n{index}", float(b), float(a), float(c)]))
        for index, (a, b, c, d) in enumerate(raw)
    ]
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n\n")
    assert data.scaling is not None
    network = load_network(table.file(NETWORK))
    found = predict(table, tmp_path / "new.csv")
    np.testing.assert_array_equal(found.logits, network.forward(data.scaling.apply(raw)))
    assert found.names == [network.class_names[index] for index in network.classify(data.scaling.apply(raw))]
    np.savez(tmp_path / "new.npz", x=raw)
    np.testing.assert_array_equal(predict(table, tmp_path / "new.npz").logits, found.logits)


def test_the_csv_holds_classes_and_exact_logits(pictures: RunDirectory, tmp_path: Path, capsys) -> None:
    np.savez(tmp_path / "x.npz", x=pictures.dataset.test.x)
    assert call(["predict", str(pictures.path), str(tmp_path / "x.npz")]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["sample", "class", "logit a, b", "logit c", "logit d"]
    network = load_network(pictures.file(NETWORK))
    logits = np.array([row[2:] for row in rows[1:]], float) / network.output_format.lsb
    np.testing.assert_array_equal(logits, expected(pictures))
    assert [row[1] for row in rows[1:]] == [network.class_names[i] for i in network.decide(expected(pictures))]
    assert call(["predict", str(pictures.path), str(tmp_path / "x.npz"), "--out", str(tmp_path / "out.csv")]) == 0
    assert list(csv.reader((tmp_path / "out.csv").open(newline=""))) == rows


@pytest.mark.slow
@needing("g++", "hls4ml", "jinja2")
def test_another_engine_says_the_same(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", until="freeze")
    run_flow(run, ["hls"])
    np.savez(tmp_path / "x.npz", x=run.dataset.test.x)
    np.testing.assert_array_equal(predict(run, tmp_path / "x.npz", "csim").logits, expected(run))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("new.csv", "u,v,w\n1,2,3\n", r"has no column 'x' \(there are: 'u', 'v', 'w'\)"),
        ("new.csv", "u,v,w,x\n1,2,3\n", "line 2: 3 fields, but the header has 4"),
        ("new.csv", "u,v,w,x\n1,2,?,3\n", r"line 2, column 'w': '\?' is not a number"),
        ("new.csv", "u,v,w,x\n1,2,inf,3\n", "new.csv"),
        ("new.csv", "u,v,w,x\n", "holds no samples"),
        ("gone.csv", None, "does not exist"),
        ("new.npz", "x", "NPZ file"),
        ("new", "x", "new"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(table: RunDirectory, tmp_path: Path, name, content, said) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said):
        read_samples(tmp_path / name, table.dataset)


def test_other_inputs_are_refused(pictures: RunDirectory, tmp_path: Path) -> None:
    for name, arrays, said in (
        ("width", {"x": np.zeros((3, 5), np.uint8)}, "a sample has 5 numbers, but the network reads 16"),
        ("two", {"a": np.zeros(3), "b": np.zeros(3)}, r"has no array 'x' \(found: a, b\)"),
        ("text", {"x": np.full((3, 16), "1")}, "samples are numbers"),
        ("off", {"x": np.full((3, 16), 0.5)}, "whole numbers from 0 to 255"),
        ("far", {"x": np.full((3, 16), 256)}, "feature 0 of sample 0 is 256"),
    ):
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(DataError, match=said):
            read_samples(tmp_path / f"{name}.npz", pictures.dataset)


def test_an_engine_without_its_files_is_named(pictures: RunDirectory, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=pictures.dataset.test.x)
    with pytest.raises(DataError, match="has no rtl yet, which rtl reads"):
        predict(pictures, tmp_path / "x.npz", "rtl")
    with pytest.raises(QapError, match="no engine 'fpga'"):
        predict(pictures, tmp_path / "x.npz", "fpga")
