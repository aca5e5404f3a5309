"""Does the diagnosis name the true cause, and does its fix mend it? Projects that are wrong in known ways.

    python benchmarks/diagnosis.py --jobs 2
    python benchmarks/diagnosis.py --records FILE

Every project's result is a line of --records as soon as it is known, and is not measured again.

Of each project the causes, their places and the gaps are stored: as it is, with the smallest types, and of the exact
project that the fix writes; the exit code is 1 when a cause is not the true one or the fix leaves a gap. The smallest
types leave one where no type is exact: a normalization multiplies by numbers that no short type holds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from stored import add_out, store

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.wrong_projects import WRONG, prepare

from qap.explore.diagnosis import UserModel, diagnose, read_samples, read_source, write_fix


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="projects at a time, each with two compilers")
    parser.add_argument("--records", type=Path, help="file of finished projects, which is continued")
    add_out(parser)
    arguments = parser.parse_args()
    known = read_records(arguments.records) if arguments.records else {}
    missing = [name for name in WRONG if name not in known]
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(measure, name) for name in missing]):
            result = future.result()
            known[result["project"]] = result
            print(result, flush=True)
            if arguments.records:
                with arguments.records.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
    results = [known[name] for name in WRONG]
    store("diagnosis", results, arguments.out)
    return int(not all(each["named"] and each["mended"] for each in results))


def read_records(path: Path) -> dict[str, Any]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {content["project"]: content for content in map(json.loads, lines)}


def measure(name: str) -> dict[str, Any]:
    wrong = WRONG[name]
    start, cpu = time.monotonic(), cpu_seconds()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model, project, data = prepare(folder, wrong)
        source, samples = read_source(project), read_samples(data, None, 256)
        found = diagnose(UserModel(model), source, samples, name)
        compared = write_fix(found.network, source, samples.x, folder / "fixed", "fixed")
    causes = [{"kind": each.kind, "place": each.place, "effective": each.effective} for each in found.causes]
    first = found.causes[0] if found.causes else None
    return {
        "project": name,
        "true_cause": wrong.cause,
        "place": wrong.place,
        "causes": causes,
        "named": first is not None and (first.kind, first.place) == (wrong.cause, wrong.place),
        "outputs_differ": found.gap.outputs,
        "decisions_differ": found.gap.decisions,
        "synthesized_differ": found.synthesized.outputs if found.synthesized else None,
        "smallest_types_differ": found.proven.outputs if found.proven else None,
        "fix_compared": compared,
        "mended": compared > 0,  # `write_fix` raises where one of them differs
        "seconds": round(time.monotonic() - start, 1),
        "cpu_seconds": round(cpu_seconds() - cpu, 1),
    }


def cpu_seconds() -> float:
    """Of this process and of the compilers that it waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    raise SystemExit(main())
