"""The Pareto front against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qap.explore.sweep.report.pareto import pareto_front


def dominates(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


clouds = st.integers(1, 4).flatmap(lambda k: st.lists(st.tuples(*[st.integers(-3, 3)] * k), max_size=25))


@given(clouds)
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, ...]]) -> None:
    front = pareto_front(points)
    expected = [i for i, point in enumerate(points) if not any(dominates(other, point) for other in points)]
    assert front == expected


def test_equal_points_are_on_the_front_together() -> None:
    assert pareto_front([(1, 1), (1, 1), (1, 2)]) == [0, 1]


def test_infinite_costs_are_numbers_and_nan_is_none() -> None:
    inf = float("inf")
    assert pareto_front([(inf, 0), (0, inf), (inf, inf)]) == [0, 1]
    with pytest.raises(ValueError, match="a cost is nan"):
        pareto_front([(0, float("nan"))])


def test_a_large_cloud_has_the_front_of_a_running_minimum() -> None:
    points = [(index * 7919 % 20_011, index * 104_729 % 20_021) for index in range(1, 20_000)]  # all x are different
    expected, best = [], 20_021
    for x, y in sorted(points):
        if y < best:
            expected.append((x, y))
            best = y
    assert sorted(points[place] for place in pareto_front(points)) == expected
    assert len(expected) > 1
