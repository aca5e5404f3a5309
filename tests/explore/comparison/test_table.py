"""The table and the figure of a comparison made by hand."""

import csv
import json
import xml.etree.ElementTree as ET

import pytest
from support.needs import needs

needs("matplotlib")

from qap.errors import DataError
from qap.explore.comparison.compare import Comparison, Outcome, Statistic
from qap.explore.comparison.table import comparison_figure, comparison_text, write_comparison


def outcome(technique, seed, test, **changes):
    content = {
        "validation": 0.5, "parameters": 1000, "nonzeros": 100, "dense_bytes": 500, "sparse_bytes": 90,
        "adders": 80, "lut": 200, "lut_source": "estimate", "training_s": 1.25, "notes": (),
    }  # fmt: skip
    return Outcome(technique, seed, test, **{**content, **changes})


FLOAT = {"adders": None, "lut": None, "lut_source": None, "dense_bytes": 4000, "sparse_bytes": 4000}
WHY = "no integer form, evaluated with Keras: its kernel is float"
FOUND = Comparison(
    "my [recipe]",
    ("float", "qap+kd"),
    (
        outcome("float", 3, 0.9, **FLOAT, notes=(WHY,)),
        outcome("float", 4, 0.92, **FLOAT, notes=(WHY,)),
        outcome("qap+kd", 3, 0.8, nonzeros=101),
        outcome("qap+kd", 4, 0.81, nonzeros=104),
    ),
)


def rows_of(text):
    return {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if line.startswith("│") and (cells := [cell.strip() for cell in line.strip("│").split("│")])
    }


def test_means_and_spreads_are_over_seeds_and_leave_out_what_was_not_measured():
    assert Statistic.of([1.0, 2.0, 6.0]) == Statistic(3.0, pytest.approx(7**0.5))
    assert Statistic.of([1.0, None]) == Statistic(1.0, None)
    assert Statistic.of([None, None]) is None


def test_the_text_shows_every_technique_and_why_something_is_missing_once():
    text = comparison_text(FOUND)
    assert "my [recipe]: mean ± standard deviation of 2 seeds" in text
    assert "LUT (estimate)" in text
    rows = rows_of(text)
    assert rows["float"] == [
        "91.00 ± 1.41", "50.00 ± 0.00", "1,000", "100", "4,000", "4,000", "-", "-", "1.2"
    ]  # fmt: skip
    assert rows["qap+kd"] == ["80.50 ± 0.71", "50.00 ± 0.00", "1,000", "102", "500", "90", "80", "200", "1.2"]
    assert text.count(WHY) == 1
    assert f"float: {WHY}\n" in text


def test_one_seed_has_no_spread():
    one = Comparison("r", ("qap",), (outcome("qap", 0, 0.8, lut_source="yosys"),))
    text = comparison_text(one)
    assert "r: 1 seed" in text
    assert rows_of(text)["qap"][0] == "80.00"
    assert "LUT (yosys)" in text


def test_the_figure_shows_runs_means_and_costs():
    accuracy, memory, hardware = comparison_figure(FOUND).axes
    assert [tick.get_text() for tick in accuracy.get_yticklabels()] == ["float", "qap+kd"]
    runs = next(line for line in accuracy.lines if line.get_label() == "one run")
    assert list(zip(*runs.get_data(), strict=True)) == [
        (pytest.approx(x), y) for x, y in [(90, 0), (92, 0), (80, 1), (81, 1)]
    ]
    shown = {line.get_label(): list(zip(*line.get_data(), strict=True)) for line in (*memory.lines, *hardware.lines)}
    assert shown == {
        "zeros included": [(4000, 0), (500, 1)],
        "sparse storage": [(4000, 0), (90, 1)],
        "adders": [(80, 1)],
        "LUT (estimate)": [(200, 1)],
    }
    assert memory.get_xscale() == "log"
    assert hardware.get_xscale() == "linear"
    markers = {line.get_marker() for line in (*memory.lines, *hardware.lines)}
    assert len(markers) == 3


def test_a_comparison_without_any_hardware_is_drawn():
    found = Comparison("r", ("float",), (outcome("float", 0, 0.9, **FLOAT),))
    assert len(comparison_figure(found).axes[2].lines) == 0
    assert "LUT (not counted)" in comparison_text(found)


def test_the_files(tmp_path):
    paths = write_comparison(FOUND, tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {path.name for path in paths.values()}
    assert paths["table"].read_text() == comparison_text(FOUND)
    summary = list(csv.DictReader(paths["CSV"].open()))
    assert [row["technique"] for row in summary] == ["float", "qap+kd"]
    assert float(summary[0]["test_mean"]) == pytest.approx(0.91)
    assert float(summary[1]["nonzeros_spread"]) == pytest.approx(2.1213203435596424)
    assert (summary[0]["adders_mean"], summary[0]["lut_source"], summary[0]["notes"]) == ("", "", WHY)
    runs = list(csv.DictReader(paths["runs"].open()))
    assert [(row["technique"], row["seed"], row["lut"]) for row in runs] == [
        ("float", "3", ""), ("float", "4", ""), ("qap+kd", "3", "200"), ("qap+kd", "4", "200")
    ]  # fmt: skip
    content = json.loads(paths["JSON"].read_text())
    assert content == json.loads(json.dumps(FOUND.to_dict()))
    assert content["summary"]["float"]["adders"] is None
    assert ET.parse(paths["figure"]).getroot().tag.endswith("svg")
    first = {path: path.read_bytes() for path in paths.values()}
    assert {path: path.read_bytes() for path in write_comparison(FOUND, tmp_path / "new").values()} == first


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        write_comparison(FOUND, tmp_path / "file")
