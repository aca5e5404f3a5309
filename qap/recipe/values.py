"""The values that recipes are made of, each checked when it is read, and what all parts of a recipe share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from qap.descriptions import shown
from qap.errors import QapError
from qap.fixed import FixedPoint
from qap.hardware.devices import hls_part
from qap.recipe.quantizer import Quantizer, Role


def _format(value: Any) -> FixedPoint:
    if isinstance(value, FixedPoint):
        return value
    if not isinstance(value, str):
        raise QapError(f"a format is written as text, but got {shown(value)}")
    return FixedPoint.parse(value)


def _quantizer(value: Any, role: Role) -> Quantizer:
    """A quantizer that Python made is checked as its text is."""
    return Quantizer.parse(str(value) if isinstance(value, Quantizer) else value, role)


def _weight_quantizer(value: Any) -> Quantizer:
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"quantized_bits({value},0,alpha=1)"
    return _quantizer(value, "weight")


def _bias_quantizer(value: Any) -> Quantizer | str:
    return "none" if value == "none" else _weight_quantizer(value)


def _activation_quantizer(value: Any) -> Quantizer | str:
    return "linear" if value == "linear" else _quantizer(value, "activation")


def _part(value: Any) -> str:
    if not isinstance(value, str):
        raise QapError(f"a part or a board is written as text, but got {shown(value)}")
    return hls_part(value).name


def _read_by(read: Callable[[Any], object]) -> PlainValidator:
    def validate(value: Any) -> object:
        try:
            return read(value)
        except QapError as error:
            raise ValueError(str(error)) from None

    return PlainValidator(validate)


_AS_TEXT = PlainSerializer(str, return_type=str)


Format = Annotated[FixedPoint, _read_by(_format), _AS_TEXT]
"""A fixed-point format, written `ap_ufixed<8,0>`."""
WeightQuantizer = Annotated[Quantizer, _read_by(_weight_quantizer), _AS_TEXT]
"""Written as a QKeras quantizer, an `ap_fixed` format, or a number N of bits for `quantized_bits(N,0,alpha=1)`."""
BiasQuantizer = Annotated[Quantizer | Literal["none"], _read_by(_bias_quantizer), _AS_TEXT]
"""The same, or `none` for a layer without bias."""
ActivationQuantizer = Annotated[Quantizer | Literal["linear"], _read_by(_activation_quantizer), _AS_TEXT]
"""Written as a QKeras quantizer, an `ap_fixed` format, or `linear`."""
PartName = Annotated[str, _read_by(_part)]
"""A part of AMD, or a board, which becomes the part that it carries."""
# strict: neither true nor "3" is a number
Sparsity = Annotated[float, Field(ge=0, lt=1, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Positive = Annotated[int, Field(ge=1, lt=2**31, strict=True)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]


class Part(BaseModel):
    """What all parts of a recipe share: immutable, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
