"""A finished run made by hand: real data, network, verification and records, and no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from qap.fixed import FixedPoint, Overflow, Rounding
from qap.flow import run_flow
from qap.judging import judged as judge
from qap.judging import majority
from qap.network import IntegerNetwork, LayerSpec, connect, save_network
from qap.recipe import parse_recipe
from qap.run import HISTORY, HLS, NETWORK, STUDENT, TEACHER, TEACHER_HISTORY, VERIFY, WEIGHTS, RunDirectory, StageRecord
from qap.run.stages import STAGES
from qap.testing import FlippedEngine, MissingEngine, NetworkEngine
from qap.training.history import EpochRecord, History
from qap.verification import EmulatorEngine, Engine, Verification, adversarial_vectors, verify

SIDE = 4
SAMPLES = 400
WEIGHT = FixedPoint.parse("ap_fixed<4,1>")


class OneLsbOff(EmulatorEngine):
    """An engine whose weights of one layer are one LSB too large."""

    def __init__(self, layer: int) -> None:
        self.name = "off"
        self.layer = layer

    def _wrong(self, network: IntegerNetwork) -> IntegerNetwork:
        specs = network.specs()
        weight = specs[self.layer].weight
        weight = weight + (weight < WEIGHT.max_int)
        specs[self.layer] = specs[self.layer]._replace(weight=weight)
        return connect(network.input_format, specs, network.class_names)

    def run(self, network: IntegerNetwork, x_int: Any) -> Any:
        return super().run(self._wrong(network), x_int)

    def trace(self, network: IntegerNetwork, x_int: Any) -> Any:
        return super().trace(self._wrong(network), x_int)


def one_lsb_off(run: RunDirectory) -> Engine:
    """What a table of engines has for it, wrong in the last layer."""
    return OneLsbOff(1)


def one_logit_off(run: RunDirectory) -> Engine:
    """Right but for one logit of the last test sample."""
    return FlippedEngine(EmulatorEngine(), sample=79, output=2)


MISSING = MissingEngine("g++ is not installed: <apt install g++>", "csim")


def make_run(
    path: Path,
    *,
    name: str = "made by hand",
    classes: Sequence[str] = ("round", "square", "flat"),
    layers: Sequence[str] = ("first", "second"),
    engines: Sequence[Engine] = (NetworkEngine(), EmulatorEngine()),
    pictures: bool = True,
    teacher: bool = True,
    one_output: bool = False,
    scored: bool = False,
    until: str = "verify",
) -> RunDirectory:
    """A run directory whose stages up to `until` are finished and up to date; `scored` as runs of today are."""
    path.mkdir(parents=True, exist_ok=True)
    source = path / "data.npz"
    np.savez(source, **_arrays(classes, pictures))
    run = RunDirectory.create(path / "run", parse_recipe(_recipe(name, source, len(classes), teacher), "test"))
    run_flow(run, ["data"])
    network = make_network(run, layers, one_output)
    for stage, write in (("teacher", _teacher), ("student", _student), ("freeze", _freeze), ("hls", _hls)):
        _finish(run, stage, write(run, network) if stage != "teacher" or teacher else {})
        if scored and stage in ("teacher", "freeze"):
            _score(run, stage, network)
        if stage == until:
            return run
    vectors = {"test": run.dataset.test.x, "adversarial": adversarial_vectors(network.input_format, network.n_in)}
    record_verification(run, verify(engines, network, vectors))
    return run


def record_verification(run: RunDirectory, found: Verification) -> None:
    """Let the run remember a verification."""
    run.write_json(VERIFY, found.to_dict())
    failures = [str(each) for each in found.agreements if not each.exact]
    result = {"exact": found.exact, "mismatches": found.mismatches(), "failures": failures}
    _finish(run, "verify", {**result, "unavailable": dict(found.unavailable), "notes": list(found.notes)})


def make_network(run: RunDirectory, names: Sequence[str], one_output: bool) -> IntegerNetwork:
    """A random sparse network on the data of the run."""
    rng = np.random.default_rng(5)
    sizes = [run.dataset.n_in, *[6] * (len(names) - 1), 1 if one_output else run.dataset.n_classes]
    hidden = FixedPoint(False, 6, 2, Rounding.RND_CONV, Overflow.SAT)
    specs = [
        LayerSpec(
            name,
            rng.integers(-8, 8, (n_in, n_out)) * rng.integers(0, 2, (n_in, n_out)),
            WEIGHT,
            rng.integers(-8, 8, n_out),
            WEIGHT,
            "linear" if index == len(names) - 1 else "relu",
            None if index == len(names) - 1 else hidden,
        )
        for index, (name, (n_in, n_out)) in enumerate(zip(names, pairwise(sizes), strict=True))
    ]
    return connect(run.dataset.input_format, specs, run.dataset.class_names)


def make_history(epochs: int, sparsity: float = 0.0) -> History:
    """Curves that rise and fall as curves do."""
    records = [
        EpochRecord(n, 2 / n, 1 - 0.5 / n, 2.2 / n, 1 - 0.6 / n, sparsity * n / epochs, 1e-3, 0.5)
        for n in range(1, epochs + 1)
    ]
    return History(tuple(records), epochs)


def _arrays(classes: Sequence[str], pictures: bool) -> dict[str, Any]:
    rng = np.random.default_rng(4)
    y = np.array([classes[index % len(classes)] for index in range(SAMPLES)])
    if pictures:
        return {"x": rng.integers(0, 256, (SAMPLES, SIDE, SIDE), np.uint8), "y": y}
    return {"x": rng.normal(size=(SAMPLES, SIDE * SIDE)), "y": y}


def _recipe(name: str, source: Path, classes: int, teacher: bool) -> dict[str, Any]:
    layers = [{"units": 6, "weight": 4, "activation": "quantized_relu(6,2)"}, {"units": classes, "weight": 4}]
    content: dict[str, Any] = {
        "name": name,
        "data": {"name": f"npz:{source}"},
        "student": {"epochs": 5, "layers": layers},
        "prune": {"sparsity": 0.5},
    }
    return {**content, "teacher": {"epochs": 8, "units": [16]}, "distill": {}} if teacher else content


def _finish(run: RunDirectory, name: str, result: dict[str, Any]) -> None:
    stage = STAGES[name]
    run.finish(name, StageRecord(run.digest(stage.reads(run.recipe), stage.settings(run)), 1.5, result))


def _teacher(run: RunDirectory, network: IntegerNetwork) -> dict[str, Any]:
    make_history(8).write_csv(run.file(TEACHER_HISTORY))
    run.file(TEACHER).write_bytes(b"not read")
    return {**judged(run, run.dataset.test.y), "parameters": 99, "best_epoch": 8}


def _student(run: RunDirectory, network: IntegerNetwork) -> dict[str, Any]:
    rng = np.random.default_rng(6)
    kernels = {}
    for index, layer in enumerate(network.layers):
        kernels[f"initial_{index}"] = rng.normal(0, 0.3, layer.weight.shape).astype(np.float32)
        kernels[f"trained_{index}"] = (layer.weight * layer.weight_format.lsb).astype(np.float32)
    np.savez(run.file(WEIGHTS), **kernels)
    make_history(5, 0.5).write_csv(run.file(HISTORY))
    run.file(STUDENT).write_bytes(b"not read")
    decided = network.decide(network.forward(run.dataset.test.x))
    return {**judged(run, decided), "best_epoch": 5, "pruned": 0.5}


def _freeze(run: RunDirectory, network: IntegerNetwork) -> dict[str, Any]:
    save_network(network, run.file(NETWORK))
    return {
        **judged(run, network.decide(network.forward(run.dataset.test.x))),
        "digest": network.digest,
        "parameters": network.parameters,
        "nonzeros": network.nonzeros,
        "sparsity": network.sparsity,
        "size_bytes": network.size_bytes,
    }


def _score(run: RunDirectory, stage: str, network: IntegerNetwork) -> None:
    """What a real judge finds, in the record: the teacher knows the labels."""
    logits = {"teacher": lambda split: 8 * np.eye(run.dataset.n_classes)[split.y] - 4}
    logits["freeze"] = lambda split: network.forward(split.x)
    record = run.stage(stage)
    assert record is not None
    found = {**judge(logits[stage], run.dataset), **(majority(run.dataset) if stage == "freeze" else {})}
    run.finish(stage, replace(record, result={**record.result, **found}))


def _hls(run: RunDirectory, network: IntegerNetwork) -> dict[str, Any]:
    run.file(HLS).mkdir()
    (run.file(HLS) / "firmware.cpp").write_text("// not read\n")
    return {"project": "made_by_hand", "reuse_factors": {layer.name: 1 for layer in network.layers}}


def judged(run: RunDirectory, decided: Any) -> dict[str, Any]:
    """Accuracy and confusion matrix of decisions on test; the other parts get made-up numbers."""
    true, classes = run.dataset.test.y, run.dataset.n_classes
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (true, decided), 1)
    accuracy = {"train": 0.75, "validation": 0.5, "test": float((decided == true).mean())}
    return {"accuracy": accuracy, "confusion": confusion.tolist()}
