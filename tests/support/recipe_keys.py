"""Every key of a recipe with another value for it: what the recipe must say so that it counts, and where it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from support.documents.keys import keys_of

from qap.recipe import Recipe, parse_recipe


class Key(NamedTuple):
    """Another value of a key.

    Args:
        value: as `--set` takes it; `{other}` is another data set.
        base: what must be set before it counts.
        stages: whose result it decides, beside the report that shows the whole recipe.
        more: what must be set together with it.
    """

    value: str
    base: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


TWO_BITS = "student.layers.0.activation=quantized_relu(2,1)"
PTQ = ("quantize.method=ptq", "quantize.calibration=min-max", TWO_BITS)
PERCENTILE = ("quantize.method=ptq", "quantize.calibration=percentile")
FAN_IN = ("prune.granularity=fan-in", "prune.sparsity=0.0", "prune.fan_in=3")
BY_LAYER = ("prune.scope=layer",)
ONLINE = ("distill.method=online",)
LOTTERY = ("prune.schedule=lottery-ticket", "prune.rounds=2")
COPIES = ("data.augment.copies=2",)
DECIDED = ("decide.max_false_alarms=0.1",)
CNN = ("teacher.kind=cnn", "teacher.channels=[2]")
OF_TABLES = ("prune=", "student.layers=", "student.tables=[6]", "student.thresholds=2")
TABLES = ("student.kind=tables", *OF_TABLES)
MOVING = (*TABLES, "student.wiring_margin=0.01")
PARALLEL = ("target.strategy=resource",)

KEYS: dict[str, Key] = {
    "name": Key("other", stages=("hls",)),
    "seed": Key("1", stages=("data", "teacher", "student")),
    "accuracy_floor": Key("0.5"),
    **{
        f"data.{name}": Key(value, stages=("data",))
        for name, value in {
            "name": "npz:{other}", "validation": "0.5", "input_format": "ap_ufixed<3,0>", "scaling": "min-max"
        }.items()
    },
    "data.class_weights": Key("balanced", ("data.class_weights.0=5.0",), ("data",)),
    "decide.max_false_alarms": Key("0.5", DECIDED, ("freeze",)),
    "decide.positive": Key("0", DECIDED, ("freeze",)),
    **{
        f"data.augment.{name}": Key(value, COPIES, ("data",))
        for name, value in {
            "copies": "3", "rotation": "90.0", "zoom": "0.5", "shear": "0.9", "translation": "0.9", "elastic": "0.9"
        }.items()
    },
    **{
        f"teacher.{name}": Key(value, base, ("teacher",))
        for name, value, base in (
            ("epochs", "1", ()), ("batch_size", "7", ()), ("learning_rate", "0.2", ()), ("decay", "cosine", ()),
            ("weight_decay", "0.5", ()), ("patience", "1", ("teacher.epochs=8", "teacher.learning_rate=0.5")),
            ("units", "[4]", ()), ("dropout", "0.0", ()), ("ensemble", "2", ()),
            ("kind", "cnn", ()), ("channels", "[3]", CNN),
        )
    },
    **{
        f"student.{name}": Key(value, base, ("student",))
        for name, value, base in (
            ("epochs", "1", ()), ("batch_size", "7", ()), ("learning_rate", "0.2", ()), ("decay", "cosine", ()),
            ("weight_decay", "0.5", ()), ("patience", "1", ("student.epochs=8", "student.learning_rate=0.5")),
            ("layers.N.units", "4", ()), ("layers.N.weight", "2", ()), ("layers.N.bias", "none", ()),
            ("layers.N.activation", "quantized_relu(2,1)", ()), ("layers.N.sparsity", "0.9", BY_LAYER),
            ("layers.N.fan_in", "1", FAN_IN), ("tables", "[9]", TABLES), ("fan_in", "3", TABLES),
            ("thresholds", "3", TABLES), ("logit_scale", "0.1", TABLES), ("wiring_margin", "0.01", TABLES),
            ("wiring_share", "0.0", MOVING),
        )
    },
    "student.kind": Key("tables", ("prune=",), ("student",), OF_TABLES),
    **{
        f"prune.{name}": Key(value, base, ("student",))
        for name, value, base in (
            ("method", "random", ()), ("granularity", "neuron", ()), ("sparsity", "0.8", ()), ("fan_in", "1", FAN_IN),
            ("scope", "layer", ()), ("schedule", "constant", ()), ("rounds", "2", ("prune.schedule=iterative",)),
            ("rewind_step", "1", LOTTERY), ("drop", "0.9", ("prune.schedule=rigl",)), ("begin_step", "2", ()),
            ("end_step", "5", ()), ("every", "2", ()),
        )
    },
    **{
        f"quantize.{name}": Key(value, base, ("student",))
        for name, value, base in (
            ("method", "ptq", ()), ("calibration", "mse", PTQ), ("percentile", "60.0", PERCENTILE),
            ("samples", "1", PTQ), ("per_channel", "true", PTQ),
        )
    },
    "distill.teacher": Key("warm", ONLINE, ("teacher", "student")),
    **{
        f"distill.{name}": Key(value, base, ("student",))
        for name, value, base in (
            ("method", "snapshots", ()), ("temperature", "1.0", ()), ("alpha", "0.9", ()),
            ("alpha_decay", "linear", ()), ("generations", "2", ("distill.method=born-again",)),
            ("snapshot_epochs", "2", ("distill.method=snapshots", "distill.snapshot_epochs=1")),
        )
    },
    **{
        f"target.{name}": Key(value, base, ("hls", "rtl"))
        for name, value, base in (
            ("backend", "Vivado", ()), ("part", "xczu7ev-ffvc1156-2-e", ()), ("clock_ns", "7.0", ()),
            ("strategy", "resource", ()), ("reuse_factor", "2", PARALLEL),
        )
    },
    **{
        f"rtl.{name}": Key(value, (), ("rtl", "synth", *more))
        for name, value, more in (
            ("enabled", "false", ("verify",)), ("stage_depth", "1000", ()), ("interface", "parallel", ("verify",)),
            ("axis_width", "8", ()), ("target", "ice40", ("verify",)), ("any_size", "false", ()),
        )
    },
}  # fmt: skip


def schema_keys() -> list[str]:
    """The keys of a recipe with a student that hold a value, not a table; `N` stands for the number of a layer."""
    names = [key.name for key in keys_of(Recipe) if not key.name.startswith("model")]
    return [name for name in names if not any(other.startswith(f"{name}.") for other in names)]


def pair(key: str, folder: Path) -> tuple[Recipe, Recipe]:
    """A recipe, and the same with another value of a key."""
    found, named = KEYS[key], key.replace(".N.", ".0.")
    base = base_recipe(folder).override(found.base)
    return base, base.override([f"{named}={found.value.format(other=folder / 'other.npz')}", *found.more])


def base_recipe(folder: Path) -> Recipe:
    """A recipe of everything: a teacher, a student of two layers that is pruned and distilled, and RTL."""
    for seed, name in enumerate(("data", "other")):
        if not (folder / f"{name}.npz").exists():
            np.savez(folder / f"{name}.npz", **_data(seed))
    training = {"epochs": 3, "batch_size": 24, "learning_rate": 0.05}
    layers = [{"units": 5, "weight": 4, "activation": "quantized_relu(4,2)"}, {"units": 3, "weight": 4}]
    content: dict[str, Any] = {
        "name": "base",
        "data": {"name": f"npz:{folder / 'data.npz'}", "validation": 0.25},
        "teacher": {"units": [6], **training},
        "student": {"layers": layers, **training},
        "prune": {"sparsity": 0.5, "every": 1},
        "distill": {},
        "rtl": {"axis_width": 32, "any_size": True},
    }
    return parse_recipe(content, "test")


def _data(seed: int) -> dict[str, Any]:
    """64 images of 2 by 4 pixels to train on, 21 to test; nobody learns them all."""
    rng = np.random.default_rng(seed)
    y, y_test = np.arange(64) % 3, np.arange(21) % 3
    patterns = rng.integers(0, 256, (3, 8))

    def noisy(labels: Any) -> Any:
        return (
            np.clip(patterns[labels] + rng.integers(-150, 151, (len(labels), 8)), 0, 255)
            .astype(np.uint8)
            .reshape(-1, 2, 4)
        )

    return {"x": noisy(y), "y": y, "x_test": noisy(y_test), "y_test": y_test}
