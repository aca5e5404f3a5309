"""How the student becomes small: pruning, quantization and distillation. They combine freely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from qap.recipe.training import StudentRecipe
from qap.recipe.values import Part, Positive, PositiveFloat, Share, Sparsity

PruningMethod = Literal["magnitude", "l2", "random", "taylor", "cost", "zeros", "activation"]
Granularity = Literal["weight", "neuron", "fan-in"]
OF_NEURONS = ("zeros", "activation")
ROUNDS = ("iterative", "lottery-ticket")
DYNAMIC = ("rigl", "set")


class PruneRecipe(Part):
    """Which weights are masked, and when. Steps are optimizer steps (batches)."""

    method: PruningMethod = "magnitude"
    """What makes a weight worth keeping; `zeros` and `activation` judge neurons by what they answer on validation."""
    granularity: Granularity = "weight"
    """Single weights, whole hidden neurons (the layers become smaller), or all but `fan_in` weights of each neuron."""
    sparsity: Sparsity = 0.0
    """The share of masked weights; of removed hidden neurons with granularity "neuron"."""
    fan_in: Positive | None = None
    """The weights that each neuron keeps, with granularity "fan-in"."""
    scope: Literal["global", "layer"] = "global"
    schedule: Literal["one-shot", "constant", "polynomial", "iterative", "lottery-ticket", "rigl", "set"] = "polynomial"
    rounds: Positive | None = None
    """Of pruning and training, with the schedules "iterative" and "lottery-ticket"; None is 5."""
    rewind_step: Annotated[int, Field(ge=0, lt=2**31, strict=True)] | None = None
    """With "lottery-ticket": each round restarts from the weights of this step; None is 0, the initial ones."""
    drop: Share | None = None
    """With "rigl" and "set": the share of live weights that moves at the first renewal, falling to 0; None is 0.3."""
    begin_step: Annotated[int, Field(ge=0, lt=2**31, strict=True)] | None = None
    """When the masking begins; None is 0, and a quarter of all steps with "one-shot", which prunes then and once."""
    end_step: Positive | None = None
    """When the final sparsity is reached; None is 60 % of all steps."""
    every: Positive = 100
    """Steps from one update of the masks to the next."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.end_step is not None and self.end_step <= (self.begin_step or 0):
            raise ValueError(
                f"begin_step < end_step must hold, but got begin_step={self.begin_step or 0}, end_step={self.end_step}"
            )
        if self.method in OF_NEURONS and self.granularity != "neuron":
            raise ValueError(f'method = "{self.method}" judges neurons; it needs granularity = "neuron"')
        if self.granularity == "neuron" and self.schedule in DYNAMIC:
            raise ValueError(
                f'schedule = "{self.schedule}" moves single weights; with granularity = "neuron" take '
                "one-shot, constant, polynomial, iterative or lottery-ticket"
            )
        if self.granularity == "fan-in" and (self.fan_in is None or self.sparsity):
            raise ValueError('granularity = "fan-in" needs fan_in, and no sparsity: it follows from fan_in')
        _only_read(self, ("fan_in",), self.granularity == "fan-in", 'granularity = "fan-in"')
        _only_read(self, ("rounds",), self.schedule in ROUNDS, _one_of("schedule", ROUNDS))
        _only_read(self, ("rewind_step",), self.schedule == "lottery-ticket", 'schedule = "lottery-ticket"')
        _only_read(self, ("drop",), self.schedule in DYNAMIC, _one_of("schedule", DYNAMIC))
        return self

    def check(self, student: StudentRecipe) -> None:
        """Refuse a pruning that does not fit to the student's layers.

        Raises:
            ValueError: it names the key.
        """
        for index, layer in enumerate(student.layers):
            own = f"student.layers.{index}"
            if layer.sparsity is not None and (self.scope == "global" or self.granularity == "fan-in"):
                raise ValueError(
                    f'{own}.sparsity is only read with prune.scope = "layer", but prune.scope is "{self.scope}"'
                    if self.scope == "global"
                    else f'{own}.sparsity is not read with prune.granularity = "fan-in"; set {own}.fan_in'
                )
            if layer.fan_in is not None and self.granularity != "fan-in":
                raise ValueError(f'{own}.fan_in is only read with prune.granularity = "fan-in"')
            share = self.sparsity if layer.sparsity is None else layer.sparsity
            asked = f"prune.sparsity={share}" if self.granularity != "fan-in" else f"prune.fan_in={self.fan_in}"
            if (share or self.fan_in) and not layer.weight.has_zero:
                raise ValueError(f"{asked} needs quantizers that have a zero, but {layer.weight} has none")
        if self.granularity == "neuron":
            self._check_neurons(student)

    def _check_neurons(self, student: StudentRecipe) -> None:
        hidden = [layer.units for layer in student.layers[:-1]]
        shares = [self.sparsity if layer.sparsity is None else layer.sparsity for layer in student.layers]
        if self.scope == "layer" and student.layers[-1].sparsity:
            raise ValueError(
                f"student.layers.{len(hidden)}.sparsity: neurons of the last layer are the classes, none can go"
            )
        if not any(shares):
            return
        if not hidden:
            raise ValueError('prune.granularity = "neuron" needs a hidden layer, but the student has none')
        if self.scope == "layer":
            for index, (units, share) in enumerate(zip(hidden, shares, strict=False)):
                if round(share * units) >= units:
                    raise ValueError(_whole_layer(f"sparsity={share} of student.layers.{index}", 1 - 1 / units))
        elif sum(hidden) - round(self.sparsity * sum(hidden)) < len(hidden):
            raise ValueError(_whole_layer(f"prune.sparsity={self.sparsity}", 1 - len(hidden) / sum(hidden)))


