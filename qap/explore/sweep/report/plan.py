"""What of a sweep becomes the horizontal axis of its figures, what lines, and how lines look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qap.errors import QapError
from qap.explore.sweep.report.results import SweepPoint, SweepResults, axis_label, axis_name, shown
from qap.recipe.quantizer import Quantizer
from qap.report.figures import BLUE, INK, ORANGE

MOST_LINES = 12
MOST_ROWS = 4
TARGET_AXES = ("strategy", "reuse_factor", "part", "clock_ns")
BIT_AXES = ("weight_bits", "activation_bits", "input_bits", "precision_width")
QUANTIZED = (".weight", ".activation", ".bias", "data.input_format")  # the ends of keys whose values have a width

# the first axis decides colour and filling, the others marker and dashes: each pair tells lines apart in grey, too
COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", INK)
FILLS = ("full", "none", "left", "top", "right")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (5, 1.5, 1, 1.5)), (0, (9, 2)), (0, (3, 1, 1, 1, 1, 1)))


@dataclass(frozen=True, slots=True)
class Line:
    """Points that are drawn alike.

    Args:
        label: what they have in common; empty for all points.
        points: rising along the horizontal axis.
        colour: and filling, as places in `COLOURS` and `FILLS`.
        marker: and dashes, as places in `MARKERS` and `DASHES`.
        joined: whether a line through the points means something: they differ in the horizontal axis alone.
    """

    label: str
    points: tuple[SweepPoint, ...]
    colour: int
    marker: int
    joined: bool

    @property
    def style(self) -> dict[str, Any]:
        """For matplotlib's `plot`."""
        colour = COLOURS[self.colour % len(COLOURS)]
        return {
            "label": self.label,
            "color": colour,
            "fillstyle": FILLS[self.colour % len(FILLS)],
            "markerfacecoloralt": "white",
            "marker": MARKERS[self.marker % len(MARKERS)],
            "linestyle": DASHES[self.marker % len(DASHES)] if self.joined else "none",
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """How the points of a sweep are drawn.

    Args:
        x: the horizontal axis.
        label: what stands below it.
        numeric: whether its values are numbers; else they stand beside each other.
        places: where each of its values stands, by what is shown of it.
        first: the axis that decides colours and rows, None without one.
        others: axes that decide markers.
        orders: the values of these axes in their order, as they are shown.
        dropped: axes that are not told apart, since there would be too many lines.
    """

    x: str
    label: str
    numeric: bool
    places: dict[str, float]
    first: str | None
    others: tuple[str, ...]
    orders: dict[str, list[str]]
    dropped: tuple[str, ...]

    def place(self, point: SweepPoint) -> float:
        """Where a point stands."""
        return self.places[shown(point.values.get(self.x))]

    def lines(self, points: Iterable[SweepPoint], axes: Sequence[str] | None = None) -> list[Line]:
        """The points as lines.

        Args:
            points: some or all.
            axes: that change what is drawn; None: all.
        """
        told = [axis for axis in (self.first, *self.others) if axis and (axes is None or axis in axes)]
        mixed = [axis for axis in self.dropped if axes is None or axis in axes]
        groups: dict[tuple[int, ...], list[SweepPoint]] = {}
        for point in points:
            groups.setdefault(tuple(self.rank(axis, point) for axis in told), []).append(point)
        with_colour = bool(told) and told[0] == self.first
        markers = sorted({ranks[with_colour:] for ranks in groups})
        return [
            self._line(found, told, mixed, ranks[0] if with_colour else 0, markers.index(ranks[with_colour:]))
            for ranks, found in sorted(groups.items())
        ]

    def rank(self, axis: str, point: SweepPoint) -> int:
        """The place of a point's value among those of an axis."""
        return self.orders[axis].index(shown(point.values.get(axis)))

    def _line(
        self, points: list[SweepPoint], told: Sequence[str], mixed: Sequence[str], colour: int, marker: int
    ) -> Line:
        ordered = tuple(sorted(points, key=self.place))
        label = ", ".join(axis_name(axis, shown(points[0].values.get(axis))) for axis in told)
        places = {self.place(point) for point in points}
        alike = all(len(_values(points, axis)) == 1 for axis in mixed)
        return Line(label, ordered, colour, marker, alike and 1 < len(places) == len(points))


def plan_of(results: SweepResults) -> Plan:
    """A bit width along the horizontal axis if there is one, else the numbers with most values, else anything."""
    points = results.good
    axes = [axis for axis in results.varied if len(_values(points, axis)) > 1] or list(results.axes[:1])
    numbers = {axis: found for axis in axes if (found := _numbers(points, axis))}
    bits = [axis for axis in numbers if axis in BIT_AXES or axis.endswith(QUANTIZED)]
    x = bits[0] if bits else max(numbers, key=lambda axis: len(numbers[axis]), default=axes[0])
    rest = [axis for axis in axes if axis != x]
    first = "strategy" if "strategy" in rest else (rest[0] if rest else None)
    others = [axis for axis in rest if axis != first]
    dropped: list[str] = []
    while others and _combinations(points, [*([first] if first else []), *others]) > MOST_LINES:
        dropped.insert(0, others.pop())
    if first and _combinations(points, [first]) > MOST_LINES:
        dropped.insert(0, first)
        first = None
    places = numbers.get(x) or {value: float(place) for place, value in enumerate(_values(points, x))}
    label = f"bits of {x}" if x.endswith(QUANTIZED) and x in numbers else axis_label(x)
    orders = {axis: _ordered(points, axis) for axis in (first, *others) if axis}
    return Plan(x, label, x in numbers, places, first, tuple(others), orders, tuple(dropped))


def _ordered(points: Sequence[SweepPoint], axis: str) -> list[str]:
    """The values of an axis: numbers rising, others as they come."""
    numbers = _numbers(points, axis)
    return sorted(numbers, key=lambda text: numbers[text]) if numbers else _values(points, axis)


def _numbers(points: Sequence[SweepPoint], axis: str) -> dict[str, float]:
    """The values of an axis as numbers, by what is shown of them; empty if they are none."""
    values = {shown(point.values.get(axis)): point.values.get(axis) for point in points}
    found = {text: bits_of(axis, value) if isinstance(value, str) else value for text, value in values.items()}
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in found.values()):
        return {}
    numbers = {text: float(number) for text, number in found.items() if number is not None}
    return numbers if len(set(numbers.values())) == len(numbers) else {}


def bits_of(axis: str, text: str) -> int | None:
    """The width of a quantizer or of a format, None if the axis has none or it is not plain."""
    if not axis.endswith(QUANTIZED):
        return None
    try:
        return Quantizer.parse(text, "activation" if axis.endswith("activation") else "weight").bits
    except QapError:
        return None


def _values(points: Sequence[SweepPoint], axis: str) -> list[str]:
    return list(dict.fromkeys(shown(point.values.get(axis)) for point in points))


def _combinations(points: Sequence[SweepPoint], axes: Sequence[str]) -> int:
    return len({tuple(shown(point.values.get(axis)) for axis in axes) for point in points})
