"""Numbers as people read them, and tables as values."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from qap.hardware.resources import ResourceReport
from qap.report.differences import Differences, tables
from qap.report.result_tables import resources_table
from qap.report.tables import NOT_MEASURED, Cell, count, numbers, percent, seconds, table, texts


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.9953, "99.53 %"),
        (0.5, "50.00 %"),
        (0, "0 %"),
        (1, "100 %"),
        (0.99999, "99.999 %"),
        (2e-7, "0.00002 %"),
        (1 - 1e-9, "99.9999999 %"),
        (None, NOT_MEASURED),
    ],
)
def test_only_none_and_all_read_as_such(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_what_was_not_measured_is_no_zero() -> None:
    assert count(None) == seconds(None) == NOT_MEASURED
    assert (count(0), count(12691), seconds(0.04)) == ("0", "12,691", "0.0 s")


def test_plain_text_becomes_a_cell() -> None:
    made = table("caption", texts("name") + numbers("LUT", "FF"), [["a", Cell("1", kind="good"), "2"]], totals=1)
    assert made.rows == ((Cell("a"), Cell("1", kind="good"), Cell("2")),)
    assert [column.numeric for column in made.columns] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "first", "second", "shown"),
    [
        ("parameters", 200, 150, ["200", "150", "-50 (-25 %)"]),
        ("parameters", 150, 200, ["150", "200", "+50 (+33 %)"]),
        ("LUT: core", 0, 7, ["0", "7", "+7"]),
        ("Fmax", 100.5, 201.0, ["100.5", "201", "+100.5 (+100 %)"]),
        ("test accuracy, integer", 0.5, 0.75, ["50.00 %", "75.00 %", "+25.00 points"]),
        ("weights that are 0", 0.75, 0.5, ["75.00 %", "50.00 %", "-25.00 points"]),
        ("test accuracy, integer", 0.5, 0.5, ["50.00 %", "50.00 %", "0"]),
        ("nonzeros", 4, 4, ["4", "4", "0"]),
        ("nonzeros", None, 4, ["not measured", "4", ""]),
    ],
)
def test_a_difference_is_of_the_first_and_shares_differ_by_points(
    name: str, first: float | None, second: float | None, shown: list[str]
) -> None:
    _, amounts = tables(Differences(("a", "b"), {}, {name: (first, second)}, ()))
    assert [cell.text for cell in amounts.rows[0]] == [name, *shown]


def test_resources_are_shown_as_they_were_counted() -> None:
    report = ResourceReport("yosys", "Yosys 0.70", "xc7", "core", lut=1234, ff=0, latency_cycles=7)
    shown = resources_table([asdict(report)])
    assert [cell.text for cell in shown.rows[0]] == [
        "core",
        "xc7, Yosys 0.70",
        "1,234",
        "0",
        *2 * ["not measured"],
        "7",
        "not measured",
    ]
