"""The operating point of a classifier of two classes: how sure it must be before it decides for one of them.

The threshold is an integer in LSBs of the logits, chosen on the validation part and frozen into the last bias. So the
largest logit still decides, in the emulator, in HLS and in RTL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data import Dataset, Split
from qap.errors import NotExact, RecipeError
from qap.fixed import IntArray
from qap.judging import wilson_interval
from qap.network import IntegerLayer, IntegerNetwork, LayerSpec, connect
from qap.recipe import DecideRecipe
from qap.verification import Engine, NotingEngine


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where one class begins.

    Args:
        positive: the class that is looked for, 0 or 1.
        threshold: in LSBs of the logits; the lead of the positive class must be above it.
        outputs: logits of the network, 1 or 2.
    """

    positive: int
    threshold: int
    outputs: int

    @property
    def shift(self) -> tuple[int, int]:
        """The logit that is shifted, and by how much, in LSBs; of equal logits the first class wins."""
        strict = self.threshold + (self.positive == 0)
        if self.outputs == 1:
            return 0, strict if self.positive == 0 else -strict
        return self.positive, -strict

    def applied(self, network: IntegerNetwork) -> IntegerNetwork:
        """The network with the threshold in the last bias: its largest logit decides at the operating point.

        Raises:
            NotExact: the logits are rounded or saturated behind the last sums, where a bias cannot move them exactly.
        """
        last = network.layers[-1]
        if not isinstance(last, IntegerLayer) or last.activation != "linear" or last.result_format != last.accum_format:
            raise NotExact(last.name, "its logits are not plain sums, so no bias moves the decision exactly")
        spec, output, amount = last.spec, *self.shift
        finest = last.accum_format.fractional
        bias = spec.bias << (finest - spec.bias_format.fractional)
        bias[output] += amount
        form = spec.bias_format.smallest(int(bias.min()), int(bias.max()), finest)
        moved: LayerSpec = spec._replace(bias=bias, bias_format=form, result_format=None)
        return connect(network.input_format, [*network.specs()[:-1], moved], network.class_names)


def lead(logits: IntArray, positive: int) -> IntArray:
    """By how much the logit of a class leads, in LSBs, (n,).

    Args:
        logits: (n, 2), or (n, 1) of the second class.
        positive: the class, 0 or 1.
    """
    of_second = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
    return of_second if positive else -of_second


def choose(network: IntegerNetwork, data: Dataset, decide: DecideRecipe) -> OperatingPoint:
    """The lowest threshold with which at most a share of the other class's validation samples is a false alarm.

    Raises:
        RecipeError: there are not two classes, or no class of that name.
    """
    if data.n_classes != 2:
        raise RecipeError(f"decide.max_false_alarms is for two classes, but {data.name!r} has {data.n_classes}")
    names = data.class_names
    if decide.positive is not None and decide.positive not in names:
        raise RecipeError(f"decide.positive={decide.positive!r} is not a class (there are: {', '.join(names)})")
    positive = 1 if decide.positive is None else names.index(decide.positive)
    split = data.validation
    others = np.sort(lead(network.forward(split.x), positive)[split.y != positive])[::-1]
    allowed = int(decide.max_false_alarms * len(others))
    return OperatingPoint(positive, int(others[allowed]), network.n_out)


def placed(network: IntegerNetwork, data: Dataset, decide: DecideRecipe | None) -> IntegerNetwork:
    """The network at the operating point that a recipe asks for, or as it is; as `choose` and `applied` raise."""
    return network if decide is None else choose(network, data, decide).applied(network)


def described(point: OperatingPoint, network: IntegerNetwork, data: Dataset) -> dict[str, Any]:
    """What the frozen operating point is worth: false alarms and found samples, with their 95 % intervals.

    Args:
        point: that was applied.
        network: with it.
        data: of the run.
    """
    return {
        "class": data.class_names[point.positive],
        "threshold": point.threshold,
        "lsb": network.output_format.lsb,
        "shift": list(point.shift),
        **{part: _rates(point, network, getattr(data, part)) for part in ("validation", "test")},
    }


def _rates(point: OperatingPoint, network: IntegerNetwork, split: Split) -> dict[str, Any]:
    decided = network.classify(split.x) == point.positive
    true = split.y == point.positive
    return {"false_alarms": _share(decided[~true]), "found": _share(decided[true])}


def _share(decided: npt.NDArray[np.bool_]) -> dict[str, Any]:
    count, samples = int(decided.sum()), decided.size
    interval = list(wilson_interval(count, samples)) if samples else None
    return {"share": count / samples if samples else None, "interval": interval, "samples": samples}


@dataclass(frozen=True, slots=True)
class ShiftedEngine:
    """An engine of a model that knows nothing of the operating point: one of its logits is moved as the bias was.

    Args:
        engine: of the model.
        output: the logit.
        amount: in LSBs.
    """

    engine: Engine
    output: int
    amount: int

    @property
    def name(self) -> str:
        """That of the engine."""
        return self.engine.name

    def available(self) -> str | None:
        """What the engine says."""
        return self.engine.available()

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits of the engine, one of them moved."""
        logits = self.engine.run(network, x_int).copy()
        logits[:, self.output] += self.amount
        return logits

    def notes(self, network: IntegerNetwork) -> tuple[str, ...]:
        """Those of the engine, and that a logit is moved."""
        own = self.engine.notes(network) if isinstance(self.engine, NotingEngine) else ()
        moved = f"{self.name} is compared with the operating point: logit {self.output} moved by {self.amount} LSB"
        return (*own, moved)


def at_operating_point(engine: Engine, found: Mapping[str, Any] | None) -> Engine:
    """The engine of a student, moved as its frozen network was.

    Args:
        engine: of the student.
        found: what the stage freeze found, None where it has not run.
    """
    point = (found or {}).get("operating_point")
    return engine if point is None else ShiftedEngine(engine, *point["shift"])
