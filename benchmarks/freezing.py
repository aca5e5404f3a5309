"""Does `freeze` read models rightly? Random Keras models, built in the many ways in which people build them.

    python benchmarks/freezing.py --models 1000 --seed 0

Each model is frozen, and the network compared with the plain call of the model: in float32 where the bound holds, else
a twin of the model built in float64. A function at the end that the network leaves out is applied to its logits
instead. What is written: benchmarks/results/freezing.json and .md. Exit code 1 if any network is not its model.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from qap.errors import NotExact, QapError
from qap.freezing import freeze
from qap.network import IntegerNetwork
from qap.verification import adversarial_vectors

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from support.random_models import INPUT, KINDS, random_model

RESULTS = Path(__file__).parent / "results"
OUTCOMES = ("frozen and equal", "refused, though exact", "refused", "WRONG")
ENDS = [getattr(keras.activations, name)
        for name in ("softmax", "sigmoid", "tanh", "log_softmax", "softsign", "hard_sigmoid")]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="model i has the seed SEED + i")
    parser.add_argument("--vectors", type=int, default=300, help="random vectors of each model")
    parser.add_argument("--out", type=Path, default=RESULTS / "freezing")
    arguments = parser.parse_args()

    start, counts, reasons = time.monotonic(), {kind: Counter[str]() for kind in KINDS}, Counter[str]()
    for index in range(arguments.models):
        kind, seed = list(KINDS)[index % len(KINDS)], arguments.seed + index
        outcome, why = outcome_of(kind, seed, arguments.vectors)
        counts[kind][outcome] += 1
        if why:
            reasons[f"{kind}: {why}"] += 1
        if outcome == "WRONG" or (outcome == "refused, though exact"):
            print(f"seed {seed}, {kind}: {outcome}: {why}", flush=True)
        if (index + 1) % 50 == 0:
            print(f"{index + 1} models, {time.monotonic() - start:.0f} s", flush=True)
            keras.backend.clear_session()
    write(arguments, counts, reasons)
    return 1 if sum(count["WRONG"] for count in counts.values()) else 0


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
    return ("frozen and equal", "") if equal(kind, seed, model, network, x) else ("WRONG", "another answer")


def equal(kind: str, seed: int, model: Any, network: IntegerNetwork, x_int: np.ndarray) -> bool:
    """Whether the network's logits, or a function of them, are what the model answers to every vector."""
    wide = max(network.float_bits()) > 24
    if wide:
        model = twin(kind, seed, model)
    dtype = "float64" if wide else "float32"
    x = keras.ops.convert_to_tensor((x_int * form_lsb(network)).reshape(-1, *model.inputs[0].shape[1:]), dtype)
    z = keras.ops.convert_to_tensor(network.output_format.to_float(network.forward(x_int)), dtype)
    keras.config.set_floatx(dtype)
    try:
        y = np.asarray(model(x, training=False))
        return any(np.array_equal(np.asarray(end(z)), y) for end in (keras.activations.linear, *ENDS))
    finally:
        keras.config.set_floatx("float32")


def form_lsb(network: IntegerNetwork) -> float:
    """The value of the last bit of an input."""
    return network.input_format.lsb


def twin(kind: str, seed: int, model: Any) -> Any:
    """The same model in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        same = random_model(kind, seed)
        same.set_weights(model.get_weights())
        return same
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def write(arguments: argparse.Namespace, counts: dict[str, Counter[str]], reasons: Counter[str]) -> None:
    """The results as JSON and as a table."""
    total = {outcome: sum(count[outcome] for count in counts.values()) for outcome in OUTCOMES}
    exact = total["frozen and equal"] + total["refused, though exact"]
    share = total["frozen and equal"] / max(1, exact)
    arguments.out.parent.mkdir(exist_ok=True)
    found = {
        "models": arguments.models, "seed": arguments.seed, "vectors": arguments.vectors, "total": total,
        "share of exact forms frozen": round(share, 4), "kinds": counts, "refusals": dict(reasons.most_common()),
    }  # fmt: skip
    arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
    rows = [f"| {kind} | {' | '.join(str(count[outcome]) for outcome in OUTCOMES)} |" for kind, count in counts.items()]
    text = f"""# Freezing random Keras models

`python benchmarks/freezing.py --models {arguments.models} --seed {arguments.seed}`: {arguments.models} models, each \
compared with its plain call on {arguments.vectors} random vectors and the adversarial ones, every logit with `==`.
{total["WRONG"]} wrong; {share:.1%} of those with an exact form frozen.

| kind | {" | ".join(OUTCOMES)} |
|---|{"---:|" * len(OUTCOMES)}
{chr(10).join(rows)}
| all | {" | ".join(str(total[outcome]) for outcome in OUTCOMES)} |
"""
    arguments.out.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except QapError as error:
        sys.exit(str(error))
