"""Does `freeze` read models rightly? Random Keras models, built in the many ways in which people build them.

    python benchmarks/freezing.py --models 1000 --seed 0

Each model is frozen, and the network compared with the plain call of the model: in float32 where the bound holds, else
a twin of the model built in float64. A function at the end that the network leaves out is applied to its logits
instead. The output is stored as JSON and as a table. Exit code 1 if any network is not its model.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from frozen_models import measure, options, store_with_table, table

from qap.errors import NotExact
from qap.freezing import freeze
from qap.verification import adversarial_vectors

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.random_models import INPUT, KINDS, answers_as, random_model

OUTCOMES = ("frozen and equal", "refused, though exact", "refused", "WRONG")


def main() -> int:
    arguments = options(__doc__, models=1000, vectors=300)

    def reason(kind: str, seed: int, outcome: str, why: str) -> str | None:
        return f"{kind}: {why}" if why else None

    found = summary(*measure(KINDS, arguments, outcome_of, reason))
    store_with_table("freezing", found, page(arguments, found), arguments.out)
    return 1 if found["total"]["WRONG"] else 0


def outcome_of(kind: str, seed: int, vectors: int) -> tuple[str, str]:
    """What became of one model, and why it was refused."""
    model = random_model(kind, seed)
    try:
        network = freeze(model, INPUT)
    except NotExact as error:
        return "refused, though exact" if KINDS[kind].exact else "refused", error.why
    except Exception as error:  # a traceback is wrong, whatever it says
        return "WRONG", f"{type(error).__name__}: {error}"
    form, rng = network.input_format, np.random.default_rng(seed)
    random = rng.integers(form.min_int, form.max_int, (vectors, network.n_in), endpoint=True)
    x = np.concatenate([adversarial_vectors(form, network.n_in, seed), random])
    return ("frozen and equal", "") if answers_as(kind, seed, model, network, x) else ("WRONG", "another answer")


def summary(counts: dict[str, Counter[str]], reasons: Counter[str]) -> dict[str, Any]:
    """What is stored: totals, the share of exact forms that were frozen, counts by kind, refusals by their words."""
    total = {outcome: sum(count[outcome] for count in counts.values()) for outcome in OUTCOMES}
    exact = total["frozen and equal"] + total["refused, though exact"]
    share = round(total["frozen and equal"] / max(1, exact), 4)
    return {"total": total, "share_frozen": share, "kinds": counts, "refusals": dict(reasons.most_common())}


def page(arguments: argparse.Namespace, found: dict[str, Any]) -> str:
    """What was measured, and the counts by kind, as Markdown."""
    return f"""# Freezing random Keras models

`python benchmarks/freezing.py --models {arguments.models} --seed {arguments.seed}`: each model compared with its plain
call on {arguments.vectors} random vectors and the adversarial ones, every logit with `==`.
Wrong: {found["total"]["WRONG"]}. Of those with an exact form {found["share_frozen"]:.1%} are frozen.
What counts as exact is what the network's layers can hold: branches would need a layer that reads two, and floats
that no quantizer follows have no integers. They count as having no exact form.

{table(found, OUTCOMES)}
"""


if __name__ == "__main__":
    sys.exit(main())
