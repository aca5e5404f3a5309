from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest
from support.vendor_reports import (
    MODULE_2018,
    MODULE_2024,
    SUMMARY_2021,
    UTILIZATION_ULTRASCALE,
    UTILIZATION_VERSAL,
    csynth_xml,
    timing_summary,
    utilization_7series,
)

from qap.errors import ReportError
from qap.hardware.resources import ResourceReport
from qap.hardware.vendor import read_reports

KINDS = {
    "xml": csynth_xml(),
    "2018": MODULE_2018,
    "2024": MODULE_2024,
    "summary": SUMMARY_2021,
    "7series": utilization_7series(),
    "ultrascale": UTILIZATION_ULTRASCALE,
    "versal": UTILIZATION_VERSAL,
    "timing": timing_summary(),
}


def read(path: Path, text: str) -> ResourceReport:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    (report,) = read_reports(path)
    return report


def test_csynth_xml_of_both_tools(tmp_path: Path) -> None:
    vitis = read(tmp_path / "csynth.xml", csynth_xml())
    assert vitis == ResourceReport(
        "csynth", "Vitis HLS 2023.2", "xczu7ev-ffvc1156-2-e", "toy", lut=4321, ff=1234, dsp=29, bram18=6, uram=3,
        latency_cycles=17, ii_cycles=4, clock_ns=5.0, fmax_mhz=250.0,
    )  # fmt: skip
    vivado = read(tmp_path / "csynth.xml", csynth_xml(version="2019.2", dsp="DSP48E", uram=False))
    assert (vivado.tool, vivado.dsp, vivado.uram) == ("Vivado HLS 2019.2", 29, None)


def test_what_hls_cannot_tell_is_none_and_not_zero(tmp_path: Path) -> None:
    report = read(tmp_path / "csynth.xml", csynth_xml(worst="undef", interval="undef"))
    assert (report.latency_cycles, report.ii_cycles) == (None, None)
    report = read(tmp_path / "toy_csynth.rpt", MODULE_2024)
    assert (report.latency_cycles, report.ii_cycles, report.fmax_mhz) == (None, None, 250.0)
    unknown = SUMMARY_2021.replace(
        "|       17|  85.000|         -|        4|", "|        -|       -|         -|        -|"
    )
    report = read(tmp_path / "csynth.rpt", unknown)
    assert (report.latency_cycles, report.ii_cycles, report.uram) == (None, None, 0)


def test_text_reports_of_hls(tmp_path: Path) -> None:
    old = read(tmp_path / "toy_csynth.rpt", MODULE_2018)
    assert old == ResourceReport(
        "csynth", "Vivado HLS 2018.3", "xcku115-flvb2104-2-i", "toy", lut=4321, ff=1234, dsp=29, bram18=6,
        latency_cycles=17, ii_cycles=4, clock_ns=5.0, fmax_mhz=250.0,
    )  # fmt: skip
    new = read(tmp_path / "toy_csynth.rpt", MODULE_2024)
    assert (new.tool, new.part, new.uram, new.lut) == ("Vitis HLS 2024.1", "xcvu13p-flga2577-2-e", 3, 4321)
    summary = read(tmp_path / "csynth.rpt", SUMMARY_2021)
    assert summary == ResourceReport(
        "csynth", "Vitis HLS 2021.1", "xc7z020-clg400-1", "toy", lut=4321, ff=1234, dsp=29, bram18=6, uram=0,
        latency_cycles=17, ii_cycles=4,
    )  # fmt: skip


def test_the_absolute_latency_is_not_taken_for_cycles(tmp_path: Path) -> None:
    numbers = "|       11|       17|  55.000 ns|  85.000 ns|    1|    4| dataflow|"
    text = re.sub(r"\|        \?\|.*no\|", numbers, MODULE_2024)
    report = read(tmp_path / "toy_csynth.rpt", text)
    assert (report.latency_cycles, report.ii_cycles) == (17, 4)


@pytest.mark.parametrize("star", ["*", ""])
def test_utilisation_of_the_7_series(tmp_path: Path, star: str) -> None:
    report = read(tmp_path / "vivado_synth.rpt", utilization_7series(star=star))
    assert report == ResourceReport(
        "vivado_synth", "Vivado 2019.2, synthesized", "xc7z020clg400-1", "toy", lut=2468, lut_shift=60, lut_memory=8,
        ff=1357, dsp=31, bram18=5, uram=0,
    )  # fmt: skip
    routed = read(tmp_path / "vivado_synth.rpt", utilization_7series("Routed"))
    assert (routed.source, routed.tool) == ("vivado_route", "Vivado 2019.2, routed")


def test_utilisation_of_ultrascale(tmp_path: Path) -> None:
    report = read(tmp_path / "u.rpt", UTILIZATION_ULTRASCALE)
    assert report == ResourceReport(
        "vivado_route", "Vivado 2023.2, fully placed", "xczu7ev-ffvc1156-2-e", "toy", lut=2468, lut_shift=60,
        lut_memory=8, ff=1357, carry=44, dsp=31, bram18=1, uram=2,
    )  # fmt: skip


