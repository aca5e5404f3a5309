"""The only bridge from Keras to the integer network. It never approximates: exact, or `NotExact`.

Weights are read *after* their quantizers, whatever these are, and stored in the smallest format that holds every one
of them. Activations are translated by what their quantizer is defined to compute. Before a network is handed out it is
compared with the model called as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import keras
import numpy as np

from qap.errors import NotExact, QapError
from qap.fixed import FixedPoint, IntArray
from qap.freezing.engine import KerasEngine
from qap.freezing.exact import MAX_PARAMETER_BITS
from qap.freezing.folding import Folded, fold
from qap.freezing.graph import calls_of, unique
from qap.freezing.walk import MANTISSA
from qap.network import IntegerNetwork, Spec, connect

SAMPLES = 200


def freeze(
    model: keras.Model,
    input_format: FixedPoint,
    class_names: Sequence[str] | None = None,
    output_bits: int | None = None,
) -> IntegerNetwork:
    """Turn a quantized Keras classifier into the integer network that computes exactly the same.

    Args:
        model: a chain of QDense layers, quantizers and what can be folded between them (docs/exactness.md); dropout
            and a softmax, sigmoid or tanh at the end are left out (the class is decided on integer logits).
        input_format: the format of the inputs that the model was trained on.
        class_names: one for each output (two for a single output); numbers if None.
        output_bits: where a float scale of each output's own ends the model, quantize it to so many bits: that
            changes the model, and `KerasEngine.notes` names it. None refuses such a model. A scale that all outputs
            have in common is left out either way, since it keeps the class.

    Raises:
        QapError: `output_bits` are not 2 to 32.
        NotExact: a layer has no exact integer form, or the model called as a whole answers otherwise; the message
            names the layer and says why.
    """
    if output_bits is not None and not 2 <= output_bits <= MAX_PARAMETER_BITS:
        raise QapError(f"output_bits must be 2 to {MAX_PARAMETER_BITS}, but got {output_bits}")
    specs = _ended(fold(model.name, calls_of(model), input_format), output_bits)
    count = max(2, specs[-1].n_out)
    network = connect(input_format, specs, class_names or [str(index) for index in range(count)])
    engine = KerasEngine(model)
    if any(layer.is_per_neuron for layer in network.weighted):
        engine.precision(network)  # raises: where float32 rounds a sum, the thresholds behind it are not the model's
    _compare(engine, network)
    return network


def _ended(folded: Folded, output_bits: int | None) -> list[Spec]:
    """The layers, with the floats at the end left out or quantized.

    Raises:
        NotExact: neither keeps the class, and nobody asked for a change.
    """
    ending = folded.ending
    if ending is None or ending.keeps_class:
        return folded.specs
    if output_bits is None:
        raise NotExact(
            ending.refused.layer,
            f"{ending.refused.why}; or let output_bits quantize the scale and offset at the end, "
            "which changes the model",
        )
    if ending.is_common:
        return folded.specs
    taken = {spec.name for spec in folded.specs}
    return [*folded.specs, ending.quantized(output_bits, unique(ending.names[-1], taken))]


def _compare(engine: KerasEngine, network: IntegerNetwork) -> None:
    """Compare some hundred samples with the model called as a whole.

    Raises:
        NotExact: an answer differs.
    """
    checked = _within_float64(engine, network)
    if checked is None:
        return  # the engine says so whenever it is asked to verify this network
    x_int = _samples(checked)
    expected = checked.forward(x_int)
    _refuse_difference(engine, checked, x_int, expected, engine.run(checked, x_int))
    _refuse_classes(engine, checked, x_int)
    held = MANTISSA["float32"] - engine.scales  # before a scale is folded, a sum can need a bit more
    if engine.precision(checked) == "float64" and max(checked.float_bits()) <= held:
        _refuse_difference(engine, checked, x_int, expected, engine.run_float32(checked, x_int))


def _within_float64(engine: KerasEngine, network: IntegerNetwork) -> IntegerNetwork | None:
    """The same layers on the widest part of the input format on which floating point computes them exactly."""
    form = network.input_format
    for width in range(form.width, form.signed, -1):
        part = replace(form, width=width, integer=width - form.fractional)
        try:
            narrower = network if width == form.width else connect(part, network.specs(), network.class_names)
            engine.precision(narrower)
        except NotExact:
            continue
        return narrower
    return None


def _samples(network: IntegerNetwork) -> IntArray:
    """The corners of the input format, sparse inputs, and random ones over all of it: (n, n_in), seeded."""
    rng, form = np.random.default_rng(0), network.input_format
    anywhere = rng.integers(form.min_int, form.max_int, (SAMPLES, network.n_in), endpoint=True)
    ends = np.where(rng.random((SAMPLES // 4, network.n_in)) < 0.5, form.min_int, form.max_int)
    sparse = anywhere[: SAMPLES // 4] * (rng.random((SAMPLES // 4, network.n_in)) < 0.1)
    corners = np.array([[form.min_int], [0], [form.max_int]]) * np.ones(network.n_in, np.int64)
    return np.concatenate([corners, ends, sparse, anywhere]).astype(np.int64)


def _refuse_difference(
    engine: KerasEngine, network: IntegerNetwork, x_int: IntArray, expected: IntArray, answers: IntArray
) -> None:
    differs = np.argwhere(expected != answers)
    if not len(differs):
        return
    sample, output = (int(index) for index in differs[0])
    raise NotExact(
        next(_first_layers(engine, network, x_int[sample : sample + 1]), network.layers[-1].name),
        f"the model called as a whole answers otherwise, first at sample {sample}, output {output}: "
        f"{answers[sample, output]} LSB, not {expected[sample, output]}; please report this model",
    )


def _refuse_classes(engine: KerasEngine, network: IntegerNetwork, x_int: IntArray) -> None:
    """Refuse a scale that was left out and yet decides."""
    ending = engine.ending(network)
    if ending is None or not ending.keeps_class:
        return
    differs = np.flatnonzero(network.classify(x_int) != engine.classes(network, x_int))
    if differs.size:
        raise NotExact(
            ending.names[-1],
            f"without its scale the class is another, first at sample {differs[0]}; please report this model",
        )


def _first_layers(engine: KerasEngine, network: IntegerNetwork, x_int: IntArray) -> Iterator[str]:
    """The layers whose results differ, in order."""
    for layer, a, b in zip(network.layers, engine.trace(network, x_int), network.trace(x_int), strict=True):
        if (a != b).any():
            yield layer.name
