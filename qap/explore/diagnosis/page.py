"""The files of a diagnosis: its page, its content as JSON, and the configuration to paste."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from qap.explore.diagnosis.results import Diagnosis, Widened
from qap.extras import extra
from qap.files import write_text
from qap.report.tables import Cell, Content, Table, count, numbers, percent, table, texts

PAGE, CONTENT, CONFIGURATION = "diagnosis.html", "diagnosis.json", "hls4ml.yml"


def write_diagnosis(found: Diagnosis, folder: Path) -> dict[str, Path]:
    """Write page, JSON and, where there is one, the configuration.

    Args:
        found: what was found.
        folder: where; it is made.

    Returns:
        What it is -> its path.

    Raises:
        DataError: a file cannot be written.
        ToolMissing: jinja2 is not installed.
    """
    paths = {"page": folder / PAGE, "JSON": folder / CONTENT}
    write_text(paths["page"], diagnosis_page(found))
    write_text(paths["JSON"], json.dumps(found.to_dict(), indent=2) + "\n")
    if found.configuration:
        paths["configuration"] = folder / CONFIGURATION
        write_text(paths["configuration"], found.configuration)
    return paths


def diagnosis_page(found: Diagnosis) -> str:
    """The page as HTML."""
    with extra("report"):
        from qap.report.markup import KeyFigure, render
    return render(
        "diagnosis.html.j2",
        found=found,
        verdict=verdict(found),
        first=first_line(found),
        key_figures=[
            KeyFigure(percent(found.accuracy_model), "accuracy of the model"),
            KeyFigure(percent(found.accuracy_hardware), "accuracy of the hardware"),
            KeyFigure(count(found.gap.outputs), f"of {count(found.logits)} outputs differ"),
            KeyFigure(count(found.gap.decisions), f"of {count(found.samples)} decisions differ"),
        ],
        causes=causes_table(found) if found.causes else None,
        types=types_table(found),
    )


def verdict(found: Diagnosis) -> str:
    """What was found, in one sentence."""
    if found.equal:
        return f"the hardware equals the model: {count(found.logits)} outputs of {count(found.samples)} samples"
    if found.gap.none and found.synthesized:
        return (
            "the C simulation equals the model, what is synthesized does not: "
            f"{count(found.synthesized.outputs)} outputs and {count(found.synthesized.decisions)} decisions differ"
        )
    return (
        f"the hardware differs from the model: {count(found.gap.outputs)} of {count(found.logits)} outputs, "
        f"{count(found.gap.decisions)} of {count(found.samples)} decisions; "
        f"accuracy {percent(found.accuracy_hardware)}, of the model {percent(found.accuracy_model)}"
    )


def first_line(found: Diagnosis) -> str:
    """The first layer that differs, in one sentence."""
    first = found.first
    if first is None:
        return "every layer gives what the model's layer gives"
    return (
        f"first layer that differs: {first.layer}, {count(first.numbers)} of {count(first.of)} results; "
        f"sample {first.sample}, neuron {first.neuron}: {first.hardware:g}, the model has {first.model:g}"
    )


def causes_table(found: Diagnosis) -> Table:
    """The causes, a row each."""
    rows: list[list[Content]] = []
    for cause in found.causes:
        left = f"{count(cause.left.outputs)} / {count(cause.left.decisions)}" if cause.left else "not compiled"
        effect = "" if cause.effective else "no effect on these samples"
        rows.append([Cell(cause.kind, effect), Cell(cause.place, kind="code"), Cell(cause.text, cause.remedy), left])
    columns = [*texts("cause", "where", "what was found, and what to do"), *numbers("left if mended")]
    return table("Causes; left are outputs and decisions that differ when this alone is mended", columns, rows)


def types_table(found: Diagnosis) -> Table:
    """Every type of every layer, a row each."""
    columns = [
        *texts("type of", "type", "occurred", "smallest"),
        *numbers("overflow", "largest rounding", "left if wide"),
    ]
    caption = (
        "Types; left are outputs and decisions that differ when this type alone is wide and all others are as they are"
    )
    return table(caption, columns, (list(_cells(each, found)) for each in found.types))


def _cells(each: Widened, found: Diagnosis) -> Iterator[Content]:
    use, judged = each.use, each.use.judged
    yield str(use.site)
    yield Cell(use.text, kind="code")
    yield f"{judged.low:g} to {judged.high:g}" if judged else "not known"
    yield Cell(str(use.exact), kind="code") if use.exact else "not proven"
    if judged is None:
        yield from ("", "")
    else:
        yield Cell(percent(judged.overflow), kind="bad" if judged.overflow else "")
        yield f"{judged.rounding:.3g}"
    won = each.gap != found.base
    yield Cell(f"{count(each.gap.outputs)} / {count(each.gap.decisions)}", kind="good" if won else "faint")
