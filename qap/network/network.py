"""The exact integer network: the golden model that everything after `freeze` reads.

A layer computes, in integers,

    accumulator = x @ weight + bias      (bias aligned to the accumulator's LSB)
    y = activation(accumulator)          brought into `result_format` by its rounding and overflow

and nothing else. Formats of accumulators are not chosen but proven: interval arithmetic over the
weights gives the range that each accumulator can reach, and the format is the narrowest that holds
every one of them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import QapError
from qap.fixed import FixedPoint, IntArray
from qap.network.emulator import ExactProduct
from qap.network.interval import Interval, format_interval, partial_sum_bound, propagate
from qap.network.layer import IntegerLayer, LayerSpec, StepTable, activated_interval, prove
from qap.rows import Row, Tabular


class _LayerIntervals(NamedTuple):
    """A layer with its weight and bias in LSBs of the accumulator, and the ranges before, inside of and behind it."""

    layer: IntegerLayer
    weight: IntArray
    bias: IntArray
    inputs: Interval
    accumulators: Interval
    results: Interval


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
    layers: tuple[IntegerLayer, ...]
    class_names: tuple[str, ...]
    _products: tuple[ExactProduct, ...] = field(init=False, repr=False, default=())

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
    def parameters(self) -> int:
        """Weights and biases, zeros included."""
        return sum(layer.weight.size + layer.bias.size for layer in self.layers)

    @property
    def nonzeros(self) -> int:
        """Weights and biases that are not 0."""
        return sum(int(np.count_nonzero(a)) for layer in self.layers for a in (layer.weight, layer.bias))

    @property
    def sparsity(self) -> float:
        """The share of weights (without biases) that are 0."""
        zeros = sum(int((layer.weight == 0).sum()) for layer in self.layers)
        return zeros / sum(layer.weight.size for layer in self.layers)

    @property
    def size_bytes(self) -> int:
        """All weights and biases at the widths of their formats, zeros included, in bytes (rounded up)."""
        bits = sum(
            layer.weight.size * layer.weight_format.width + layer.bias.size * layer.bias_format.width
            for layer in self.layers
        )
        return -(-bits // 8)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole content, in hexadecimal."""
        header, arrays = self.content()
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        for name in sorted(arrays):
            digest.update(f"{name}{arrays[name].shape}".encode() + arrays[name].astype("<i8").tobytes())
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
        if not self._products:
            products = (ExactProduct(each.weight, each.bias, each.inputs) for each in self._layer_intervals())
            object.__setattr__(self, "_products", tuple(products))
        y: npt.NDArray[Any] = self.checked_input(x_int)
        for layer, product in zip(self.layers, self._products, strict=True):
            y = layer.activate(product(y))
        return y

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
        """For every layer the ranges of its accumulators and of its results, over all inputs of the format."""
        return [(each.accumulators, each.results) for each in self._layer_intervals()]

    def float_bits(self) -> list[int]:
        """For every layer the mantissa bits with which floating point computes it exactly, in any order of the sum.

        Every partial sum and every result must be a whole multiple of the finer of the two LSBs.
        """
        bits = []
        for layer, weight, bias, inputs, _, _ in self._layer_intervals():
            finer = max(0, layer.result_format.fractional - layer.accum_format.fractional)
            if layer.is_per_neuron:
                finer = 0  # the thresholds hold whatever floating point does behind the sum
            bits.append(math.frexp(partial_sum_bound(weight, bias, inputs))[1] + finer)
        return bits

    def _layer_intervals(self) -> Iterator[_LayerIntervals]:
        """The layers in order, each with the ranges of its inputs, accumulators and results."""
        inputs = format_interval(self.input_format, self.n_in)
        fractional = self.input_format.fractional
        for layer in self.layers:
            weight, bias = layer.aligned(fractional)
            accumulators = propagate(weight, bias, inputs)
            results = activated_interval(layer, accumulators)
            yield _LayerIntervals(layer, weight, bias, inputs, accumulators, results)
            inputs, fractional = results, layer.result_format.fractional

    def __repr__(self) -> str:
        shape = "-".join(map(str, (self.n_in, *(layer.n_out for layer in self.layers))))
        return (
            f"IntegerNetwork({shape}, {self.input_format} -> {self.output_format}, "
            f"{self.nonzeros:,} of {self.parameters:,} parameters not 0)"
        )

    def _rows(self) -> list[Row]:
        """The layers with their shapes and formats, a row each."""
        return [
            {
                "layer": layer.name,
                "inputs": layer.n_in,
                "outputs": layer.n_out,
                "not 0": int(np.count_nonzero(layer.weight)),
                "weight": str(layer.weight_format),
                "bias": str(layer.bias_format),
                "accumulator": str(layer.accum_format),
                "activation": "steps" if isinstance(layer.activation, StepTable) else layer.activation,
                "result": str(layer.result_format),
            }
            for layer in self.layers
        ]

    def specs(self) -> list[LayerSpec]:
        """What `connect` needs to make this network again."""
        return [
            LayerSpec(
                layer.name, layer.weight, layer.weight_format, layer.bias, layer.bias_format, layer.activation,
                layer.result_format,
            )
            for layer in self.layers
        ]  # fmt: skip

    def content(self) -> tuple[dict[str, Any], dict[str, IntArray]]:
        """The network as a JSON-like header and named arrays."""
        header: dict[str, Any] = {
            "input_format": str(self.input_format),
            "class_names": list(self.class_names),
            "layers": [],
        }
        arrays = {}
        for index, layer in enumerate(self.layers):
            steps = layer.activation if isinstance(layer.activation, StepTable) else None
            header["layers"].append(
                {
                    "name": layer.name,
                    "weight_format": str(layer.weight_format),
                    "bias_format": str(layer.bias_format),
                    "accum_format": str(layer.accum_format),
                    "result_format": str(layer.result_format),
                    "activation": "steps" if steps else layer.activation,
                }
            )
            arrays[f"weight_{index}"] = layer.weight
            arrays[f"bias_{index}"] = layer.bias
            if steps:
                arrays[f"thresholds_{index}"] = steps.thresholds
                arrays[f"values_{index}"] = steps.values
        return header, arrays


def connect(input_format: FixedPoint, specs: Iterable[LayerSpec], class_names: Sequence[str]) -> IntegerNetwork:
    """Connect layers to a network and prove its accumulators.

    Args:
        input_format: the format of every input.
        specs: the layers, from the input on.
        class_names: one for each output, or two for a single output.

    Raises:
        NotExact: a layer does not fit to the one before, a number is outside of its format, or an
            accumulator needs more than 63 bits.
    """
    layers: list[IntegerLayer] = []
    fractional = input_format.fractional
    inputs: Interval | None = None
    for spec in specs:
        inputs = inputs or format_interval(input_format, spec.weight.shape[0])
        layer = prove(spec, fractional, inputs)
        weight, bias = layer.aligned(fractional)
        inputs = activated_interval(layer, propagate(weight, bias, inputs))
        fractional = layer.result_format.fractional
        layers.append(layer)
    if len({layer.name for layer in layers}) != len(layers) or not layers:
        raise QapError(f"a network needs layers with different names, but got {[layer.name for layer in layers]}")
    if len(class_names) != max(2, layers[-1].n_out):
        raise QapError(f"{layers[-1].n_out} outputs do not fit to {len(class_names)} class names")
    return IntegerNetwork(input_format, tuple(layers), tuple(class_names))
