"""The wide type that a type is replaced by, to see what that alone would win."""

from __future__ import annotations

from collections.abc import Sequence

from qap.explore.diagnosis.hardware import Block, Reference
from qap.explore.diagnosis.ranges import TypeUse
from qap.fixed import FixedPoint

WIDE = {"weight": "ap_fixed<40,16>", "bias": "ap_fixed<40,16>", "scale": "ap_fixed<40,16>", "input": "ap_fixed<48,24>",
        "exp table": "ap_fixed<48,24>", "inverse table": "ap_fixed<48,24>", "table": "ap_fixed<40,16>"}  # fmt: skip
OTHERWISE = "ap_fixed<56,28>"
SPARE = 2
"""Integer bits above what is proven: the hardware's own numbers may be larger than the model's where it is wrong."""


def wide_type(use: TypeUse, reference: Reference, blocks: Sequence[Block]) -> str:
    """A C++ type that loses nothing; where the model itself rounds, the type that rounds as the model does."""
    general = WIDE.get(use.site.role, OTHERWISE)
    if use.exact is None or use.form is None:
        return general
    if quantizes(use, reference, blocks):
        return str(use.exact)
    integer = max(form.integer + (not form.signed) for form in (use.exact, use.form)) + SPARE
    finest = 24 if use.judged is not None and use.judged.rounding else 0
    fractional = max(use.exact.fractional, use.form.fractional, finest)
    return str(FixedPoint(True, integer + fractional, integer)) if 0 < integer + fractional <= 60 else general


def quantizes(use: TypeUse, reference: Reference, blocks: Sequence[Block]) -> bool:
    """Whether the model rounds or limits its numbers at this site."""
    index = next(
        (i for i, block in enumerate(blocks) if use.site.role == "result" and use.site.call == block.last), None
    )
    if index is None:
        return False
    layer = reference.layers[index]
    form = layer.result_format
    return (
        form.fractional < layer.accum_format.fractional
        or not isinstance(layer.activation, str)
        or form.integer + (not form.signed) < layer.accum_format.integer
    )
