"""Keras as an engine: what the trained model answers, called as a whole, as integers without a rounding of its own.

Keras computes in float32. Where the bound on the accumulators says that 24 bits hold every number on the way, the
model is called as it is. Elsewhere every layer's own code runs in float64, in the order of the model's own graph, on
the weights that its quantizers give in float32. Where even that could round, the engine refuses. Nothing of it reads
the layers as `freeze` does, but `trace`, which only names the layer of a mismatch.
"""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.fixed import FixedPoint, IntArray
from qap.freezing.endings import Ending
from qap.freezing.folding import Folded, fold
from qap.freezing.graph import calls_of, graph_of
from qap.freezing.layers import SCALING
from qap.freezing.walk import (
    IN_FLOAT32,
    MANTISSA,
    Precision,
    caller,
    final_function,
    final_layer,
    float64_call,
    floatx,
    plain_call,
    walk,
)
from qap.network import IntegerNetwork

GUARDED_BITS = 22
"""24 bits less two guard bits are left for their results."""


class KerasEngine:
    """A quantized Keras model.

    Args:
        model: the model that was frozen.

    Raises:
        NotExact: the model does not say what it computes: it is not built, or is a class of its own.
    """

    name = "keras"

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._calls = calls_of(model)
        self._folded: tuple[FixedPoint, Folded] | None = None

    def available(self) -> str | None:
        """None: there is a model, so there is Keras."""
        return None

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The logits (n, n_out) of integer inputs (n, n_in), in LSBs of the network's output format.

        Floats at the end of the model are undone, and where the network has them quantized, its last layer follows.

        Raises:
            NotExact: floating point could round on the way, or the model cannot be called.
        """
        return self._logits(network, x_int, self.precision(network))

    def run_float32(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """As `run`, but by the plain call of the model, which may round."""
        return self._logits(network, x_int, "float32")

    def classes(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """The class indices (n,) that the plain call of the model decides on, its scale at the end included."""
        answers: Any = self._answers(network, x_int, "float32")
        return network.decide(answers)

    def ending(self, network: IntegerNetwork) -> Ending | None:
        """The floats at the end of the model that the network has not, or has quantized; None without any."""
        return self._read(network).ending

    def trace(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> list[IntArray]:
        """The results of every layer, (n, neurons) each, in LSBs.

        Layers that the model has no numbers for, since they came from splitting one of its own, are the network's.
        """
        precision = self.precision(network)
        outputs: list[Any] = []
        walk(self._model, self._inputs(network, x_int, precision), caller(precision), outputs.append)
        results = network.trace(x_int)
        for index, (layer, origin) in enumerate(zip(network.layers, self._read(network).origins, strict=False)):
            if origin is not None:
                y = np.asarray(outputs[origin], np.float64).reshape(len(x_int), -1)
                results[index] = _integers(layer.name, y, layer.result_format)
        return results

    def precision(self, network: IntegerNetwork) -> Precision:
        """The arithmetic in which the model computes this network exactly.

        A normalization or rescaling that was folded away passes larger numbers than the network does: float64. One
        that became thresholds is what it is in float32.

        Raises:
            NotExact: it does not in any.
        """
        bits = network.float_bits()[: len(self._read(network).specs)]
        per_neuron = [layer.name for layer in network.weighted if layer.is_per_neuron]
        stepped = bool(per_neuron)
        bits = [0 if layer.name in per_neuron else each for layer, each in zip(network.layers, bits, strict=False)]
        most: Precision = "float32" if stepped else "float64"
        if max(bits) > MANTISSA[most]:
            layer = network.layers[bits.index(max(bits))].name
            raise NotExact(layer, f"Keras would need {max(bits)} bits of mantissa, {most} has {MANTISSA[most]}")
        if stepped:
            return "float32"
        if max(bits) <= MANTISSA["float32"] and not self.scales:
            return "float32"
        for call in self._calls:
            quantizer: Any = getattr(call.layer, "activation", None)
            if type(quantizer) in IN_FLOAT32 and int(quantizer.bits) > GUARDED_BITS:
                name = type(quantizer).__name__
                raise NotExact(
                    call.name, f"{name} computes in float32, at most {GUARDED_BITS} bits are exact behind it"
                )
        return "float64"

    @property
    def scales(self) -> bool:
        """Whether the model normalizes or rescales between its layers."""
        return any(type(call.layer) in SCALING for call in self._calls)

    def notes(self, network: IntegerNetwork) -> tuple[str, ...]:
        """What a reader of the verification should know."""
        return (*self._precision_notes(network), *self._ending_notes(network))

    def _precision_notes(self, network: IntegerNetwork) -> tuple[str, ...]:
        if self.precision(network) == "float32":
            return ()
        bits = max(network.float_bits()[: len(self._read(network).specs)])
        layer_by_layer = "each layer's own code ran in the order of the model's graph"
        if bits > MANTISSA["float32"]:
            return (
                f"keras was evaluated in float64: an accumulator needs {bits} bits, float32 has 24; {layer_by_layer}",
            )
        return (f"keras was evaluated in float64: the model normalizes or rescales; {layer_by_layer}",)

    def _ending_notes(self, network: IntegerNetwork) -> tuple[str, ...]:
        ending = self.ending(network)
        if ending is None:
            return ()
        if ending.is_common and ending.rounds:
            return (
                f"changed: the float scale of {ending.where} is dropped; where two logits are equal, rounding decides "
                "the class of the model, and the network takes the first",
            )
        if ending.is_common:
            return (f"the scale of {ending.where} is dropped: the logits are those before it, the class is the same",)
        bits = network.weighted[-1].weight_format.width
        return (
            f"changed: the scale and offset of {ending.where} are quantized to {bits} bits, so the class can differ "
            "where logits lie close together; keras is compared up to them",
        )

    def _read(self, network: IntegerNetwork) -> Folded:
        """The model as `freeze` reads it, for what the network leaves out and for the names of layers."""
        if self._folded is None or self._folded[0] != network.input_format:
            self._folded = network.input_format, fold(self._model.name, self._calls, network.input_format)
        return self._folded[1]

    def _logits(self, network: IntegerNetwork, x_int: npt.NDArray[Any], precision: Precision) -> IntArray:
        name, y, ending = network.layers[-1].name, self._answers(network, x_int, precision), self.ending(network)
        if y.shape[1:] != (network.n_out,):
            raise NotExact(name, f"the model answers {y.shape}, not (n, {network.n_out})")
        if ending is None:
            return _integers(name, y, network.output_format)
        sums = ending.undo(y)
        if _is_quantized(network, self._read(network)):
            return network.layers[-1].forward(sums, ending.fractional)
        return sums

    def _inputs(self, network: IntegerNetwork, x_int: npt.NDArray[Any], precision: Precision) -> Any:
        shape = graph_of(self._model).inputs[0].shape[1:]
        if None in shape or np.prod(shape) != network.n_in:
            raise NotExact(self._model.name, f"the model takes inputs of {shape}, the network {network.n_in} numbers")
        x = network.input_format.to_float(network.checked_input(x_int))
        return keras.ops.convert_to_tensor(x.reshape(-1, *shape), dtype=precision)

    def _answers(
        self, network: IntegerNetwork, x_int: npt.NDArray[Any], precision: Precision
    ) -> npt.NDArray[np.float64]:
        """The model's answers before a final softmax, sigmoid or the like."""
        x = self._inputs(network, x_int, precision)
        try:
            with floatx(precision):
                last = final_layer(self._model)
                if precision == "float64":
                    y = walk(self._model, x, float64_call, without=last)
                elif last is None:
                    y = self._model(x, training=False)
                else:
                    y = self._without_final(x, last)
        except NotExact:
            raise
        except Exception as error:  # Keras and TensorFlow raise whatever their parts raise
            raise NotExact(self._model.name, f"the model cannot be called: {_first_line(error)}") from error
        return np.asarray(y, np.float64)

    def _without_final(self, x: Any, last: Any) -> Any:
        """The answers before the final function, which is shown to be all that is left out."""
        y, function = walk(self._model, x, plain_call, without=last), final_function(last)
        if not np.array_equal(np.asarray(function(y)), np.asarray(self._model(x, training=False)), equal_nan=True):
            raise NotExact(last.name, f"without its {function.__name__} the model computes something else")
        return y


def _is_quantized(network: IntegerNetwork, folded: Folded) -> bool:
    """Whether the floats at the end of the model are a layer of the network."""
    return len(network.layers) > len(folded.specs)


def _integers(layer: str, y: npt.NDArray[np.float64], form: FixedPoint) -> IntArray:
    scaled = np.ldexp(y, form.fractional)
    integers = scaled.astype(np.int64)
    if (integers != scaled).any():
        raise NotExact(layer, f"Keras gave {float(y[integers != scaled][0])!r}, which is not on the grid of {form}")
    return integers


def _first_line(error: Exception) -> str:
    """What went wrong, without the line in which Keras says where."""
    lines = [line.strip() for line in re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()]
    said = [line for line in lines if line and not line.startswith("Exception encountered")]
    return f"{type(error).__name__}: {said[0][:200]}" if said else type(error).__name__
