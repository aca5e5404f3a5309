"""The stages of hardware: the HLS project, the RTL, and its resources after synthesis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from qap.flow.stage import Progress
from qap.hardware.hls import write_project
from qap.hardware.hls.project import TEST_VECTORS
from qap.hardware.resources import ResourceReport
from qap.hardware.rtl import RtlProject, load_project, measure_stream, missing_simulator, rtl_options, write_rtl
from qap.hardware.synthesis import place_and_route, synthesize
from qap.hardware.tools import Tell
from qap.network import load_network
from qap.products import is_intact
from qap.recipe import RtlRecipe
from qap.run import HLS, NETWORK, RESOURCES, RTL, SYNTH, RunDirectory


def hls(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Write the HLS project of the integer network."""
    recipe = run.recipe
    project = write_project(
        load_network(run.file(NETWORK)),
        run.file(HLS),
        name=recipe.name,
        target=recipe.target,
        x_int=run.dataset.test.x,
    )
    return {"project": project.name, "reuse_factors": dict(zip(project.layers, project.reuse_factors, strict=True))}


def rtl(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Generate the Verilog of the integer network."""
    project = generate_rtl(run)
    return {
        "top": project.top,
        "latency_cycles": project.latency_cycles,
        "stage_depth": project.stage_depth,
        "inputs_read": len(project.kept),
        "estimated_luts": project.estimated_luts,
    }


def synth(run: RunDirectory, progress: Progress) -> Mapping[str, Any]:
    """Synthesize the Verilog and record what it takes."""
    target = (run.recipe.rtl or RtlRecipe()).target
    return {"reports": [asdict(report) for report in measure_resources(run, target, progress=progress.advance)]}


def generate_rtl(run: RunDirectory) -> RtlProject:
    """Generate the Verilog of a run's network in its folder `rtl/`.

    Args:
        run: a run that is frozen; its recipe's `rtl` and `target` are read.

    Raises:
        DataError: the run is not frozen, or its folder cannot be written.
        QapError: an option is not possible, or the network is too large to be unrolled.
        ToolMissing: the rtl extra is not installed.
    """
    network, vectors = load_network(run.file(NETWORK)), run.dataset.test.x[:TEST_VECTORS]
    return write_rtl(network, run.file(RTL), rtl_options(run.recipe), test_vectors=vectors)


def measure_resources(
    run: RunDirectory,
    target: str,
    *,
    device: str | None = None,
    place: bool = False,
    bitstream: bool = False,
    progress: Tell,
) -> list[ResourceReport]:
    """Synthesize a run's RTL, place and route it if asked for, and record in `resources.json` all that was measured.

    Args:
        run: a run with RTL.
        target: xc7, xcup, ecp5 or ice40.
        device: 25k, 45k or 85k, for place and route.
        place: also place and route (ECP5).
        bitstream: also write the bitstream of the stream top (ECP5).
        progress: told what is being done.

    Raises:
        DataError: there is no RTL.
        QapError: the target or the device is not known, or the design does not fit.
        ToolFailed: a program failed or took too long.
        ToolMissing: the rtl extra is not installed.
    """
    project = load_project(run.file(RTL))
    modules: tuple[Literal["core", "top"], ...] = ("core", "top") if project.axis else ("core",)
    reports = [synthesize(project, target, module=module, progress=progress) for module in modules]
    if place or bitstream:
        reports.append(place_and_route(project, device or "85k", bitstream=bitstream, progress=progress))
    measured = [ResourceReport.load(folder / "report.json") for folder in sorted(_syntheses(run))]
    paced = _pace(project, progress)
    run.write_json(RESOURCES, {_label(report): asdict(paced(report)) for report in measured})
    run.rewrote(RESOURCES)
    return [paced(report) for report in reports]


def _pace(project: RtlProject, progress: Tell) -> Callable[[ResourceReport], ResourceReport]:
    """Gives the report of a stream its latency and II as they are measured, None without a simulator."""
    measured = project.axis is not None and missing_simulator() is None
    latency, ii = measure_stream(project, progress=progress) if measured else (None, None)

    def paced(report: ResourceReport) -> ResourceReport:
        is_stream = project.axis is not None and report.design == project.top
        return replace(report, latency_cycles=latency, ii_cycles=ii) if is_stream else report

    return paced


def _syntheses(run: RunDirectory) -> Iterator[Path]:
    """The folders of all that was synthesized or placed, if nobody has changed it since."""
    if run.file(SYNTH).is_dir():
        yield from (folder for folder in run.file(SYNTH).iterdir() if is_intact(folder))


def _label(report: ResourceReport) -> str:
    return f"{report.design} on {report.part}, {report.source}"
