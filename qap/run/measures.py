"""What a run is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qap.run.directory import RunDirectory
from qap.run.stages import MEASURED

SHOWN = 5  # warnings of features
FAR_BELOW = 0.05
"""A student that loses more than this share of the test samples against its teacher is worth a warning."""


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
        **_scores(results),
        **({"data_doubts": results["data"]["doubts"]} if "doubts" in results["data"] else {}),
        "accuracy_floor": run.recipe.accuracy_floor,
        "parameters": frozen.get("parameters"),
        "nonzeros": frozen.get("nonzeros"),
        "sparsity": frozen.get("sparsity"),
        **({"tables": frozen["tables"]} if "tables" in frozen else {}),
        **({"operating_point": frozen["operating_point"]} if "operating_point" in frozen else {}),
        "pruned": student.get("pruned"),
        **({"same_class": student["same_class"]} if "same_class" in student else {}),
        "size_bytes": frozen.get("size_bytes"),
        **({"stored_bytes": frozen["stored_bytes"]} if "stored_bytes" in frozen else {}),
        **{key: results["verify"].get(key) for key in ("exact", "mismatches", "failures", "unavailable", "notes")},
        "seconds": {name: record.seconds for name, record in records.items() if record and record.result},
        "resources": results["synth"].get("reports") if run.recipe.makes_rtl else None,
        "network_digest": frozen.get("digest"),
    }


def _scores(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What models are worth beside their accuracy, and the accuracy of always deciding one class, where it is known."""
    stages = {"teacher": "teacher", "student": "student", "integer": "freeze"}
    scores = {model: results[stage]["scores"] for model, stage in stages.items() if "scores" in results[stage]}
    majority = results["freeze"].get("majority")
    return {**({"scores": scores} if scores else {}), **({"majority": majority} if majority else {})}


def _of_data(content: Mapping[str, Any]) -> list[str]:
    """Features that use little of the input format, the first of them."""
    doubts = list(content.get("data_doubts", ()))
    more = (
        [f"{len(doubts) - SHOWN} more features are doubtful; data.json has all of them"] if len(doubts) > SHOWN else []
    )
    return doubts[:SHOWN] + more


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


def warnings(content: Mapping[str, Any]) -> list[str]:
    """What makes a run doubtful without failing a check, one line each.

    Args:
        content: of `metrics`.
    """
    scores, accuracy = content.get("scores", {}), content["accuracy"]["integer"]
    found = _of_data(content)
    if accuracy is None or "integer" not in scores:
        return found
    low, high = scores["integer"]["interval"]["test"]
    occurring = [each for each in scores["integer"]["classes"] if each["samples"]]
    decided = [each["class"] for each in occurring if each["recall"]]
    if len(decided) == 1 < len(occurring) and next(e["recall"] for e in occurring if e["recall"]) == 1:
        found.append(f"the integer network decides {decided[0]!r} for every test sample")
    elif "majority" in content and low <= content["majority"]["accuracy"]["test"]:
        found.append(
            f"the integer network has {accuracy['test']:.2%} on test, which is not surely better than always "
            f"deciding {content['majority']['class']!r}: {content['majority']['accuracy']['test']:.2%}"
        )
    teacher = content["accuracy"]["teacher"]
    if teacher and "teacher" in scores and "operating_point" not in content:
        lost = teacher["test"] - accuracy["test"]
        if lost > FAR_BELOW and high < scores["teacher"]["interval"]["test"][0]:
            found.append(
                f"the integer network is {100 * lost:.1f} points below its teacher on test "
                f"({accuracy['test']:.2%} and {teacher['test']:.2%})"
            )
    return found
