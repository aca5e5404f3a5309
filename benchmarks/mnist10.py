"""MNIST, students of truth tables: accuracy and LUTs, of ten classes beside what others have published.

    python benchmarks/mnist10.py [--recipes mnist-tables-1100 ...] [--seeds 0 1 2] [--runs FOLDER] [--resume]

Every recipe is run to its end with every seed, all engines included. Accuracy is that of the integer network on the
10,000 test images, read once; LUTs are Yosys' for the core (xc7): encoder and argmax included, not routed. The figure
`mnist10.svg` sets them beside the published points; those were routed by Vivado, for the part that the table names.
With --runs the runs are kept, and finished stages are only read; the rows of a stored output are kept with --resume.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from stored import add_out, qap, store, stored

RECIPES = ("mnist-tables-1100", "mnist-tables-1400", "mnist-tables-2200")
PAIR = ("mnist-1v9-tables", "mnist-1v9-tables-20")
"""Of the digits 1 and 9 alone; they are in no figure."""


class Published(NamedTuple):
    """A point that others published, in percent and LUTs.

    Args:
        name: of the method and its size.
        accuracy: on the test images, in percent.
        lut: of the whole classifier, as the source counts them.
        part: and how far the design was taken.
        source: where it is published.
    """

    name: str
    accuracy: float
    lut: int
    part: str
    source: str


ROUTED, OUT_OF_CONTEXT = "xc7a35t, routed, encoder in", "xcvu9p, out of context"
STUDY = "github.com/Kanishk234/dwn-fpga-study"
PUBLISHED = (
    Published("DWN 1 x 200, three thresholds", 95.93, 1264, ROUTED, STUDY),
    Published("DWN 1 x 300, three thresholds", 96.77, 1597, ROUTED, STUDY),
    Published("DWN 1 x 500, three thresholds", 97.70, 2246, ROUTED, STUDY),
    Published("DWN 1 x 1000, one threshold", 97.91, 3118, ROUTED, STUDY),
    Published("DWN 1 x 1000, two thresholds", 98.05, 3310, ROUTED, STUDY),
    Published("DWN 1 x 2000", 98.26, 6294, ROUTED, STUDY),
    Published("DWN sm, without encoder", 97.1, 692, OUT_OF_CONTEXT, "arXiv:2410.11112"),
    Published("DWN md, without encoder", 97.8, 2055, OUT_OF_CONTEXT, "arXiv:2410.11112"),
    Published("DWN lg, without encoder", 98.3, 4082, OUT_OF_CONTEXT, "arXiv:2410.11112"),
    Published("NeuraLUT-Assemble", 97.9, 5070, OUT_OF_CONTEXT, "arXiv:2504.00592"),
    Published("TreeLUT", 96.6, 4478, OUT_OF_CONTEXT, "arXiv:2501.01511"),
    Published("KANELE", 96.3, 3809, OUT_OF_CONTEXT, "arXiv:2512.12850"),
    Published("PolyLUT-Add", 96.0, 14810, OUT_OF_CONTEXT, "arXiv:2406.04910"),
    Published("FINN SFC-max", 95.8, 91131, OUT_OF_CONTEXT, "arXiv:1612.07119"),
    Published("hls4ml ternary", 95.0, 260092, OUT_OF_CONTEXT, "arXiv:2003.06308"),
)


def measure(recipe: str, seed: int, folder: Path) -> dict[str, Any]:
    """A whole run, with the LUTs and FFs of its core and the most that its verification found."""
    found = qap("run", recipe, "--seed", str(seed), "--rtl", "--out", folder / f"{recipe}-seed{seed}")
    core = found["resources"][0]
    return {
        "recipe": recipe, "seed": seed, "lut": core["lut"], "ff": core["ff"], "latency_cycles": core["latency_cycles"],
        "validation": found["accuracy"]["integer"]["validation"], "test": found["accuracy"]["integer"]["test"],
        "teacher_test": found["accuracy"]["teacher"]["test"],
        "mismatches": sum(found["mismatches"].values()), "pairs": len(found["mismatches"]),
        "seconds": {stage: found["seconds"][stage] for stage in ("teacher", "student")},
    }  # fmt: skip


def means(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each recipe: the mean over its seeds."""
    return [
        {"recipe": recipe, "seeds": len(own)}
        | {key: statistics.mean(row[key] for row in own) for key in ("validation", "test", "lut", "ff")}
        for recipe in dict.fromkeys(row["recipe"] for row in rows)
        for own in [[row for row in rows if row["recipe"] == recipe]]
    ]


def draw(points: list[dict[str, Any]], path: Path) -> None:
    """Accuracy against LUTs, ours beside the published ones."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for part, marker in ((ROUTED, "s"), (OUT_OF_CONTEXT, "^")):
        those = [point for point in PUBLISHED if point.part == part]
        axes.scatter([p.lut for p in those], [p.accuracy for p in those], marker=marker, label=f"published: {part}")
        for point in those:
            axes.annotate(
                point.name, (point.lut, point.accuracy), fontsize=6, xytext=(4, -8), textcoords="offset points"
            )
    axes.scatter(
        [each["lut"] for each in points], [100 * each["test"] for each in points], marker="*", s=120,
        label="qap: xc7, Yosys, not routed, encoder in",
    )  # fmt: skip
    axes.set(xscale="log", xlabel="LUT", ylabel="accuracy on the test images (%)", ylim=(94.5, 99.3))
    axes.legend(loc="lower right", fontsize=7)
    figure.savefig(path)


def show(points: list[dict[str, Any]]) -> None:
    """The table, the most accurate first."""
    rows = [
        (f"**{p['recipe']}** ({p['seeds']} seeds)", 100 * p["test"], p["lut"], "xc7, Yosys, not routed, encoder in", "")
        for p in points
    ]
    rows += [(p.name, p.accuracy, p.lut, p.part, p.source) for p in PUBLISHED]
    print("| network | test % | LUT | part | source |\n|---|---|---|---|---|")
    for name, accuracy, lut, part, source in sorted(rows, key=lambda row: -row[1]):
        print(f"| {name} | {accuracy:.2f} | {lut:,.0f} | {part} | {source} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=[*RECIPES, *PAIR], metavar="RECIPE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, help="folder that keeps the runs")
    parser.add_argument("--resume", action="store_true", help="keep the rows that are stored, and add to them")
    add_out(parser)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = stored("mnist10", arguments.out)["results"]["runs"] if arguments.resume else []
    with tempfile.TemporaryDirectory(prefix="qap-") as temporary:
        for recipe in arguments.recipes:
            for seed in arguments.seeds:
                rows = [row for row in rows if (row["recipe"], row["seed"]) != (recipe, seed)]
                rows.append(measure(recipe, seed, arguments.runs or Path(temporary)))
    rows.sort(key=lambda row: (row["recipe"], row["seed"]))
    points = means(rows)
    store("mnist10", {"runs": rows, "means": points, "published": [p._asdict() for p in PUBLISHED]}, arguments.out)
    ten = [point for point in points if point["recipe"] not in PAIR]
    draw(ten, arguments.out / "mnist10.svg")
    show(ten)


if __name__ == "__main__":
    main()
