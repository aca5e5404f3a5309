"""Functions that keep the decision: left out at the end of a model, curves elsewhere."""

from __future__ import annotations

from qap.errors import NotExact
from qap.freezing.elements import Curve, Element, Final
from qap.freezing.functions import OVER_CLASSES, SATURATING, slack_of
from qap.freezing.graph import Call

Row = tuple[int, Call, list[Element]]
"""A call, its index and what it was read as."""


def with_final(rows: list[Row]) -> tuple[list[Row], tuple[Call, Final] | None]:
    """The function that is left out at the end, None without one; such functions elsewhere become curves.

    Raises:
        NotExact: a function of all outputs stands elsewhere.
    """
    last = next((row for row in reversed(rows) if row[2]), None)
    final = (last[1], last[2][-1]) if last and isinstance(last[2][-1], Final) else None

    def between(call: Call, element: Element) -> Element:
        if not isinstance(element, Final) or (final and element is final[1]):
            return element
        refused = NotExact(call.name, f"a {element.name} between layers; only at the end it can be left out")
        if element.name in OVER_CLASSES:
            raise refused
        refused = NotExact(call.name, f"{refused.why}, or before a quantizer it becomes steps")
        return Curve(call.name, element.function, refused, slack=slack_of(element.function))

    changed = [(index, call, [between(call, each) for each in elements]) for index, call, elements in rows]
    return changed, final


def refuse_final(call: Call, final: Final, outputs: int) -> None:
    """Refuse a function that does not keep the decision among so many outputs."""
    if final.name in OVER_CLASSES and outputs == 1:
        raise NotExact(call.name, f"a {final.name} over a single output is constant; use a sigmoid")
    if final.name in SATURATING and outputs > 1:
        raise NotExact(
            call.name, f"a {final.name} saturates, so {outputs} outputs may tie where their logits differ; leave it out"
        )