def test_utilisation_of_versal(tmp_path: Path) -> None:
    report = read(tmp_path / "u.rpt", UTILIZATION_VERSAL)
    assert report == ResourceReport(
        "vivado_route", "Vivado 2024.2, routed", "xcvc1902-vsva2197-2MP-e-S", "toy", lut=2468, lut_shift=60,
        lut_memory=8, ff=1357, carry=44, dsp=31, bram18=3, uram=2,
    )  # fmt: skip


def test_the_clock_with_the_least_slack_gives_fmax(tmp_path: Path) -> None:
    met = read(tmp_path / "timing.rpt", timing_summary())
    assert (met.source, met.part, met.clock_ns, met.fmax_mhz, met.lut) == (
        "vivado_route", "xc7z020-clg400", 5.0, 266.67, None,
    )  # fmt: skip
    violated = read(tmp_path / "timing.rpt", timing_summary("Synthesized", wns="-1.250"))
    assert (violated.source, violated.fmax_mhz) == ("vivado_synth", 160.0)


@pytest.mark.parametrize("text", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("line", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_report_is_read_in_the_encoding_of_its_byte_order_mark(
    tmp_path: Path, text: str, encoding: str, line: str
) -> None:
    whole = read(tmp_path / "plain", text)
    mark = "\ufeff" if encoding.endswith("e") else ""
    content = (mark + text.replace("\n", line)).encode(encoding)
    (tmp_path / "marked").write_bytes(content)
    assert read_reports(tmp_path / "marked") == [whole]
    for end in (1, 2, 3, 4, 5, len(content) // 2, len(content) // 2 + 1):
        (tmp_path / "cut").write_bytes(content[:end])
        with pytest.raises(ReportError, match=r"cut is (cut or damaged|not a report)") as refused:
            read_reports(tmp_path / "cut")
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", KINDS.values(), ids=KINDS)
def test_a_report_that_is_cut_anywhere_is_refused_or_complete(tmp_path: Path, text: str) -> None:
    """Never a wrong number: a prefix either says the same as the whole or is an error of one line."""
    whole = read(tmp_path / "report", text)
    lines = text.splitlines(keepends=True)
    refused = 0
    for end in range(1, len(lines)):
        (tmp_path / "report").write_text("".join(lines[:end]))
        try:
            assert read_reports(tmp_path / "report") == [whole], f"cut behind line {end}"
        except ReportError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > len(lines) // 3


def test_damaged_reports_are_never_a_traceback(tmp_path: Path) -> None:
    rng = random.Random(0)
    for text in [*KINDS.values()] * 60:
        broken = list(text)
        for _ in range(rng.randrange(1, 8)):
            at, length = rng.randrange(len(broken)), rng.choice((1, 1, 1, 80))
            broken[at : at + length] = rng.choice(("", "|", "-", "9" * 5000, "\x00", "<", " ", "\n", "é²", "."))
        (tmp_path / "report").write_text("".join(broken), encoding="utf-8")
        try:
            (report,) = read_reports(tmp_path / "report")
            assert all(number >= 0 for number in (report.lut or 0, report.ff or 0, report.dsp or 0))
        except ReportError as error:
            assert "report" in str(error)


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"there is no report .*none\.rpt"):
        read_reports(tmp_path / "none.rpt")
    (tmp_path / "a.rpt").write_text("nothing of the kind")
    with pytest.raises(ReportError, match=r"a\.rpt is not a report that qap knows: csynth\.xml.*report_utilization"):
        read_reports(tmp_path / "a.rpt")
    (tmp_path / "a.xml").write_text("<html></html>")
    with pytest.raises(ReportError, match=r"begins with <html>, not <profile>"):
        read_reports(tmp_path / "a.xml")
    (tmp_path / "a.xml").write_bytes(b"\x00\xff<profile>")
    with pytest.raises(ReportError):
        read_reports(tmp_path / "a.xml")
    (tmp_path / "util.rpt").write_text(
        "| Command      : report_utilization -file util.rpt -hierarchical -hierarchical_percentages\n"
    )
    with pytest.raises(ReportError, match="lists a hierarchy; make it with report_utilization without -hierarchical"):
        read_reports(tmp_path / "util.rpt")


@pytest.mark.parametrize("declaration", ['<!DOCTYPE a [<!ENTITY b "c">]>', "<!doctype profile>", '<!ENTITY a "b">'])
def test_entities_are_refused(tmp_path: Path, declaration: str) -> None:
    text = csynth_xml().replace("<profile>", f"{declaration}\n<profile>", 1)
    (tmp_path / "csynth.xml").write_text(text)
    with pytest.raises(ReportError, match="declares a document type"):
        read_reports(tmp_path / "csynth.xml")


def test_the_tree_of_an_hls4ml_project(tmp_path: Path) -> None:
    reports = tmp_path / "toy_prj" / "solution1" / "syn" / "report"
    reports.mkdir(parents=True)
    (reports / "dense_csynth.xml").write_text(csynth_xml(top="dense", lut=300))
    (reports / "toy_csynth.xml").write_text(csynth_xml())
    (reports / "dense_csynth.rpt").write_text(MODULE_2018)
    (tmp_path / "vivado_synth.rpt").write_text(utilization_7series())
    found = read_reports(tmp_path)
    assert [(each.source, each.design, each.lut) for each in found] == [
        ("csynth", "toy", 4321), ("vivado_synth", "toy", 2468),
    ]  # fmt: skip
    (reports / "toy_csynth.xml").write_text(csynth_xml()[:900])
    with pytest.raises(ReportError, match=r"toy_csynth\.xml is cut or damaged"):
        read_reports(tmp_path)


def test_a_project_of_vivado_joins_utilisation_and_timing_of_each_stage(tmp_path: Path) -> None:
    runs = tmp_path / "toy.runs"
    for folder in ("synth_1", "impl_1"):
        (runs / folder).mkdir(parents=True)
    (runs / "synth_1" / "toy_utilization_synth.rpt").write_text(utilization_7series())
    (runs / "impl_1" / "toy_utilization_placed.rpt").write_text(utilization_7series("Fully Placed", lut=2222))
    (runs / "impl_1" / "toy_timing_summary_routed.rpt").write_text(timing_summary())
    (runs / "impl_1" / "toy_clock_utilization_routed.rpt").write_text("| Command : report_clock_utilization\n")
    found = read_reports(tmp_path)
    assert [(each.source, each.lut, each.fmax_mhz) for each in found] == [
        ("vivado_synth", 2468, None), ("vivado_route", 2222, 266.67),
    ]  # fmt: skip


@pytest.mark.parametrize("folder", ["reports", "report", "."])
@pytest.mark.parametrize(
    ("utilization", "timing"),
    [
        ("utilization_synth.rpt", "timing_synth.rpt"), ("utilization.rpt", "timing_synth.rpt"),
        ("toy_utilization.rpt", "post_synth_timing_summary.rpt"),
    ],
)  # fmt: skip
def test_the_reports_of_a_script_are_found(tmp_path: Path, folder: str, utilization: str, timing: str) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / utilization).write_text(utilization_7series())
    (tmp_path / folder / timing).write_text(timing_summary(command=timing))
    (found,) = read_reports(tmp_path)
    assert (found.source, found.lut, found.fmax_mhz) == ("vivado_synth", 2468, 266.67)


def test_the_top_of_a_block_design_is_preferred_to_its_largest_ip(tmp_path: Path) -> None:
    runs = tmp_path / "toy.runs"
    reports = {  # Vivado synthesizes an IP for itself, and leaves it out of what it counts of the top
        "design_1_toy_0_0_synth_1/design_1_toy_0_0_utilization_synth.rpt": (9_000, "design_1_toy_0_0", "Synthesized"),
        "design_1_dma_0_0_synth_1/design_1_dma_0_0_utilization_synth.rpt": (3_000, "design_1_dma_0_0", "Synthesized"),
        "synth_1/design_1_wrapper_utilization_synth.rpt": (40, "design_1_wrapper", "Synthesized"),
        "impl_1/design_1_wrapper_utilization_placed.rpt": (7_000, "design_1_wrapper", "Fully Placed"),
    }
    for name, (lut, design, state) in reports.items():
        (runs / name).parent.mkdir(parents=True)
        (runs / name).write_text(utilization_7series(state, lut, design=design))
    timing = timing_summary(design="design_1_toy_0_0", command="design_1_toy_0_0_timing_synth.rpt")
    (runs / "design_1_toy_0_0_synth_1" / "design_1_toy_0_0_timing_summary_synth.rpt").write_text(timing)
    found = read_reports(tmp_path)
    assert [(each.source, each.design, each.lut, each.fmax_mhz) for each in found] == [
        ("vivado_synth", "design_1_wrapper", 40, None), ("vivado_route", "design_1_wrapper", 7_000, None),
    ]  # fmt: skip
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in reports:
        (flat / Path(name).name).write_text((runs / name).read_text())
    assert read_reports(flat) == found
    shutil.rmtree(runs / "synth_1")
    shutil.rmtree(runs / "impl_1")
    (alone,) = read_reports(tmp_path)
    assert (alone.design, alone.lut) == ("design_1_toy_0_0", 9_000), "without a top the largest IP is all there is"


def test_an_ip_is_told_from_a_top_of_another_name(tmp_path: Path) -> None:
    for run, design, lut in (("synth_1", "system", 50), ("toy_ip_synth_1", "toy_ip", 9_000)):
        (tmp_path / "toy.runs" / run).mkdir(parents=True)
        text = utilization_7series(lut=lut, design=design)
        (tmp_path / "toy.runs" / run / f"{design}_utilization_synth.rpt").write_text(text)
    assert [(each.design, each.lut) for each in read_reports(tmp_path)] == [("system", 50)]


def test_a_folder_without_reports_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        ReportError, match=r"no report in .*: looked for \*_prj/\*/syn/report/\{csynth\.xml,.*vivado_synth\.rpt"
    ):
        read_reports(tmp_path)
