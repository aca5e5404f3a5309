"""Techniques side by side: `qap compare` on the demo, twelve techniques, three seeds.

    python benchmarks/comparison.py [--recipe mnist-1v9] [--seeds 3] [--techniques qat,qap] [--runs FOLDER]

With --runs the runs are kept there, and finished ones are only read.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from stored import add_out, qap, store

TECHNIQUES = "float,pruned,structured,ptq,dq,fiq,qat,qap,kd,qap+kd,qap+online,qap+self"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="mnist-1v9")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--techniques", default=TECHNIQUES, help="with commas between")
    parser.add_argument("--runs", type=Path, help="folder that keeps the runs")
    add_out(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs = arguments.runs or Path(temporary) / "runs"
        found = qap(
            "compare", arguments.recipe, "--seeds", str(arguments.seeds), "--techniques", arguments.techniques,
            "--out", runs,
        )  # fmt: skip
    del found["files"]  # where they lay
    store("comparison", found, arguments.out)


if __name__ == "__main__":
    main()
