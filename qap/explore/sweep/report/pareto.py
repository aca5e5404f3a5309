"""The Pareto front: what no other point beats in everything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def pareto_front(costs: Sequence[Sequence[float]]) -> list[int]:
    """The points that no other point dominates.

    A point dominates another if it costs no more of anything and less of something. Equal points do not dominate
    each other: all of them are on the front, or none.

    Args:
        costs: for every point what it costs, (n, k); less is better. Give a gain as its negative.

    Returns:
        The places of the points on the front, rising.

    Raises:
        ValueError: a cost is not a number.

    Example:
        >>> pareto_front([(1, 5), (2, 2), (3, 3), (2, 2)])
        [0, 1, 3]
    """
    if not len(costs):
        return []
    points = np.array(costs, np.float64)
    if np.isnan(points).any():
        raise ValueError("the Pareto front needs numbers, but a cost is nan")
    front: list[int] = []
    kept = np.empty_like(points)
    # in this order nothing is dominated by what comes after it, and what dominates is on the front already
    for place in np.lexsort(points.T[::-1]):
        point, found = points[place], kept[: len(front)]
        if not ((found <= point).all(axis=1) & (found < point).any(axis=1)).any():
            kept[len(front)] = point
            front.append(int(place))
    return sorted(front)
