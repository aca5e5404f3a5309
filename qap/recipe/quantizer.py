"""Quantizers as a recipe writes them: QKeras expressions or `ap_fixed` formats, read without QKeras.

    quantized_bits(4,0,alpha=1)          quantized_relu(6,2)       ap_fixed<6,2,AP_RND_CONV,AP_SAT>
    ternary(alpha=1)  binary(alpha=1)    quantized_po2(4)          relu(ap_ufixed<4,2,AP_TRN,AP_WRAP>)

The expression is parsed, never evaluated. What has no exact hardware form (a float scale,
stochastic rounding, sigmoid inside) is refused here, before anything is trained.
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from qap.errors import QapError
from qap.fixed import FixedPoint

Role = Literal["weight", "activation"]
MAX_BITS = 32  # QKeras computes in float32; more bits than this cannot mean anything there
RELU_BITS = 31  # quantized_relu computes 2**bits and 2**integer in int32
MAX_LENGTH = 200  # characters; keeps the nesting and the numbers in what Python can read
UNREADABLE = (SyntaxError, ValueError, TypeError)


@dataclass(frozen=True, slots=True)
class Quantizer:
    """A parsed quantizer.

    Args:
        name: the QKeras class, or `fixed_point` for an `ap_fixed` format.
        arguments: the arguments by name, only those that were given; of a `fixed_point` its `format`, a
            `FixedPoint`, and `relu`.
    """

    name: str
    arguments: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.arguments.items())))

    @classmethod
    def parse(cls, text: Any, role: Role) -> Quantizer:
        """Read and check an expression.

        Args:
            text: the expression.
            role: what it is for; some quantizers only make sense as one of the two.

        Raises:
            QapError: it is not a quantizer, or none that hardware can do exactly.
        """
        if not isinstance(text, str):
            raise QapError(f"a quantizer is written as text, but got a {type(text).__name__}")
        if len(text) > MAX_LENGTH:
            raise QapError(f"a quantizer has at most {MAX_LENGTH} characters, but {text[:20]!r}... has {len(text)}")
        quantizer = _parse_fixed_point(text) or _parse_call(text)
        known = _KNOWN[quantizer.name]
        if role not in known.roles or (role == "weight" and quantizer.arguments.get("relu")):
            raise QapError(
                f"{text!r} is not for {role}s, only for {'weights' if role == 'activation' else 'activations'}"
            )
        for name, value in quantizer.arguments.items():
            known.arguments[name](f"{name} of {text!r}", value)
        if role == "activation" and quantizer.arguments.get("alpha") == "auto_po2":
            raise QapError(f"alpha of {text!r}: only weights have an 'auto_po2' scale; write a power of two")
        return quantizer

    @property
    def format(self) -> FixedPoint:
        """The fixed-point format of `fixed_point`."""
        form: FixedPoint = self.arguments["format"]
        return form

    @property
    def bits(self) -> int | None:
        """The bits that it was given; None for `binary` and `ternary`, which are given none."""
        if self.name == "fixed_point":
            return self.format.width
        return self.arguments.get("bits")

    @property
    def width(self) -> int:
        """The bits of its numbers: those that it was given, 1 for `binary`, 2 for `ternary`."""
        return self.bits or (1 if self.name == "binary" else 2)

    @property
    def has_range(self) -> bool:
        """Whether its numbers are evenly spaced in a range, so that width and range can be chosen apart."""
        return self.name in ("fixed_point", "quantized_bits", "quantized_relu")

    @property
    def has_zero(self) -> bool:
        """Whether a weight of exactly 0 stays 0, so that it can be pruned."""
        if self.name == "quantized_bits":
            return int(self.arguments["bits"]) - bool(self.arguments.get("keep_negative", True)) > 0
        return self.name not in ("binary", "quantized_po2")

    @property
    def rectifies(self) -> bool:
        """Whether negative numbers become 0, or less negative."""
        return self.name == "quantized_relu" or bool(self.arguments.get("relu"))

    def __str__(self) -> str:
        if self.name == "fixed_point":
            return f"relu({self.format})" if self.arguments["relu"] else str(self.format)
        return f"{self.name}({','.join(_argument(*item) for item in self.arguments.items())})"


@dataclass(frozen=True, slots=True)
class _Known:
    roles: tuple[Role, ...]
    arguments: Mapping[str, Callable[[str, Any], None]]
    required: tuple[str, ...] = ()


def _parse_fixed_point(text: str) -> Quantizer | None:
    inner = text.strip()
    relu = inner.startswith("relu(") and inner.endswith(")")
    if relu:
        inner = inner[len("relu(") : -1]
    if "fixed<" not in inner and "int<" not in inner:
        return None
    return Quantizer("fixed_point", {"format": FixedPoint.parse(inner), "relu": relu})


def _parse_call(text: str) -> Quantizer:
    call = called(text)
    known = _KNOWN.get(call.name)
    if known is None or call.name == "fixed_point":
        others = ", ".join(name for name in _KNOWN if name != "fixed_point")
        raise QapError(f"unknown quantizer {call.name!r} in {text!r} (there are: {others}, ap_fixed<>, ap_ufixed<>)")
    names = list(known.arguments)
    given = arguments_of(text, call, names)
    for name in known.required:
        if name not in given:
            raise QapError(f"{text!r}: the argument {name!r} is missing")
    # in the order of the signature: bits and integer are written without their names
    return Quantizer(call.name, {name: given[name] for name in names if name in given})


class Called(NamedTuple):
    """A quantizer as it is written: the name of its class, and what stands between the parentheses."""

    name: str
    positional: Sequence[ast.expr]
    keywords: Sequence[ast.keyword]


def called(text: str) -> Called:
    """A quantizer's name and arguments, parsed and never evaluated.

    Raises:
        QapError: it is not written as a call.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # Python's own, on escapes in strings
            call = ast.parse(text.strip(), mode="eval").body
    except UNREADABLE:
        call = None
    if isinstance(call, ast.Name):
        return Called(call.id, (), ())
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise QapError(f"{text!r} is not a quantizer; write one as in quantized_bits(4,0,alpha=1) or ap_fixed<4,1>")
    return Called(call.func.id, call.args, call.keywords)


