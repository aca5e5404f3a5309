"""Which reuse factor and strategy fit a device, found by estimates alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qap.errors import RecipeError
from qap.hardware.devices import COUNTED, DEVICES, HLS_FAMILIES, Device
from qap.hardware.estimate.reuse import legal_reuse_factors
from qap.hardware.resources import ResourceReport, shortfalls
from qap.network import IntegerNetwork
from qap.recipe import Strategy, TargetRecipe

Estimator = Callable[[IntegerNetwork, TargetRecipe], ResourceReport]
STRATEGIES: tuple[Strategy, ...] = ("distributed_arithmetic", "latency", "resource")


@dataclass(frozen=True, slots=True)
class Choice:
    """A strategy and a reuse factor with what they would take."""

    strategy: Strategy
    reuse_factor: int
    report: ResourceReport

    def applied_to(self, target: TargetRecipe) -> TargetRecipe:
        """A target with this strategy and reuse factor."""
        return target.model_copy(update={"strategy": self.strategy, "reuse_factor": self.reuse_factor})

    def utilisation(self, device: Device) -> dict[str, float | None]:
        """The share of the device that is used, by kind; None where the device has none of it or nothing is known."""
        shares: dict[str, float | None] = {}
        for kind in COUNTED:
            has, needs = getattr(device, kind), getattr(self.report, kind)
            shares[kind] = needs / has if has and needs is not None else None
        return shares

    def excess(self, device: Device) -> float:
        """The fullest kind as a share of what there is: above 1 does not fit; infinite where there is none of it."""
        shares = [share for share in self.utilisation(device).values() if share is not None]
        impossible = any(getattr(self.report, kind) and not getattr(device, kind) for kind in COUNTED)
        return float("inf") if impossible else max(shares, default=0.0)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was found: the choice for one device, and for every part that qap knows.

    Args:
        chosen: of the smallest reuse factor that fits, the strategy that fills the device the least; None if none fits.
        least: what comes nearest to fitting, as good as `chosen` where that is not None.
        tried: how many were estimated.
        parts: for every part of the table the choice that fits it, None where none does.
    """

    chosen: Choice | None
    least: Choice
    tried: int
    parts: dict[str, Choice | None]

    @property
    def nearest(self) -> Choice:
        """What was chosen, or what comes nearest to it."""
        return self.chosen or self.least

    def missing(self, device: Device) -> list[str]:
        """What the nearest choice lacks."""
        return list(shortfalls(self.least.report, device))


def choose(network: IntegerNetwork, target: TargetRecipe, device: Device, estimator: Estimator) -> Choices:
    """Search the legal reuse factors from the smallest on.

    Args:
        network: the network.
        target: its part, clock and tool are kept; strategy and reuse factor are searched.
        device: what the part has.
        estimator: what a strategy and a reuse factor take on a part; what it refuses with a RecipeError is left out.
    """
    choices = list(_choices(network, target, estimator))
    by_family = {device.family: choices}
    parts: dict[str, Choice | None] = {}
    for name, content in DEVICES.items():
        if content.family not in HLS_FAMILIES:
            continue
        if content.family not in by_family:
            by_family[content.family] = list(_choices(network, target.model_copy(update={"part": name}), estimator))
        parts[name] = _first(by_family[content.family], content)
    least = min(choices, key=lambda choice: choice.excess(device))
    return Choices(_first(choices, device), least, len(choices), parts)


def _choices(network: IntegerNetwork, target: TargetRecipe, estimator: Estimator) -> Iterator[Choice]:
    # a factor that is legal for one layer is rounded for the others, as hls4ml does it
    for factor in sorted({each for layer in network.layers for each in legal_reuse_factors(layer.n_in, layer.n_out)}):
        for strategy in STRATEGIES:
            if factor == 1 or strategy != "distributed_arithmetic":
                settings = {"strategy": strategy, "reuse_factor": factor}
                try:
                    yield Choice(strategy, factor, estimator(network, target.model_copy(update=settings)))
                except RecipeError:  # a strategy and a factor that do not go together
                    continue


def _first(choices: list[Choice], device: Device) -> Choice | None:
    """The smallest factor that fits; of its strategies the one that leaves the most room."""
    fitting = [choice for choice in choices if choice.excess(device) <= 1]
    return min(fitting, key=lambda choice: (choice.reuse_factor, choice.excess(device)), default=None)
