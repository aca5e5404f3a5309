"""`qap devices`, `qap vendor` and `qap fit`: what parts have, what vendors' tools measured, and what fits."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qap.cli.options import Json, Source, open_run
from qap.errors import QapError

if TYPE_CHECKING:
    from qap.hardware.estimate.choice import Choice, Choices
    from qap.hardware.resources import ResourceReport
    from qap.network import IntegerNetwork
    from qap.recipe import TargetRecipe


def devices(
    text: Annotated[str, typer.Argument(metavar="FILTER", help="Part of a part's, a board's or a family's name.")] = "",
    as_json: Json = False,
) -> None:
    """List the parts and boards that qap knows, with what they have."""
    from qap.hardware.devices import COUNTED, DEVICES, boards_of, matching_devices

    found = matching_devices(text)
    if not found:
        raise QapError(f"no part, board or family holds {text[:80]!r}; qap devices lists all {len(DEVICES)}")
    if as_json:
        from qap.cli.console import print_json

        print_json({name: {**asdict(device), "boards": boards_of(name)} for name, device in found.items()})
        return
    from rich.table import Table

    from qap.cli.console import results

    table = Table("part", "family", box=None, pad_edge=False)
    for kind in COUNTED:
        table.add_column(kind.upper(), justify="right")
    table.add_column("boards")
    for name, device in found.items():
        counts = (f"{getattr(device, kind):,}" for kind in COUNTED)
        table.add_row(name, device.family, *counts, ", ".join(boards_of(name)))
    results.print(table)


def vendor(
    path: Annotated[Path, typer.Argument(metavar="REPORT_OR_DIR", help="A report, or the folder of a project.")],
    as_json: Json = False,
) -> None:
    """Read reports of Vivado HLS, Vitis HLS and Vivado: what a design takes, as their tools measured it."""
    from qap.cli.console import print_json, print_line, resources_line
    from qap.hardware.vendor import read_reports

    reports = read_reports(path)
    if as_json:
        print_json({"reports": [asdict(report) for report in reports]})
        return
    for report in reports:
        print_line(f"{resources_line(asdict(report))} [{report.tool}]")


def fit(
    source: Source,
    part: Annotated[str, typer.Option(help="A part or a board, as qap devices lists them.")],
    clock_ns: Annotated[float | None, typer.Option(min=0.1, max=1000, help="Instead of the recipe's clock.")] = None,
    as_json: Json = False,
) -> None:
    """Find the smallest reuse factor, and its strategy, with which the HLS project of a run fits a part (estimated)."""
    from qap.cli.console import print_failures, print_json, print_line
    from qap.hardware.devices import find_device, hls_part
    from qap.hardware.estimate import ESTIMATORS
    from qap.hardware.estimate.choice import choose
    from qap.hardware.estimate.evidence import missing_evidence
    from qap.network import load_network
    from qap.run import NETWORK

    wanted = hls_part(part)
    name, device = find_device(part)

    def after_synthesis(network: IntegerNetwork, target: TargetRecipe) -> ResourceReport:
        return ESTIMATORS["hls4ml"](network, target).stages["vivado_synth"].report

    run = open_run(source, None, None, None, None)
    network, former = load_network(run.file(NETWORK)), run.recipe.target
    whole = former.part if wanted.name == name == hls_part(former.part).device else wanted.name
    target = former.model_copy(update={"part": whole} | ({"clock_ns": clock_ns} if clock_ns else {}))
    found = choose(network, target, device, after_synthesis)
    unmeasured = missing_evidence(network, found.nearest.applied_to(target))
    changes = _assignments(found.chosen, target, with_clock=clock_ns is not None)
    if as_json:
        print_json({**_as_json(found, name), "unmeasured": unmeasured, "set": changes})
    else:
        _print_choices(found, name)
        if unmeasured:
            print_line(f"note: {unmeasured}")
        if changes:
            settings = [word for each in changes for word in ("--set", each)]
            print_line(f"apply it: {shlex.join(['qap', 'run', source, *settings])}")
    if found.chosen is None:
        print_failures([f"nothing fits {name}: {_named(found.least)} needs {'; '.join(found.missing(device))}"])
        raise typer.Exit(1)


def _print_choices(found: Choices, name: str) -> None:
    """The choice with a bar for each kind, then the parts that would do."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    from qap.cli.console import print_line, results
    from qap.hardware.devices import DEVICES

    choice = found.nearest
    verdict = "fits with" if found.chosen else "does not fit; the nearest is"
    print_line(f"{name} {verdict} {_named(choice)} (estimated after Vivado's synthesis; {found.tried} choices)")
    table = Table(box=None, show_header=False, pad_edge=False)
    for kind, share in choice.utilisation(DEVICES[name]).items():
        needs, has = getattr(choice.report, kind), getattr(DEVICES[name], kind)
        if share is None:
            continue
        style = "red" if share > 1 else "yellow" if share > 0.8 else "green"
        bar = ProgressBar(total=1, completed=min(share, 1), width=30, complete_style=style, finished_style=style)
        table.add_row(kind.upper(), bar, f"{share:.1%}", f"{needs:,} of {has:,}")
    results.print(table)
    latency, interval = choice.report.latency_cycles, choice.report.ii_cycles
    if latency is not None:
        every = "every cycle" if interval == 1 else f"every {interval} cycles"
        cycles = "1 cycle" if latency == 1 else f"{latency} cycles"
        print_line(f"latency {cycles}, a sample {every} of {choice.report.clock_ns} ns")
    groups: dict[str, list[str]] = {}
    for other, each in found.parts.items():
        if each is not None:
            groups.setdefault(_named(each), []).append(other)
    for named, others in groups.items():
        print_line(f"parts that fit with {named}: {', '.join(others)}")
    if not groups:
        print_line("parts that fit: none")


def _assignments(choice: Choice | None, target: TargetRecipe, *, with_clock: bool) -> list[str]:
    """What --set is given to apply a choice to a target."""
    if choice is None:
        return []
    keys = ["part", "strategy", "reuse_factor", *(["clock_ns"] if with_clock else [])]
    applied = choice.applied_to(target)
    return [f"target.{key}={getattr(applied, key)}" for key in keys]


def _named(choice: Choice) -> str:
    return f"{choice.strategy}, reuse factor {choice.reuse_factor}"


def _as_json(found: Choices, name: str) -> dict[str, object]:
    from qap.hardware.devices import DEVICES

    def content(choice: Choice | None) -> dict[str, object] | None:
        if choice is None:
            return None
        return {"strategy": choice.strategy, "reuse_factor": choice.reuse_factor, "report": asdict(choice.report)}

    nearest = found.nearest
    return {
        "part": name,
        "fits": found.chosen is not None,
        "chosen": content(found.chosen),
        "nearest": content(nearest),
        "utilisation": nearest.utilisation(DEVICES[name]),
        "tried": found.tried,
        "parts": {
            other: None if each is None else {"strategy": each.strategy, "reuse_factor": each.reuse_factor}
            for other, each in found.parts.items()
        },
    }