class QuantizeRecipe(Part):
    """When and how weights and activations come into the formats of the student's layers."""

    method: Literal["qat", "ptq", "full-integer", "dynamic", "none"] = "qat"
    """While training (QAT); after it at the widths of the layers (PTQ) or with 8 bits and 32-bit biases
    (full-integer); weights alone (dynamic) or nothing: these two stay float and have no integer form."""
    calibration: Literal["min-max", "percentile", "mse"] | None = None
    """How PTQ chooses the ranges; None is "mse", the smallest squared error."""
    percentile: Annotated[float, Field(gt=50, le=100, strict=True)] | None = None
    """The share of the numbers, in percent, that calibration "percentile" keeps in the range; None is 99.9."""
    samples: Positive | None = None
    """Training samples that PTQ looks at; None is 2,048."""
    per_channel: bool = False
    """A power-of-two scale for each neuron's weights after the training, not one for the layer."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        calibrated = self.method in ("ptq", "full-integer")
        _only_read(self, ("calibration", "samples"), calibrated, _one_of("method", ("ptq", "full-integer")))
        _only_read(self, ("percentile",), self.calibration == "percentile", 'calibration = "percentile"')
        if self.per_channel and self.method in ("qat", "none"):
            raise ValueError(
                'per_channel is only read with method = "ptq", "full-integer" or "dynamic"; '
                "in training a weight quantizer with alpha='auto_po2' has a scale for each neuron"
            )
        return self

    @property
    def trains_float(self) -> bool:
        """Whether the student is float while it trains."""
        return self.method != "qat"

    @property
    def has_integer_form(self) -> bool:
        """Whether the trained student can be frozen."""
        return self.method not in ("dynamic", "none")


class DistillRecipe(Part):
    """What the student learns besides labels: alpha * T^2 * KL(soft/T || student/T) + (1 - alpha) * cross-entropy."""

    method: Literal["offline", "online", "born-again", "snapshots"] = "offline"
    """From a finished teacher; with a teacher that learns too; from earlier generations of itself; from its own
    earlier epochs."""
    temperature: PositiveFloat = 4.0
    alpha: Share = 0.5
    alpha_decay: Literal["constant", "linear", "cosine"] = "constant"
    """Whether alpha falls to 0 over the training."""
    teacher: Literal["frozen", "warm", "fresh"] | None = None
    """frozen: trained before, only answers (offline). warm: trained before and learns on; fresh: starts with the
    student (both online). None is "frozen" offline and "fresh" online."""
    generations: Positive | None = None
    """Of students after the first one, with "born-again"; None is 1."""
    snapshot_epochs: Positive | None = None
    """Epochs from one snapshot to the next, with "snapshots"; None is 5."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        _only_read(self, ("generations",), self.method == "born-again", 'method = "born-again"')
        _only_read(self, ("snapshot_epochs",), self.method == "snapshots", 'method = "snapshots"')
        allowed = {"offline": ("frozen",), "online": ("fresh", "warm")}.get(self.method, ())
        if self.teacher is not None and self.teacher not in allowed:
            choice = f"teacher must be {_either(allowed)}" if allowed else "it has no teacher, leave the key out"
            raise ValueError(f'with method = "{self.method}" {choice}, but got "{self.teacher}"')
        return self

    @property
    def needs_teacher(self) -> bool:
        """Whether the recipe must have a [teacher]."""
        return self.method in ("offline", "online")

    @property
    def later_generations(self) -> int:
        """Students that are trained after the first one."""
        return (self.generations or 1) if self.method == "born-again" else 0

    @property
    def needs_trained_teacher(self) -> bool:
        """Whether the teacher is trained before the student."""
        return self.method == "offline" or self.teacher == "warm"


def _only_read(part: Part, keys: Sequence[str], allowed: bool, where: str) -> None:
    for key in keys:
        value: Any = getattr(part, key)
        if value is not None and not allowed:
            raise ValueError(f"{key} is only read with {where}")


def _one_of(key: str, values: Sequence[str]) -> str:
    return f"{key} = {_either(values)}"


def _either(values: Sequence[str]) -> str:
    return " or ".join(f'"{value}"' for value in values)


def _whole_layer(what: str, most: float) -> str:
    return f"{what} would remove a whole layer of neurons; it must be at most {int(most * 1000) / 1000:g}"
