"""Sensitivity: how much accuracy a frozen network loses when one layer gets fewer weights or fewer bits.

One layer is changed at a time, the others stay as they were trained, and nothing is trained again: the
integer network with the changed weights is evaluated as it is. Biases and activations are not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from qap.data import Split
from qap.fixed import FixedPoint, IntArray, Overflow, Rounding
from qap.network import IntegerLayer, IntegerNetwork, LayerSpec, connect
from qap.network.interval import Interval
from qap.rows import data_frame_of

SPARSITIES = (0.25, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99)
FEWEST_BITS = 2
"""Signed; one bit would hold no positive number."""
MOST_BITS = 10
"""Where the table begins; a layer with wider weights is also tried with these."""


class Change(NamedTuple):
    """What is done to a layer: first pruned to `sparsity`, then rounded to `bits`; None leaves it as it is."""

    sparsity: float | None = None
    bits: int | None = None


AS_TRAINED = Change()


@dataclass(frozen=True, slots=True)
class Measured:
    """A layer under one change.

    Args:
        value: the sparsity, 0 to 1, or the bits of a weight.
        accuracy: on the validation split, 0 to 1.
        correct: samples that are decided correctly.
    """

    value: float
    accuracy: float
    correct: int


@dataclass(frozen=True, slots=True)
class LayerSensitivity:
    """One layer, changed while the others stay as trained.

    Args:
        name: of the layer.
        weights: how many it has.
        sparsity: the share of them that is 0 as trained.
        bits: of the narrowest signed format that holds them as trained.
        by_sparsity: for every sparsity above its own.
        by_bits: for every number of bits below its own, from many to few.
    """

    name: str
    weights: int
    sparsity: float
    bits: int
    by_sparsity: tuple[Measured, ...]
    by_bits: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """All layers of a network.

    Args:
        accuracy: of the network as trained, on the validation split.
        correct: samples that it decides correctly.
        samples: of the validation split.
        layers: in order.
    """

    accuracy: float
    correct: int
    samples: int
    layers: tuple[LayerSensitivity, ...]

    def drop(self, measured: Measured) -> float:
        """How many percentage points of accuracy are lost; negative when some are won."""
        return 100 * (self.correct - measured.correct) / self.samples

    def to_dataframe(self) -> Any:
        """Every measurement as a row of a `pandas.DataFrame`.

        Raises:
            ToolMissing: pandas is not installed.
        """
        return data_frame_of(list(self.rows()))

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Every measurement as a flat mapping, for CSV and JSON."""
        for layer in self.layers:
            for kind, all_measured in (("sparsity", layer.by_sparsity), ("bits", layer.by_bits)):
                for measured in all_measured:
                    yield {
                        "layer": layer.name,
                        "changed": kind,
                        "value": measured.value,
                        "accuracy": measured.accuracy,
                        "drop_points": self.drop(measured),
                    }


def sensitivity(
    network: IntegerNetwork, split: Split, sparsities: Sequence[float] = SPARSITIES, most_bits: int = MOST_BITS
) -> Sensitivity:
    """Measure every layer against sparsity and against the bits of its weights.

    Args:
        network: as it was frozen.
        split: what accuracy is measured on; validation, since a choice follows.
        sparsities: shares of pruned weights, 0 to 1; those that a layer has anyway are left out.
        most_bits: the most bits that are tried.

    Raises:
        QapError: a layer has no weights.
    """
    known = network.only_weighted("sensitivity")
    correct = count_correct(network, split)
    layers = []
    for index, layer in enumerate(known):
        own_bits = signed_format(layer).width
        more = [share for share in sparsities if pruned_count(layer, share) > int((layer.weight == 0).sum())]
        fewer = list(range(min(own_bits - 1, most_bits), FEWEST_BITS - 1, -1))
        by_sparsity = [_measure(network, split, index, Change(sparsity=share), share) for share in more]
        by_bits = [_measure(network, split, index, Change(bits=bits), bits) for bits in fewer]
        own = float((layer.weight == 0).mean())
        layers.append(
            LayerSensitivity(layer.name, layer.weight.size, own, own_bits, tuple(by_sparsity), tuple(by_bits))
        )
    return Sensitivity(correct / len(split), correct, len(split), tuple(layers))


def changed(network: IntegerNetwork, changes: Mapping[int, Change]) -> IntegerNetwork:
    """The network with some of its layers changed.

    Args:
        network: as it was frozen.
        changes: index of a layer -> what is done to it.
    """
    ranges = (accumulator for accumulator, _ in network.intervals())
    layers = network.only_weighted("sensitivity")
    specs = [_open_ended(*parts) for parts in zip(layers, ranges, strict=True)]
    for index, change in changes.items():
        specs[index] = specs[index]._replace(weight=changed_weight(layers[index], change))
    return connect(network.input_format, specs, network.class_names)


def changed_weight(layer: IntegerLayer, change: Change) -> IntArray:
    """The weights of a changed layer, in LSBs of the format that they had before."""
    weight = layer.weight
    if change.sparsity is not None:
        weight = pruned(weight, pruned_count(layer, change.sparsity))
    if change.bits is not None:
        form = narrowed(signed_format(layer), change.bits)
        fractional = layer.weight_format.fractional
        weight = form.requantize(weight, fractional) << (fractional - form.fractional)
    return weight


def pruned(weight: IntArray, count: int) -> IntArray:
    """The weights with the `count` smallest magnitudes at 0; of equal ones the first go first."""
    order = np.argsort(np.abs(weight), axis=None, kind="stable")
    kept = weight.copy()
    kept.flat[order[:count]] = 0
    return kept


def pruned_count(layer: IntegerLayer, sparsity: float) -> int:
    """How many weights are 0 at a sparsity, 0 to 1, rounded as in training."""
    return round(sparsity * layer.weight.size)


def signed_format(layer: IntegerLayer) -> FixedPoint:
    """The narrowest signed format that holds the weights; its sign bit is there even if none is negative now."""
    low, high = int(layer.weight.min()), int(layer.weight.max())
    return FixedPoint.smallest(min(low, -1), high, layer.weight_format.fractional)


def narrowed(form: FixedPoint, bits: int) -> FixedPoint:
    """The format of so many bits for the same range: a coarser power-of-two step, half to even, saturated."""
    return FixedPoint(form.signed, bits, form.integer, Rounding.RND_CONV, Overflow.SAT)


def count_correct(network: IntegerNetwork, split: Split) -> int:
    """Samples that the network decides correctly."""
    return int((network.classify(split.x) == split.y).sum())


def _measure(network: IntegerNetwork, split: Split, index: int, change: Change, value: float) -> Measured:
    correct = count_correct(changed(network, {index: change}), split)
    return Measured(value, correct / len(split), correct)


def _open_ended(layer: IntegerLayer, accumulator: Interval) -> LayerSpec:
    """The layer with a result that follows its accumulator, where the format of the result only did that.

    Rounded weights can be larger, and such a result would wrap around where nothing ever cut it before.
    """
    spec = layer.spec
    positive = FixedPoint.smallest(0, max(0, int(accumulator.high.max())), layer.accum_format.fractional)
    following = {"linear": layer.accum_format, "relu": positive}
    if isinstance(spec.activation, str) and layer.result_format == following[spec.activation]:
        spec = spec._replace(result_format=None)
    # rounded weights reach the lowest number, which a symmetric format leaves out
    return spec._replace(weight_format=spec.weight_format.with_modes(Rounding.TRN, Overflow.WRAP))
