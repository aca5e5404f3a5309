"""`qap rtl` and `qap synth`: open RTL of a run's network, and what it costs, without a vendor tool."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from qap.cli.options import Json, Source, open_run
from qap.errors import QapError


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("rtl")(rtl)
    app.command("synth")(synth)


def rtl(
    source: Source,
    stage_depth: Annotated[str, typer.Option(help="Levels of LUTs between two registers, or auto.")] = "auto",
    interface: Annotated[
        Literal["axis", "parallel"], typer.Option(help="An AXI4-Stream top around the core, or the core alone.")
    ] = "axis",
    axis_width: Annotated[int, typer.Option(help="Bits of tdata: 8, 16, 32 or 64.")] = 32,
    yes: Annotated[
        bool, typer.Option("--yes", help="Go on although the network looks too large to be unrolled.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Generate pipelined Verilog of the integer network, with a test bench of golden vectors."""
    from qap.cli.console import print_json, print_line
    from qap.implementation import generate_rtl

    depth = _stage_depth(stage_depth)
    run = open_run(source, None, None, None, None)
    project = generate_rtl(run, stage_depth=depth, interface=interface, axis_width=axis_width, whatever_size=yes)
    found = {
        "folder": str(project.folder),
        "top": project.top,
        "latency_cycles": project.latency_cycles,
        "stage_depth": project.stage_depth,
        "inputs_read": len(project.kept),
        "estimated_luts": project.estimated_luts,
    }
    if as_json:
        print_json(found)
        return
    print_line(
        f"{project.folder}: {project.top}, {len(project.kept)} of {project.n_in} inputs read, a sample every cycle, "
        f"latency {project.latency_cycles} cycles, about {project.estimated_luts} LUT"
    )


def synth(
    source: Source,
    target: Annotated[str, typer.Option(help="xc7, xcup, ecp5 or ice40.")] = "xc7",
    place: Annotated[
        bool, typer.Option("--place-and-route", help="Measure the clock on an ECP5 with nextpnr.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="25k, 45k or 85k, for --place-and-route.")] = None,
    bitstream: Annotated[bool, typer.Option("--bitstream", help="Write the bitstream for the ECP5.")] = False,
    as_json: Json = False,
) -> None:
    """Synthesize the RTL of a run with Yosys and count what it takes, as the vendor counts."""
    from qap.cli.console import print_json, print_line, progress_bars
    from qap.implementation import measure_resources

    if (place or bitstream or device) and target != "ecp5":
        raise QapError(f"place and route is for --target ecp5, but got --target {target}")
    run = open_run(source, None, None, None, None)
    with progress_bars() as progress:
        progress.start("synth", None)
        reports = measure_resources(
            run, target, device=device, place=place, bitstream=bitstream, progress=progress.advance
        )
    if as_json:
        from dataclasses import asdict

        print_json({"reports": [asdict(report) for report in reports]})
        return
    for report in reports:
        measured = [
            f"{value:,} {name}"
            for name, value in (("LUT", report.lut), ("FF", report.ff), ("DSP", report.dsp), ("BRAM18", report.bram18))
            if value is not None
        ]
        speed = [f"{report.fmax_mhz:.0f} MHz"] if report.fmax_mhz else []
        latency = [f"latency {report.latency_cycles} cycles"] if report.latency_cycles is not None else []
        print_line(f"{report.design} on {report.part} ({report.source}): {', '.join([*measured, *speed, *latency])}")


def _stage_depth(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise QapError(f"--stage-depth must be auto or a whole number from 1 on, but got {text!r}")
    return int(text)