def arguments_of(text: str, call: Called, names: Sequence[str]) -> dict[str, Any]:
    """The arguments of a call by name, plain numbers or text.

    Args:
        text: what was written, for the error.
        call: what was parsed of it.
        names: of the arguments, in the order of the signature.

    Raises:
        QapError: there are too many, one is not known or given twice, or one is no plain value.
    """
    if len(call.positional) > len(names):
        raise QapError(f"{text!r} has too many arguments; {call.name} takes {', '.join(names)}")
    given = dict(zip(names, call.positional, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg not in names or keyword.arg in given:
            raise QapError(f"{text!r}: argument {keyword.arg!r} is not one of {', '.join(names)}, or is given twice")
        given[keyword.arg] = keyword.value
    try:
        return {name: ast.literal_eval(value) for name, value in given.items()}
    except UNREADABLE:
        raise QapError(f"{text!r}: arguments must be plain numbers or text") from None


def _argument(name: str, value: Any) -> str:
    return str(value) if name in ("bits", "integer") else f"{name}={value!r}"


def _bits(low: int, high: int = MAX_BITS) -> Callable[[str, Any], None]:
    def check(where: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise QapError(f"{where} must be a whole number from {low} to {high}, but got {value!r}")

    return check


def _relu_integer(where: str, value: Any) -> None:
    if isinstance(value, int) and value < 0:
        raise QapError(
            f"{where} must not be below 0, where QKeras computes no number, but got {value}; "
            f"write relu(ap_ufixed<bits,{value},AP_RND_CONV,AP_SAT>) instead"
        )
    _bits(0, RELU_BITS)(where, value)


def _switch(where: str, value: Any) -> None:
    if value not in (0, 1):
        raise QapError(f"{where} must be 0 or 1, but got {value!r}")


def _off(where: str, value: Any) -> None:
    if value != 0:
        raise QapError(f"{where} must stay off: it has no exact integer form (got {value!r})")


def _power_of_two(where: str, value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or math.frexp(value)[0] != 0.5 or abs(math.frexp(value)[1] - 1) > MAX_BITS:
        raise QapError(f"{where} must be a power of two from 2**-{MAX_BITS} to 2**{MAX_BITS}, but got {value!r}")


def _alpha(where: str, value: Any) -> None:
    if value == "auto":
        raise QapError(f"{where}: 'auto' is a float scale, which has no exact integer form; write 'auto_po2' or 1")
    if value is not None and value != "auto_po2":
        _power_of_two(where, value)


def _slope(where: str, value: Any) -> None:
    if value != 0:
        _power_of_two(where, value)
        if value > 1:
            raise QapError(f"{where} must be at most 1, but got {value!r}")


def _threshold(where: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise QapError(f"{where} must be a number above 0, but got {value!r}")


def _maximum(where: str, value: Any) -> None:
    if value is not None:
        _threshold(where, value)


def _fixed_width(where: str, value: Any) -> None:
    if value.width > MAX_BITS:
        raise QapError(f"{where} has {value.width} bits, at most {MAX_BITS} are possible")


def _relu(where: str, value: Any) -> None:
    pass


_BOTH: tuple[Role, ...] = ("weight", "activation")
_KNOWN: dict[str, _Known] = {
    "quantized_bits": _Known(
        _BOTH,
        {
            "bits": _bits(1),
            "integer": _bits(-MAX_BITS),
            "symmetric": _switch,
            "keep_negative": _switch,
            "alpha": _alpha,
        },
        ("bits",),
    ),
    "quantized_relu": _Known(
        ("activation",),
        {"bits": _bits(1, RELU_BITS), "integer": _relu_integer, "use_sigmoid": _off, "negative_slope": _slope},
        ("bits",),
    ),
    "binary": _Known(_BOTH, {"use_01": _switch, "alpha": _alpha}),
    "ternary": _Known(_BOTH, {"alpha": _alpha, "threshold": _threshold}),
    "quantized_po2": _Known(("weight",), {"bits": _bits(2), "max_value": _maximum}, ("bits",)),
    "fixed_point": _Known(_BOTH, {"format": _fixed_width, "relu": _relu}),
}
