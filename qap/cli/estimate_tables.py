"""Tables of estimates and statistics, for people."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from qap.cli.console import print_line, results
from qap.hardware.estimate import Estimate, StageEstimate
from qap.hardware.estimate.stats import LayerStats
from qap.hardware.resources import AMOUNTS, SOURCE_NAMES, resource_names
from qap.recipe import TargetRecipe


def print_estimate(found: Estimate, target: TargetRecipe) -> None:
    """Print the stages, the layers, the counts and the notes of an estimate."""
    if found.stages:
        table = Table(title=Text(f"{found.estimator}: {_target(found, target)}", style="table.title"))
        table.title_justify = "left"
        table.add_column()
        for stage in found.stages:
            table.add_column(SOURCE_NAMES.get(stage, stage), justify="right")
            table.add_column("80 %", justify="right", style="dim", no_wrap=True)
        for name, label in resource_names(*AMOUNTS).items():
            cells = [cell for stage in found.stages.values() for cell in _cells(stage, name)]
            table.add_row(label, *cells)
        results.print(table)
    if found.layers:
        _print_layers(found)
    if found.counts:
        table = Table(show_header=False)
        table.add_column(style="bold")
        table.add_column(justify="right")
        for name, count in found.counts.items():
            table.add_row(name.replace("_", " "), f"{count:,}")
        results.print(table)
    for note in found.notes:
        print_line(f"note: {note}")


def _target(found: Estimate, target: TargetRecipe) -> str:
    """What of the target the estimate is for: the open RTL has no HLS tool."""
    if found.estimator == "rtl":
        return f"open RTL, {target.part}, {target.clock_ns:g} ns"
    hls = f"{target.part}, {target.backend}, {target.clock_ns:g} ns, {target.strategy}"
    return f"{hls}, reuse factor {target.reuse_factor}"


def _cells(stage: StageEstimate, name: str) -> tuple[str, str]:
    middle = getattr(stage.report, name)
    if middle is None:
        return "", ""
    if name not in stage.low:
        return f"{middle:,}", ""
    return f"{middle:,}", f"{stage.low[name]:,}..{stage.high[name]:,}"


def _print_layers(found: Estimate) -> None:
    table = Table(title=Text("by layer, in the first stage", style="table.title"), title_justify="left")
    for column in ("layer", "reuse", *resource_names(*AMOUNTS).values()):
        table.add_column(column, justify="left" if column == "layer" else "right")
    for layer in found.layers:
        amounts = (getattr(layer, name) for name in AMOUNTS)
        shown = ("" if amount is None else f"{amount:,}" for amount in amounts)
        table.add_row(Text(layer.name), str(layer.reuse_factor), *shown)
    results.print(table)


def print_stats(layers: list[LayerStats]) -> None:
    """Print operations, bits and energy of each layer, and their sums."""
    title = Text("operations, bits and energy (pJ) for one input", style="table.title")
    table = Table(title=title, title_justify="left")
    for column in ("layer", "operation", "count", "bits", "zeros", "sum", "compute", "memory"):
        table.add_column(column, justify="left" if column in ("layer", "operation") else "right")
    for layer in layers:
        memory = sum(energy for part, energy in layer.energy_pj.items() if part != "op_cost")
        table.add_row(
            Text(layer.name), layer.operation, f"{layer.operations:,}", f"{layer.parameter_bits:,}",
            f"{layer.sparsity:.1%}", f"{layer.accumulator_bits} b", f"{layer.energy_pj['op_cost']:,.1f}",
            f"{memory:,.1f}",
        )  # fmt: skip
    results.print(table)
    energy = sum(sum(layer.energy_pj.values()) for layer in layers)
    print_line(
        f"{sum(layer.operations for layer in layers):,} operations, "
        f"{sum(layer.parameter_bits for layer in layers):,} bits of weights and biases, "
        f"about {energy:,.1f} pJ on a 45 nm chip that keeps everything in SRAM"
    )
