"""How features come onto the grid of the hardware's input: before the network, or as a part of it.

Real-valued features are scaled before the network, by who feeds it. Numbers that are on the grid already, as the codes
of an ADC, stay as they are: their scaling is folded into the weights and biases of the first layer, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data.grid import checked, onto, read_only
from qap.errors import DataError, QapError
from qap.fixed import FixedPoint, IntArray
from qap.sources import ScalingMethod

MAX_SHIFT = 2200  # no two float64 are further apart
CODE_BITS = 16
"""Of inputs that the network scales, at most: so many digits of an offset are folded."""
NORMAL_QUARTILES = 1.349
"""Between the quartiles of a normal distribution lie so many standard deviations."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """A linear map of each feature: `(raw - offset) * 2**shift`.

    Before the network its results are brought onto `input_format`. In the network the inputs are the raw numbers, on
    the grid of `input_format`, and the first layer of the model computes the map.

    Args:
        offset: float64 (n_in,), in the unit of each raw feature; whole multiples of the LSB in the network.
        shift: int64 (n_in,), exponents of two.
        input_format: the grid, with the rounding and overflow that bring every value onto it.
        in_network: whether the network computes it.

    Example:
        >>> scaling = Scaling.fit(train_features, FixedPoint.parse("ap_fixed<8,3,AP_RND_CONV,AP_SAT>"))
        >>> x_int = scaling.apply(new_features)
    """

    offset: Floats
    shift: IntArray
    input_format: FixedPoint
    in_network: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "offset", read_only(np.array(self.offset, np.float64)))
        wide = np.array(self.shift)
        if wide.size and max(-int(wide.min()), int(wide.max())) > MAX_SHIFT:
            raise DataError(
                f"shifts must be from -{MAX_SHIFT} to {MAX_SHIFT}, but go from {wide.min()} to {wide.max()}"
            )
        object.__setattr__(self, "shift", read_only(wide.astype(np.int64)))
        if self.offset.ndim != 1 or self.shift.shape != self.offset.shape or not np.isfinite(self.offset).all():
            raise DataError("a scaling needs one finite offset and one shift for each feature")
        if self.in_network and self.input_format.width > CODE_BITS:
            raise DataError(
                f"a scaling in the network takes inputs of at most {CODE_BITS} bits, but they are "
                f'{self.input_format}; take data.scaling = "none", or fewer bits'
            )

    @classmethod
    def fit(
        cls, raw: Floats, input_format: FixedPoint, method: ScalingMethod = "standard", *, in_network: bool = False
    ) -> Scaling:
        """The scaling that brings each feature near the range that the method wants, by a power of two.

        Args:
            raw: (n, n_in) finite features of the training part, and of nothing else.
            input_format: the grid.
            method: "standard" (mean 0, standard deviation 1), "min-max" (0 to 1) or "robust" (median 0, and the
                deviation that the quartiles tell), each within the next power of two.
            in_network: whether the network computes it, on raw numbers that are on the grid.

        Raises:
            DataError: the spread of a feature is beyond float64, or the network's inputs are too wide.
        """
        low, high = raw.min(axis=0), raw.max(axis=0)
        constant = low == high  # the mean of equal numbers may be off by rounding, and its tiny spread is no signal
        with np.errstate(over="ignore", invalid="ignore"):
            offset, spread = (np.where(constant, *pair) for pair in zip((low, 1.0), METHODS[method](raw), strict=True))
        possible = np.isfinite(offset) & np.isfinite(spread) & (spread > 0)
        if not possible.all():
            feature = int(np.flatnonzero(~possible)[0])
            raise DataError(f"feature {feature} spreads beyond float64: from {low[feature]} to {high[feature]}")
        shift = -_exponent(spread, rounded=method != "min-max")
        if in_network:
            offset = np.rint(offset / input_format.lsb) * input_format.lsb
            shift[constant] = shift.min()  # what a large weight on it could add would widen the sums
        return cls(offset, shift, input_format, in_network)

    def apply(self, raw: npt.NDArray[Any]) -> IntArray:
        """Bring raw features onto the grid of the input; what is outside of the range saturates, or is refused.

        Args:
            raw: (n, n_in) finite features.

        Returns:
            int64 (n, n_in), in LSBs of `input_format`.

        Raises:
            DataError: the shape is wrong, a number is not finite (before or after scaling), is outside of a format
                that wraps, or should be on the grid and is not.
        """
        return onto(self.input_format, self.scaled(raw))

    def scaled(self, raw: npt.NDArray[Any]) -> Floats:
        """Raw features (n, n_in) as real numbers of the input, before they are brought onto the grid; as `apply`."""
        raw = checked(raw, self.offset.size)
        if self.in_network:
            return self._on_grid(raw)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled: Floats = np.ldexp(raw - self.offset, self.shift.astype(np.int32))
        finite = np.isfinite(scaled)
        if not finite.all():
            sample, feature = np.argwhere(~finite)[0]
            raise DataError(f"feature {feature} of sample {sample} is {raw[sample, feature]!r}, which cannot be scaled")
        return scaled

    def _on_grid(self, raw: Floats) -> Floats:
        between = np.ldexp(raw, self.input_format.fractional) % 1 != 0
        if between.any():
            sample, feature = np.argwhere(between)[0]
            raise DataError(
                f"feature {feature} of sample {sample} is {raw[sample, feature]:g}, but the network takes whole "
                f"multiples of {self.input_format.lsb:g} and scales them itself"
            )
        return raw

    @property
    def line(self) -> tuple[list[float], list[float]]:
        """The factor and the summand of each feature: `raw * factor + summand`."""
        shift = self.shift.astype(np.int32)
        return np.ldexp(1.0, shift).tolist(), (-np.ldexp(self.offset, shift)).tolist()

    def to_dict(self) -> dict[str, Any]:
        """The scaling as JSON-like content; floats written by `json` come back exactly."""
        return {
            "input_format": str(self.input_format),
            "offset": self.offset.tolist(),
            "shift": self.shift.tolist(),
            **({"in_network": True} if self.in_network else {}),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Scaling:
        """The scaling that `to_dict` wrote.

        Raises:
            DataError: the content is not a scaling.
        """
        try:
            input_format = FixedPoint.parse(content["input_format"])
            offset, shift = np.array(content["offset"], np.float64), _integers(content["shift"])
            return cls(offset, shift, input_format, bool(content.get("in_network", False)))
        except (KeyError, TypeError, ValueError, AttributeError, QapError) as error:
            raise DataError(f"this is not a scaling: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class SampleScaling:
    """Each sample by its own range, before the network: `(raw - min(raw)) / (max(raw) - min(raw))`, 0 if all are equal.

    A division by what every sample has anew is no sum of weights, so no network can take it in.

    Args:
        input_format: the grid, with the rounding and overflow that bring every value onto it.
    """

    input_format: FixedPoint

    def apply(self, raw: npt.NDArray[Any]) -> IntArray:
        """Bring raw features (n, n_in) onto the grid, int64 (n, n_in) in LSBs of `input_format`.

        Raises:
            DataError: a number is not finite, the range of a sample is beyond float64, or a number is outside of a
                format that wraps.
        """
        return onto(self.input_format, self.scaled(raw))

    def scaled(self, raw: npt.NDArray[Any]) -> Floats:
        """Raw features (n, n_in) as real numbers from 0 to 1; as `apply` raises."""
        raw = checked(raw)
        low = raw.min(axis=1, keepdims=True)
        with np.errstate(over="ignore"):
            width = raw.max(axis=1, keepdims=True) - low
        if not np.isfinite(width).all():
            raise DataError(f"sample {int(np.argmin(np.isfinite(width[:, 0])))} spreads beyond float64")
        scaled: Floats = (raw - low) / np.where(width > 0, width, 1.0)
        return scaled

    def to_dict(self) -> dict[str, Any]:
        """The scaling as JSON-like content."""
        return {"input_format": str(self.input_format), "per_sample": True}


def _standard(raw: Floats) -> tuple[Floats, Floats]:
    return raw.mean(axis=0), raw.std(axis=0)


def _min_max(raw: Floats) -> tuple[Floats, Floats]:
    return raw.min(axis=0), raw.max(axis=0) - raw.min(axis=0)


def _robust(raw: Floats) -> tuple[Floats, Floats]:
    """The median and the spread of the middle half; of the values beside the median where half of all are equal."""
    low, median, high = np.quantile(raw, (0.25, 0.5, 0.75), axis=0)
    spread = (high - low) / NORMAL_QUARTILES
    for feature in np.flatnonzero(spread == 0):
        distances = np.abs(raw[:, feature] - median[feature])
        spread[feature] = np.median(distances[distances > 0]) if distances.any() else 1.0
    return median, spread


METHODS: Mapping[str, Callable[[Floats], tuple[Floats, Floats]]] = {
    "standard": _standard,
    "min-max": _min_max,
    "robust": _robust,
}
"""What is brought to 0, and what to 1, of each feature: (n, n_in) -> (n_in,) both."""


def _exponent(spread: Floats, *, rounded: bool) -> IntArray:
    """`log2(spread)`, rounded or rounded up, without the rounding of a logarithm."""
    mantissa, exponent = np.frexp(spread)
    lower = mantissa < np.sqrt(0.5) if rounded else mantissa == 0.5
    return np.asarray(exponent - lower, np.int64)


def _integers(values: Any) -> IntArray:
    array = np.array(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"shifts must be whole numbers, but got {array.dtype}")
    return array
