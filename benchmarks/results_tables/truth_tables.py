"""The tables of students of truth tables."""

from __future__ import annotations

from typing import Any

from stored import stored

from results_tables.kit import markdown, mean_and_spread, percent, source


def students(link: str) -> str:
    """A run in each row, and behind those of a recipe their mean where there are several."""
    found = stored("mnist10")["results"]
    rows = []
    for mean in found["means"]:
        runs = [run for run in found["runs"] if run["recipe"] == mean["recipe"]]
        rows += [_row(run) for run in runs]
        if len(runs) > 1:
            rows.append(_mean(runs))
    head = (
        "recipe, seed | validation | test | teacher, test | core: LUT / FF | latency, cycles | mismatches | "
        "training, minutes: teacher + student"
    )
    return f"{markdown(head, rows)}\n\n{source(link, 'mnist10')}"


def _row(run: dict[str, Any]) -> list[str]:
    minutes = [f"{run['seconds'][stage] / 60:.0f}" for stage in ("teacher", "student")]
    return [
        f"`{run['recipe']}`, {run['seed']}",
        percent(run["validation"]),
        percent(run["test"]),
        percent(run["teacher_test"]),
        f"{run['lut']:,} / {run['ff']:,}",
        str(run["latency_cycles"]),
        f"{run['mismatches']} in {run['pairs']} pairs of engines",
        " + ".join(minutes),
    ]


def _mean(runs: list[dict[str, Any]]) -> list[str]:
    validation, test, teacher = (
        f"{mean_and_spread([run[key] for run in runs])} %" for key in ("validation", "test", "teacher_test")
    )
    luts = sum(run["lut"] for run in runs) / len(runs)
    return [f"**mean of {len(runs)} seeds**", validation, f"**{test}**", teacher, f"**{luts:,.0f}**", "", "", ""]


def of_all_digits() -> tuple[str, str]:
    """The smallest student of all ten digits, in words and in numbers."""
    means = [mean for mean in stored("mnist10")["results"]["means"] if "1v9" not in mean["recipe"]]
    least = min(means, key=lambda mean: float(mean["lut"]))
    what = (
        f"`{least['recipe']}`, {_seeds(least['seeds'])}: test accuracy of all ten digits, and LUTs (core, xc7, Yosys)"
    )
    return what, f"{percent(least['test'])}, {least['lut']:,.0f}"


def published(link: str) -> str:
    """Means of ours beside what others published, the most accurate first."""
    found = stored("mnist10")["results"]
    points = [
        (
            round(100 * mean["test"], 2),
            mean["lut"],
            f"**`{mean['recipe']}`**, {_seeds(mean['seeds'])}",
            "xc7, Yosys, not routed, encoder in",
            "",
        )
        for mean in found["means"]
        if "1v9" not in mean["recipe"]
    ]
    points += [(p["accuracy"], p["lut"], p["name"], p["part"], p["source"]) for p in found["published"]]
    rows = [
        [name, f"{test:g} %", f"{lut:,.0f}", part, where]  # no more digits than were published
        for test, lut, name, part, where in sorted(points, key=lambda point: -point[0])
    ]
    return markdown("network | test | LUT | part and how far | source", rows)


def _seeds(count: int) -> str:
    return f"mean of {count} seeds" if count > 1 else "one seed"
