"""`qap rtl` and `qap synth`: open RTL of a run's network, and what it costs, without a vendor tool."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from qap.cli.options import Force, Json, Source, open_run
from qap.errors import QapError


def rtl(
    source: Source,
    stage_depth: Annotated[
        str | None, typer.Option(help="Levels of LUTs between two registers, auto or fastest.")
    ] = None,
    interface: Annotated[
        Literal["axis", "parallel"] | None, typer.Option(help="An AXI4-Stream top around the core, or the core alone.")
    ] = None,
    axis_width: Annotated[int | None, typer.Option(help="Bits of tdata: 8, 16, 32 or 64.")] = None,
    yes: Annotated[
        bool | None, typer.Option("--yes", help="Go on although the network looks too large to be unrolled.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Generate pipelined Verilog of the integer network, with a test bench of golden vectors.

    What no option says is as the run's recipe has it.
    """
    from qap.cli.console import print_json, print_line, progress_bars
    from qap.flow import run_flow
    from qap.run import RTL

    asked = {"stage_depth": stage_depth, "interface": interface, "axis_width": axis_width}
    asked["any_size"] = "true" if yes else None
    changes = [f"rtl.{key}={value}" for key, value in asked.items() if value is not None]
    run = open_run(source, None, None, ["rtl.enabled=true", *changes], None)
    with progress_bars() as progress:
        records = run_flow(run, ["data", "rtl"], force=force, progress=progress)
    found = dict(records["rtl"].result)
    if as_json:
        print_json(found)
        return
    print_line(
        f"{run.file(RTL)}: the core of {found['top']} reads {found['inputs_read']} of {run.dataset.n_in} inputs, "
        f"a sample every cycle, latency {found['latency_cycles']} cycles, about {found['estimated_luts']} LUT"
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
    from qap.cli.console import print_json, print_line, progress_bars, resources_line
    from qap.flow.hardware import measure_resources

    if (place or bitstream or device) and target != "ecp5":
        raise QapError(f"place and route is for --target ecp5, but got --target {target}")
    run = open_run(source, None, None, None, None)
    with run.lock(), progress_bars() as progress:
        progress.start("synth", None)
        reports = measure_resources(
            run, target, device=device, place=place, bitstream=bitstream, progress=progress.advance
        )
    if as_json:
        print_json({"reports": [asdict(report) for report in reports]})
        return
    for report in reports:
        print_line(resources_line(asdict(report)))
