"""hls4ml layers for truth tables and thresholds: every wire and constant stands in parameters.h as C++.

A table is a number of 64 bits of which one is chosen, which synthesis makes a LUT; no table goes through a float.
Imported by `project.py` alone, as `steps.py` is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hls4ml
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.attributes import Attribute

from qap.network import TableLayer, ThresholdLayer

CLASS_NAME = "QapBits"
HEADER = "qap_bits.h"


class QapBits(hls4ml.model.layers.Layer):  # type: ignore[misc]
    """The graph node: the C++ of its neurons is an attribute."""

    _expected_attributes = [
        Attribute("n_in"),
        Attribute("n_out"),
        Attribute("function", value_type=str),
        Attribute("statements", value_type=str),
    ]

    def initialize(self) -> None:
        """Declare the output."""
        self.add_output_variable([self.attributes["n_out"]], precision=None)


class ConfigTemplate(LayerConfigTemplate):  # type: ignore[misc]
    """The struct in parameters.h."""

    def __init__(self) -> None:
        super().__init__(QapBits)

    def format(self, node: Any) -> str:
        """Its sizes, and a line for each neuron."""
        return (
            f"struct config{node.index} : nnet::qap_bits_config {{\n"
            f"    static const unsigned n_in = {node.get_attr('n_in')};\n"
            f"    static const unsigned n_out = {node.get_attr('n_out')};\n"
            "    template <class data_T, class res_T> static void run(data_T x[n_in], res_T y[n_out]) {\n"
            "        #pragma HLS INLINE\n"
            f"{node.get_attr('statements')}\n"
            "    }\n"
            "};\n"
        )


class CallTemplate(FunctionCallTemplate):  # type: ignore[misc]
    """The call in the top function."""

    def __init__(self) -> None:
        super().__init__(QapBits, include_header=[f"nnet_utils/{HEADER}"])

    def format(self, node: Any) -> str:
        """Without weights."""
        params = self._default_function_params(node)
        call = "<{input_t}, {output_t}, {config}>({input}, {output});".format(**params)
        return f"nnet::{node.get_attr('function')}{call}"


def attributes(layer: TableLayer | ThresholdLayer, input_fractional: int) -> dict[str, Any]:
    """What hls4ml must know of a layer.

    Args:
        layer: the layer.
        input_fractional: the fractional bits of its inputs.
    """
    tables = isinstance(layer, TableLayer)
    lines = _tables(layer) if isinstance(layer, TableLayer) else _thresholds(layer, input_fractional)
    return {
        "class_name": CLASS_NAME,
        "n_in": layer.n_in,
        "n_out": layer.n_out,
        "function": "qap_tables" if tables else "qap_thresholds",
        "statements": "\n".join(f"        {line}" for line in lines),
    }


def _tables(layer: TableLayer) -> Iterator[str]:
    for neuron, (wires, table) in enumerate(zip(layer.wires.tolist(), layer.tables.tolist(), strict=True)):
        pins = ", ".join(f"x[{wire}]" for wire in wires)
        yield f"y[{neuron}] = nnet::qap_table(0x{table:016x}ULL, {pins});"


def _thresholds(layer: ThresholdLayer, input_fractional: int) -> Iterator[str]:
    form = layer.threshold_format(input_fractional)
    yield f"typedef {form} threshold_t;"
    limits = form.to_float(layer.thresholds).tolist()
    for neuron, (feature, limit) in enumerate(zip(layer.features.tolist(), limits, strict=True)):
        yield f"y[{neuron}] = x[{feature}] >= threshold_t({limit!r});"
