"""Reports: one self-contained HTML page of a run, made from records only, and the kit that every page is made with.

Nothing is trained and TensorFlow is not needed; only the integer network is evaluated, to show the
test samples that it gets wrong. Equal records and equal installed versions give an equal page.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qap.extras import extra
from qap.files import write_text
from qap.run import RunDirectory

if TYPE_CHECKING:
    from qap.report.differences import Differences

__all__ = ["write_differences", "write_report"]


def write_report(run: RunDirectory) -> Path:
    """Write the `report.html` of a run; what was not run, or cannot be read here, is said to be so.

    Args:
        run: a run, finished or not.

    Returns:
        The path of the page.

    Raises:
        ToolMissing: matplotlib or jinja2 is not installed.
        DataError: a file of the run is damaged, or the page cannot be written.
    """
    with extra("report"):
        from qap.report.page import run_page
    from qap.run import REPORT

    path = run.file(REPORT)
    write_text(path, run_page(run))
    return path


def write_differences(found: Differences, path: Path) -> None:
    """Write what differs between runs as an HTML page.

    Args:
        found: of `qap.report.differences.differences`.
        path: of the page.

    Raises:
        ToolMissing: jinja2 is not installed.
        DataError: the page cannot be written.
    """
    with extra("report"):
        from qap.report.differences import differences_page

        page = differences_page(found)
    write_text(path, page)
