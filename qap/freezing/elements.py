"""The words in which a model is read: affine maps, ReLUs, quantizers and curves; thresholds and tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from qap.errors import NotExact
from qap.fixed import BoolArray, IntArray
from qap.freezing.exact import FloatArray
from qap.freezing.scales import Sums


class Affine(NamedTuple):
    """`values @ matrix + offset`: matrix (n_in, n_out), offset (n_out,), both exact in binary."""

    matrix: FloatArray
    offset: FloatArray


class Dense(NamedTuple):
    """An affine map that is a layer of the network, whatever stands around it.

    Args:
        matrix: (n_in, n_out).
        offset: (n_out,).
        sums: of the model, without the offset.
        scale: (n_out,) floats that multiply its results; None for 1.
        refused: the error where a scale has no quantizer behind.
    """

    matrix: FloatArray
    offset: FloatArray
    sums: Sums
    scale: FloatArray | None = None
    refused: NotExact | None = None


class Comparison(NamedTuple):
    """Bits: `values[features[j]] >= thresholds[j]`, (n,) both; the thresholds are real numbers."""

    features: IntArray
    thresholds: FloatArray


class Lookup(NamedTuple):
    """Truth tables: wires (n, 6) and the answers (n, 64) at every address."""

    wires: IntArray
    bits: BoolArray


class Rectifier(NamedTuple):
    """`max(values, 0)`."""


class Quantization(NamedTuple):
    """A quantizer of activations."""

    quantizer: Any


class Final(NamedTuple):
    """A function that keeps the decision, so that it may be left out where nothing follows."""

    function: Any
    name: str


class Line(NamedTuple):
    """`values * scale + offset`, a number of each neuron: (n,) both."""

    scale: FloatArray
    offset: FloatArray


class Curve(NamedTuple):
    """A map of every number by itself that never turns back but has no short numbers: exact in steps, or not at all.

    Args:
        name: the layer.
        function: the layer's own, of float32 tensors (n, neurons).
        refused: the error where no quantizer follows.
        line: its numbers where it is a straight line: without a quantizer a common one keeps the class.
        slack: how far its results, (n, neurons), may be off in float32; None for what computes the same everywhere.
    """

    name: str
    function: Callable[[Any], Any]
    refused: NotExact
    line: Line | None = None
    slack: Callable[[FloatArray], FloatArray] | None = None


Element = Affine | Dense | Comparison | Lookup | Rectifier | Quantization | Final | Curve
