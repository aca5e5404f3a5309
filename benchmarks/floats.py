"""Are floats between layers frozen rightly? Random Keras models with normalizations, float scales, curves, biases.

    python benchmarks/floats.py --models 300 --seed 0

Each model is frozen, and the network compared with the plain call of the model as a whole in float32, every logit with
`==`, or every class where the scale at the end was dropped. Inputs have 3 to 8 bits. A model that is refused because
two inputs of the same integers were found with different answers has no exact form, and is counted by itself. The
output is stored as JSON and as a table. Exit code 1 if any network is not its model.
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

from support.float_models import KINDS, answers_as, float_model

OUTCOMES = ("frozen and equal", "refused, though exact", "rounding decides", "refused", "WRONG")


def main() -> int:
    arguments = options(__doc__, models=300, vectors=500)

    def reason(kind: str, seed: int, outcome: str, why: str) -> str | None:
        return f"{kind}, seed {seed}: {why}" if outcome in ("WRONG", "refused, though exact") else None

    found = summary(*measure(KINDS, arguments, outcome_of, reason))
    store_with_table("floats", found, page(arguments, found), arguments.out)
    return 1 if found["total"]["WRONG"] else 0


def outcome_of(kind: str, seed: int, vectors: int) -> tuple[str, str]:
    """What became of one model, and why it was refused."""
    model, form = float_model(kind, seed)
    try:
        network = freeze(model, form)
    except NotExact as error:
        if "the model itself gives both sides" in error.why:
            return "rounding decides", error.why
        return "refused, though exact" if KINDS[kind].exact else "refused", error.why
    except Exception as error:  # a traceback is wrong, whatever it says
        return "WRONG", f"{type(error).__name__}: {error}"
    random = np.random.default_rng(seed).integers(form.min_int, form.max_int, (vectors, network.n_in), endpoint=True)
    x = np.concatenate([adversarial_vectors(form, network.n_in, seed), random])
    return ("frozen and equal", "") if answers_as(kind, model, network, x) else ("WRONG", "another answer")


def summary(counts: dict[str, Counter[str]], reasons: Counter[str]) -> dict[str, Any]:
    """What is stored: totals, shares of the kinds that have an exact form, counts by kind, refusals by their words."""
    total = {outcome: sum(count[outcome] for count in counts.values()) for outcome in OUTCOMES}
    exact = {kind: count for kind, count in counts.items() if KINDS[kind].exact}
    frozen = sum(count["frozen and equal"] for count in exact.values())
    refused = sum(count["refused, though exact"] for count in exact.values())
    decided = sum(count["rounding decides"] for count in exact.values())
    return {
        "total": total,
        "share_frozen": round(frozen / max(1, frozen + refused), 4),
        "share_frozen_of_all": round(frozen / max(1, frozen + refused + decided), 4),
        "kinds": counts,
        "refusals": dict(reasons.most_common()),
    }


def page(arguments: argparse.Namespace, found: dict[str, Any]) -> str:
    """What was measured, and the counts by kind, as Markdown."""
    return f"""# Freezing floats between layers

`python benchmarks/floats.py --models {arguments.models} --seed {arguments.seed}`: each model compared with its plain
call in float32 on {arguments.vectors} random vectors and the adversarial ones, every logit with `==`; classes where
the scale at the end was dropped. Wrong: {found["total"]["WRONG"]}.
Of those with an exact form {found["share_frozen"]:.1%} are frozen; {found["share_frozen_of_all"]:.1%} if those are
counted as exact, too, in which rounding decides: for inputs whose sums are the same integers such a model itself gives
different answers.

{table(found, OUTCOMES)}
"""


if __name__ == "__main__":
    sys.exit(main())
