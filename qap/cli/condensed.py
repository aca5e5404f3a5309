"""The tables of `qap condense`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from qap.cli.console import print_line, results


def print_evaluation(content: Mapping[str, Any]) -> None:
    """Print what a condensed data set is worth: accuracy and gap of both, then class by class.

    Args:
        content: the report that `qap condense` writes.
    """
    results.print(_accuracy_table(content))
    results.print(_class_table(content["bias"]))
    information, rounding = content["information"], content["rounding"]
    print_line(f"lost: {information['lost']:.2%} of test accuracy")
    hurt = content["bias"]["hurt_most"]
    print_line(f"hurt most: class {hurt}" if hurt is not None else "hurt most: no class, none lost recall")
    if rounding["rms_lsb"]:
        change = f"{rounding['rms_lsb']:.2f} LSB root mean square"
        print_line(f"rounding to the grid: {change}, cost {rounding['lost']:.2%} of test accuracy")


def _accuracy_table(content: Mapping[str, Any]) -> Table:
    title = f"{content['source']}, {content['per_class']} of each class by {content['method']}"
    table = _table(title, "trained on", "samples", "validation", "test", "spread", "training", "gap to test")
    for part in ("full", "condensed"):
        accuracy, gap = content["information"][part], content["generalisation"][part]
        shares = accuracy["validation"], accuracy["test"], accuracy["spread"], gap["train"], gap["gap"]
        table.add_row(part, f"{content['samples'][part]:,}", *(f"{share:.2%}" for share in shares))
    return table


def _class_table(bias: Mapping[str, Any]) -> Table:
    table = _table(
        "class by class", "class", "recall, full", "condensed", "change", "distance to nearest", "to the mean"
    )
    for each in bias["classes"]:
        recalls = each["recall_full"], each["recall_condensed"], each["change"]
        shown = ["no test sample" if recall is None else f"{recall:.2%}" for recall in recalls]
        name = Text(each["name"], style="bold" if each["name"] == bias["hurt_most"] else "")
        table.add_row(name, *shown, f"{each['distance']:.3g}", f"{each['distance_to_mean']:.3g}")
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=Text(title, style="table.title"), title_justify="left")
    table.add_column(first)
    for other in others:
        table.add_column(other, justify="right")
    return table
