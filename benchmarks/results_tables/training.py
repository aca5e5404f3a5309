"""The tables of distillation, pruning, techniques and condensed data sets."""

from __future__ import annotations

import csv
import statistics
from typing import Any

from stored import RESULTS, stored

from results_tables.kit import markdown, mean_and_spread, percent, source

# ---- distillation and pruning


def distillation(link: str) -> str:
    """Means over sparsities and seeds for each width, and the differences to labels alone of the same seed."""
    with (RESULTS / "distillation.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["alpha"] in ("0.0", "0.7") and row["epochs"] == "15"]
    methods = ("offline", "online", "self")
    tests = {(r["bits"], r["sparsity"], r["seed"], r["distillation"]): 100 * float(r["test"]) for r in rows}
    gains = {
        (*key[:3], m): tests[*key[:3], m] - test for key, test in tests.items() if key[3] == "none" for m in methods
    }
    lines = []
    for bits in dict.fromkeys(row["bits"] for row in rows):
        alone = [test for key, test in tests.items() if key[0] == bits and key[3] == "none"]
        shown = [_mean_and_error([g for key, g in gains.items() if (key[0], key[3]) == (bits, m)]) for m in methods]
        lines.append(["1.58 (ternary)" if bits == "1.58" else bits, f"{statistics.fmean(alone):.2f} %", *shown])
    better = [[gain > 0 for key, gain in gains.items() if key[3] == method] for method in methods]
    lines.append(["better than labels alone", "", *(f"in {sum(each)} of {len(each)} pairs" for each in better)])
    table = markdown("bits | labels alone | offline | online | self (snapshots)", lines)
    return (
        f"{table}\n\nStored in [distillation.csv]({link}/distillation.csv), 2026-11-22, {len(rows)} trainings: "
        "`python benchmarks/distillation.py --data-dir FOLDER`."
    )


def _mean_and_error(gains: list[float]) -> str:
    return f"{statistics.fmean(gains):+.2f} ± {statistics.stdev(gains) / len(gains) ** 0.5:.2f}"


def without_labels(link: str) -> str:
    """Students that saw no label, seed by seed."""
    rows = [
        [row["seed"], *(percent(row[key]) for key in ("teacher", "without_labels", "with_labels"))]
        for row in stored("without_labels")["results"]["rows"]
    ]
    head = "seed | teacher | student that saw no label | student of the same recipe with labels"
    return f"{markdown(head, rows)}\n\n{source(link, 'without_labels')}"


def pruning(link: str) -> str:
    """Methods and schedules, at the sparsity of the recipe and at a higher one."""
    parts = []
    for name in ("pruning", "pruning-sparsity-0.95"):
        found = stored(name)["results"]
        rows = []
        for method, mean in found["means"].items():
            counts = [f"{mean[key]:.0f}" for key in ("nonzeros", "adders", "lut")]
            rows.append([method, f"{mean['test']:.2f} ± {mean['test_spread']:.2f}", *counts])
        head = (
            f"sparsity {found['sparsity']:g}, {found['seeds']} seeds | test (%) | non-zeros | adders | LUT (estimate)"
        )
        parts.append(f"{markdown(head, rows)}\n\n{source(link, name)}")
    return "\n\n".join(parts)


# ---- techniques and condensed data sets


def comparison(link: str) -> str:
    """A technique in each row."""
    found = stored("comparison")["results"]
    head = "technique | test (%) | non-zero | bytes | sparse bytes | adders | LUT (estimate)"
    keys = ("nonzeros", "dense_bytes", "sparse_bytes", "adders", "lut")
    rows = []
    for technique, summary in found["summary"].items():
        tests = [run["test"] for run in found["runs"] if run["technique"] == technique]
        counts = [f"{summary[key]['mean']:,.0f}" if summary[key] else "-" for key in keys]
        rows.append([f"`{technique}`", mean_and_spread(tests), *counts])
    return f"{markdown(head, rows)}\n\n{source(link, 'comparison')}"


def comparison_range(link: str) -> str:
    """How far the means of the techniques are apart."""
    means = [each["test"]["mean"] for each in stored("comparison")["results"]["summary"].values()]
    return f"{100 * (max(means) - min(means)):.2f} points"


def comparison_differences(link: str) -> str:
    """What one technique changes against another."""
    found = stored("comparison")["results"]["summary"]
    pairs = (("structured", "qat"), ("qap", "qat"), ("kd", "qat"), ("qap+kd", "qap"))
    rows = [
        [
            f"`{one}` against `{other}`",
            f"{100 * (found[one]['test']['mean'] - found[other]['test']['mean']):+.2f}",
            percent(found[one]["lut"]["mean"] / found[other]["lut"]["mean"], 0),
        ]
        for one, other in pairs
    ]
    return f"{markdown(' | test, points | LUT', rows)}\n\n{source(link, 'comparison')}"


def condensation(link: str) -> str:
    """A method in each row: ten samples of each class."""
    found = stored("condensation")["results"]
    full = _by_seed(found["full"])
    rows = [["full training part", *_judged(full), "", ""]]
    for method in ("gradient-matching", "distribution-matching", "k-means", "herding", "k-center", "random"):
        chosen = [row for row in found["condensed"] if row["method"] == method and row["per_class"] > 1]
        seconds = statistics.median(row["cpu_seconds"] for row in chosen)
        lost = statistics.fmean(test for _, test in full) - statistics.fmean(test for _, test in _by_seed(chosen))
        shown = "< 0.1" if seconds < 0.1 else f"{seconds:.1f}"
        rows.append([f"`{method}`", *_judged(_by_seed(chosen)), f"{100 * lost:.1f} points", shown])
    head = "method | validation (%) | test (%) | lost on test | processor seconds"
    return f"{markdown(head, rows)}\n\n{source(link, 'condensation')}"


def _by_seed(rows: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Validation and test accuracy of each seed: the means of its models."""
    return [
        (statistics.fmean(m["validation"] for m in row["models"]), statistics.fmean(m["test"] for m in row["models"]))
        for row in rows
    ]


def _judged(seeds: list[tuple[float, float]]) -> list[str]:
    validation, test = zip(*seeds, strict=True)
    return [f"{100 * statistics.fmean(validation):.1f}", mean_and_spread(test, 1)]


def condensation_one(link: str) -> str:
    """One sample of each class."""
    found = stored("condensation")["results"]["condensed"]
    rows = [
        [f"`{method}`", *_judged(_by_seed([r for r in found if r["method"] == method and r["per_class"] == 1]))]
        for method in ("k-means", "k-center", "herding", "random")
    ]
    return f"{markdown('one sample of each class | validation (%) | test (%)', rows)}\n\n{source(link, 'condensation')}"


def condensation_made(link: str) -> str:
    """The report of one made set: generalisation, and the classes whose recall changed."""
    report = stored("condensation")["results"]["made"]["report"]
    parts = [report["generalisation"][part] for part in ("full", "condensed")]
    rows = [
        [name, *(percent(part[key], 1) for part in parts)]
        for name, key in (("training", "train"), ("test", "test"), ("gap from training to test", "gap"))
    ]
    rows += [
        [f"recall of the {each['name']}", percent(each["recall_full"], 1), percent(each["recall_condensed"], 1)]
        for each in report["bias"]["classes"]
    ]
    rounding = report["rounding"]
    rows.append(["changed by rounding to the grid, root mean square", "", f"{rounding['rms_lsb']:.2f} LSB"])
    rows.append(["cost of the rounding on test", "", f"{100 * rounding['lost']:.1f} points"])
    made = f"{report['samples']['condensed']} made samples"
    head = f"`{report['method']}`, seed {report['seed']} | full training part | {made}"
    return f"{markdown(head, rows)}\n\n{source(link, 'condensation')}"


def condensation_student(link: str) -> str:
    """The test accuracy of the built-in recipe's student that is trained on made images."""
    return percent(stored("condensation")["results"]["made"]["student"]["accuracy"]["integer"]["test"], 1)
