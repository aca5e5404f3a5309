"""Post-training quantization of imported float layers: by one format, as hls4ml does it, or calibrated by data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import qkeras

from qap.errors import QapError
from qap.importing.float_chain import FloatDense, Step, float_chain, groups_of, is_float
from qap.recipe import ModelRecipe, QuantizeRecipe
from qap.recipe.model import DEFAULT_BITS
from qap.training.calibration import min_max, saturating
from qap.training.post_training import DEFAULT_SAMPLES, fractional_bits_of
from qap.training.quantization import ChannelQuantizer, FixedPointQuantizer

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Formats:
    """What decides the formats of float layers.

    Args:
        model: its `precision` and `bits` are read.
        quantize: how ranges are chosen where only bits are given.
    """

    model: ModelRecipe
    quantize: QuantizeRecipe

    @property
    def at_end(self) -> bool:
        """Whether floats behind the last dense layer get a format, as those before it; else `output_bits` says it."""
        return self.model.output_bits is None

    def are_needed(self, model: keras.Model) -> bool:
        """Whether a model has floats that these formats are for: at its end only where somebody named them.

        Raises:
            NotExact: the model is not a chain.
        """
        named = self.model.precision is not None or self.model.bits is not None
        return is_float(model, at_end=self.at_end and named)

    @property
    def bits(self) -> int:
        """Of weights and activations whose ranges are chosen; biases, which cost little, have twice as many."""
        return self.model.bits or DEFAULT_BITS

    def kernel(self, kernel: Array) -> Any:
        """The quantizer of a kernel (n_in, n_out)."""
        if self.model.precision is not None:
            return FixedPointQuantizer(self.model.precision)
        columns = list(kernel.T) if self.quantize.per_channel else [kernel]
        return ChannelQuantizer(True, self.bits, [self._fractional(column, signed=True) for column in columns])

    def bias(self, bias: Array) -> Any:
        """The quantizer of a bias (n_out,); none of them saturates."""
        form = self.model.precision
        return FixedPointQuantizer(form or saturating(True, 2 * self.bits, min_max(bias, True, 2 * self.bits, 100)))

    def activation(self, answers: Array, relu: bool) -> Any:
        """The quantizer of activations, chosen from what the float model answers there."""
        if self.model.precision is not None:
            return FixedPointQuantizer(self.model.precision, relu)
        signed = not relu and bool((answers < 0).any())
        form = saturating(signed, self.bits, self._fractional(answers, signed=signed))
        return FixedPointQuantizer(form, relu)

    def _fractional(self, values: Array, *, signed: bool) -> int:
        return fractional_bits_of(values, self.quantize, signed, self.bits)


def quantize_floats(model: keras.Model, formats: Formats, samples: Array | None) -> keras.Model:
    """A model whose float dense layers, and the activations between them, have fixed-point formats.

    Args:
        model: as `read_model` gives it.
        formats: what they are.
        samples: (n, n_in) real inputs to choose ranges by; None where a precision is given.

    Raises:
        QapError: there is nothing to choose the ranges by.
        NotExact: the model is not a chain.
    """
    if samples is None and formats.model.precision is None:
        raise QapError(
            "the model has float layers: give their format with --precision ap_fixed<16,6>, or --data to choose it by"
        )
    shape = model.input_shape[1:]
    x = inputs = keras.Input(shape, name=model.layers[0].name)
    answers = np.zeros((1, *shape), np.float32) if samples is None else _spread(samples).reshape(-1, *shape)
    steps = float_chain(model, at_end=formats.at_end)
    groups = list(groups_of(steps, lambda step: hasattr(step, "kernel")))
    for index, group in enumerate(groups):
        for layer, behind in _quantized(group, formats, answers, last=index == len(groups) - 1):
            x, answers = layer(x), behind
    return keras.Model(inputs, x, name=model.name)


def _spread(samples: Array) -> Array:
    """So many samples as calibration looks at, from all over the data."""
    rows = np.unique(np.linspace(0, len(samples) - 1, DEFAULT_SAMPLES).astype(np.int64))
    return samples[rows]


def _quantized(group: list[Step], formats: Formats, answers: Array, *, last: bool) -> Iterator[tuple[Any, Array]]:
    """The layers of a group, each with what the float model answers behind it.

    Args:
        group: a dense layer and what follows it up to the next; the first group may have none.
        formats: of its numbers.
        answers: (n, n_in), what it reads.
        last: whether nothing follows, so that no quantizer does.
    """
    dense = next((step for step in group if isinstance(step, FloatDense)), None)
    open_ended = dense is not None and not last and not any(isinstance(step, qkeras.QActivation) for step in group)
    for position, step in enumerate(group):
        if isinstance(step, FloatDense):
            answers = np.asarray(answers @ step.kernel.astype(np.float32) + step.bias.astype(np.float32))
            yield _qdense(step, formats), answers
        elif open_ended and position == len(group) - 1 and _is_relu(step):
            answers = np.maximum(answers, 0)
            yield qkeras.QActivation(formats.activation(answers, relu=True), name=step.name), answers
            return
        else:
            answers = np.asarray(step(answers))
            yield step, answers
    if dense is not None and open_ended:
        yield qkeras.QActivation(formats.activation(answers, relu=False), name=f"{dense.name}_quantized"), answers


def _is_relu(layer: Any) -> bool:
    if type(layer) is keras.layers.ReLU:
        return layer.max_value is None and not layer.negative_slope and not layer.threshold
    return type(layer) is keras.layers.Activation and layer.activation is keras.activations.relu


def _qdense(dense: FloatDense, formats: Formats) -> Any:
    kernel, bias = dense.kernel.astype(np.float32), dense.bias.astype(np.float32)
    layer = qkeras.QDense(
        len(bias),
        kernel_quantizer=formats.kernel(kernel),
        bias_quantizer=formats.bias(bias),
        kernel_initializer="zeros",
        name=dense.name,
    )
    layer.build((None, len(kernel)))
    layer.set_weights([kernel, bias])
    return layer
