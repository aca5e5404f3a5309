"""The report of a sweep: figures, the Pareto front and a table of every point, made from its records only."""

from __future__ import annotations

from pathlib import Path

from qap.extras import extra

__all__ = ["write_sweep_report"]


def write_sweep_report(folder: Path) -> Path:
    """Write `report.html`, `report.md`, `records.csv` and `figures/` of a sweep, from its records only.

    Args:
        folder: of the sweep; it holds `sweep.toml` and `records.jsonl`.

    Returns:
        The path of the page.

    Raises:
        ToolMissing: matplotlib or jinja2 is not installed.
        DataError: the records are missing, damaged or of another version, or the report cannot be written.
        RecipeError: `sweep.toml` is missing or damaged.
    """
    with extra("report"):
        from qap.explore.sweep.report.page import write_files
    return write_files(folder)
