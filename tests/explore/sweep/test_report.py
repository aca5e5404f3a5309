"""The report of a sweep: complete, from its records only, whole or not at all, and clear about what is wrong."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from support.needs import needs

needs("matplotlib", "jinja2")

from support.html_page import HOSTILE, Page
from support.made_sweep import BITS, make_sweep, record_of

from qap.errors import DataError, RecipeError, ToolMissing
from qap.explore.sweep.records import RECORDS, SWEEP
from qap.explore.sweep.report import page as sweep_page
from qap.explore.sweep.report import write_sweep_report
from qap.explore.sweep.report.results import read_results

FILES = {"report.html", "report.md", "records.csv", "figures"}
FIGURES = {f"{name}.{kind}" for name in ("accuracy", "resources", "front") for kind in ("png", "svg")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep with its report, that nobody may change."""
    folder = tmp_path_factory.mktemp("sweep")
    make_sweep(folder, BITS)
    write_sweep_report(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "records.csv").read_text(encoding="utf-8"))))


def test_the_report_is_complete(folder: Path, page: Page) -> None:
    assert {path.name for path in folder.iterdir()} == FILES | {SWEEP, RECORDS}
    assert {path.name for path in (folder / "figures").iterdir()} == FIGURES
    for path in (folder / "figures").glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
    for path in (folder / "figures").glob("*.svg"):
        ET.parse(path)
    assert page.count("svg") == 3
    assert "points with a result 9 of 9" in page.text


def test_every_number_says_where_it_comes_from(page: Page) -> None:
    for what in ("LUT, estimated", "FF, estimated", "DSP, estimated", "BRAM18, estimated"):
        assert what in page.text
    assert "estimated, after Vivado's synthesis" in page.text
    assert "validation, measured" in page.text
    assert "80 % of the measured designs" in page.text


def test_the_csv_has_every_number(folder: Path) -> None:
    found = rows(folder)
    assert [row["point"] for row in found] == [str(index) for index in range(9)]
    first = [found[0][key] for key in ("weight_bits", "strategy", "reuse_factor", "accuracy_test", "nonzeros")]
    assert first == ["2", "latency", "1", "0.75", "40"]
    assert found[1]["vivado_synth_lut_estimated"] == "500"
    assert (found[1]["vivado_synth_lut_estimated_low"], found[1]["vivado_synth_lut_estimated_high"]) == ("250", "1000")
    assert found[1]["csynth_lut_estimated"] == "1000"
    assert "vivado_synth_uram_estimated" not in found[0]


def test_the_front_is_named(folder: Path, page: Page) -> None:
    results = read_results(folder)
    names = [point.name(results.varied) for point in results.front]
    assert names == [
        f"weight bits {bits}, {strategy}, reuse factor 4" for bits in (2, 4, 8) for strategy in ("latency", "resource")
    ]
    assert [point.index for point in results.front] == [1, 2, 4, 5, 7, 8]
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "| 7 | 8 | latency | 4 | 96.88 % | 90.62 % |" in text
    svg = (folder / "figures" / "front.svg").read_text(encoding="utf-8")
    assert ">\N{EM SPACE}weight bits 8, latency, reuse factor 4<" in svg


def test_what_is_best_is_chosen_on_validation_and_its_test_accuracy_is_shown(tmp_path: Path) -> None:
    """The best point on test is another one, and the cheapest of the front has the worst accuracy."""
    accuracies = {2: (0.5, 0.75), 4: (0.875, 0.625), 8: (0.75, 0.9375)}

    def record(index: int, values: Any) -> dict[str, Any]:
        validation, test = accuracies[values["weight_bits"]]
        return record_of(index, values, accuracy={"validation": validation, "test": test})

    make_sweep(tmp_path, {"weight_bits": [2, 4, 8]}, record)
    results = read_results(tmp_path)
    shown = {each.meaning: each.value for each in sweep_page.key_figures(results)}
    assert shown == {
        "points with a result": "3 of 3",
        "best accuracy on validation, measured": "87.50 %",
        "accuracy of that point on test, measured": "62.50 %",
        "LUT at the least, estimated": "2,000",
        "points on the Pareto front": "2",
    }
    assert [point.values["weight_bits"] for point in results.front] == [2, 4]


def test_the_table_sorts_only_with_the_script_that_the_page_allows(folder: Path, page: Page) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script and page.count("script") == 1
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'") and f"script-src 'sha256-{digest}'" in policy
    assert any(attrs.get("class") == "sortable" for _, attrs in page.elements)
    assert page.count("button") == 0  # made by the script, so without it nothing is there that does nothing


def test_the_same_records_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    make_sweep(tmp_path / "again", BITS)
    write_sweep_report(tmp_path / "again")
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes(), path.name


