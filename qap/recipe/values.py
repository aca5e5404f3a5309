"""The values that recipes are made of, each checked when it is read, and what all parts of a recipe share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from qap.errors import QapError
from qap.fixed import FixedPoint
from qap.recipe.quantizer import Quantizer

SHOWN = 100  # characters of a wrong value


def _format(text: Any) -> str:
    if not isinstance(text, str):
        raise QapError(f"a format is written as text, but got {shown(text)}")
    return str(FixedPoint.parse(text))


def _weight_quantizer(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"quantized_bits({value},0,alpha=1)"
    return str(Quantizer.parse(value, role="weight"))


def _bias_quantizer(value: Any) -> str:
    return value if value == "none" else _weight_quantizer(value)


def _activation_quantizer(value: Any) -> str:
    return value if value == "linear" else str(Quantizer.parse(value, role="activation"))


def _checked(check: Any) -> BeforeValidator:
    def validate(value: Any) -> str:
        try:
            return str(check(value))
        except QapError as error:
            raise ValueError(str(error)) from None

    return BeforeValidator(validate)


def shown(value: Any) -> str:
    """A wrong value as an error repeats it."""
    try:
        text = repr(value)
    except ValueError:  # Python does not print whole numbers of thousands of digits
        return "a number that is too long to be printed"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


Format = Annotated[str, _checked(_format)]
"""A fixed-point format, `ap_ufixed<8,0>`."""
WeightQuantizer = Annotated[str, _checked(_weight_quantizer)]
"""A QKeras quantizer, an `ap_fixed` format, or a number N of bits for `quantized_bits(N,0,alpha=1)`."""
BiasQuantizer = Annotated[str, _checked(_bias_quantizer)]
"""The same, or `none` for a layer without bias."""
ActivationQuantizer = Annotated[str, _checked(_activation_quantizer)]
"""A QKeras quantizer, an `ap_fixed` format, or `linear`."""
# strict: neither true nor "3" is a number
Sparsity = Annotated[float, Field(ge=0, lt=1, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Positive = Annotated[int, Field(ge=1, lt=2**31, strict=True)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]


class Part(BaseModel):
    """What all parts of a recipe share: immutable, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
