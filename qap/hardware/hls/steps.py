"""An hls4ml layer for activations that rise in steps (`StepTable`): comparators and a constant table.

hls4ml has fixed versions of binary and ternary only; this extension holds any staircase, exactly.
Imported by `project.py` alone, as `bits.py` is.
"""

from __future__ import annotations

from typing import Any

import hls4ml
import numpy as np
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.attributes import Attribute

from qap.fixed import FixedPoint
from qap.network import IntegerLayer, StepTable

CLASS_NAME = "QapSteps"
HEADER = "qap_steps.h"


class QapSteps(hls4ml.model.layers.Layer):  # type: ignore[misc]
    """The graph node: thresholds and values are its weights."""

    _expected_attributes = [
        Attribute("n_in"),
        Attribute("n_steps"),
        Attribute("stride"),
        Attribute("threshold_format", value_type=str),
        Attribute("value_format", value_type=str),
    ]

    def initialize(self) -> None:
        """Declare the output and the two tables."""
        self.add_output_variable([self.attributes["n_in"]], precision=None)
        for name in ("threshold", "value"):
            precision = self.model.config.backend.convert_precision_string(self.attributes[f"{name}_format"])
            self.add_weights_variable(name=name, var_name=f"{name}{{index}}", precision=precision, data=name)


class ConfigTemplate(LayerConfigTemplate):  # type: ignore[misc]
    """The struct in parameters.h."""

    def __init__(self) -> None:
        super().__init__(QapSteps)

    def format(self, node: Any) -> str:
        """Its sizes and types."""
        return (
            f"struct config{node.index} : nnet::qap_steps_config {{\n"
            f"    static const unsigned n_in = {node.get_attr('n_in')};\n"
            f"    static const unsigned n_steps = {node.get_attr('n_steps')};\n"
            f"    static const unsigned stride = {node.get_attr('stride')};\n"
            f"    typedef {node.get_weights('threshold').type.name} threshold_t;\n"
            f"    typedef {node.get_weights('value').type.name} value_t;\n"
            "};\n"
        )


class CallTemplate(FunctionCallTemplate):  # type: ignore[misc]
    """The call in the top function."""

    def __init__(self) -> None:
        super().__init__(QapSteps, include_header=[f"nnet_utils/{HEADER}"])

    def format(self, node: Any) -> str:
        """With its two tables."""
        params = self._default_function_params(node)
        tables = ", ".join(node.get_weights(name).name for name in ("threshold", "value"))
        return "nnet::qap_steps<{input_t}, {output_t}, {config}>({input}, {output}, {tables});".format(
            **params, tables=tables
        )


def attributes(layer: IntegerLayer) -> dict[str, Any]:
    """What hls4ml must know about the activation of a layer."""
    steps = layer.activation
    assert isinstance(steps, StepTable)
    fractional = layer.accum_format.fractional
    threshold_format = FixedPoint.smallest(int(steps.thresholds.min()), int(steps.thresholds.max()), fractional)
    return {
        "class_name": CLASS_NAME,
        "n_in": layer.n_out,
        "n_steps": steps.thresholds.shape[-1],
        "stride": steps.thresholds.shape[-1] if steps.is_per_neuron else 0,
        "threshold_format": str(threshold_format),
        "value_format": str(layer.result_format),
        "threshold_data": threshold_format.to_float(steps.thresholds.ravel()),
        "value_data": layer.result_format.to_float(np.asarray(steps.values)),
    }
