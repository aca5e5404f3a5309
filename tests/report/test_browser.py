"""The pages as a reader sees them: a real browser shows and sorts them, under their own policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.needs import needs

needs("chromium", "matplotlib", "jinja2")

from support.browser import ask
from support.html_page import HOSTILE
from support.made_run import make_run
from support.made_sweep import BITS, make_sweep

from qap.explore.sweep.report import write_sweep_report
from qap.report import write_report

COLUMN = """
const table = page.querySelector(".sortable table");
const head = [...table.querySelectorAll("thead th")].find(each => each.textContent.trim() === NAME);
const column = () => [...table.tBodies[0].rows].map(row => row.cells[head.cellIndex].textContent.trim());
"""


def test_the_page_of_a_run_shows_its_figures(tmp_path: Path) -> None:
    path = write_report(make_run(tmp_path / "run", name=HOSTILE))
    seen = ask(
        path,
        """
        const visible = each => each.checkVisibility() && each.getBoundingClientRect().width > 0;
        return {
          title: page.title, key: [...page.querySelectorAll("dl.key dd")].filter(visible).map(each => each.innerText),
          pictures: [...page.querySelectorAll("figure svg, img")].filter(visible).length,
          empty: [...page.images].filter(each => each.naturalWidth === 0).length,
          wide: page.documentElement.scrollWidth - view.innerWidth,
        };
        """,
        tmp_path,
    )
    assert seen["title"].startswith(f"{HOSTILE}, seed 0")
    assert len(seen["key"]) > 3 and all(seen["key"])
    assert seen["pictures"] > 3 and seen["empty"] == 0
    assert seen["wide"] <= 0  # nothing is cut off at the side


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    make_sweep(folder, BITS)
    write_sweep_report(folder)
    return folder / "report.html"


def test_a_click_on_a_head_sorts_the_points_and_another_turns_them_round(sweep: Path, tmp_path: Path) -> None:
    clicks = """
        const before = column();
        head.querySelector("button").click();
        const rising = [column(), head.getAttribute("aria-sort")];
        head.querySelector("button").click();
        return [before, ...rising, column(), head.getAttribute("aria-sort")];
    """
    before, rising, up, falling, down = ask(sweep, COLUMN.replace("NAME", '"reuse factor"') + clicks, tmp_path)
    assert before == ["1", "4", "4"] * 3
    assert (rising, up) == (sorted(before), "ascending")
    assert (falling, down) == (sorted(before, reverse=True), "descending")


def test_a_script_that_the_policy_does_not_know_is_not_run(sweep: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.html"
    other.write_text(sweep.read_text(encoding="utf-8").replace("</script>", ";document.title = 'run'</script>"))
    title, buttons = ask(other, "return [page.title, page.querySelectorAll('button').length];", tmp_path)
    assert title != "run" and buttons == 0
