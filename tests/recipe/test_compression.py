"""Recipes of pruning, quantization and distillation: what fits together, and one line for what does not."""

import pytest
from support.small_recipes import recipe, refused

from qap.recipe import parse_recipe


def hidden(*units: int, **last):
    """A student with hidden layers of so many units, and ten outputs."""
    layers = [{"units": n, "weight": 4, "activation": "quantized_relu(4,1)"} for n in units]
    return {"layers": [*layers, {"units": 10, "weight": 6, **last}]}


IMPOSSIBLE = [
    ({"prune": {"method": "zeros"}}, 'prune: method = "zeros" judges neurons; it needs granularity = "neuron"'),
    ({"prune": {"granularity": "neuron", "schedule": "rigl", "sparsity": 0.5}},
     'prune: schedule = "rigl" moves single weights; with granularity = "neuron" take one-shot, constant, polynomial'),
    ({"prune": {"granularity": "fan-in"}}, 'prune: granularity = "fan-in" needs fan_in, and no sparsity'),
    ({"prune": {"granularity": "fan-in", "fan_in": 6, "sparsity": 0.5}}, 'prune: granularity = "fan-in" needs fan_in'),
    ({"prune": {"granularity": "fan-in", "fan_in": 0}}, "prune.fan_in: Input should be greater than or equal to 1"),
    ({"prune": {"fan_in": 6}}, 'prune: fan_in is only read with granularity = "fan-in"'),
    ({"prune": {"rounds": 6}}, 'prune: rounds is only read with schedule = "iterative" or "lottery-ticket"'),
    ({"prune": {"rounds": 0, "schedule": "iterative"}}, "prune.rounds: Input should be greater than or equal to 1"),
    ({"prune": {"rewind_step": 6}}, 'prune: rewind_step is only read with schedule = "lottery-ticket"'),
    ({"prune": {"drop": 0.1}}, 'prune: drop is only read with schedule = "rigl" or "set"'),
    ({"prune": {"drop": 1.1, "schedule": "set"}}, "prune.drop: Input should be less than or equal to 1"),
    ({"student": hidden(4), "prune": {"granularity": "neuron", "sparsity": 0.9}},
     "prune.sparsity=0.9 would remove a whole layer of neurons; it must be at most 0.75"),
    ({"student": hidden(8, 2), "prune": {"granularity": "neuron", "sparsity": 0.75, "scope": "layer"}},
     "sparsity=0.75 of student.layers.1 would remove a whole layer of neurons; it must be at most 0.5"),
    ({"student": hidden(), "prune": {"granularity": "neuron", "sparsity": 0.5}},
     'prune.granularity = "neuron" needs a hidden layer, but the student has none'),
    ({"student": hidden(4, sparsity=0.5), "prune": {"granularity": "neuron", "scope": "layer"}},
     "student.layers.1.sparsity: neurons of the last layer are the classes, none can go"),
    ({"student": hidden(4, sparsity=0.5)}, 'student.layers.1.sparsity is only read with prune.scope = "layer"'),
    ({"student": hidden(4, fan_in=5)}, 'student.layers.1.fan_in is only read with prune.granularity = "fan-in"'),
    ({"student": hidden(4, weight="binary(alpha=1)"), "prune": {"granularity": "fan-in", "fan_in": 3}},
     "prune.fan_in=3 needs quantizers that have a zero, but binary(alpha=1) has none"),
    ({"quantize": {"calibration": "mse"}}, 'quantize: calibration is only read with method = "ptq" or "full-integer"'),
    ({"quantize": {"method": "ptq", "samples": 0}}, "quantize.samples: Input should be greater than or equal to 1"),
    ({"quantize": {"method": "ptq", "percentile": 99.0}},
     'quantize: percentile is only read with calibration = "percentile"'),
    ({"quantize": {"method": "ptq", "calibration": "percentile", "percentile": 50}},
     "quantize.percentile: Input should be greater than 50"),
    ({"quantize": {"per_channel": True}}, 'quantize: per_channel is only read with method = "ptq"'),
    ({"quantize": {"method": "int4"}}, "quantize.method: Input should be 'qat', 'ptq', 'full-integer', 'dynamic'"),
    ({"distill": {"temperature": -1}}, "distill.temperature: Input should be greater than 0 (got -1)"),
    ({"distill": {"alpha": -0.1}}, "distill.alpha: Input should be greater than or equal to 0 (got -0.1)"),
    ({"distill": {"method": "online", "teacher": "frozen"}},
     'distill: with method = "online" teacher must be "fresh" or "warm", but got "frozen"'),
    ({"distill": {"teacher": "fresh"}}, 'distill: with method = "offline" teacher must be "frozen", but got "fresh"'),
    ({"distill": {"method": "snapshots", "teacher": "warm"}},
     'distill: with method = "snapshots" it has no teacher, leave the key out, but got "warm"'),
    ({"distill": {"method": "online"}, "teacher": None}, '[distill] with method = "online" needs a [teacher]'),
    ({"distill": {"generations": 2}}, 'distill: generations is only read with method = "born-again"'),
    ({"distill": {"snapshot_epochs": 2}}, 'distill: snapshot_epochs is only read with method = "snapshots"'),
    ({"teacher": {"ensemble": 0}}, "teacher.ensemble: Input should be greater than or equal to 1 (got 0)"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), IMPOSSIBLE, ids=[message[:50] for _, message in IMPOSSIBLE])
def test_what_does_not_fit_together_names_its_key(changes, message):
    assert refused(**changes).startswith(f"mine.toml: {message}")


@pytest.mark.parametrize(
    "changes",
    [
        {"student": hidden(4), "prune": {"granularity": "neuron", "sparsity": 0.75}},
        {"student": hidden(8, 2), "prune": {"granularity": "neuron", "sparsity": 0.8}},
        {"student": hidden(4, fan_in=4), "prune": {"granularity": "fan-in", "fan_in": 6, "schedule": "rigl"}},
        {"prune": {"schedule": "lottery-ticket", "rounds": 3, "rewind_step": 100, "sparsity": 0.9}},
        {"quantize": {"method": "ptq", "calibration": "percentile", "percentile": 99.0, "per_channel": True}},
        {"distill": {"method": "born-again", "generations": 3}, "teacher": None},
        {"distill": {"method": "snapshots"}, "teacher": None},
    ],
)
def test_what_fits_together_survives_toml(changes):
    content = {key: value for key, value in changes.items() if value is not None}
    made = recipe(**content) if "teacher" not in changes else recipe(**content).override(["teacher="])
    assert made.override([]) == made


def test_how_much_is_trained():
    assert recipe().trains_teacher
    assert recipe().trainings == 1
    assert recipe(distill={"method": "born-again", "generations": 3}).trainings == 4
    assert recipe(distill={"method": "online", "teacher": "warm"}).trains_teacher
    assert not recipe(distill={"method": "online"}).trains_teacher
    bare = parse_recipe({"name": "bare", "student": hidden(4), "distill": {"method": "snapshots"}}, "bare")
    assert not bare.trains_teacher
