"""Which report a file is, and where a project keeps its reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from qap.errors import ReportError
from qap.files import encoding_of
from qap.hardware.resources import ResourceReport
from qap.hardware.vendor.csynth import read_module_text, read_summary_text, read_xml
from qap.hardware.vendor.vivado import Timing, read_timing, read_utilization

LARGEST_BYTES = 256 << 20
HLS_FOLDERS = (
    "*_prj/*/syn/report",  # hls4ml and Vivado HLS: myproject_prj/solution1
    "*/hls/syn/report",  # the unified Vitis IDE: TOP/hls, TOP.comp/hls
    "hls/syn/report",
    "*/syn/report",
    "syn/report",
    ".",
)
HLS_FILES = ("csynth.xml", "*_csynth.xml", "*_csynth.rpt", "csynth.rpt")
VIVADO_FILES = (
    "vivado_synth.rpt",  # hls4ml
    "reports/*utilization*.rpt", "reports/*timing*.rpt",  # build_vivado.tcl of qap rtl, and scripts like it
    "report/*utilization*.rpt", "report/*timing*.rpt",
    "*.runs/*/*_utilization_*.rpt", "*.runs/*/*_timing_summary_*.rpt",  # a project of Vivado
    "*_vivado_accelerator/*.runs/*/*_utilization_*.rpt", "*_vivado_accelerator/*.runs/*/*_timing_summary_*.rpt",
    "*utilization*.rpt", "*timing*.rpt",
)  # fmt: skip


def read_reports(path: str | Path) -> list[ResourceReport]:
    """What a report, or every report of a project's folder, says.

    Args:
        path: a file, or a folder: of hls4ml, of Vivado HLS or Vitis HLS, of Vivado, or of `qap rtl`.

    Returns:
        At most one for each of csynth, vivado_synth and vivado_route, in this order; a timing summary is added to
        the utilisation of the same stage.

    Raises:
        ReportError: there is no report, or one is cut or of no known kind.
    """
    path = Path(path)
    if path.is_dir():
        return _of_folder(path)
    return [_as_report(read_report(path))]


def read_report(path: Path) -> ResourceReport | Timing:
    """Read one report, whatever kind it is.

    Raises:
        ReportError: it is missing, cut or of no known kind.
    """
    text = _text(path)
    name = str(path)
    if text.lstrip().startswith("<"):
        return read_xml(text.lstrip(), name)
    if " HLS Report for '" in text:
        return read_module_text(text, name)
    if "== Synthesis Summary Report of '" in text:
        return read_summary_text(text, name)
    if "Timing Summary Report" in text or "report_timing_summary" in text:
        return read_timing(text, name)
    if "Utilization Design Information" in text or "report_utilization" in text:
        return read_utilization(text, name)
    raise ReportError(
        f"{path} is not a report that qap knows: csynth.xml, csynth.rpt or *_csynth.rpt of Vivado HLS or Vitis HLS, or "
        "report_utilization or report_timing_summary of Vivado"
    )


def _of_folder(folder: Path) -> list[ResourceReport]:
    found = [report for report in [_csynth(folder)] if report is not None]
    vivado = _tops([(file, read_report(file)) for file in _vivado_files(folder)])
    timings = [each for each in vivado if isinstance(each, Timing)]
    for source in ("vivado_synth", "vivado_route"):
        used = [each for each in vivado if isinstance(each, ResourceReport) and each.source == source]
        largest = max(used, key=_size, default=None)
        near = [each for each in timings if each.source == source and (not largest or each.design == largest.design)]
        timing = next(iter(near), None)
        if largest:
            found.append(_with_timing(largest, timing))
        elif timing:
            found.append(_as_report(timing))
    if not found:
        hls = ", ".join(f"{place}/{{{','.join(HLS_FILES)}}}" for place in HLS_FOLDERS if place != ".")
        raise ReportError(f"no report in {folder}: looked for {hls}, {', '.join(HLS_FILES)}, {', '.join(VIVADO_FILES)}")
    return found


def _tops(reports: Sequence[tuple[Path, ResourceReport | Timing]]) -> list[ResourceReport | Timing]:
    """Without those of the IPs of a block design, which Vivado synthesizes for themselves, if there are others."""
    wrapped = [each.design.removesuffix("wrapper") for _, each in reports if each.design.endswith("_wrapper")]

    def inside(file: Path, design: str) -> bool:
        own_run = file.parent.name.startswith(f"{design}_synth_")
        return own_run or (not design.endswith("_wrapper") and design.startswith(tuple(wrapped)))

    tops = [each for file, each in reports if not inside(file, each.design)]
    return tops or [each for _, each in reports]


def _csynth(folder: Path) -> ResourceReport | None:
    """The report of the top: `csynth.xml` if it is there, else the largest, since the top holds all other functions."""
    for place in HLS_FOLDERS:
        for pattern in HLS_FILES:
            reports = [read_report(file) for file in _files(folder, f"{place}/{pattern}")]
            tops = [each for each in reports if isinstance(each, ResourceReport)]
            if tops:
                return max(tops, key=_size)
    return None


def _vivado_files(folder: Path) -> list[Path]:
    """The reports of Vivado, each once; what only names a utilisation of another kind is left out."""
    files = dict.fromkeys(file for pattern in VIVADO_FILES for file in _files(folder, pattern))
    return [file for file in files if _is_overall(file)]


def _is_overall(file: Path) -> bool:
    """Whether it is a report of the whole design; of a hierarchy, of clocks or of control sets it is not."""
    head = _text(file)[:4096]
    if "report_timing_summary" in head or "Timing Summary Report" in head:
        return True
    command = next((line for line in head.splitlines() if line.startswith("| Command")), "")
    return ("report_utilization" in command or "Utilization Design Information" in head) and "-hier" not in command


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    yield from (file for file in sorted(folder.glob(pattern)) if file.is_file())


def _with_timing(report: ResourceReport, timing: Timing | None) -> ResourceReport:
    if timing is None:
        return report
    return replace(report, clock_ns=timing.clock_ns, fmax_mhz=timing.fmax_mhz)


def _as_report(found: ResourceReport | Timing) -> ResourceReport:
    if isinstance(found, ResourceReport):
        return found
    source = found.source or "vivado_route"
    return ResourceReport(
        source, found.tool, found.part, found.design, clock_ns=found.clock_ns, fmax_mhz=found.fmax_mhz
    )


def _size(report: ResourceReport) -> int:
    return (report.lut or 0) + (report.ff or 0)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise ReportError(f"there is no report {path}")
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise ReportError(f"{path} has {size >> 20:,} MiB, a report has at most {LARGEST_BYTES >> 20}")
        return path.read_text(encoding=encoding_of(path), errors="replace")
    except (OSError, ValueError) as error:
        raise ReportError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
