"""Causes that lie in a type: too narrow, or rounding and limiting otherwise than the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.evidence import Evidence
from qap.explore.diagnosis.hardware import layer_alone
from qap.explore.diagnosis.ranges import Judged, array_of
from qap.explore.diagnosis.results import Cause, Widened
from qap.fixed import FixedPoint, Overflow

FloatArray = npt.NDArray[np.float64]
NEAR_BYTES = 1e-3
"""How near to whole numbers x * 255 must be, so that x counts as a byte divided by 255 in float32."""


def of_types(evidence: Evidence) -> Iterator[Cause]:
    """The causes in every type that can be judged."""
    for widened in evidence.types:
        finder = _BY_ROLE.get(widened.use.site.role)
        if finder is not None and widened.use.judged is not None and widened.use.form is not None:
            index = evidence.block_of(widened.use.site.call)
            yield from finder(evidence, widened, widened.use.form, widened.use.judged, index)


def _input(
    evidence: Evidence, widened: Widened, form: FixedPoint, judged: Judged, index: int | None
) -> Iterator[Cause]:
    if judged.lossless:
        return
    first = evidence.case.reference.layers[0]
    changes = bool((layer_alone(first, evidence.inputs_of(0))[1] != evidence.case.reference.results[0]).any())
    remedy = f"make it {widened.use.exact}"
    if not evidence.case.grid.exact:
        yield _off_the_grid(evidence, widened, form, judged, changes)
    if judged.overflow:
        text = f"{_share(judged.overflow)} of the inputs are outside of {_described(form)} and {_happens(form)}"
        yield _cause("input-too-narrow", widened, text, remedy, changes)
    elif evidence.case.grid.exact:
        text = f"the inputs have {evidence.case.grid.format.fractional} fractional bits, {form} keeps {form.fractional}"
        yield _cause("input-too-narrow", widened, text, remedy, changes)


def _off_the_grid(evidence: Evidence, widened: Widened, form: FixedPoint, judged: Judged, changes: bool) -> Cause:
    scaled = evidence.case.samples.x * 255
    of_bytes = bool((np.abs(scaled - np.rint(scaled)) < NEAR_BYTES).all())
    what = "x/255 is not a fixed-point number" if of_bytes else "they lie on no fixed-point grid"
    text = f"{form} cannot hold the inputs of the model: {what}; the largest error is {judged.rounding:.3g}"
    remedy = f"train on x/256, or on inputs that are rounded to {form}"
    left = evidence.gap_for_its_own_inputs()
    return Cause("inputs-off-the-grid", str(widened.use.site), text, remedy, changes, left)


def _weight(
    evidence: Evidence, widened: Widened, form: FixedPoint, judged: Judged, index: int | None
) -> Iterator[Cause]:
    if judged.lossless or index is None:
        return
    use = widened.use
    remedy = f"make it {use.exact}" if use.exact else "give it more bits, or fold the normalization"
    if evidence.case.source.calls[use.site.call or 0].function == "normalize":
        wraps = rounds = "narrow-normalization"
    elif use.site.role == "bias":
        wraps = rounds = "narrow-bias"
    else:
        wraps, rounds = "wrapped-weights", "weight-type-too-narrow"
    effective = widened.gap != evidence.base or evidence.guilty(index)
    if judged.overflow:
        text = f"{_share(judged.overflow)} of the numbers are outside of {_described(form)} and {_happens(form)}"
        yield _cause(wraps, widened, text, remedy, effective)
    elif evidence.is_models(array_of(evidence.case.source, use.site) or ""):
        text = f"{form} is coarser than the numbers; the largest error is {judged.rounding:.3g}"
        yield _cause(rounds, widened, text, remedy, effective)


def _accumulator(
    evidence: Evidence, widened: Widened, form: FixedPoint, judged: Judged, index: int | None
) -> Iterator[Cause]:
    wins, exact = widened.gap != evidence.base, widened.use.exact
    if index is None or exact is None or (judged.lossless and not wins):
        return
    if judged.overflow:
        text = f"{_share(judged.overflow)} of the sums are outside of {_described(form)} and {_happens(form)}"
    elif form.fractional < exact.fractional:
        lost = exact.fractional - form.fractional
        text = f"the products have {exact.fractional} fractional bits, of which {form} drops {lost}"
    else:
        text = f"sums on the way leave {_described(form)} and {_happens(form)}"
    yield _cause("narrow-accumulator", widened, text, f"make it {exact}", wins)


def _result(
    evidence: Evidence, widened: Widened, form: FixedPoint, judged: Judged, index: int | None
) -> Iterator[Cause]:
    exact = widened.use.exact
    if index is None or exact is None or not evidence.guilty(index):
        return
    layer, last = (
        evidence.case.reference.layers[index],
        widened.use.site.call == evidence.case.blocks[index].last,
    )
    sums = layer_alone(layer, evidence.inputs_of(index))[0]
    values = np.maximum(sums, 0) if layer.activation == "relu" and last else sums
    outside = float(((values < form.min_int * form.lsb) | (values >= (form.max_int + 1) * form.lsb)).mean())
    wins, remedy = widened.gap != evidence.base, f"make it {exact}"
    if outside and form.overflow is not exact.overflow and _same_range(form, exact):
        text = f"{_share(outside)} of the results are outside of {form}: by {form.overflow} they {_happens(form)}"
        yield _cause("wraps-instead-of-saturating", widened, f"{text}, the model does {exact.overflow}", remedy, wins)
    elif outside and not _holds_range(form, exact):
        text = f"{_share(outside)} of the results are outside of {_described(form)} and {_happens(form)}"
        yield _cause("narrow-result", widened, text, remedy, wins)
    rounds = exact.fractional < layer.accum_format.fractional
    if form.fractional < exact.fractional:
        text = f"{form} keeps {form.fractional} fractional bits, the model {exact.fractional}"
        yield _cause("narrow-result", widened, text, remedy, wins)
    elif rounds and form.fractional == exact.fractional and form.rounding is not exact.rounding:
        text = f"{form} rounds by {form.rounding}, the model by {exact.rounding}"
        yield _cause("rounds-otherwise", widened, text, remedy, wins)
    elif rounds and form.fractional > exact.fractional and last:
        text = f"{form} keeps bits that the model rounds away: it has {exact.fractional} fractional bits"
        yield _cause("rounds-otherwise", widened, text, remedy, wins)


_Finder = Callable[[Evidence, Widened, FixedPoint, Judged, int | None], Iterator[Cause]]
_BY_ROLE: dict[str, _Finder] = {
    "input": _input,
    "weight": _weight,
    "scale": _weight,
    "bias": _weight,
    "accumulator": _accumulator,
    "result": _result,
}


def _cause(kind: str, widened: Widened, text: str, remedy: str, effective: bool) -> Cause:
    return Cause(kind, str(widened.use.site), text, remedy, effective, widened.gap)


def _same_range(a: FixedPoint, b: FixedPoint) -> bool:
    return (a.signed, a.integer) == (b.signed, b.integer)


def _holds_range(outer: FixedPoint, inner: FixedPoint) -> bool:
    below = outer.min_int * outer.lsb <= inner.min_int * inner.lsb
    return below and (outer.max_int + 1) * outer.lsb >= (inner.max_int + 1) * inner.lsb


def _happens(form: FixedPoint) -> str:
    return "wrap around" if form.overflow is Overflow.WRAP else "are limited"


def _described(form: FixedPoint) -> str:
    return f"{form} ({form.min_int * form.lsb:g} to {form.max_int * form.lsb:g})"


def _share(share: float) -> str:
    return f"{100 * share:.2g} %"
