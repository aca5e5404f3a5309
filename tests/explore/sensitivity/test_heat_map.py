"""The heat maps of a sensitivity: what they show, and the files."""

import csv
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from support.needs import needs

needs("matplotlib")

from qap.errors import DataError
from qap.explore.sensitivity.heat_map import sensitivity_figure, write_sensitivity
from qap.explore.sensitivity.measure import LayerSensitivity, Measured, Sensitivity


def measured(*pairs):
    return tuple(Measured(value, correct / 200, correct) for value, correct in pairs)


FOUND = Sensitivity(
    0.95,
    190,
    200,
    (
        LayerSensitivity("first <&>", 600, 0.6, 4, measured((0.9, 180), (0.95, 100)), measured((3, 190), (2, 50))),
        LayerSensitivity("second", 20, 0.1, 2, measured((0.5, 189), (0.9, 20)), ()),
    ),
)


def test_every_measurement_stands_in_its_cell_and_nothing_else():
    left, right, scale = sensitivity_figure(FOUND).axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["first <&>", "second"]
    assert [tick.get_text() for tick in left.get_xticklabels()] == ["50", "90", "95"]
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["3", "2"]
    cells = {(text.get_position(), text.get_text()) for text in left.texts}
    assert cells == {((1, 0), "90.0"), ((2, 0), "50.0"), ((0, 1), "94.5"), ((1, 1), "10.0")}
    assert left.images[0].get_array().mask.tolist() == [[True, False, False], [False, False, True]]
    assert "%" in left.get_xlabel()
    assert left.get_ylabel() == "layer"
    assert "bits" in right.get_xlabel()
    assert scale.get_ylabel() == "validation accuracy (%)"


def test_text_is_read_on_its_ground():
    left = sensitivity_figure(FOUND).axes[0]
    image = left.images[0]
    for text in left.texts:
        column, row = (int(place) for place in text.get_position())
        rgb = np.array(image.cmap(image.norm(image.get_array()[row, column]))[:3])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        ground, ink = float(linear @ (0.2126, 0.7152, 0.0722)), float(text.get_color() == "white")
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) > 4  # contrast as in WCAG 2


def test_layers_with_nothing_to_change_are_drawn():
    nothing = Sensitivity(1.0, 4, 4, (LayerSensitivity("one", 2, 0.5, 2, (), ()),))
    assert [axes.texts[0].get_text() for axes in sensitivity_figure(nothing).axes[:2]] == ["nothing to change"] * 2


def test_the_files_are_whole_and_the_same_every_time(tmp_path):
    table, figure = tmp_path / "s.csv", tmp_path / "s.svg"
    write_sensitivity(FOUND, table, figure)
    rows = list(csv.DictReader(table.open()))
    assert rows[0] == {"layer": "", "changed": "nothing", "value": "", "accuracy": "0.95", "drop_points": "0.0"}
    assert rows[2] == {
        "layer": "first <&>", "changed": "sparsity", "value": "0.95", "accuracy": "0.5", "drop_points": "45.0"
    }  # fmt: skip
    assert len(rows) == 7
    assert ET.parse(figure).getroot().tag.endswith("svg")
    first = figure.read_bytes(), table.read_bytes()
    write_sensitivity(FOUND, table, figure)
    assert (figure.read_bytes(), table.read_bytes()) == first
    assert {path.name for path in tmp_path.iterdir()} == {"s.csv", "s.svg"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        write_sensitivity(FOUND, tmp_path / "file" / "s.csv", tmp_path / "s.svg")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}
