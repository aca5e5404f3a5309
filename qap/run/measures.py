"""What a run is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qap.run.directory import RunDirectory
from qap.run.stages import MEASURED


def metrics(run: RunDirectory) -> dict[str, Any]:
    """What a run is judged by, as `metrics.json` holds it; None where a stage has not been run.

    What quantizing float layers cost is there only where that was done, truth tables only where there are any.

    Raises:
        DataError: `stages.json` is damaged.
    """
    records = {name: run.stage(name) for name in MEASURED}
    results = {name: dict(record.result) if record else {} for name, record in records.items()}
    frozen, student = results["freeze"], results["student"]
    return {
        "recipe": run.recipe.name,
        "seed": run.recipe.seed,
        "accuracy": {
            "teacher": results["teacher"].get("accuracy"),
            **({"float": student["float_accuracy"]} if "float_accuracy" in student else {}),
            "student": student.get("accuracy"),
            "integer": frozen.get("accuracy"),
        },
        "accuracy_floor": run.recipe.accuracy_floor,
        "parameters": frozen.get("parameters"),
        "nonzeros": frozen.get("nonzeros"),
        "sparsity": frozen.get("sparsity"),
        **({"tables": frozen["tables"]} if "tables" in frozen else {}),
        "pruned": student.get("pruned"),
        **({"same_class": student["same_class"]} if "same_class" in student else {}),
        "size_bytes": frozen.get("size_bytes"),
        **{key: results["verify"].get(key) for key in ("exact", "mismatches", "failures", "unavailable", "notes")},
        "seconds": {name: record.seconds for name, record in records.items() if record},
        "resources": results["synth"].get("reports") if run.recipe.makes_rtl else None,
        "network_digest": frozen.get("digest"),
    }


def failed_checks(content: Mapping[str, Any]) -> list[str]:
    """The checks that a run did not pass, one line each.

    Args:
        content: of `metrics`.
    """
    failures = list(content["failures"] or [])
    integer, floor = content["accuracy"]["integer"], content["accuracy_floor"]
    if integer is not None and integer["test"] < floor:
        failures.append(f"the integer network has {integer['test']:.2%} on test, accuracy_floor is {floor:.2%}")
    return failures
