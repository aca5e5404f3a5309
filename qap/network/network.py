"""The exact integer network: the golden model that everything after `freeze` reads.

A layer of weights computes, in integers,

    accumulator = x @ weight + bias      (bias aligned to the accumulator's LSB)
    y = activation(accumulator)          brought into `result_format` by its rounding and overflow

and nothing else; layers of thresholds and tables make bits and look them up (`threshold_layer`, `table_layer`).

Formats of accumulators are not chosen but proven: interval arithmetic over the
weights gives the range that each accumulator can reach, and the format is the narrowest that holds
every one of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import QapError
from qap.fixed import FixedPoint, IntArray
from qap.network.interval import Interval, format_interval
from qap.network.layer import IntegerLayer, LayerSpec
from qap.network.table_layer import TableLayer
from qap.network.threshold_layer import ThresholdLayer
from qap.rows import Row, Tabular

Layer = IntegerLayer | TableLayer | ThresholdLayer
"""The kinds of layers; a new kind stands here, and offers what the others do."""
Spec = LayerSpec | TableLayer | ThresholdLayer
"""What `connect` makes a layer of; a kind that has nothing to prove is its own."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IntegerNetwork(Tabular):
    """A classifier in exact integers. Make one with `connect`, `freeze` or `load_network`.

    Args:
        input_format: the format of every input.
        layers: at least one; each reads the result of the one before.
        class_names: one for each output, or two for a single output (decided at 0).

    Example:
        >>> logits = network.forward(x_int)          # (n, n_in) -> (n, n_out), in LSBs of output_format
        >>> classes = network.classify(x_int)        # (n,)
    """

    input_format: FixedPoint
    layers: tuple[Layer, ...]
    class_names: tuple[str, ...]
    _executors: tuple[Callable[[npt.NDArray[Any]], npt.NDArray[Any]], ...] = field(init=False, repr=False, default=())

    @property
    def n_in(self) -> int:
        """Inputs."""
        return self.layers[0].n_in

    @property
    def n_out(self) -> int:
        """Outputs (logits)."""
        return self.layers[-1].n_out

    @property
    def output_format(self) -> FixedPoint:
        """The format of the logits."""
        return self.layers[-1].result_format

    @property
    def weighted(self) -> tuple[IntegerLayer, ...]:
        """The layers that have weights."""
        return tuple(layer for layer in self.layers if isinstance(layer, IntegerLayer))

    def only_weighted(self, asked: str) -> tuple[IntegerLayer, ...]:
        """All layers, for what knows layers of weights alone.

        Args:
            asked: what that is, as the error names it.

        Raises:
            QapError: a layer has no weights; the message names it.
        """
        other = next((layer for layer in self.layers if not isinstance(layer, IntegerLayer)), None)
        if other is not None:
            raise QapError(f"{asked} knows weights alone, but layer {other.name!r} has {other.kind}")
        return self.weighted

    @property
    def parameters(self) -> int:
        """Weights and biases, zeros included; tables and thresholds are not among them."""
        return sum(layer.weight.size + layer.bias.size for layer in self.weighted)

    @property
    def nonzeros(self) -> int:
        """Weights and biases that are not 0."""
        return sum(int(np.count_nonzero(a)) for layer in self.weighted for a in (layer.weight, layer.bias))

    @property
    def sparsity(self) -> float:
        """The share of weights (without biases) that are 0; 0 without weights."""
        zeros = sum(int((layer.weight == 0).sum()) for layer in self.weighted)
        return zeros / max(1, sum(layer.weight.size for layer in self.weighted))

    @property
    def tables(self) -> int:
        """Truth tables."""
        return sum(layer.n_out for layer in self.layers if isinstance(layer, TableLayer))

    @property
    def size_bytes(self) -> int:
        """All layers as each counts its `stored_bits`, in bytes (rounded up)."""
        return -(-sum(layer.stored_bits for layer in self.layers) // 8)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole content, in hexadecimal."""
        header, arrays = self.content()
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        for name in sorted(arrays):
            array = arrays[name].astype("<i8")  # tables are 64 bits without a sign: the same bits
            digest.update(f"{name}{array.shape}".encode() + array.tobytes())
        return digest.hexdigest()

    def forward(self, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits of integer inputs, exactly.

        Args:
            x_int: (n, n_in), any integer type, in LSBs of `input_format`.

        Returns:
            int64 (n, n_out), in LSBs of `output_format`.

        Raises:
            QapError: the shape is wrong or a number is outside of the input format.
        """
        if not self._executors:
            executors = (layer.executor(inputs, fractional) for layer, inputs, fractional in self._sources())
            object.__setattr__(self, "_executors", tuple(executors))
        y: npt.NDArray[Any] = self.checked_input(x_int)
        for run in self._executors:
            y = run(y)
        return y.astype(np.int64, copy=False)

    def trace(self, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The results of every layer for integer inputs, as `forward` computes them."""
        results: list[IntArray] = []
        y: npt.NDArray[Any] = self.checked_input(x_int)
        fractional = self.input_format.fractional
        for layer in self.layers:
            y = layer.forward(y, fractional)
            results.append(y)
            fractional = layer.result_format.fractional
        return results

    def decide(self, y_int: IntArray) -> IntArray:
        """Class indices (n,) of logits (n, n_out): the largest, the lowest index wins ties; one output: above 0."""
        return (y_int[:, 0] > 0).astype(np.int64) if self.n_out == 1 else y_int.argmax(axis=1)

    def classify(self, x_int: npt.NDArray[Any]) -> IntArray:
        """Class indices (n,) of integer inputs (n, n_in), in LSBs of `input_format`; as `forward` raises."""
        return self.decide(self.forward(x_int))

    def accuracy(self, x_int: npt.NDArray[Any], y: npt.NDArray[Any]) -> float:
        """The share of samples whose class is decided right.

        Args:
            x_int: (n, n_in), in LSBs of `input_format`.
            y: (n,) class indices.

        Raises:
            QapError: as `forward`, or the labels do not fit to the samples.
        """
        if y.shape != x_int.shape[:1] or not y.size:
            raise QapError(f"accuracy needs one label a sample, but got x {x_int.shape} and y {y.shape}")
        return float((self.classify(x_int) == y).mean())

    def predict(self, x: npt.NDArray[Any]) -> IntArray:
        """Class indices (n,) of real-valued inputs (n, n_in) that lie on the grid of `input_format`.

        Raises:
            QapError: an input is not on the grid, `input_format.quantize` brings it there; or the inputs are
                integers, which `classify` takes.
        """
        if not np.issubdtype(x.dtype, np.floating):
            raise QapError(
                f"predict takes real numbers, but got {x.dtype}; classify takes integers in LSBs of {self.input_format}"
            )
        x_int = self.input_format.quantize(x)
        off = self.input_format.to_float(x_int) != x
        if off.any():
            sample, feature = np.argwhere(off)[0]
            raise QapError(
                f"input {feature} of sample {sample} is {x[sample, feature]!r}, "
                f"which {self.input_format} does not hold; bring it there with input_format.quantize"
            )
        return self.decide(self.forward(x_int))

    def checked_input(self, x_int: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The same array, or an error when it cannot be an input."""
        if x_int.ndim != 2 or x_int.shape[1] != self.n_in or not np.issubdtype(x_int.dtype, np.integer):
            raise QapError(f"inputs must be integers of shape (n, {self.n_in}), but got {x_int.dtype} {x_int.shape}")
        form, limits = self.input_format, np.iinfo(x_int.dtype)
        if (limits.min < form.min_int or limits.max > form.max_int) and not form.holds(x_int):
            raise QapError(
                f"inputs must be in {form.min_int}..{form.max_int} ({form}), got {x_int.min()}..{x_int.max()}"
            )
        return x_int

    def intervals(self) -> list[tuple[Interval, Interval]]:
        """For every layer the ranges of its accumulators and of its results, over all inputs of the format.

        Layers without accumulators have the ranges of their results for both.
        """
        return [layer.intervals(inputs, fractional) for layer, inputs, fractional in self._sources()]

    def float_bits(self) -> list[int]:
        """For every layer the mantissa bits with which floating point computes it exactly, in any order of the sum."""
        return [layer.float_bits(inputs, fractional) for layer, inputs, fractional in self._sources()]

    def _sources(self) -> Iterator[tuple[Layer, Interval, int]]:
        """The layers in order, each with the ranges and the fractional bits of its inputs."""
        inputs = format_interval(self.input_format, self.n_in)
        fractional = self.input_format.fractional
        for layer in self.layers:
            yield layer, inputs, fractional
            _, inputs = layer.intervals(inputs, fractional)
            fractional = layer.result_format.fractional

    def __repr__(self) -> str:
        shape = "-".join(map(str, (self.n_in, *(layer.n_out for layer in self.layers))))
        return (
            f"IntegerNetwork({shape}, {self.input_format} -> {self.output_format}, "
            f"{self.nonzeros:,} of {self.parameters:,} parameters not 0)"
        )

    def _rows(self) -> list[Row]:
        """The layers with their shapes and formats, a row each."""
        return [layer.row() for layer in self.layers]

    def specs(self) -> list[Spec]:
        """What `connect` needs to make this network again."""
        return [layer.spec for layer in self.layers]

    def content(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The network as a JSON-like header and named arrays."""
        contents = [layer.content() for layer in self.layers]
        header = {
            "input_format": str(self.input_format),
            "class_names": list(self.class_names),
            "layers": [layer for layer, _ in contents],
        }
        arrays = {
            f"{name}_{index}": array for index, (_, arrays) in enumerate(contents) for name, array in arrays.items()
        }
        return header, arrays


def connect(input_format: FixedPoint, specs: Iterable[Spec], class_names: Sequence[str]) -> IntegerNetwork:
    """Connect layers to a network and prove its accumulators.

    Args:
        input_format: the format of every input.
        specs: the layers, from the input on.
        class_names: one for each output, or two for a single output.

    Raises:
        NotExact: a layer does not fit to the one before, a number is outside of its format, an
            accumulator needs more than 63 bits, or a table reads inputs of more than one bit.
    """
    layers: list[Layer] = []
    source = input_format
    inputs: Interval | None = None
    for spec in specs:
        inputs = inputs or format_interval(input_format, spec.n_in)
        layer = spec.proven(source, inputs)
        _, inputs = layer.intervals(inputs, source.fractional)
        source = layer.result_format
        layers.append(layer)
    if len({layer.name for layer in layers}) != len(layers) or not layers:
        raise QapError(f"a network needs layers with different names, but got {[layer.name for layer in layers]}")
    if len(class_names) != max(2, layers[-1].n_out):
        raise QapError(f"{layers[-1].n_out} outputs do not fit to {len(class_names)} class names")
    return IntegerNetwork(input_format, tuple(layers), tuple(class_names))
