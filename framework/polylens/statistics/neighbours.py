"""The nearest other row of a row, of all, of its class or of others; and the nearest ones by any distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, Num

_CHUNK_VALUES = 8_000_000
"""Distances held at once (64 MB)."""


@dataclass(frozen=True)
class Neighbours:
    """One other row for each of some rows."""

    row: Int64[np.ndarray, "chosen"]
    """-1 where there is none."""
    distance: Float64[np.ndarray, "chosen"]
    """Euclidean; infinite where there is none."""


def nearest_neighbours(
    points: Num[np.ndarray, "rows ..."],
    *,
    of: Int64[np.ndarray, "chosen"],
    groups: Int64[np.ndarray, "rows"] | None = None,
    same: bool | None = None,
) -> Neighbours:
    """The nearest other row of each chosen row; of equally near ones the first.

    Args:
        points: all rows.
        of: whose neighbours are looked for.
        groups: a class for each row, where `same` is given.
        same: whether neighbours must be of the own group, or must not; None allows all.

    >>> points = np.array([[0.0], [1.0], [5.0]])
    >>> nearest = nearest_neighbours(points, of=np.array([0, 2]), groups=np.array([0, 1, 0]), same=True)
    >>> nearest.row.tolist(), nearest.distance.tolist()
    ([2, 0], [5.0, 5.0])
    """
    flat = np.asarray(points.reshape(len(points), -1), dtype=np.float64)
    flat = flat - flat.mean(axis=0)  # distances stay, and their squares lose fewer digits
    squares = np.einsum("rw,rw->r", flat, flat)
    row, distance = np.full(len(of), -1, dtype=np.int64), np.full(len(of), np.inf)
    step = max(_CHUNK_VALUES // max(len(flat), 1), 1)
    for start in range(0, len(of), step):
        own = of[start : start + step]
        apart = squares[own, None] + squares[None] - 2 * flat[own] @ flat.T
        apart[np.arange(len(own)), own] = np.inf
        if groups is not None and same is not None:
            apart[(groups[own, None] == groups[None]) != same] = np.inf
        best = apart.argmin(axis=1)
        known = np.isfinite(apart[np.arange(len(own)), best])
        row[start : start + step][known] = best[known]
        distance[start : start + step][known] = np.linalg.norm(flat[own] - flat[best], axis=1)[known]
    return Neighbours(row, distance)


def nearest_sets(
    distances: Float64[np.ndarray, "rows rows"],
    *,
    count: int,
    apart: Int64[np.ndarray, "rows"],
    generator: np.random.Generator,
) -> Bool[np.ndarray, "rows rows"]:
    """Which rows are among the `count` nearest of each row, equally near ones in random order.

    Args:
        distances: of every two rows.
        count: how many neighbours each row has (fewer where there are not so many).
        apart: rows of one value are no neighbours of each other, such as those of one example.
        generator: breaks ties, so that two spaces do not agree by the order of rows.

    >>> far = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    >>> nearest_sets(far, count=1, apart=np.arange(3), generator=np.random.default_rng(0))[0].tolist()
    [False, True, False]
    """
    kept = np.where(apart[:, None] == apart[None], np.inf, distances)
    near = np.zeros(kept.shape, dtype=bool)
    tie = generator.permutation(len(kept))
    for row, line in enumerate(kept):
        order = np.lexsort((tie, line))[:count]
        near[row, order[np.isfinite(line[order])]] = True
    return near
