"""The smallest types with which hls4ml computes what the model does, proven, and as a configuration to paste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.hardware import Block, Reference, is_transposed, real_weights
from qap.explore.diagnosis.ranges import TypeUse
from qap.explore.diagnosis.source import HlsSource
from qap.explore.diagnosis.versions import Version
from qap.explore.diagnosis.weights import Weights
from qap.explore.diagnosis.widening import OTHERWISE, WIDE
from qap.hardware.hls.project import hls_accumulator

FloatArray = npt.NDArray[np.float64]


def exact_version(
    source: HlsSource, blocks: Sequence[Block], reference: Reference, final: int | None, uses: Sequence[TypeUse],
    weights: Mapping[str, Weights],
) -> Version:  # fmt: skip
    """The version with every type as proven, the model's weights, and a softmax that keeps the decision."""
    types = {use.site: str(use.exact) for use in uses if use.exact is not None}
    in_blocks = {call for block in blocks for call in block.calls}
    for use in uses:
        if use.exact is None and use.site.call in in_blocks:
            types[use.site] = WIDE.get(use.site.role, OTHERWISE)
    return Version(types, model_weights(source, blocks, reference, weights), softmax_of(source, final))


def model_weights(
    source: HlsSource, blocks: Sequence[Block], reference: Reference, weights: Mapping[str, Weights]
) -> dict[str, FloatArray]:
    """The model's numbers for the arrays of the dense calls, in the arrays' own order."""
    found: dict[str, FloatArray] = {}
    for block, layer in zip(blocks, reference.layers, strict=True):
        if block.dense is None or block.folded:
            continue
        call = source.calls[block.dense]
        weight, bias = real_weights(layer)
        values = weight.T if is_transposed(source, call) else weight
        for name, each in zip(call.arguments[2:4], (values, bias), strict=False):
            own = weights[name].simulated if name in weights else None
            if own is not None and own.size == each.size:
                found[name] = each.ravel()
    return found


def softmax_of(source: HlsSource, final: int | None) -> str | None:
    """`argmax` where the project ends with a softmax that knows it."""
    if final is None or source.calls[final].function != "softmax":
        return None
    header = source.firmware / "nnet_utils" / "nnet_activation.h"
    known = header.is_file() and "softmax_argmax" in header.read_text(encoding="utf-8", errors="replace")
    return "argmax" if known else None


def configuration_of(source: HlsSource, blocks: Sequence[Block], reference: Reference, final: int | None) -> str:
    """The types as YAML, for the key `HLSConfig` of hls4ml's configuration."""
    lines = ["HLSConfig:", "  LayerName:", f"    {source.inputs.name}:", "      Precision:"]
    lines.append(f"        result: {reference.network.input_format}")
    for block, layer in zip(blocks, reference.layers, strict=True):
        for index in block.calls:
            lines += [f"    {source.calls[index].name}:", "      Precision:"]
            accumulator = str(hls_accumulator(layer))
            if index == block.dense:
                lines += [f"        weight: {layer.weight_format}", f"        bias: {layer.bias_format}"]
                lines.append(f"        accum: {accumulator}")
            lines.append(f"        result: {layer.result_format if index == block.last else accumulator}")
    if final is not None and softmax_of(source, final):
        lines += [f"    {source.calls[final].name}:", "      Implementation: argmax"]
    return "\n".join(lines) + "\n"
