from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from qap.errors import DataError, QapError
from qap.hardware.resources import RESOURCE_NAMES, SOURCE_NAMES, ResourceReport, Source, check_fits, fits


def report(**measured: int) -> ResourceReport:
    return ResourceReport("yosys", "Yosys 0.70", "xc7", "core", **measured)


def test_a_report_is_read_back(tmp_path: Path) -> None:
    written = report(lut=10, ff=0)
    written.save(tmp_path / "report.json")
    assert ResourceReport.load(tmp_path / "report.json") == written
    assert written.dsp is None and written.ff == 0


def test_what_a_report_holds_and_where_it_comes_from_have_names() -> None:
    assert set(RESOURCE_NAMES) <= {field.name for field in fields(ResourceReport)}
    assert set(SOURCE_NAMES) == set(get_args(Source)) - {"estimate"}


GOOD = '{"source": "yosys", "tool": "", "part": "xc7", "lut": 1, "clock_ns": 5.0}'


@pytest.mark.parametrize(
    "text, said",
    [
        ("{", "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ('{"lut": 1}', "the key 'source' is missing"),
        (GOOD.replace('"lut"', '"luts"'), "unknown key 'luts', did you mean 'lut'?"),
        (GOOD.replace("1,", '"1",'), "lut: "),
        (GOOD.replace("1,", "-1,"), "lut: "),
        (GOOD.replace("5.0", "NaN"), "clock_ns: "),
        (GOOD.replace("yosys", "nobody"), "source: "),
    ],
)
def test_reports_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(DataError, match="there is no report"):
        ResourceReport.load(path)
    path.write_text(GOOD)
    assert ResourceReport.load(path).lut == 1
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        ResourceReport.load(path)
    assert f"report.json is damaged: {said}" in str(caught.value)


def test_what_does_not_fit_is_told_with_a_device_that_does() -> None:
    assert fits(report(lut=17_600, ff=35_200), "xc7z010")
    assert not fits(report(lut=17_601), "xc7z010")
    with pytest.raises(QapError, match=r"does not fit xc7z010.* 20,000 LUT of 17,600 \(1\.1 times.*take xc7a35t"):
        check_fits(report(lut=20_000), "xc7z010")
    with pytest.raises(QapError, match=r"1 URAM of 0 \(but has none\).*prune it"):
        check_fits(report(uram=1), "xc7z010")