def test_what_failed_is_told_once_for_each_reason(tmp_path: Path) -> None:
    def record(index: int, values: Any) -> dict[str, Any]:
        return record_of(index, values, error=f"cannot: {HOSTILE}" if values["weight_bits"] == 8 else None)

    make_sweep(tmp_path, BITS, record)
    page = Page(write_sweep_report(tmp_path).read_text(encoding="utf-8"))
    assert page.count("script") == 1  # the hostile one is text
    assert "3 points failed" in page.text and page.text.count(f"cannot: {HOSTILE}") == 1
    assert "weight bits 8, latency, reuse factor 1; weight bits 8, latency, reuse factor 4" in page.text
    assert sum(row["error"] != "" for row in rows(tmp_path)) == 3


def test_a_sweep_of_which_everything_failed(tmp_path: Path) -> None:
    make_sweep(tmp_path, BITS, lambda index, values: record_of(index, values, error="no"))
    page = Page(write_sweep_report(tmp_path).read_text(encoding="utf-8"))
    assert "9 points failed" in page.text and "No point has a result." in page.text
    assert list((tmp_path / "figures").iterdir()) == []


def test_points_without_a_record_and_records_without_a_point(tmp_path: Path) -> None:
    make_sweep(tmp_path, BITS)
    text = (tmp_path / RECORDS).read_text()
    make_sweep(tmp_path / "wider", {**BITS, "weight_bits": [2, 4, 6]}, lambda index, values: None)
    (tmp_path / "wider" / RECORDS).write_text(text)
    page = Page(write_sweep_report(tmp_path / "wider").read_text(encoding="utf-8"))
    assert "6 of 9" in page.text
    assert "3 points have no record yet; qap sweep --resume does them." in page.text
    assert "3 records of points that sweep.toml does not have any more are left out." in page.text


def test_measured_resources_are_told_from_estimates(tmp_path: Path) -> None:
    synth = {"source": "yosys", "tool": "Yosys", "part": "xc7", "lut": 321, "ff": 45, "latency_cycles": 6}
    make_sweep(tmp_path, BITS, lambda index, values: record_of(index, values, synth=synth))
    page = Page(write_sweep_report(tmp_path).read_text(encoding="utf-8"))
    assert "LUT of the RTL, measured" in page.text and "321" in page.text
    assert "RTL of the same network, measured (Yosys)" in page.text
    assert rows(tmp_path)[0]["rtl_lut_measured"] == "321"


# ---- what is wrong


def spoil(folder: Path, name: str, change: Any) -> None:
    text = (folder / name).read_text()
    (folder / name).write_text(change(text))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (RECORDS, lambda text: text[:-20], "line 10 is cut short; qap sweep --resume does the point again"),
        (RECORDS, lambda text: text.replace('"qap_records": 1', '"qap_records": 2'), "holds no records of version 1"),
        (RECORDS, lambda text: text.replace('"estimate"', '"estimat"', 1), "line 2 is damaged (KeyError: 'estimate')"),
        (RECORDS, lambda text: text.replace("0.8125", '"?"', 1), "line 2 is damaged (ValueError"),
        (RECORDS, lambda text: text.splitlines()[0] + "\n", "has no finished point of this sweep yet"),
        (SWEEP, lambda text: 'sed = 1\n' + text, "unknown key 'sed', did you mean 'set'?"),
        (SWEEP, lambda text: text + "=", "is not valid TOML"),
    ],
)  # fmt: skip
def test_damaged_files_are_refused_and_nothing_is_written(tmp_path: Path, name: str, change: Any, message: str) -> None:
    make_sweep(tmp_path, BITS)
    spoil(tmp_path, name, change)
    with pytest.raises((DataError, RecipeError), match=re.escape(message)) as caught:
        write_sweep_report(tmp_path)
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {SWEEP, RECORDS}


@pytest.mark.parametrize(("name", "message"), [(SWEEP, "cannot read the sweep"), (RECORDS, "has no records.jsonl yet")])
def test_a_missing_file_is_named(tmp_path: Path, name: str, message: str) -> None:
    make_sweep(tmp_path, BITS)
    (tmp_path / name).unlink()
    with pytest.raises((DataError, RecipeError), match=message):
        write_sweep_report(tmp_path)


def test_a_failure_while_drawing_leaves_the_former_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sweep(tmp_path, BITS)
    write_sweep_report(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def fails(figure: object, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sweep_page, "save_svg", fails)
    with pytest.raises(DataError, match="No space left on device"):
        write_sweep_report(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_sweep(tmp_path, BITS)
    monkeypatch.delitem(__import__("sys").modules, "qap.explore.sweep.report.page")
    monkeypatch.delattr("qap.explore.sweep.report.page")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(ToolMissing, match=r"pip install 'qap-fpga\[report\]'"):
        write_sweep_report(tmp_path)
